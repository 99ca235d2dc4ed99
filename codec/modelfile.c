#include "modelfile.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "costs.h"
#include "kernels.h"
#include "modellayout.h"
#include "priorfile.h"

#define EXTENSION_BYTES 32
#define EXTENSION_MANDATORY 1u
#define CONTENT_AT 64 /* of a predictor or metric, in its extension */

/* ---- header ---- */

int lac_modelfile_id(uint8_t id[LAC_MODEL_ID_SIZE], const uint8_t *data, size_t size)
{
    if (size < LAC_MODEL_TABLE_AT || memcmp(data, "LACM", 4) != 0 || lac_load64(data + 8) > size)
        return LAC_ERROR_FORMAT;
    lac_model_take_id(id, data, (size_t)lac_load64(data + 8));
    return LAC_OK;
}

/* The values of an extension that holds `count` of int16 and nothing else, or NULL. */
static const int16_t *take_int16(const uint8_t *p, size_t bytes, size_t count)
{
    size_t used = CONTENT_AT + count * sizeof(int16_t);
    if (bytes != lac_model_align(used) || !lac_all_zero(p + EXTENSION_BYTES, CONTENT_AT - EXTENSION_BYTES) ||
        !lac_all_zero(p + used, bytes - used))
        return NULL;
    return (const int16_t *)(const void *)(p + CONTENT_AT);
}

static int read_predictor(lac_model *m, const uint8_t *p, size_t bytes)
{
    const lac_arch *a = &m->arch;
    size_t biases = (size_t)LAC_CONCEAL_FRAMES * a->latent, weights = biases * a->latent;
    m->predictor.weight = take_int16(p, bytes, weights + biases);
    if (!m->predictor.weight)
        return LAC_ERROR_FORMAT;
    m->predictor.bias = m->predictor.weight + weights;
    return LAC_OK;
}

static int read_prior(lac_model *m, const uint8_t *p, size_t bytes)
{
    lac_model_take_id(m->info.prior_id, p, bytes);
    return lac_priorfile_parse(&m->prior_weights, &m->arch, p, bytes);
}

static int read_metric(lac_model *m, const uint8_t *p, size_t bytes)
{
    size_t count = (size_t)m->arch.latent * m->arch.latent;
    const int16_t *metric = take_int16(p, bytes, count);
    if (!metric || m->quantiser.kind != LAC_QUANTISER_RVQ)
        return LAC_ERROR_FORMAT;
    for (size_t i = 0; i < count; i++)
        if (metric[i] < -LAC_RVQ_MAX || metric[i] > LAC_RVQ_MAX)
            return LAC_ERROR_FORMAT;
    m->quantiser.metric = metric;
    m->info.metric = 1;
    return LAC_OK;
}

/* The extension at p, if its kind is known. */
static int read_extension(lac_model *m, const uint8_t *p, size_t bytes)
{
    switch (lac_load32(p + 4)) {
    case LAC_MODEL_EXTENSION_PREDICTOR: return read_predictor(m, p, bytes);
    case LAC_MODEL_EXTENSION_PRIOR: return read_prior(m, p, bytes);
    case LAC_MODEL_EXTENSION_METRIC: return read_metric(m, p, bytes);
    default: return lac_load32(p + 8) & EXTENSION_MANDATORY ? LAC_ERROR_VERSION : LAC_OK;
    }
}

/* What follows the core. Optional ones of unknown kinds are passed over. */
static int read_extensions(lac_model *m, const uint8_t *data, size_t size, size_t at)
{
    uint32_t seen[LAC_MODEL_MAX_EXTENSIONS];
    for (size_t n = 0; at < size; n++) {
        const uint8_t *p = data + at;
        if (size - at < EXTENSION_BYTES)
            return LAC_ERROR_TRUNCATED;
        uint64_t bytes = lac_load64(p + 16);
        if (memcmp(p, "LACX", 4) != 0 || bytes < EXTENSION_BYTES || bytes % LAC_MODEL_ALIGN != 0)
            return LAC_ERROR_FORMAT;
        if (bytes > size - at)
            return LAC_ERROR_TRUNCATED;
        if (!lac_crc_matches(p, (size_t)bytes, 12))
            return LAC_ERROR_CHECKSUM;
        if (n == LAC_MODEL_MAX_EXTENSIONS)
            return LAC_ERROR_LIMIT;
        if ((lac_load32(p + 8) & ~EXTENSION_MANDATORY) != 0 || lac_load64(p + 24) != 0)
            return LAC_ERROR_FORMAT;
        seen[n] = lac_load32(p + 4);
        for (size_t i = 0; i < n; i++)
            if (seen[i] == seen[n])
                return LAC_ERROR_FORMAT;
        int status = read_extension(m, p, (size_t)bytes);
        if (status != LAC_OK)
            return status;
        at += (size_t)bytes;
    }
    return LAC_OK;
}

/* ---- architecture ---- */

static int read_widths(const uint8_t *p, uint32_t *count, uint32_t widths[LAC_MAX_BLOCKS])
{
    *count = lac_load32(p);
    if (*count < 1 || *count > LAC_MAX_BLOCKS)
        return LAC_ERROR_LIMIT;
    for (uint32_t i = 0; i < LAC_MAX_BLOCKS; i++) {
        widths[i] = lac_load32(p + 4 + 4 * i);
        if (widths[i] != (i < *count ? widths[0] : 0))
            return LAC_ERROR_FORMAT;
    }
    return widths[0] < 1 || widths[0] > LAC_MODEL_MAX_WIDTH ? LAC_ERROR_LIMIT : LAC_OK;
}

static int read_arch(lac_arch *a, const uint8_t *p)
{
#define SCALAR(field, least, most)                 \
    a->field = lac_load32(p);                      \
    if (a->field < (least) || a->field > (most))   \
        return LAC_ERROR_LIMIT;                    \
    p += 4;
    LAC_ARCH_SCALARS(SCALAR)
#undef SCALAR
    int status = LAC_OK;
#define LIST(field)                                                  \
    if (status == LAC_OK)                                            \
        status = read_widths(p, &a->field##_count, a->field);        \
    p += 4 * (1 + LAC_MAX_BLOCKS);
    LAC_ARCH_LISTS(LIST)
#undef LIST
    return status;
}

/* The properties that version 1 fixes. */
static int check_fixed(const uint8_t *p)
{
    static const uint32_t fixed[] = {LAC_RATE, LAC_FRAME, LAC_LATENT_ONE};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (lac_load32(p + 4 * i) != fixed[i])
            return LAC_ERROR_VERSION;
    return LAC_OK;
}

static int read_quantiser(lac_quantiser *q, const lac_arch *a, const uint8_t *data)
{
    size_t used = 0;
    uint32_t kind = lac_load32(data + LAC_MODEL_FIXED_AT + 12);
    *q = (lac_quantiser){.stages = a->codebooks, .codewords = a->codewords, .dimension = a->latent};
    q->kind = (enum lac_quantiser_kind)kind;
    if (kind != LAC_QUANTISER_RVQ && kind != LAC_QUANTISER_RFSQ)
        return LAC_ERROR_VERSION;
    if (kind == LAC_QUANTISER_RFSQ) {
        lac_fsq *fsq = &q->rfsq.fsq;
        fsq->dimensions = data[LAC_MODEL_LEVELS_AT];
        if (fsq->dimensions > LAC_RFSQ_MAX_DIMENSIONS)
            return LAC_ERROR_LIMIT;
        memcpy(fsq->levels, data + LAC_MODEL_LEVELS_AT + 1, fsq->dimensions);
        used = 1 + fsq->dimensions;
        if (lac_fsq_codewords(fsq) != a->codewords)
            return LAC_ERROR_FORMAT;
    }
    return lac_all_zero(data + LAC_MODEL_LEVELS_AT + used, LAC_MODEL_HEADER_BYTES - LAC_MODEL_LEVELS_AT - used)
               ? LAC_OK
               : LAC_ERROR_FORMAT;
}

/* ---- tensors ---- */

static void take_rvq(lac_tensor_table *t, lac_rvq *q, const lac_arch *a)
{
    *q = (lac_rvq){.stages = a->codebooks, .codewords = a->codewords, .dimension = a->latent};
    q->codes = lac_tensor_take(t, "codes", LAC_INT16, LAC_SHAPE(a->codebooks, a->codewords, a->latent));
}

/* Of each stage and dimension: they never descend, and zeros stand behind them. */
static bool valid_thresholds(const lac_rfsq *q, const float *t)
{
    for (size_t i = 0; i < (size_t)q->stages * q->fsq.dimensions; i++, t += q->slots) {
        size_t used = q->fsq.levels[i % q->fsq.dimensions] - 1u;
        for (size_t k = 1; k < used; k++)
            if (t[k] < t[k - 1])
                return false;
        if (!lac_all_zero((const uint8_t *)(t + used), (q->slots - used) * sizeof *t))
            return false;
    }
    return true;
}

static void take_rfsq(lac_tensor_table *t, lac_model *m, const lac_arch *a)
{
    lac_rfsq *q = &m->quantiser.rfsq;
    uint32_t Q = a->codebooks, D = a->latent, d = q->fsq.dimensions;
    q->stages = Q;
    q->dimension = D;
    for (uint32_t j = 0; j < d; j++)
        q->slots = q->fsq.levels[j] - 1u > q->slots ? q->fsq.levels[j] - 1u : q->slots;
    q->into = lac_tensor_take(t, "fsq.into", LAC_INT16, LAC_SHAPE(Q, d, D));
    m->thresholds = lac_tensor_take(t, "fsq.thresholds", LAC_FLOAT32, LAC_SHAPE(Q, d, q->slots));
    q->back = lac_tensor_take(t, "fsq.back", LAC_INT16, LAC_SHAPE(Q, d, D));
    q->bias = lac_tensor_take(t, "fsq.bias", LAC_INT16, LAC_SHAPE(Q, D));
    if (t->status == LAC_OK && !valid_thresholds(q, m->thresholds))
        t->status = LAC_ERROR_FORMAT;
}

static int read_tensors(lac_model *m, const uint8_t *data, size_t core)
{
    const lac_arch *a = &m->arch;
    lac_tensor_table t = lac_tensor_table_begin(data, core);
#define FLOATS(side, field, rank, rows, columns)                                    \
    m->side.field = lac_tensor_take(&t, #side "." #field, LAC_FLOAT32,              \
                                    LAC_SHAPE((rows), (rank) > 1 ? (columns) : 0));
#define LINEAR(side, field, in, out, rate) lac_tensor_take_linear(&t, #side "." #field, &m->side.field, (in), (out));
#define BLOCKS(side, field, expand, rate)                                           \
    lac_tensor_take_blocks(&t, #side "." #field, m->side.field, a->side##_##field##_count, \
                           a->side##_##field[0], (expand), a->kernel);
    LAC_MODEL_LAYERS(FLOATS, LINEAR, BLOCKS)
#undef FLOATS
#undef LINEAR
#undef BLOCKS
    if (m->quantiser.kind == LAC_QUANTISER_RFSQ)
        take_rfsq(&t, m, a);
    else
        take_rvq(&t, &m->quantiser.rvq, a);
    return lac_tensor_table_end(&t);
}

/* ---- info ---- */

static void count_macs(lac_model *m)
{
    const lac_arch *a = &m->arch;
    lac_model_info *info = &m->info;
#define FLOATS(side, field, rank, rows, columns)
#define LINEAR(side, field, in, out, rate) info->side##_macs += (uint64_t)(rate) * lac_linear_macs(&m->side.field);
#define BLOCKS(side, field, expand, rate) \
    info->side##_macs += (uint64_t)(rate) * lac_blocks_macs(m->side.field, a->side##_##field##_count);
    LAC_MODEL_LAYERS(FLOATS, LINEAR, BLOCKS)
#undef FLOATS
#undef LINEAR
#undef BLOCKS
    info->search_macs = LAC_RATE / LAC_FRAME * lac_search_macs(&m->quantiser, a->codebooks, 1);
    info->prior_macs = (uint64_t)(LAC_RATE / LAC_FRAME) * lac_prior_macs(&m->prior_weights);
}

/* Latent frames before its own that a frame's PCM depends on. The first hop of latent frame t ends fine frame
 * 2t - 1, whose pulses span hops 2t - 2 and 2t - 1, and a hop's pitch starts at that of the fine frame before:
 * three fine frames beside those of the convolutions. A lost frame stands for one that arrived up to
 * LAC_CONCEAL_FRAMES before. */
static uint32_t receptive_frames(const lac_arch *a)
{
    uint32_t fine = a->decoder_fine_count * (a->kernel - 1) + 3;
    return 2 + a->decoder_coarse_count * (a->kernel - 1) + (fine + 1) / 2 + LAC_CONCEAL_FRAMES;
}

static void fill_info(lac_model *m, const uint8_t *data, size_t size, size_t core)
{
    const lac_arch *a = &m->arch;
    lac_model_info *info = &m->info;
    lac_model_take_id(info->id, data, core);
    info->sample_rate = LAC_RATE;
    info->frame_samples = LAC_FRAME;
    info->delay_samples = LAC_FRAME + LAC_HOP;
    info->decoder_delay_samples = LAC_HOP;
    info->receptive_frames = receptive_frames(a);
    info->latent_size = a->latent;
    info->codebooks = a->codebooks;
    info->codewords = a->codewords;
    while (info->token_bits < 16 && (1u << info->token_bits) < a->codewords)
        info->token_bits++;
    info->file_bytes = size;
    info->quantiser = (uint32_t)m->quantiser.kind;
    memcpy(info->levels, m->quantiser.rfsq.fsq.levels, sizeof info->levels);
    count_macs(m);
}

int lac_modelfile_parse(lac_model *model, const uint8_t *data, size_t size)
{
    size_t core;
    memset(model, 0, sizeof *model);
    model->data = data;
    model->size = size;
    int status = lac_model_check_header(data, size, "LACM", LAC_MODEL_VERSION, &core);
    if (status == LAC_OK)
        status = check_fixed(data + LAC_MODEL_FIXED_AT);
    if (status == LAC_OK)
        status = lac_model_read_name(model->info.name, data + LAC_MODEL_NAME_AT);
    if (status == LAC_OK)
        status = read_arch(&model->arch, data + LAC_MODEL_ARCH_AT);
    if (status == LAC_OK)
        status = read_quantiser(&model->quantiser, &model->arch, data);
    if (status == LAC_OK)
        status = read_extensions(model, data, size, core);
    if (status == LAC_OK)
        status = read_tensors(model, data, core);
    if (status == LAC_OK)
        fill_info(model, data, size, core);
    return status;
}
