#include "priorfile.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "modellayout.h"

#define SIZES_AT 32
#define RESERVED_AT 56
#define ARRAYS_AT 64
#define SHIFT 32            /* of multipliers */
#define MAX_BIAS (1 << 20)

/* Walks the arrays; the first failure sticks. */
typedef struct walk {
    const uint8_t *data;
    size_t size, at;
    bool failed;
} walk;

/* The next array, at the next multiple of LAC_MODEL_ALIGN, or NULL; what lies between must be zero. */
static const void *take(walk *w, size_t bytes)
{
    uint8_t any = 0;
    for (; w->at % LAC_MODEL_ALIGN != 0; w->at++)
        any |= w->data[w->at];
    w->failed |= any != 0 || bytes > w->size - w->at;
    if (w->failed)
        return NULL;
    const uint8_t *p = w->data + w->at;
    w->at += bytes;
    return p;
}

static lac_linear take_matrix(walk *w, uint32_t in, uint32_t out)
{
    lac_linear l = {.in = in, .out = out, .weight = take(w, (size_t)in * out)};
    for (size_t i = 0; l.weight != NULL && i < (size_t)in * out; i++)
        w->failed |= l.weight[i] == -128;
    return l;
}

static const int32_t *take_numbers(walk *w, size_t count, int32_t least, int32_t most)
{
    const int32_t *numbers = take(w, count * sizeof *numbers);
    for (size_t i = 0; numbers != NULL && i < count; i++)
        w->failed |= numbers[i] < least || numbers[i] > most;
    return numbers;
}

static lac_prior_pair take_pair(walk *w, uint32_t first, uint32_t second, uint32_t out, uint32_t biases)
{
    lac_prior_pair l;
    l.first = take_matrix(w, first, out);
    l.second = take_matrix(w, second, out);
    l.multiplier = take_numbers(w, 2 * (size_t)out, 0, INT32_MAX);
    l.bias = take_numbers(w, (size_t)biases * out, -MAX_BIAS, MAX_BIAS);
    return l;
}

static lac_prior_logits take_logits(walk *w, uint32_t in, uint32_t out)
{
    lac_prior_logits l;
    l.product = take_matrix(w, in, out);
    l.multiplier = take_numbers(w, out, 0, INT32_MAX);
    l.bias = take_numbers(w, out, -MAX_BIAS, MAX_BIAS);
    return l;
}

/* A permutation for each stage. */
static void take_leaves(walk *w, lac_prior_weights *prior)
{
    size_t K = prior->sizes.codewords;
    const uint16_t *leaf_of = take(w, prior->sizes.stages * K * sizeof *leaf_of);
    for (uint32_t i = 0; leaf_of != NULL && i < prior->sizes.stages; i++, leaf_of += K) {
        uint8_t seen[LAC_MAX_CODEWORDS] = {0};
        for (size_t k = 0; k < K; k++) {
            w->failed |= leaf_of[k] >= K || seen[leaf_of[k]]++ != 0;
            if (w->failed)
                return;
        }
        prior->stage[i].leaf_of = leaf_of;
    }
}

static int read_sizes(lac_prior_sizes *z, const lac_arch *a, const uint8_t *p)
{
    *z = (lac_prior_sizes){a->latent, a->codebooks, a->codewords, lac_load32(p + 4), lac_load32(p + 8),
                           lac_load32(p + 12), lac_load32(p + 16)};
    if (lac_load32(p) != LAC_PRIORFILE_VERSION || lac_load32(p + 20) != SHIFT)
        return LAC_ERROR_VERSION;
    if (z->state < 1 || z->state > LAC_PRIOR_MAX_WIDTH || z->width < 1 || z->width > LAC_PRIOR_MAX_WIDTH ||
        z->members < 1 || z->members > LAC_PRIOR_MAX_SYMBOLS || z->classes > LAC_PRIOR_MAX_SYMBOLS)
        return LAC_ERROR_LIMIT;
    return z->classes == (z->codewords + z->members - 1) / z->members ? LAC_OK : LAC_ERROR_FORMAT;
}

int lac_priorfile_parse(lac_prior_weights *prior, const lac_arch *a, const uint8_t *p, size_t bytes)
{
    walk w = {p, bytes, ARRAYS_AT, false};
    lac_prior_sizes *z = &prior->sizes;
    if (bytes < ARRAYS_AT || lac_load64(p + RESERVED_AT) != 0)
        return LAC_ERROR_FORMAT;
    int status = read_sizes(z, a, p + SIZES_AT);
    if (status != LAC_OK)
        return status;
    prior->cell = take_pair(&w, z->latent, z->state, 2 * z->state, z->stages);
    take_leaves(&w, prior);
    for (uint32_t i = 0; i < z->stages; i++) {
        lac_prior_stage *stage = &prior->stage[i];
        stage->hidden = take_pair(&w, z->state, z->latent, z->width, 1);
        stage->classes = take_logits(&w, z->width, z->classes);
        stage->members = take_logits(&w, z->width, z->codewords);
    }
    (void)take(&w, 0);
    return w.failed || w.at != bytes ? LAC_ERROR_FORMAT : LAC_OK;
}
