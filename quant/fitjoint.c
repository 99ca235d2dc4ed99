/* All stages of a fit at once: encoding with its codewords, and refining them on what a search assigns. */
#include <string.h>

#include "fitstate.h"
#include "fmath.h"
#include "parallel.h"
#include "rng.h"

#define ROWS 64 /* coded together */

lac_rvq lac_fit_rvq(const lac_fit *f)
{
    const lac_fit_settings *s = &f->settings;
    return (lac_rvq){s->stages, s->codewords, s->dimension, f->codes, f->half_norm, f->packed, f->kmeans.nearest};
}

static lac_quantiser quantiser_of(const lac_fit *f)
{
    lac_quantiser q = {.stages = f->settings.stages, .codewords = f->settings.codewords,
                       .dimension = f->settings.dimension, .scores = f->kmeans.scores};
    q.kind = f->fsq.dimensions ? LAC_QUANTISER_RFSQ : LAC_QUANTISER_RVQ;
    if (f->fsq.dimensions)
        q.rfsq = lac_fit_rfsq(f);
    else
        q.rvq = lac_fit_rvq(f);
    return q;
}

/* At most ROWS rows. */
static void encode_block(const lac_fit *f, uint32_t beam, const int16_t *z, const uint32_t *stages, size_t rows,
                         uint16_t *tokens)
{
    int16_t residual[ROWS * LAC_FIT_MAX_DIMENSION];
    lac_quantiser q = quantiser_of(f);
    lac_quantiser_encode(&q, beam, z, stages, rows, tokens, residual);
}

/* ---- encoding ---- */

typedef struct encode_job {
    const lac_fit *fit;
    const int16_t *z;
    uint32_t stages, beam;
    uint16_t *tokens;
} encode_job;

static void encode_rows(void *user, size_t part, size_t first, size_t end)
{
    const encode_job *job = user;
    const lac_fit_settings *s = &job->fit->settings;
    uint32_t stages[ROWS];
    (void)part;
    for (size_t i = 0; i < ROWS; i++)
        stages[i] = job->stages;
    for (size_t n; first < end; first += n) {
        n = end - first < ROWS ? end - first : ROWS;
        encode_block(job->fit, job->beam, job->z + first * s->dimension, stages, n,
                     job->tokens + first * s->stages);
    }
}

int lac_fit_encode(const lac_fit *fit, const int16_t *latents, size_t rows, uint32_t stages, uint32_t beam,
                   uint16_t *tokens)
{
    if (!fit || (rows > 0 && (!latents || !tokens)) || stages < 1 || stages > fit->settings.stages || beam < 1 ||
        beam > LAC_RVQ_MAX_BEAM || !lac_fit_in_range(latents, rows * fit->settings.dimension))
        return LAC_ERROR_ARGUMENT;
    lac_parallel(rows, fit->settings.threads, encode_rows, &(encode_job){fit, latents, stages, beam, tokens});
    return LAC_OK;
}

int lac_fit_decode(const lac_fit *fit, const uint16_t *tokens, size_t rows, uint32_t stages, int16_t *latents)
{
    if (!fit || (rows > 0 && (!latents || !tokens)) || stages < 1 || stages > fit->settings.stages)
        return LAC_ERROR_ARGUMENT;
    size_t Q = fit->settings.stages;
    lac_quantiser q = quantiser_of(fit);
    for (size_t i = 0; i < rows; i++)
        for (size_t s = 0; s < stages; s++)
            if (tokens[i * Q + s] >= q.codewords)
                return LAC_ERROR_ARGUMENT;
    for (size_t i = 0; i < rows; i++)
        lac_quantiser_decode(&q, tokens + i * Q, stages, latents + i * q.dimension);
    return LAC_OK;
}

/* ---- refining ---- */

/* Stages that row i uses in this pass. */
static uint32_t stages_of(const lac_fit *f, size_t i)
{
    uint32_t Q = f->settings.stages;
    return f->settings.layered ? 1 + lac_hash32(((uint64_t)f->done << 32) + i) % Q : Q;
}

static void search_rows(void *user, size_t part, size_t first, size_t end)
{
    lac_fit *f = user;
    const lac_fit_settings *s = &f->settings;
    (void)part;
    for (size_t n; first < end; first += n) {
        uint32_t stages[ROWS];
        n = end - first < ROWS ? end - first : ROWS;
        for (size_t i = 0; i < n; i++)
            stages[i] = stages_of(f, first + i);
        encode_block(f, s->beam, f->z + first * s->dimension, stages, n, f->tokens + first * s->stages);
    }
}

typedef struct refine_job {
    lac_fit *fit;
    uint32_t stage;
} refine_job;

/* To the stage's sums what its codeword would have to be for each row. */
static void collect_rows(void *user, size_t part, size_t first, size_t end)
{
    const refine_job *job = user;
    lac_fit *f = job->fit;
    size_t Q = f->settings.stages, K = f->settings.codewords, D = f->settings.dimension;
    for (size_t i = first; i < end; i++) {
        const uint16_t *tokens = f->tokens + i * Q;
        uint32_t stages = stages_of(f, i);
        int32_t wanted[LAC_FIT_MAX_DIMENSION];
        if (job->stage >= stages)
            continue;
        for (size_t d = 0; d < D; d++)
            wanted[d] = f->z[i * D + d];
        for (size_t s = 0; s < stages; s++) {
            const int16_t *code = f->codes + (s * K + tokens[s]) * D;
            for (size_t d = 0; s != job->stage && d < D; d++)
                wanted[d] -= code[d];
        }
        size_t at = part * K + tokens[job->stage];
        f->kmeans.counts[at]++;
        for (size_t d = 0; d < D; d++)
            f->kmeans.sums[at * D + d] += wanted[d];
    }
}

static void refine_stage(lac_fit *f, uint32_t stage)
{
    size_t book = (size_t)f->settings.codewords * f->settings.dimension;
    lac_kmeans *k = lac_fit_stage_of(f, stage);
    lac_kmeans_clear(k);
    lac_parallel(f->kept, f->settings.threads, collect_rows, &(refine_job){f, stage});
    lac_kmeans_reduce(k);
    lac_kmeans_mean(k, f->warm ? f->start + stage * book : NULL, f->warm ? f->settings.prior : 0);
    lac_kmeans_prepare(k);
}

void lac_fit_refine(lac_fit *f)
{
    lac_parallel(f->kept, f->settings.threads, search_rows, f);
    for (uint32_t s = 0; s < f->settings.stages; s++)
        refine_stage(f, s);
    f->left_stage = UINT32_MAX;
}

/* ---- reports ---- */

static double logarithm2(double x)
{
    return (double)lac_logf((float)x) / 0.69314718055994531;
}

static void describe(lac_fit_stage *stage, const uint64_t *usage, size_t codewords, uint64_t rows)
{
    double sum = 0;
    stage->used = 0;
    for (size_t c = 0; c < codewords; c++)
        if (usage[c] > 0) {
            stage->used++;
            sum += (double)usage[c] * logarithm2((double)usage[c]);
        }
    stage->entropy = logarithm2((double)rows) - sum / (double)rows;
    stage->entropy = stage->entropy > 0 ? stage->entropy : 0;
    stage->perplexity = (double)lac_expf((float)(stage->entropy * 0.69314718055994531));
}

/* Of a scalar quantiser. */
static void measure_maps(lac_fit *f, size_t rows, uint64_t *squares)
{
    size_t values = rows * f->settings.dimension;
    for (uint32_t s = 0; s < f->settings.stages; s++) {
        lac_fit_take(f, s, rows);
        for (size_t i = 0; i < values; i++)
            squares[s] += (uint64_t)(f->left[i] * f->left[i]);
        for (size_t i = 0; i < rows; i++)
            f->usage[(size_t)s * f->settings.codewords + f->kmeans.tokens[i]]++;
    }
}

/* The rows in fit->left through all stages. */
static void measure_left(lac_fit *f, size_t rows, uint64_t *squares)
{
    for (uint32_t s = 0; s < f->settings.stages; s++) {
        lac_kmeans *k = lac_fit_stage_of(f, s);
        lac_kmeans_assign(k, (lac_kmeans_rows){f->left, rows, 1});
        lac_fit_subtract(f, rows);
        squares[s] += k->squares[0];
        for (uint32_t c = 0; c < k->codewords; c++)
            f->usage[(size_t)s * k->codewords + c] += (uint64_t)k->counts[c];
    }
}

int lac_fit_measure(lac_fit *fit, const int16_t *latents, size_t rows, lac_fit_report *report)
{
    if (!fit || !report || (!latents && rows > 0))
        return LAC_ERROR_ARGUMENT;
    size_t Q = fit->settings.stages, K = fit->settings.codewords, D = fit->settings.dimension;
    rows = latents ? rows : fit->kept;
    latents = latents ? latents : fit->z;
    if (!lac_fit_in_range(latents, rows * D))
        return LAC_ERROR_ARGUMENT;
    uint64_t squares[LAC_MAX_CODEBOOKS] = {0}, before = 0;
    lac_float_mode mode = lac_float_enter();
    memset(fit->usage, 0, Q * K * sizeof *fit->usage);
    for (size_t i = 0; i < rows * D; i++)
        before += (uint64_t)(latents[i] * latents[i]);
    for (size_t at = 0, n; at < rows; at += n) {
        n = rows - at < fit->settings.rows ? rows - at : fit->settings.rows;
        memcpy(fit->left, latents + at * D, n * D * sizeof *latents);
        if (fit->fsq.dimensions)
            measure_maps(fit, n, squares);
        else
            measure_left(fit, n, squares);
    }
    fit->left_stage = UINT32_MAX;
    memset(report, 0, sizeof *report);
    report->rows = rows;
    report->stages = (uint32_t)Q;
    report->variance = rows ? (double)before / (double)(rows * D) : 0;
    for (size_t s = 0; rows > 0 && s < Q; s++) {
        report->stage[s].distortion = (double)squares[s] / (double)(rows * D);
        describe(&report->stage[s], fit->usage + s * K, K, rows);
    }
    lac_float_leave(mode);
    return LAC_OK;
}
