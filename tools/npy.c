/* Tokens as an array: [frames][codebooks], or [frames][channels][codebooks], or, of symbols, one dimension. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "npyarray.h"

/* ---- writing ---- */

static void write_symbols(lac_token_bytes *out, const lac_token_set *s)
{
    bool wide = s->vocabulary_size > 65536;
    char shape[32];

    snprintf(shape, sizeof shape, "%llu,", (unsigned long long)s->symbol_count[0]);
    lac_npy_write_header(out, wide ? "<u4" : "<u2", shape);
    for (uint64_t i = 0; i < s->symbol_count[0]; i++)
        lac_npy_put(out, s->symbols[i], wide ? 4 : 2);
}

void lac_npy_write(lac_token_bytes *out, const lac_token_set *s)
{
    unsigned width = lac_token_set_width(s);
    char shape[64];

    if (s->vocabulary) {
        write_symbols(out, s);
        return;
    }
    if (s->channels == 1)
        snprintf(shape, sizeof shape, "%llu, %u", (unsigned long long)s->frames, width);
    else
        snprintf(shape, sizeof shape, "%llu, %u, %u", (unsigned long long)s->frames, s->channels, width);
    lac_npy_write_header(out, "<u2", shape);
    for (uint64_t t = 0; t < s->frames; t++)
        for (uint32_t c = 0; c < s->channels; c++)
            for (uint32_t q = 0; q < width; q++)
                lac_npy_put(out,
                            q < s->counts[t] ? s->tokens[(t * s->channels + c) * s->codebooks + q] : LAC_TOKENS_PAD,
                            2);
}

/* ---- reading ---- */

static int check_array(const lac_npy_array *a, char *reason)
{
    if (a->kind == 'f' || a->kind == 'c')
        return lac_token_reason(reason, "is an array of floats, not of tokens");
    if ((a->kind != 'u' && a->kind != 'i') || a->item > 8)
        return lac_token_reason(reason, "is an array of a type that can't be tokens; unsigned 16 bits are wanted");
    if (a->dimensions == 0)
        return lac_token_reason(reason, "is no array, but one value");
    if ((a->dimensions == 3 && (a->shape[1] < 1 || a->shape[1] > LAC_MAX_CHANNELS)) ||
        (a->dimensions > 1 && a->shape[a->dimensions - 1] > LAC_MAX_CODEBOOKS))
        return lac_token_reason(reason, "its shape has more than %d codebooks, or not 1 to %d channels",
                                LAC_MAX_CODEBOOKS, LAC_MAX_CHANNELS);
    if (a->shape[0] > 0 && a->count == 0)
        return lac_token_reason(reason, "its shape has no codebooks");
    return 0;
}

/* What a value of a signed or wide type that can't be a symbol becomes is refused later. */
static uint32_t item_at(const lac_npy_array *a, uint64_t index)
{
    uint64_t value = lac_npy_get(a, index);

    if (a->kind == 'i' && value >> (8 * a->item - 1))
        return UINT32_MAX;
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static int take_symbols(lac_token_set *s, const lac_npy_array *a, char *reason)
{
    lac_token_set_init(s, 1, 0);
    if (a->shape[0] > LAC_TOKENS_MAX_COUNT)
        return lac_token_reason(reason, "has too many symbols");
    s->vocabulary = UINT64_MAX;
    s->symbol_count[0] = a->shape[0];
    s->symbols = malloc((size_t)(a->shape[0] + 1) * sizeof *s->symbols);
    if (!s->symbols)
        return lac_token_reason(reason, "out of memory");
    for (uint64_t i = 0; i < a->shape[0]; i++)
        s->symbols[i] = item_at(a, i);
    return 0;
}

/* One frame's rows: as many codebooks as stand before the padding, the same in all channels. */
static int take_frame(lac_token_set *s, const lac_npy_array *a, char *reason)
{
    uint16_t rows[LAC_MAX_CHANNELS * LAC_MAX_CODEBOOKS];
    uint32_t width = s->codebooks, count = width;

    for (uint32_t i = 0; i < s->channels * width; i++) {
        uint32_t value = item_at(a, s->frames * s->channels * width + i), q = i % width;
        if (value > LAC_TOKENS_PAD)
            return lac_token_reason(reason, "frame %llu: a token that is negative or above 65535",
                                    (unsigned long long)s->frames);
        if (value == LAC_TOKENS_PAD && i < width && q < count)
            count = q;
        if ((value == LAC_TOKENS_PAD) != (q >= count))
            return lac_token_reason(reason, "frame %llu: a token after padding, or channels of different codebooks",
                                    (unsigned long long)s->frames);
        rows[i] = (uint16_t)value;
    }
    return lac_token_set_append(s, rows, count, reason);
}

int lac_npy_parse(lac_token_set *s, const uint8_t *data, size_t size, char *reason)
{
    lac_npy_array a;

    lac_token_set_init(s, 1, 0);
    if (lac_npy_open(&a, data, size, reason) || check_array(&a, reason))
        return -1;
    if (a.dimensions == 1)
        return take_symbols(s, &a, reason);
    lac_token_set_init(s, a.dimensions == 3 ? (uint32_t)a.shape[1] : 1, (uint32_t)a.shape[a.dimensions - 1]);
    for (uint64_t t = 0; t < a.shape[0]; t++)
        if (take_frame(s, &a, reason))
            return -1;
    return 0;
}
