/* Codebooks packed for their kernels. */
#include <string.h>

#include "kernels.h"

#define PANEL LAC_CODE_PANEL

size_t lac_codebook_panel_bytes(size_t dimension)
{
    return PANEL * sizeof(int32_t) + (dimension + 1) / 2 * 2 * PANEL * sizeof(int16_t);
}

size_t lac_codebook_packed_bytes(const lac_codebook *book)
{
    return ((size_t)book->codewords + PANEL - 1) / PANEL * lac_codebook_panel_bytes(book->dimension);
}

static void pack_panel(const lac_codebook *book, size_t first, uint8_t *to)
{
    size_t D = book->dimension;
    memset(to, 0, lac_codebook_panel_bytes(D));
    for (size_t i = 0; i < PANEL; i++) {
        int inside = first + i < book->codewords;
        int32_t begin = inside ? -book->half_norm[first + i] : INT32_MIN;
        memcpy(to + i * sizeof begin, &begin, sizeof begin);
        uint8_t *elements = to + PANEL * sizeof(int32_t) + 2 * i * sizeof(int16_t);
        for (size_t d = 0; inside && d < D; d++)
            memcpy(elements + (d / 2 * 2 * PANEL + d % 2) * sizeof(int16_t), &book->codes[(first + i) * D + d],
                   sizeof(int16_t));
    }
}

void lac_codebook_pack(lac_codebook *book, uint8_t *to)
{
    size_t panel_bytes = lac_codebook_panel_bytes(book->dimension);
    for (size_t k = 0; k < book->codewords; k += PANEL)
        pack_panel(book, k, to + k / PANEL * panel_bytes);
    book->packed = to;
}
