/* Model files with other quantisers. doc/model-format.md is normative. */
#include <string.h>

#include "bytes.h"
#include "lac/fit.h"
#include "modelfile.h"
#include "modellayout.h"

#define MAX_TENSORS 4 /* of a quantiser */
#define MAX_THRESHOLD 1048576000
#define LAST_OF_NETWORK "decoder.output.bias"

const int16_t *lac_fit_model_codes(const lac_model *model)
{
    return model->quantiser.kind == LAC_QUANTISER_RVQ ? model->quantiser.rvq.codes : NULL;
}

int lac_fit_model_maps(const lac_model *model, lac_fit_maps *maps, uint8_t levels[LAC_FIT_MAX_LEVELS])
{
    const lac_rfsq *q = &model->quantiser.rfsq;
    if (model->quantiser.kind != LAC_QUANTISER_RFSQ)
        return LAC_ERROR_ARGUMENT;
    *maps = (lac_fit_maps){q->into, q->thresholds, q->back, q->bias};
    memset(levels, 0, LAC_FIT_MAX_LEVELS);
    memcpy(levels, q->fsq.levels, q->fsq.dimensions);
    return LAC_OK;
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
    while (strcmp((const char *)file + LAC_MODEL_TABLE_AT + n * LAC_MODEL_ENTRY_BYTES, LAST_OF_NETWORK) != 0)
        n++;
    return n + 1;
}

/* A LAC_FLOAT32 one's values are thresholds, int32. */
typedef struct tensor {
    const char *name;
    uint32_t dtype, rank, shape[3];
    const void *values;
} tensor;

typedef struct layout {
    const uint8_t *file;
    size_t network;
    uint32_t codebooks, codewords, count;
    lac_fsq fsq;                /* no dimensions: codebooks */
    tensor tensor[MAX_TENSORS]; /* [count] */
} layout;

static size_t lay_values(const tensor *t, uint8_t *to)
{
    size_t count = 1, width = t->dtype == LAC_INT16 ? 2 : 4;
    const int32_t *fixed = t->values;
    for (uint32_t i = 0; i < t->rank; i++)
        count *= t->shape[i];
    if (to && t->dtype == LAC_INT16)
        memcpy(to, t->values, count * width);
    for (size_t i = 0; to && t->dtype == LAC_FLOAT32 && i < count; i++) {
        float value = (float)fixed[i] / LAC_RFSQ_THRESHOLD_ONE;
        memcpy(to + i * width, &value, width);
    }
    return count * width;
}

/* The tensors and their table, to `to` if it is not NULL; returns the end of the last. */
static size_t lay_tensors(const layout *l, uint8_t *to)
{
    size_t end = LAC_MODEL_TABLE_AT + (l->network + l->count) * LAC_MODEL_ENTRY_BYTES;
    for (size_t i = 0; i < l->network; i++) {
        const uint8_t *entry = l->file + LAC_MODEL_TABLE_AT + i * LAC_MODEL_ENTRY_BYTES;
        size_t at = lac_model_align(end), bytes = (size_t)lac_load64(entry + LAC_MODEL_ENTRY_SIZE);
        if (to) {
            memcpy(to + LAC_MODEL_TABLE_AT + i * LAC_MODEL_ENTRY_BYTES, entry, LAC_MODEL_ENTRY_BYTES);
            lac_store64(to + LAC_MODEL_TABLE_AT + i * LAC_MODEL_ENTRY_BYTES + LAC_MODEL_ENTRY_OFFSET, at);
            memcpy(to + at, l->file + lac_load64(entry + LAC_MODEL_ENTRY_OFFSET), bytes);
        }
        end = at + bytes;
    }
    for (size_t i = 0; i < l->count; i++) {
        const tensor *t = &l->tensor[i];
        size_t at = lac_model_align(end), bytes = lay_values(t, to ? to + at : NULL);
        if (to) {
            uint8_t *entry = to + LAC_MODEL_TABLE_AT + (l->network + i) * LAC_MODEL_ENTRY_BYTES;
            memcpy(entry, t->name, strlen(t->name));
            lac_store32(entry + LAC_MODEL_ENTRY_NAME, t->dtype);
            lac_store32(entry + 44, t->rank);
            for (size_t k = 0; k < t->rank; k++)
                lac_store32(entry + 48 + 4 * k, t->shape[k]);
            lac_store64(entry + LAC_MODEL_ENTRY_OFFSET, at);
            lac_store64(entry + LAC_MODEL_ENTRY_SIZE, bytes);
        }
        end = at + bytes;
    }
    return end;
}

static void lay_head(const layout *l, const char *name, uint8_t *to, size_t core)
{
    memcpy(to, l->file, LAC_MODEL_TABLE_AT);
    lac_store64(to + 8, core);
    lac_store32(to + 16, 0);
    lac_store32(to + 20, (uint32_t)l->network + l->count);
    memset(to + LAC_MODEL_LEVELS_AT, 0, LAC_MODEL_NAME_AT - LAC_MODEL_LEVELS_AT);
    to[LAC_MODEL_LEVELS_AT] = (uint8_t)l->fsq.dimensions;
    memcpy(to + LAC_MODEL_LEVELS_AT + 1, l->fsq.levels, l->fsq.dimensions);
    memset(to + LAC_MODEL_NAME_AT, 0, LAC_MODEL_NAME_SIZE);
    memcpy(to + LAC_MODEL_NAME_AT, name, strlen(name));
    lac_store32(to + LAC_MODEL_QUANTISER_AT, l->fsq.dimensions ? LAC_QUANTISER_RFSQ : LAC_QUANTISER_RVQ);
    lac_store32(to + LAC_MODEL_CODEBOOKS_AT, l->codebooks);
    lac_store32(to + LAC_MODEL_CODEWORDS_AT, l->codewords);
}

/* Extensions that go with other words too: the predictor, and a metric if it will be one of codebooks. */
static int write_extensions(const lac_model *model, const layout *l, const lac_io *io)
{
    const uint8_t *file = model->data;
    int failed = 0;
    for (size_t at = (size_t)lac_load64(file + 8), bytes; !failed && at < model->size; at += bytes) {
        uint32_t kind = lac_load32(file + at + 4);
        bytes = (size_t)lac_load64(file + at + 16);
        if (kind == LAC_MODEL_EXTENSION_PREDICTOR || (kind == LAC_MODEL_EXTENSION_METRIC && !l->fsq.dimensions))
            failed = io->write(io->user, file + at, bytes);
    }
    return failed;
}

static int write_all(const lac_model *model, layout *l, const char *name, const lac_io *io)
{
    l->file = model->data;
    l->network = network_tensors(model->data);
    size_t core = lac_model_align(lay_tensors(l, NULL));
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
    if (!failed)
        failed = write_extensions(model, l, io);
    return failed ? LAC_ERROR_IO : LAC_OK;
}

int lac_fit_write_model(const lac_model *model, const char *name, uint32_t codebooks, uint32_t codewords,
                        const int16_t *codes, const lac_io *io)
{
    if (!model || !name || !name_valid(name) || !codes || !io || !io->write || codebooks < 1 ||
        codebooks > LAC_MAX_CODEBOOKS || codewords < 2 || codewords > LAC_FIT_MAX_CODEWORDS)
        return LAC_ERROR_ARGUMENT;
    uint32_t D = model->arch.latent;
    if (!codes_valid(codes, (size_t)codebooks * codewords * D))
        return LAC_ERROR_ARGUMENT;
    layout l = {.codebooks = codebooks, .codewords = codewords, .count = 1,
                .tensor = {{"codes", LAC_INT16, 3, {codebooks, codewords, D}, codes}}};
    return write_all(model, &l, name, io);
}

/* Of each stage and dimension: in range and never descending. Those behind count for nothing and must be 0. */
static bool thresholds_valid(const lac_fsq *fsq, uint32_t codebooks, const int32_t *t)
{
    uint32_t slots = lac_fsq_slots(fsq);
    bool valid = true;
    for (size_t i = 0; i < (size_t)codebooks * fsq->dimensions; i++, t += slots)
        for (uint32_t k = 0; k < slots; k++) {
            bool used = k + 1u < fsq->levels[i % fsq->dimensions];
            valid &= used ? t[k] >= -MAX_THRESHOLD && t[k] <= MAX_THRESHOLD : t[k] == 0;
            valid &= !used || k == 0 || t[k] >= t[k - 1];
        }
    return valid;
}

int lac_fit_write_maps(const lac_model *model, const char *name, uint32_t codebooks,
                       const uint8_t levels[LAC_FIT_MAX_LEVELS], const lac_fit_maps *maps, const lac_io *io)
{
    layout l = {.codebooks = codebooks, .count = 4};
    if (!model || !name || !name_valid(name) || !levels || !maps || !io || !io->write || codebooks < 1 ||
        codebooks > LAC_MAX_CODEBOOKS)
        return LAC_ERROR_ARGUMENT;
    memcpy(l.fsq.levels, levels, LAC_FIT_MAX_LEVELS);
    while (l.fsq.dimensions < LAC_FIT_MAX_LEVELS && levels[l.fsq.dimensions] > 0)
        l.fsq.dimensions++;
    l.codewords = lac_fsq_codewords(&l.fsq);
    uint32_t D = model->arch.latent, d = l.fsq.dimensions;
    size_t words = (size_t)codebooks * D;
    if (l.codewords < 2 || l.codewords > LAC_FIT_MAX_CODEWORDS || !codes_valid(maps->into, words * d) ||
        !codes_valid(maps->back, words * d) || !codes_valid(maps->bias, words) ||
        !thresholds_valid(&l.fsq, codebooks, maps->thresholds))
        return LAC_ERROR_ARGUMENT;
    tensor tensors[] = {{"fsq.into", LAC_INT16, 3, {codebooks, d, D}, maps->into},
                        {"fsq.thresholds", LAC_FLOAT32, 3, {codebooks, d, lac_fsq_slots(&l.fsq)}, maps->thresholds},
                        {"fsq.back", LAC_INT16, 3, {codebooks, d, D}, maps->back},
                        {"fsq.bias", LAC_INT16, 2, {codebooks, D}, maps->bias}};
    memcpy(l.tensor, tensors, sizeof tensors);
    return write_all(model, &l, name, io);
}
