/* Codebooks for each frame of a file with an average rate: where they help most (Shoham and Gersho, "Efficient bit
 * allocation for an arbitrary set of quantizers", IEEE Trans. ASSP 36(9), 1988). Integers throughout, so that all
 * machines decide alike. */
#ifndef LAC_CODEC_ALLOCATE_H
#define LAC_CODEC_ALLOCATE_H

#include <stddef.h>
#include <stdint.h>

#define LAC_ALLOCATION_BIT 4096

typedef struct lac_allocation {
    const uint64_t *errors; /* [frames][stages]: what a frame's first 1, 2, .. codebooks leave; below 2^42 */
    size_t frames;          /* the first begins a page */
    uint32_t stages;        /* 1 .. LAC_MAX_CODEBOOKS */
    uint32_t token_cost;    /* of a codebook of a frame, all channels, in 1 / LAC_ALLOCATION_BIT; up to 128 bits */
} lac_allocation;

/* -> codebooks [frames], 1 .. stages: those of the least error that take no more than `bits`, pages' lists of them
 * included, or 1 each if that takes more. Among the mixtures that a price of a bit makes best, not all there are. */
void lac_allocate(const lac_allocation *a, uint64_t bits, uint8_t *codebooks);

/* Bits that these codebooks take, rounded up. */
uint64_t lac_allocation_bits(const lac_allocation *a, const uint8_t *codebooks);

#endif
