/* Writing .lac files from tokens that are there already. */
#include <string.h>

#include "writer.h"

/* The first codebooks[t] of each row must be below K. */
static bool tokens_valid(const lac_writer *w, const uint16_t *tokens, const uint8_t *codebooks, size_t frames)
{
    size_t q = w->model.codebooks, channels = w->format.channels;
    for (size_t t = 0; t < frames; t++) {
        if (codebooks[t] > q)
            return false;
        for (size_t c = 0; c < channels; c++)
            for (size_t i = 0; i < codebooks[t]; i++)
                if (tokens[(t * channels + c) * q + i] >= w->model.codewords)
                    return false;
    }
    return true;
}

/* Append one frame to what is pending; what a row does not use is zero there. */
static void append(lac_writer *w, const uint16_t *rows, uint8_t codebooks)
{
    size_t q = w->model.codebooks;
    for (uint32_t c = 0; c < w->format.channels; c++) {
        uint16_t *out = w->tokens[c] + w->pending * q;
        memset(out, 0, q * sizeof *out);
        memcpy(out, rows + c * q, codebooks * sizeof *out);
    }
    w->codebooks[w->pending++] = codebooks;
}

int lac_writer_write_tokens(lac_writer *w, const uint16_t *tokens, const uint8_t *codebooks, size_t frames)
{
    size_t row = (size_t)w->format.channels * w->model.codebooks;
    if (w->state != LAC_WRITER_OPEN || (!w->takes_tokens && w->samples > 0))
        return LAC_ERROR_STATE;
    if (!tokens_valid(w, tokens, codebooks, frames))
        return LAC_ERROR_ARGUMENT;
    for (size_t t = 0; t < frames; t++) {
        w->takes_tokens = true;
        append(w, tokens + t * row, codebooks[t]);
        int status = w->pending == LAC_PAGE_FRAMES ? lac_writer_put_page(w, LAC_PAGE_FRAMES) : LAC_OK;
        if (status != LAC_OK) {
            w->state = LAC_WRITER_FAILED;
            return status;
        }
    }
    return LAC_OK;
}
