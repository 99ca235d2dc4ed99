#include "lac/model.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "frontend.h"
#include "modelfile.h"
#include "modelopen.h"

#define ENDING ".lacm"

static void choose_kernels(lac_model *m)
{
    lac_kernels_choose(&m->kernels, lac_cpu_mask(lac_cpu_detect(), getenv("LAC_CPU_MASK")));
    size_t length = 0;
    for (size_t i = 0; i < LAC_OPERATION_COUNT; i++) {
        size_t n = strlen(m->kernels.names[i]);
        if (length + n + 2 > LAC_KERNEL_NAMES_SIZE)
            break;
        if (i > 0)
            m->kernel_names[length++] = ',';
        memcpy(m->kernel_names + length, m->kernels.names[i], n);
        length += n;
    }
    m->kernel_names[length] = 0;
}

/* Each matrix of the network, in file order, given `at` [lac_linear_packed_bytes]; NULL only counts. Returns the sum
 * of their bytes. */
static size_t pack_matrices(lac_model *m, uint8_t *at)
{
    const lac_arch *a = &m->arch;
    size_t bytes = 0;
#define PACK(matrix)                                        \
    if (at != NULL)                                         \
        lac_linear_pack((matrix), at + bytes);              \
    bytes += lac_linear_packed_bytes(matrix);
#define FLOATS(side, field, rank, rows, columns)
#define LINEAR(side, field, in, out, rate) PACK(&m->side.field)
#define BLOCKS(side, field, expand, rate)                          \
    for (uint32_t i = 0; i < a->side##_##field##_count; i++) {     \
        PACK(&m->side.field[i].up)                                 \
        PACK(&m->side.field[i].down)                               \
    }
    LAC_MODEL_LAYERS(FLOATS, LINEAR, BLOCKS)
#undef FLOATS
#undef LINEAR
#undef BLOCKS
#undef PACK
    return bytes;
}

static void lay_out_rvq(lac_rvq *q, lac_workspace *w, const lac_kernels *kernels)
{
    size_t codes = (size_t)q->stages * q->codewords;
    size_t bytes = lac_codebook_packed_bytes(&(lac_codebook){.codewords = q->codewords, .dimension = q->dimension});
    int32_t *norms = lac_workspace_take(w, codes, sizeof *norms);
    uint8_t *packed = lac_workspace_take(w, kernels->packed ? q->stages * bytes : 0, 1);
    q->half_norm = norms;
    q->nearest = kernels->nearest;
    if (!w->base)
        return;
    lac_rvq_half_norms(norms, q->codes, codes, q->dimension);
    for (size_t s = 0; kernels->packed && s < q->stages; s++) {
        lac_codebook book = lac_rvq_book(q, s, 0, q->codewords);
        lac_codebook_pack(&book, packed + s * bytes);
    }
    q->packed = kernels->packed ? packed : NULL;
}

/* The codewords after the metric are what is searched, so these are packed. */
static void lay_out_metric(lac_quantiser *q, lac_workspace *w, const lac_kernels *kernels)
{
    size_t rows = (size_t)q->stages * q->codewords;
    int16_t *codes = lac_workspace_take(w, rows * q->dimension, sizeof *codes);
    if (w->base)
        lac_metric_apply(codes, q->metric, q->rvq.codes, rows, q->dimension);
    q->measured = q->rvq;
    q->measured.codes = codes;
    lay_out_rvq(&q->measured, w, kernels);
}

static void lay_out_rfsq(lac_rfsq *q, lac_workspace *w, const float *thresholds)
{
    size_t count = (size_t)q->stages * q->fsq.dimensions * q->slots;
    int32_t *fixed = lac_workspace_take(w, count, sizeof *fixed);
    q->thresholds = fixed;
    for (size_t i = 0; w->base && i < count; i++)
        fixed[i] = lac_rfsq_threshold(thresholds[i]);
}

static void lay_out_prior(lac_model *m, lac_workspace *w)
{
    if (m->prior_weights.sizes.stages == 0)
        return;
    lac_prior prior, *p = lac_workspace_take(w, 1, sizeof *p);
    lac_prior_init(p ? p : &prior, w, &m->prior_weights, &m->kernels);
    m->prior = p;
}

/* One piece of memory: the model, what it works out of the file, what it packs. */
static int lay_out(void *object, lac_workspace *w)
{
    lac_model *m = object;
    const lac_arch *a = &m->arch;
    int32_t *harmonics = lac_workspace_take(w, (size_t)LAC_HARMONICS * a->bands, sizeof *harmonics);
    uint8_t *matrices = lac_workspace_take(w, m->kernels.packed ? pack_matrices(m, NULL) : 0, 1);
    m->harmonics = harmonics;
    if (w->base)
        lac_features_harmonics(harmonics, a->bands);
    if (w->base && m->kernels.packed)
        pack_matrices(m, matrices);
    if (m->quantiser.kind == LAC_QUANTISER_RFSQ)
        lay_out_rfsq(&m->quantiser.rfsq, w, m->thresholds);
    else if (m->quantiser.metric)
        lay_out_metric(&m->quantiser, w, &m->kernels);
    else
        lay_out_rvq(&m->quantiser.rvq, w, &m->kernels);
    m->quantiser.scores = m->kernels.scores;
    lay_out_prior(m, w);
    int status = lac_fft_init(&m->fft, w, LAC_WINDOW);
    return status ? status : lac_fft_init(&m->long_fft, w, LAC_LONG_FFT);
}

static int create(lac_model **model, lac_model *parsed)
{
    void *opened;
    choose_kernels(parsed);
    int status = lac_object_open(&opened, parsed, sizeof *parsed, lay_out);
    if (!status)
        *model = opened;
    return status;
}

/* Takes the file over: on failure it is released. */
static int open_taken(lac_model **model, lac_model_bytes *bytes)
{
    lac_model parsed;
    int status = lac_modelfile_parse(&parsed, bytes->data, bytes->size);
    parsed.mapping = bytes->mapping;
    parsed.owned = bytes->owned;
    if (status == LAC_OK)
        status = create(model, &parsed);
    if (status != LAC_OK)
        lac_model_bytes_release(bytes);
    return status;
}

int lac_model_open_memory(lac_model **model, const void *data, size_t size)
{
    if (model == NULL || (data == NULL && size > 0))
        return LAC_ERROR_ARGUMENT;
    lac_model_bytes bytes;
    int status = lac_model_bytes_take(&bytes, data, size);
    return status == LAC_OK ? open_taken(model, &bytes) : status;
}

int lac_model_open_file(lac_model **model, const char *path)
{
    if (model == NULL || path == NULL)
        return LAC_ERROR_ARGUMENT;
    lac_model_bytes bytes;
    int status = lac_model_bytes_read(&bytes, path);
    return status == LAC_OK ? open_taken(model, &bytes) : status;
}

int lac_model_open(lac_model **model, const char *name)
{
    if (model == NULL)
        return LAC_ERROR_ARGUMENT;
    lac_model_bytes bytes;
    int status = lac_model_bytes_open(&bytes, name, ENDING, lac_embedded_models);
    return status == LAC_OK ? open_taken(model, &bytes) : status;
}

typedef struct wanted_id {
    const uint8_t *id;
    size_t bytes;
} wanted_id;

static bool has_id(const char *path, const void *user)
{
    const wanted_id *wanted = user;
    uint8_t found[LAC_MODEL_ID_SIZE];
    lac_model_bytes file;
    if (lac_model_bytes_read(&file, path) != LAC_OK)
        return false;
    int status = lac_modelfile_id(found, file.data, file.size);
    lac_model_bytes_release(&file);
    return status == LAC_OK && memcmp(found, wanted->id, wanted->bytes) == 0;
}

int lac_model_open_id(lac_model **model, const uint8_t *id, size_t bytes)
{
    if (model == NULL || id == NULL || bytes < 1 || bytes > LAC_MODEL_ID_SIZE)
        return LAC_ERROR_ARGUMENT;
    *model = NULL;
    for (const lac_embedded_model *e = lac_embedded_models; e->name != NULL; e++) {
        if (lac_model_open(model, e->name) == LAC_OK && memcmp((*model)->info.id, id, bytes) == 0)
            return LAC_OK; /* and its bytes were hashed once */
        lac_model_close(model);
    }
    char path[LAC_MODEL_PATH_SIZE];
    int status = lac_model_find(path, ENDING, has_id, &(wanted_id){id, bytes});
    return status == LAC_OK ? lac_model_open_file(model, path) : status;
}

void lac_model_close(lac_model **model)
{
    if (model == NULL || *model == NULL)
        return;
    lac_model_bytes bytes = {.size = (*model)->size, .mapping = (*model)->mapping, .owned = (*model)->owned};
    lac_model_bytes_release(&bytes);
    lac_object_close(*model);
    *model = NULL;
}

void lac_model_get_info(const lac_model *model, lac_model_info *info)
{
    *info = model->info;
}

const char *lac_model_embedded_name(size_t index)
{
    for (size_t i = 0; lac_embedded_models[i].name != NULL; i++)
        if (i == index)
            return lac_embedded_models[i].name;
    return NULL;
}

const char *lac_model_kernels(const lac_model *model)
{
    return model->kernel_names;
}
