#include "bytes.h"

bool lac_size_mul(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

bool lac_size_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

/* Slicing by 8 (Kounavis and Berry, 2005): remainders modulo the polynomial 0x1edc6f41, reflected, of every byte with k
 * zero bytes after it. A remainder is linear in the byte's bits: those of single bits, lowest first, give all. */
#define ONE(i, b0, b1, b2, b3, b4, b5, b6, b7)                                                    \
    ((i) & 1 ? b0 : 0u) ^ ((i) & 2 ? b1 : 0u) ^ ((i) & 4 ? b2 : 0u) ^ ((i) & 8 ? b3 : 0u) ^       \
        ((i) & 16 ? b4 : 0u) ^ ((i) & 32 ? b5 : 0u) ^ ((i) & 64 ? b6 : 0u) ^ ((i) & 128 ? b7 : 0u)
#define FOUR(i, ...) \
    ONE(i, __VA_ARGS__), ONE((i) + 1, __VA_ARGS__), ONE((i) + 2, __VA_ARGS__), ONE((i) + 3, __VA_ARGS__)
#define ROW(i, ...) \
    FOUR(i, __VA_ARGS__), FOUR((i) + 4, __VA_ARGS__), FOUR((i) + 8, __VA_ARGS__), FOUR((i) + 12, __VA_ARGS__)
#define ROWS(i, ...) \
    ROW(i, __VA_ARGS__), ROW((i) + 16, __VA_ARGS__), ROW((i) + 32, __VA_ARGS__), ROW((i) + 48, __VA_ARGS__)
#define ALL(...) ROWS(0, __VA_ARGS__), ROWS(64, __VA_ARGS__), ROWS(128, __VA_ARGS__), ROWS(192, __VA_ARGS__)

static const uint32_t crc_table[8][256] = {
    {ALL(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78)},
    {ALL(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9)},
    {ALL(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743)},
    {ALL(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f)},
    {ALL(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c)},
    {ALL(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6)},
    {ALL(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4)},
    {ALL(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664)},
};

static uint32_t crc_of_8(uint32_t crc, const uint8_t *p)
{
    uint32_t a = crc ^ lac_load32(p), b = lac_load32(p + 4);
    return crc_table[7][a & 0xff] ^ crc_table[6][a >> 8 & 0xff] ^ crc_table[5][a >> 16 & 0xff] ^ crc_table[4][a >> 24] ^
           crc_table[3][b & 0xff] ^ crc_table[2][b >> 8 & 0xff] ^ crc_table[1][b >> 16 & 0xff] ^ crc_table[0][b >> 24];
}

uint32_t lac_crc32c(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *p = data;
    crc = ~crc;
    for (; size >= 8; size -= 8, p += 8)
        crc = crc_of_8(crc, p);
    for (; size > 0; size--)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *p++) & 0xff];
    return ~crc;
}
