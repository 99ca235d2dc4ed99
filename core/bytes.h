/* Little-endian reads and writes, checked sizes, CRC-32C, SHA-256. */
#ifndef LAC_CORE_BYTES_H
#define LAC_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t lac_load16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t lac_load32(const uint8_t *p)
{
    return (uint32_t)lac_load16(p) | (uint32_t)lac_load16(p + 2) << 16;
}

static inline uint64_t lac_load64(const uint8_t *p)
{
    return (uint64_t)lac_load32(p) | (uint64_t)lac_load32(p + 4) << 32;
}

static inline void lac_store16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void lac_store32(uint8_t *p, uint32_t v)
{
    lac_store16(p, (uint16_t)v);
    lac_store16(p + 2, (uint16_t)(v >> 16));
}

static inline void lac_store64(uint8_t *p, uint64_t v)
{
    lac_store32(p, (uint32_t)v);
    lac_store32(p + 4, (uint32_t)(v >> 32));
}

/* *out = a * b or a + b; false, with *out untouched, if that overflows. */
bool lac_size_mul(size_t a, size_t b, size_t *out);
bool lac_size_add(size_t a, size_t b, size_t *out);

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4). Start with crc = 0; continue by passing the last result. */
uint32_t lac_crc32c(uint32_t crc, const void *data, size_t size);

/* SHA-256 (FIPS 180-4). */
typedef struct lac_sha256 {
    uint32_t h[8];
    uint64_t bytes;
    uint8_t block[64];
    void (*add_blocks)(uint32_t h[8], const uint8_t *data, size_t blocks); /* lac_sha256_blocks_fn */
} lac_sha256;

/* Reads LAC_CPU_MASK. */
void lac_sha256_init(lac_sha256 *s);
void lac_sha256_update(lac_sha256 *s, const void *data, size_t size);
void lac_sha256_final(lac_sha256 *s, uint8_t digest[32]);

#endif
