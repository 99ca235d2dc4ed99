#include "modelfile.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "costs.h"
#include "kernels.h"
#include "modellayout.h"
#include "priorfile.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are used where they lie in the file: little-endian hosts only"
#endif

#define MAX_RANK 4
#define EXTENSION_BYTES 32
#define EXTENSION_MANDATORY 1u
#define PREDICTOR_AT 64 /* in its extension */

static const size_t dtype_bytes[] = {[LAC_INT8] = 1, [LAC_INT16] = 2, [LAC_FLOAT32] = 4};

/* Walks the tensor table; the first failure sticks in status. */
typedef struct table {
    const uint8_t *data;
    size_t core;    /* bytes of the core */
    uint32_t count; /* tensors the header promises */
    uint32_t next;  /* entry to read */
    size_t end;     /* of the tensors so far */
    int status;
} table;

static bool all_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

/* ---- header ---- */

/* CRC-32C with its own four bytes counted as zero. */
static bool crc_matches(const uint8_t *data, size_t size, size_t at)
{
    static const uint8_t zero[4];
    uint32_t crc = lac_crc32c(0, data, at);
    crc = lac_crc32c(crc, zero, 4);
    return lac_crc32c(crc, data + at + 4, size - at - 4) == lac_load32(data + at);
}

static int check_header(const uint8_t *data, size_t size, size_t *core)
{
    if (size < 8)
        return size < 4 || memcmp(data, "LACM", 4) == 0 ? LAC_ERROR_TRUNCATED : LAC_ERROR_FORMAT;
    if (memcmp(data, "LACM", 4) != 0 || lac_load32(data + 4) == 0)
        return LAC_ERROR_FORMAT;
    if (lac_load32(data + 4) > LAC_MODEL_VERSION)
        return LAC_ERROR_VERSION;
    if (size < LAC_MODEL_TABLE_AT)
        return LAC_ERROR_TRUNCATED;
    uint64_t bytes = lac_load64(data + 8);
    if (bytes > LAC_MODEL_MAX_BYTES || size > LAC_MODEL_MAX_BYTES)
        return LAC_ERROR_LIMIT;
    if (bytes > size)
        return LAC_ERROR_TRUNCATED;
    if (bytes < LAC_MODEL_TABLE_AT || bytes % LAC_MODEL_ALIGN != 0)
        return LAC_ERROR_FORMAT;
    if (!crc_matches(data, (size_t)bytes, 16))
        return LAC_ERROR_CHECKSUM;
    *core = (size_t)bytes;
    return LAC_OK;
}

/* The first bytes of a SHA-256. */
static void take_id(uint8_t id[LAC_MODEL_ID_SIZE], const uint8_t *data, size_t size)
{
    uint8_t digest[32];
    lac_sha256 sha;
    lac_sha256_init(&sha);
    lac_sha256_update(&sha, data, size);
    lac_sha256_final(&sha, digest);
    memcpy(id, digest, LAC_MODEL_ID_SIZE);
}

int lac_modelfile_id(uint8_t id[LAC_MODEL_ID_SIZE], const uint8_t *data, size_t size)
{
    if (size < LAC_MODEL_TABLE_AT || memcmp(data, "LACM", 4) != 0 || lac_load64(data + 8) > size)
        return LAC_ERROR_FORMAT;
    take_id(id, data, (size_t)lac_load64(data + 8));
    return LAC_OK;
}

static int read_predictor(lac_model *m, const uint8_t *p, size_t bytes)
{
    const lac_arch *a = &m->arch;
    size_t biases = (size_t)LAC_CONCEAL_FRAMES * a->latent, weights = biases * a->latent;
    size_t used = PREDICTOR_AT + (weights + biases) * sizeof(int16_t);
    if (bytes != lac_model_align(used) || !all_zero(p + EXTENSION_BYTES, PREDICTOR_AT - EXTENSION_BYTES) ||
        !all_zero(p + used, bytes - used))
        return LAC_ERROR_FORMAT;
    m->predictor.weight = (const int16_t *)(const void *)(p + PREDICTOR_AT);
    m->predictor.bias = m->predictor.weight + weights;
    return LAC_OK;
}

static int read_prior(lac_model *m, const uint8_t *p, size_t bytes)
{
    take_id(m->info.prior_id, p, bytes);
    return lac_priorfile_parse(&m->prior_weights, &m->arch, p, bytes);
}

/* The extension at p, if its kind is known. */
static int read_extension(lac_model *m, const uint8_t *p, size_t bytes)
{
    switch (lac_load32(p + 4)) {
    case LAC_MODEL_EXTENSION_PREDICTOR: return read_predictor(m, p, bytes);
    case LAC_MODEL_EXTENSION_PRIOR: return read_prior(m, p, bytes);
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
        if (!crc_matches(p, (size_t)bytes, 12))
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

static int read_name(char name[LAC_MODEL_NAME_SIZE], const uint8_t *p)
{
    size_t n = 0;
    while (n < LAC_MODEL_NAME_SIZE - 1 && p[n] > 0x20 && p[n] < 0x7f && p[n] != '/')
        n++;
    if (n == 0 || !all_zero(p + n, LAC_MODEL_NAME_SIZE - n))
        return LAC_ERROR_FORMAT;
    memcpy(name, p, LAC_MODEL_NAME_SIZE);
    return LAC_OK;
}

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
    return all_zero(data + LAC_MODEL_LEVELS_AT + used, LAC_MODEL_HEADER_BYTES - LAC_MODEL_LEVELS_AT - used)
               ? LAC_OK
               : LAC_ERROR_FORMAT;
}

/* ---- tensors ---- */

static bool valid_int8(const uint8_t *p, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= p[i] == 0x80;
    return bad == 0;
}

static bool valid_int16(const uint8_t *p, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t shifted = ((uint32_t)lac_load16(p + 2 * i) + 4095u) & 0xffffu;
        bad |= shifted > 8190u;
    }
    return bad == 0;
}

static bool valid_float32(const uint8_t *p, size_t n)
{
    const float most = LAC_MODEL_MAX_FLOAT;
    uint32_t limit, bad = 0;
    memcpy(&limit, &most, 4);
    for (size_t i = 0; i < n; i++)
        bad |= (lac_load32(p + 4 * i) & 0x7fffffffu) > limit;
    return bad == 0;
}

static bool valid_values(enum lac_dtype dtype, const uint8_t *p, size_t n)
{
    return dtype == LAC_INT8 ? valid_int8(p, n) : dtype == LAC_INT16 ? valid_int16(p, n) : valid_float32(p, n);
}

static bool entry_matches(const uint8_t *p, const char *name, enum lac_dtype dtype, const uint32_t shape[MAX_RANK])
{
    size_t length = strlen(name);
    if (memcmp(p, name, length) != 0 || !all_zero(p + length, LAC_MODEL_ENTRY_NAME - length))
        return false;
    if (lac_load32(p + 40) != (uint32_t)dtype)
        return false;
    uint32_t rank = 0;
    for (; rank < MAX_RANK && shape[rank] != 0; rank++)
        if (lac_load32(p + 48 + 4 * rank) != shape[rank])
            return false;
    return lac_load32(p + 44) == rank && all_zero(p + 48 + 4 * rank, 4 * (MAX_RANK - rank));
}

/* The next tensor must be this one: where its values lie, or NULL once anything has failed. Unused places of shape
 * are zero. */
static const void *take_tensor(table *t, const char *name, enum lac_dtype dtype, const uint32_t shape[MAX_RANK])
{
    if (t->status != LAC_OK)
        return NULL;
    t->status = LAC_ERROR_FORMAT;
    if (t->next == t->count)
        return NULL;
    const uint8_t *p = t->data + LAC_MODEL_TABLE_AT + (size_t)t->next++ * LAC_MODEL_ENTRY_BYTES;
    if (!entry_matches(p, name, dtype, shape))
        return NULL;
    size_t count = 1, bytes, end, at = lac_model_align(t->end);
    for (int i = 0; i < MAX_RANK && shape[i] != 0; i++)
        if (!lac_size_mul(count, shape[i], &count))
            return NULL;
    if (!lac_size_mul(count, dtype_bytes[dtype], &bytes) || !lac_size_add(at, bytes, &end) || end > t->core)
        return NULL;
    if (lac_load64(p + LAC_MODEL_ENTRY_OFFSET) != at || lac_load64(p + LAC_MODEL_ENTRY_SIZE) != bytes || !all_zero(t->data + t->end, at - t->end))
        return NULL;
    if (!valid_values(dtype, t->data + at, count))
        return NULL;
    t->end = end;
    t->status = LAC_OK;
    return t->data + at;
}

/* name[LAC_MODEL_ENTRY_NAME] = prefix "." suffix, cut where it would not fit (a cut name matches no tensor). */
static const char *join(char name[LAC_MODEL_ENTRY_NAME], const char *prefix, const char *suffix)
{
    const char *parts[] = {prefix, ".", suffix};
    size_t n = 0;
    for (size_t i = 0; i < 3; i++)
        for (const char *s = parts[i]; *s != 0 && n < LAC_MODEL_ENTRY_NAME - 1; s++)
            name[n++] = *s;
    name[n] = 0;
    return name;
}

static void take_linear(table *t, const char *prefix, lac_linear *l, uint32_t in, uint32_t out)
{
    char name[LAC_MODEL_ENTRY_NAME];
    l->in = in;
    l->out = out;
    if (in > LAC_GEMM_MAX_K && t->status == LAC_OK)
        t->status = LAC_ERROR_LIMIT;
    l->weight = take_tensor(t, join(name, prefix, "weight"), LAC_INT8, (uint32_t[MAX_RANK]){out, in});
    l->scale = take_tensor(t, join(name, prefix, "scale"), LAC_FLOAT32, (uint32_t[MAX_RANK]){out});
    l->bias = take_tensor(t, join(name, prefix, "bias"), LAC_FLOAT32, (uint32_t[MAX_RANK]){out});
}

static void take_block(table *t, const char *prefix, lac_block *b, uint32_t width, uint32_t expand, uint32_t kernel)
{
    char name[LAC_MODEL_ENTRY_NAME];
    b->width = width;
    b->hidden = width * expand;
    b->kernel = kernel;
    b->depthwise = take_tensor(t, join(name, prefix, "depthwise.weight"), LAC_FLOAT32,
                               (uint32_t[MAX_RANK]){kernel, width});
    b->depthwise_bias = take_tensor(t, join(name, prefix, "depthwise.bias"), LAC_FLOAT32,
                                   (uint32_t[MAX_RANK]){width});
    take_linear(t, join(name, prefix, "up"), &b->up, width, b->hidden);
    take_linear(t, join(name, prefix, "down"), &b->down, b->hidden, width);
}

static void take_blocks(table *t, const char *prefix, lac_block *blocks, const uint32_t *widths, uint32_t count,
                        uint32_t expand, uint32_t kernel)
{
    for (uint32_t i = 0; i < count; i++) {
        char name[LAC_MODEL_ENTRY_NAME], index[3] = {(char)('0' + i), 0, 0};
        if (i >= 10) {
            index[0] = '1';
            index[1] = (char)('0' + i - 10);
        }
        take_block(t, join(name, prefix, index), &blocks[i], widths[i], expand, kernel);
    }
}

static void take_rvq(table *t, lac_rvq *q, const lac_arch *a)
{
    *q = (lac_rvq){.stages = a->codebooks, .codewords = a->codewords, .dimension = a->latent};
    q->codes = take_tensor(t, "codes", LAC_INT16, (uint32_t[MAX_RANK]){a->codebooks, a->codewords, a->latent});
}

/* Of each stage and dimension: they never descend, and zeros stand behind them. */
static bool valid_thresholds(const lac_rfsq *q, const float *t)
{
    for (size_t i = 0; i < (size_t)q->stages * q->fsq.dimensions; i++, t += q->slots) {
        size_t used = q->fsq.levels[i % q->fsq.dimensions] - 1u;
        for (size_t k = 1; k < used; k++)
            if (t[k] < t[k - 1])
                return false;
        if (!all_zero((const uint8_t *)(t + used), (q->slots - used) * sizeof *t))
            return false;
    }
    return true;
}

static void take_rfsq(table *t, lac_model *m, const lac_arch *a)
{
    lac_rfsq *q = &m->quantiser.rfsq;
    uint32_t Q = a->codebooks, D = a->latent, d = q->fsq.dimensions;
    q->stages = Q;
    q->dimension = D;
    for (uint32_t j = 0; j < d; j++)
        q->slots = q->fsq.levels[j] - 1u > q->slots ? q->fsq.levels[j] - 1u : q->slots;
    q->into = take_tensor(t, "fsq.into", LAC_INT16, (uint32_t[MAX_RANK]){Q, d, D});
    m->thresholds = take_tensor(t, "fsq.thresholds", LAC_FLOAT32, (uint32_t[MAX_RANK]){Q, d, q->slots});
    q->back = take_tensor(t, "fsq.back", LAC_INT16, (uint32_t[MAX_RANK]){Q, d, D});
    q->bias = take_tensor(t, "fsq.bias", LAC_INT16, (uint32_t[MAX_RANK]){Q, D});
    if (t->status == LAC_OK && !valid_thresholds(q, m->thresholds))
        t->status = LAC_ERROR_FORMAT;
}

static int read_tensors(lac_model *m, const uint8_t *data, size_t core)
{
    const lac_arch *a = &m->arch;
    table t = {.data = data, .core = core, .count = lac_load32(data + LAC_MODEL_COUNT_AT), .status = LAC_OK};
    if (t.count > (core - LAC_MODEL_TABLE_AT) / LAC_MODEL_ENTRY_BYTES)
        return LAC_ERROR_FORMAT;
    t.end = LAC_MODEL_TABLE_AT + (size_t)t.count * LAC_MODEL_ENTRY_BYTES;
#define FLOATS(side, field, rank, rows, columns)                                    \
    m->side.field = take_tensor(&t, #side "." #field, LAC_FLOAT32,                      \
                                (uint32_t[MAX_RANK]){(rows), (rank) > 1 ? (columns) : 0});
#define LINEAR(side, field, in, out, rate) take_linear(&t, #side "." #field, &m->side.field, (in), (out));
#define BLOCKS(side, field, expand, rate)                                           \
    take_blocks(&t, #side "." #field, m->side.field, a->side##_##field, a->side##_##field##_count, (expand), \
                a->kernel);
    LAC_MODEL_LAYERS(FLOATS, LINEAR, BLOCKS)
#undef FLOATS
#undef LINEAR
#undef BLOCKS
    if (m->quantiser.kind == LAC_QUANTISER_RFSQ)
        take_rfsq(&t, m, a);
    else
        take_rvq(&t, &m->quantiser.rvq, a);
    if (t.status != LAC_OK)
        return t.status;
    if (t.next != t.count || lac_model_align(t.end) != core || !all_zero(data + t.end, core - t.end))
        return LAC_ERROR_FORMAT;
    return LAC_OK;
}

/* ---- info ---- */

static uint64_t linear_macs(const lac_linear *l)
{
    return (uint64_t)l->in * l->out;
}

static uint64_t block_macs(const lac_block *blocks, uint32_t count)
{
    uint64_t macs = 0;
    for (const lac_block *b = blocks; b < blocks + count; b++)
        macs += (uint64_t)b->kernel * b->width + linear_macs(&b->up) + linear_macs(&b->down);
    return macs;
}

static void count_macs(lac_model *m)
{
    const lac_arch *a = &m->arch;
    lac_model_info *info = &m->info;
#define FLOATS(side, field, rank, rows, columns)
#define LINEAR(side, field, in, out, rate) info->side##_macs += (uint64_t)(rate) * linear_macs(&m->side.field);
#define BLOCKS(side, field, expand, rate) \
    info->side##_macs += (uint64_t)(rate) * block_macs(m->side.field, a->side##_##field##_count);
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
    take_id(info->id, data, core);
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
    int status = check_header(data, size, &core);
    if (status == LAC_OK)
        status = check_fixed(data + LAC_MODEL_FIXED_AT);
    if (status == LAC_OK)
        status = read_name(model->info.name, data + LAC_MODEL_NAME_AT);
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
