/* Fuzz target of the model parser and of the prior that a model may bring. The first byte chooses: bit 0, the core's
 * size and checksum are put right, so that what lies behind them is reached; else bit 1, those of the extension behind
 * it; else the bytes as they are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "weights.h"

#define TOKENS 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds)
        abort();
}

/* The chunk at p, whose size stands at 8 or 16, its checksum at `crc`. */
static void repair(uint8_t *p, size_t size, size_t at, size_t crc)
{
    if (size < 64)
        return;
    lac_store64(p + at, size / 64 * 64);
    lac_store32(p + crc, 0);
    lac_store32(p + crc, lac_crc32c(0, p, size / 64 * 64));
}

static void repair_chosen(uint8_t *p, size_t size, int choice)
{
    if (choice & 1)
        repair(p, size, 8, 16);
    else if (choice & 2 && size >= 64 && lac_load64(p + 8) < size)
        repair(p + lac_load64(p + 8), size - (size_t)lac_load64(p + 8), 16, 12);
}

/* Decodes from d, or encodes to e if it is not NULL. */
static void code(const lac_model *m, lac_range_decoder *d, lac_range_encoder *e, uint32_t *tokens)
{
    lac_prior_state state;
    uint32_t Q = m->quantiser.stages;
    lac_prior_state_init(&state, m->prior, &m->quantiser);
    for (uint32_t i = 0; i < TOKENS; i++) {
        if (i % Q == 0)
            lac_prior_frame(&state, Q);
        if (e != NULL)
            lac_prior_encode(&state, e, i % Q, tokens[i]);
        else
            tokens[i] = lac_prior_decode(&state, d, i % Q);
        must(tokens[i] < m->quantiser.codewords);
        if (i % Q == Q - 1)
            lac_prior_done(&state);
    }
}

/* The file's own bytes serve as a stream. */
static void check_prior(const lac_model *m, const uint8_t *stream, size_t available)
{
    uint32_t tokens[TOKENS];
    uint8_t bytes[4 * TOKENS + 1];
    lac_range_decoder d;
    lac_range_encoder e;
    size_t size;
    lac_range_decoder_init(&d, stream, available);
    code(m, &d, NULL, tokens);
    lac_range_encoder_init(&e, bytes, sizeof bytes);
    code(m, NULL, &e, tokens);
    must(e.range == d.range);
    must(lac_range_encoder_end(&e, &size) && size == lac_range_decoder_size(&d));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint8_t *copy = malloc(size);
    if (copy == NULL)
        return 0;
    memcpy(copy, data + 1, size - 1);
    repair_chosen(copy, size - 1, data[0]);
    lac_model *model = NULL;
    if (lac_model_open_memory(&model, copy, size - 1) == LAC_OK) {
        lac_model_info info;
        lac_model_get_info(model, &info);
        if (model->prior != NULL)
            check_prior(model, copy, size - 1);
    }
    lac_model_close(&model);
    free(copy);
    return 0;
}
