/* Fuzz target of entropy coding: the first two bytes are a seed of tables and sizes, the rest a stream. What it
 * decodes to is in range, and coded again it decodes to the same, to the same state. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "rng.h"
#include "tokenmodel.h"

#define SYMBOLS 256
#define STAGES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds)
        abort();
}

/* The part of symbol 0, 1 or 2 of table i. */
static void part_of(uint32_t seed, uint32_t i, uint32_t symbol, uint32_t *cum, uint32_t *freq, uint32_t *bits)
{
    *bits = 2 + lac_hash32((uint64_t)seed << 32 | i) % 15;
    uint32_t total = UINT32_C(1) << *bits, first = 1 + lac_hash32((uint64_t)seed << 32 | i << 8) % (total - 2);
    uint32_t second = 1 + lac_hash32((uint64_t)seed << 32 | i << 16) % (total - first - 1);
    *cum = symbol == 0 ? 0 : symbol == 1 ? first : first + second;
    *freq = symbol == 0 ? first : symbol == 1 ? second : total - first - second;
}

static void decode(lac_range_decoder *d, uint32_t seed, uint8_t symbols[SYMBOLS])
{
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        uint32_t cum, freq, bits;
        part_of(seed, i, 0, &cum, &freq, &bits);
        uint32_t at = lac_range_decode(d, bits);
        must(at < UINT32_C(1) << bits);
        symbols[i] = 0;
        while (at < cum || at - cum >= freq)
            part_of(seed, i, ++symbols[i], &cum, &freq, &bits);
        lac_range_decode_take(d, cum, freq, bits);
        must(d->range >= UINT32_C(1) << 24 && d->code < d->range);
    }
}

static void check_symbols(uint32_t seed, const uint8_t *stream, size_t available)
{
    uint8_t symbols[SYMBOLS], again[SYMBOLS], bytes[SYMBOLS * 2 + 1];
    lac_range_decoder d;
    lac_range_encoder e;
    size_t size;
    lac_range_decoder_init(&d, stream, available);
    decode(&d, seed, symbols);
    lac_range_encoder_init(&e, bytes, sizeof bytes);
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        uint32_t cum, freq, bits;
        part_of(seed, i, symbols[i], &cum, &freq, &bits);
        lac_range_encode(&e, cum, freq, bits);
    }
    must(e.range == d.range && lac_range_encoder_cost(&e) == lac_range_decoder_cost(&d));
    must(lac_range_encoder_end(&e, &size) && size == lac_range_decoder_size(&d));
    lac_range_decoder_init(&d, bytes, size);
    decode(&d, seed, again);
    must(memcmp(symbols, again, sizeof symbols) == 0 && size == lac_range_decoder_size(&d));
}

static void open_model(lac_tokenmodel *m, lac_workspace *w, uint32_t codewords)
{
    lac_workspace count = lac_workspace_measure();
    lac_tokenmodel_init(m, &count, STAGES, codewords, NULL);
    if (lac_workspace_open(w, count.used) != 0)
        exit(0);
    lac_tokenmodel_init(m, w, STAGES, codewords, NULL);
}

static void check_tokens(uint32_t seed, const uint8_t *stream, size_t available)
{
    uint16_t tokens[SYMBOLS];
    uint8_t bytes[SYMBOLS * 24 + 1];
    uint32_t codewords = 2 + seed % (LAC_TOKEN_MAX_CODEWORDS - 1);
    lac_workspace w;
    lac_tokenmodel m;
    lac_range_decoder d;
    lac_range_encoder e;
    size_t size;
    open_model(&m, &w, codewords);
    lac_range_decoder_init(&d, stream, available);
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        tokens[i] = (uint16_t)lac_tokenmodel_decode(&m, &d, i % STAGES);
        must(tokens[i] < codewords);
    }
    lac_tokenmodel_reset(&m);
    lac_range_encoder_init(&e, bytes, sizeof bytes);
    for (uint32_t i = 0; i < SYMBOLS; i++)
        lac_tokenmodel_encode(&m, &e, i % STAGES, tokens[i]);
    must(e.range == d.range);
    must(lac_range_encoder_end(&e, &size) && size == lac_range_decoder_size(&d));
    lac_workspace_close(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    check_symbols(lac_load16(data), data + 2, size - 2);
    check_tokens(lac_load16(data), data + 2, size - 2);
    return 0;
}
