/* Model files with other codebooks. doc/model-format.md is normative. */
#include <string.h>

#include "bytes.h"
#include "lac/fit.h"
#include "modelfile.h"

#define ALIGN 64
#define LEVELS_AT 24 /* of a scalar quantiser */
#define NAME_AT 64
#define QUANTISER_AT 140
#define CODEBOOKS_AT 156
#define CODEWORDS_AT 160
#define TABLE_AT 384
#define ENTRY_BYTES 80
#define ENTRY_NAME 40
#define INT16 2
#define LAST_OF_NETWORK "decoder.output.bias"
#define EXTENSION_PREDICTOR 1u

const int16_t *lac_fit_model_codes(const lac_model *model)
{
    return model->quantiser.kind == LAC_QUANTISER_RVQ ? model->quantiser.rvq.codes : NULL;
}

static size_t align_up(size_t n)
{
    return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static bool name_valid(const char *name)
{
    size_t n = 0;
    for (; n < LAC_MODEL_NAME_SIZE && name[n] != 0; n++)
        if (name[n] <= 0x20 || name[n] >= 0x7f || name[n] == '/')
            return false;
    return n > 0 && n < LAC_MODEL_NAME_SIZE;
}

static bool codes_valid(const int16_t *codes, size_t count)
{
    bool valid = true;
    for (size_t i = 0; i < count; i++)
        valid &= codes[i] >= -LAC_FIT_MAX_VALUE && codes[i] <= LAC_FIT_MAX_VALUE;
    return valid;
}

/* Tensors before the quantiser's. */
static size_t network_tensors(const uint8_t *file)
{
    size_t n = 0;
    while (strcmp((const char *)file + TABLE_AT + n * ENTRY_BYTES, LAST_OF_NETWORK) != 0)
        n++;
    return n + 1;
}

typedef struct layout {
    const uint8_t *file;
    size_t network, codes_bytes;
    uint32_t codebooks, codewords, dimension;
    const int16_t *codes;
} layout;

/* The tensors and their table, to `to` if it is not NULL; returns the end of the last. */
static size_t lay_tensors(const layout *l, uint8_t *to)
{
    size_t end = TABLE_AT + (l->network + 1) * ENTRY_BYTES;
    for (size_t i = 0; i < l->network; i++) {
        const uint8_t *entry = l->file + TABLE_AT + i * ENTRY_BYTES;
        size_t at = align_up(end), bytes = (size_t)lac_load64(entry + 72);
        if (to) {
            memcpy(to + TABLE_AT + i * ENTRY_BYTES, entry, ENTRY_BYTES);
            lac_store64(to + TABLE_AT + i * ENTRY_BYTES + 64, at);
            memcpy(to + at, l->file + lac_load64(entry + 64), bytes);
        }
        end = at + bytes;
    }
    size_t at = align_up(end);
    if (to) {
        uint8_t *entry = to + TABLE_AT + l->network * ENTRY_BYTES;
        memcpy(entry, "codes", 5);
        lac_store32(entry + ENTRY_NAME, INT16);
        lac_store32(entry + 44, 3);
        lac_store32(entry + 48, l->codebooks);
        lac_store32(entry + 52, l->codewords);
        lac_store32(entry + 56, l->dimension);
        lac_store64(entry + 64, at);
        lac_store64(entry + 72, l->codes_bytes);
        memcpy(to + at, l->codes, l->codes_bytes);
    }
    return at + l->codes_bytes;
}

static void lay_head(const layout *l, const char *name, uint8_t *to, size_t core)
{
    memcpy(to, l->file, TABLE_AT);
    lac_store64(to + 8, core);
    lac_store32(to + 16, 0);
    lac_store32(to + 20, (uint32_t)l->network + 1);
    memset(to + LEVELS_AT, 0, NAME_AT - LEVELS_AT);
    memset(to + NAME_AT, 0, LAC_MODEL_NAME_SIZE);
    memcpy(to + NAME_AT, name, strlen(name));
    lac_store32(to + QUANTISER_AT, LAC_QUANTISER_RVQ);
    lac_store32(to + CODEBOOKS_AT, l->codebooks);
    lac_store32(to + CODEWORDS_AT, l->codewords);
}

/* The extension to keep, or NULL. */
static const uint8_t *predictor_of(const lac_model *model, size_t *bytes)
{
    const uint8_t *file = model->data;
    for (size_t at = (size_t)lac_load64(file + 8); at < model->size; at += *bytes) {
        *bytes = (size_t)lac_load64(file + at + 16);
        if (lac_load32(file + at + 4) == EXTENSION_PREDICTOR)
            return file + at;
    }
    return NULL;
}

static int write_all(const lac_model *model, const layout *l, const char *name, const lac_io *io)
{
    size_t core = align_up(lay_tensors(l, NULL)), bytes;
    if (core > LAC_MODEL_MAX_BYTES)
        return LAC_ERROR_LIMIT;
    uint8_t *to = lac_alloc(core);
    if (!to)
        return LAC_ERROR_MEMORY;
    lay_head(l, name, to, core);
    lay_tensors(l, to);
    lac_store32(to + 16, lac_crc32c(0, to, core));
    int failed = io->write(io->user, to, core);
    lac_free(to);
    const uint8_t *predictor = predictor_of(model, &bytes);
    if (!failed && predictor)
        failed = io->write(io->user, predictor, bytes);
    return failed ? LAC_ERROR_IO : LAC_OK;
}

int lac_fit_write_model(const lac_model *model, const char *name, uint32_t codebooks, uint32_t codewords,
                        const int16_t *codes, const lac_io *io)
{
    if (!model || !name || !name_valid(name) || !codes || !io || !io->write || codebooks < 1 ||
        codebooks > LAC_MAX_CODEBOOKS || codewords < 2 || codewords > LAC_FIT_MAX_CODEWORDS)
        return LAC_ERROR_ARGUMENT;
    layout l = {.file = model->data, .network = network_tensors(model->data), .codebooks = codebooks,
                .codewords = codewords, .dimension = model->arch.latent, .codes = codes};
    l.codes_bytes = (size_t)codebooks * codewords * l.dimension * sizeof *codes;
    if (!codes_valid(codes, l.codes_bytes / sizeof *codes))
        return LAC_ERROR_ARGUMENT;
    return write_all(model, &l, name, io);
}
