#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cpu.h"
#include "kernels.h"

static void store_big32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

void lac_sha256_init(lac_sha256 *s)
{
    static const uint32_t initial[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    lac_kernels kernels;
    lac_kernels_choose(&kernels, lac_cpu_mask(lac_cpu_detect(), getenv("LAC_CPU_MASK")));
    memset(s, 0, sizeof(*s));
    s->add_blocks = kernels.sha256_blocks;
    memcpy(s->h, initial, sizeof(initial));
}

void lac_sha256_update(lac_sha256 *s, const void *data, size_t size)
{
    const uint8_t *p = data;
    size_t held = (size_t)(s->bytes % 64);
    s->bytes += size;
    if (held && size) {
        size_t part = size < 64 - held ? size : 64 - held;
        memcpy(s->block + held, p, part);
        if (held + part < 64)
            return;
        s->add_blocks(s->h, s->block, 1);
        p += part;
        size -= part;
    }
    s->add_blocks(s->h, p, size / 64);
    if (size % 64)
        memcpy(s->block, p + size / 64 * 64, size % 64);
}

void lac_sha256_final(lac_sha256 *s, uint8_t digest[32])
{
    size_t held = (size_t)(s->bytes % 64);
    uint64_t bits = s->bytes * 8;
    s->block[held++] = 0x80;
    if (held > 56) {
        memset(s->block + held, 0, 64 - held);
        s->add_blocks(s->h, s->block, 1);
        held = 0;
    }
    memset(s->block + held, 0, 56 - held);
    store_big32(s->block + 56, (uint32_t)(bits >> 32));
    store_big32(s->block + 60, (uint32_t)bits);
    s->add_blocks(s->h, s->block, 1);
    for (int i = 0; i < 8; i++)
        store_big32(digest + 4 * i, s->h[i]);
}
