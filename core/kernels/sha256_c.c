#include <string.h>

#include "kernels.h"

/* Fractional parts of the cube roots of the first 64 primes. */
const uint32_t lac_sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static uint32_t load_big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void schedule(uint32_t w[64], const uint8_t *block)
{
    for (int i = 0; i < 16; i++)
        w[i] = load_big32(block + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        uint32_t s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
        uint32_t s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

/* One round. Instead of moving all eight words on by one, `turn` says how far they have turned. */
static inline void step(uint32_t s[8], unsigned turn, uint32_t input)
{
#define WORD(i) s[((i) - turn) & 7]
    uint32_t a = WORD(0), e = WORD(4);
    uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    uint32_t t1 = WORD(7) + s1 + ((e & WORD(5)) ^ (~e & WORD(6))) + input;
    uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    uint32_t majority = (a & WORD(1)) ^ (a & WORD(2)) ^ (WORD(1) & WORD(2));
    WORD(3) += t1;
    WORD(7) = t1 + s0 + majority;
#undef WORD
}

static void compress(uint32_t h[8], const uint8_t *block)
{
    uint32_t w[64], s[8];
    schedule(w, block);
    for (int i = 0; i < 64; i++)
        w[i] += lac_sha256_constants[i];
    memcpy(s, h, sizeof(s));
    for (int i = 0; i < 64; i += 8) {
        /* Constant turns keep the words in registers. */
        step(s, 0, w[i]);
        step(s, 1, w[i + 1]);
        step(s, 2, w[i + 2]);
        step(s, 3, w[i + 3]);
        step(s, 4, w[i + 4]);
        step(s, 5, w[i + 5]);
        step(s, 6, w[i + 6]);
        step(s, 7, w[i + 7]);
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

void lac_sha256_blocks_c(uint32_t h[8], const uint8_t *data, size_t blocks)
{
    for (; blocks > 0; blocks--, data += 64)
        compress(h, data);
}
