/* Fitting residual scalar quantisers. A pass over a stage is an iteration of Lloyd's for a lattice: levels become
 * those to which least squares would round, then what they stand for becomes the least squares of what is left.
 * Sums are exact; equations are solved in double, one order of operations. */
#include <math.h>
#include <string.h>

#include "fitstate.h"
#include "parallel.h"
#include "rng.h"

#define ROWS 64 /* coded together */
#define SWEEPS 100
#define MAX_THRESHOLD (1000 * LAC_RFSQ_THRESHOLD_ONE)

lac_fsq lac_fit_fsq(const lac_fit_settings *s)
{
    lac_fsq q = {0};
    if (s->method != LAC_FIT_FSQ)
        return q;
    memcpy(q.levels, s->levels, sizeof s->levels);
    while (q.dimensions < LAC_FIT_MAX_LEVELS && q.levels[q.dimensions] > 0)
        q.dimensions++;
    return q;
}

lac_rfsq lac_fit_rfsq(const lac_fit *f)
{
    const lac_fit_settings *s = &f->settings;
    size_t maps = (size_t)s->stages * f->fsq.dimensions * s->dimension;
    return (lac_rfsq){s->stages,     s->dimension, f->fsq,          f->slots,
                      f->codes, f->thresholds, f->codes + maps, f->codes + 2 * maps};
}

void lac_fit_lay_maps(lac_fit *f, lac_workspace *w)
{
    size_t Q = f->settings.stages, D = f->settings.dimension, d = f->fsq.dimensions, n = 1 + LAC_FIT_MAX_LEVELS + D;
    f->thresholds = lac_workspace_take(w, Q * d * f->slots, sizeof *f->thresholds);
    f->gram = lac_workspace_take(w, f->settings.threads * n * n, sizeof *f->gram);
    f->matrix = lac_workspace_take(w, n * n, sizeof *f->matrix);
    if (!w->base || !f->given_maps)
        return;
    lac_rfsq q = lac_fit_rfsq(f);
    memcpy(f->thresholds, f->given_maps->thresholds, Q * d * f->slots * sizeof *q.thresholds);
    memcpy(f->codes, f->given_maps->into, Q * d * D * sizeof *q.into);
    memcpy(f->codes + (q.back - q.into), f->given_maps->back, Q * d * D * sizeof *q.back);
    memcpy(f->codes + (q.bias - q.into), f->given_maps->bias, Q * D * sizeof *q.bias);
    memcpy(f->start, f->codes, lac_fit_values(&f->settings) * sizeof *f->codes);
}

/* ---- stages ---- */

/* One by itself. */
static lac_rfsq stage_of(const lac_fit *f, uint32_t stage)
{
    lac_rfsq q = lac_fit_rfsq(f);
    size_t first = (size_t)stage * q.fsq.dimensions;
    q.stages = 1;
    q.into += first * q.dimension;
    q.thresholds += first * q.slots;
    q.back += first * q.dimension;
    q.bias += stage * (size_t)q.dimension;
    return q;
}

typedef struct stage_job {
    lac_fit *fit;
    lac_rfsq q;
    bool flag; /* assign: subtract the words; gram: levels are part of it */
} stage_job;

static void assign_rows(void *user, size_t part, size_t first, size_t end)
{
    const stage_job *job = user;
    size_t D = job->q.dimension;
    uint32_t stages[ROWS];
    (void)part;
    for (size_t i = 0; i < ROWS; i++)
        stages[i] = 1;
    for (size_t n; first < end; first += n) {
        int16_t residual[ROWS * LAC_FIT_MAX_DIMENSION], *left = job->fit->left + first * D;
        n = end - first < ROWS ? end - first : ROWS;
        lac_rfsq_encode(&job->q, left, stages, n, job->fit->kmeans.tokens + first, residual);
        if (job->flag)
            memcpy(left, residual, n * D * sizeof *left);
    }
}

static void assign(lac_fit *f, uint32_t stage, size_t rows, bool subtract)
{
    lac_parallel(rows, f->settings.threads, assign_rows, &(stage_job){f, stage_of(f, stage), subtract});
}

void lac_fit_take(lac_fit *f, uint32_t stage, size_t rows)
{
    assign(f, stage, rows, true);
}

/* ---- sums ---- */

/* Products of 1, a row's levels and what is left of it: all of these [n] with the first m of them. */
static void gram_rows(void *user, size_t part, size_t first, size_t end)
{
    const stage_job *job = user;
    size_t D = job->q.dimension, d = job->flag ? job->q.fsq.dimensions : 0, n = 1 + d + D, m = d ? 1 + d : n;
    int64_t *sums = job->fit->gram + part * m * n;
    for (size_t i = first; i < end; i++) {
        uint8_t level[LAC_FSQ_MAX_DIMENSIONS];
        int16_t v[1 + LAC_FIT_MAX_LEVELS + LAC_FIT_MAX_DIMENSION] = {1};
        lac_fsq_levels(&job->q.fsq, job->fit->kmeans.tokens[i], level);
        for (size_t j = 0; j < d; j++)
            v[1 + j] = level[j];
        memcpy(v + 1 + d, job->fit->left + i * D, D * sizeof *v);
        for (size_t a = 0; a < m; a++)
            for (size_t b = 0; b < n; b++)
                sums[a * n + b] += v[a] * v[b];
    }
}

/* To fit->matrix [m][n]. */
static void gram(lac_fit *f, const lac_rfsq *q, bool levels)
{
    size_t d = levels ? q->fsq.dimensions : 0, n = 1 + d + q->dimension, size = levels ? (1 + d) * n : n * n;
    memset(f->gram, 0, f->settings.threads * size * sizeof *f->gram);
    lac_parallel(f->kept, f->settings.threads, gram_rows, &(stage_job){f, *q, levels});
    for (size_t i = 0; i < size; i++) {
        int64_t sum = 0;
        for (size_t t = 0; t < f->settings.threads; t++)
            sum += f->gram[t * size + i];
        f->matrix[i] = (double)sum;
    }
}

/* ---- arithmetic ---- */

/* e [m][n] begins with a positive definite [m][m], which becomes 1. */
static void solve(double *e, size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++) {
        double pivot = e[i * n + i];
        for (size_t k = i; k < n; k++)
            e[i * n + k] /= pivot;
        for (size_t j = 0; j < m; j++) {
            double factor = e[j * n + i];
            for (size_t k = i; j != i && k < n; k++)
                e[j * n + k] -= factor * e[i * n + k];
        }
    }
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static int32_t fixed(double v, double most)
{
    v = v > -most ? v : -most;
    v = v < most ? v : most;
    return (int32_t)(v < 0 ? v - 0.5 : v + 0.5);
}

/* ---- a start ---- */

/* The covariance [D][D] in the place of sums [1 + D][1 + D]; their first row becomes the mean. */
static void centre(double *sums, size_t D)
{
    size_t n = 1 + D;
    double rows = sums[0];
    for (size_t b = 0; b < n; b++)
        sums[b] /= rows;
    for (size_t a = 1; a < n; a++)
        for (size_t b = 1; b < n; b++)
            sums[a * n + b] = sums[a * n + b] / rows - sums[a] * sums[b];
}

/* A sweep of orthogonal iteration over axes [d][D]; returns, of each, the variance. */
static void sweep(double *axes, double *variance, size_t d, const double *sums, size_t D)
{
    for (size_t j = 0; j < d; j++) {
        double *axis = axes + j * D, next[LAC_FIT_MAX_DIMENSION];
        for (size_t a = 0; a < D; a++)
            next[a] = dot(sums + (1 + a) * (1 + D) + 1, axis, D);
        for (size_t k = 0; k < j; k++) {
            double along = dot(next, axes + k * D, D);
            for (size_t a = 0; a < D; a++)
                next[a] -= along * axes[k * D + a];
        }
        variance[j] = dot(next, axis, D);
        double length = (double)sqrtf((float)dot(next, next, D));
        for (size_t a = 0; a < D; a++)
            axis[a] = length > 1e-9 ? next[a] / length : 0;
    }
}

/* Levels evenly along the axes of largest variance, about as far apart as is best for a Gaussian. */
static void start_stage(lac_fit *f, const lac_rfsq *q)
{
    size_t D = q->dimension, d = q->fsq.dimensions;
    double axes[LAC_FIT_MAX_LEVELS * LAC_FIT_MAX_DIMENSION], variance[LAC_FIT_MAX_LEVELS];
    int16_t *back = f->codes + (q->back - f->codes), *bias = f->codes + (q->bias - f->codes);
    gram(f, q, false);
    centre(f->matrix, D);
    for (size_t i = 0; i < d * D; i++)
        axes[i] = (double)lac_hash32(((uint64_t)f->settings.seed << 16) + i) / 2147483648.0 - 1;
    for (int i = 0; i < SWEEPS; i++)
        sweep(axes, variance, d, f->matrix, D);
    for (size_t i = 0; i < D; i++) {
        double first = f->matrix[1 + i];
        for (size_t j = 0; j < d; j++) {
            double deviation = (double)sqrtf((float)(variance[j] > 0 ? variance[j] : 0));
            double step = axes[j * D + i] * deviation * 5 / (q->fsq.levels[j] + 1);
            back[j * D + i] = (int16_t)fixed(step, LAC_RVQ_MAX);
            first -= step * (q->fsq.levels[j] - 1) / 2;
        }
        bias[i] = (int16_t)fixed(first, LAC_RVQ_MAX);
    }
}

/* ---- passes ---- */

/* Projections and thresholds become those of the nearest levels by least squares: the pseudo-inverse of `back`. */
static void fit_levels(lac_fit *f, const lac_rfsq *q)
{
    size_t D = q->dimension, d = q->fsq.dimensions, n = d + D;
    double *e = f->matrix, ridge = 1;
    int16_t *into = f->codes + (q->into - f->codes);
    int32_t *thresholds = f->thresholds + (q->thresholds - f->thresholds);
    for (size_t j = 0; j < d; j++)
        for (size_t i = 0; i < D; i++)
            e[j * n + d + i] = q->back[j * D + i];
    for (size_t j = 0; j < d; j++)
        ridge += dot(e + j * n + d, e + j * n + d, D) * 1e-7;
    for (size_t j = 0; j < d; j++)
        for (size_t k = 0; k < d; k++)
            e[j * n + k] = dot(e + j * n + d, e + k * n + d, D) + (j == k ? ridge : 0);
    solve(e, d, n);
    for (size_t j = 0; j < d; j++) {
        double most = 0, first = 0;
        for (size_t i = 0; i < D; i++) {
            double size = e[j * n + d + i] < 0 ? -e[j * n + d + i] : e[j * n + d + i];
            most = size > most ? size : most;
        }
        double scale = most > 0 ? LAC_RVQ_MAX / most : 0;
        for (size_t i = 0; i < D; i++) {
            into[j * D + i] = (int16_t)fixed(e[j * n + d + i] * scale, LAC_RVQ_MAX);
            first += into[j * D + i] * q->bias[i];
        }
        for (size_t l = 0; l + 1 < q->fsq.levels[j]; l++) /* a model file has them as float */
            thresholds[j * q->slots + l] =
                (int32_t)(float)fixed(first + scale * ((double)l + 0.5), (double)MAX_THRESHOLD);
    }
}

/* The mean product of two of 1 and the levels, all tokens equally likely. */
static double uniform(const lac_fsq *q, size_t a, size_t b)
{
    double of_a = a ? q->levels[a - 1] - 1 : 2, of_b = b ? q->levels[b - 1] - 1 : 2;
    return a == b && a ? of_a * (2 * of_a + 1) / 6 : of_a * of_b / 4;
}

/* Rows that the start counts as: `prior` for each level. Without one, a row holds what is not determined. */
static double prior_of(const lac_fit *f)
{
    double levels = 0;
    for (size_t j = 0; j < f->fsq.dimensions; j++)
        levels += f->fsq.levels[j];
    return f->warm && f->settings.prior > 0 ? f->settings.prior * levels : 1;
}

/* What levels stand for. */
static void fit_words(lac_fit *f, const lac_rfsq *q)
{
    size_t D = q->dimension, m = 1 + q->fsq.dimensions, n = m + D;
    const int16_t *old = f->warm ? f->start : f->codes;
    int16_t *back = f->codes + (q->back - f->codes), *bias = f->codes + (q->bias - f->codes);
    double *e = f->matrix, prior = prior_of(f);
    gram(f, q, true);
    for (size_t a = 0; a < m; a++)
        for (size_t b = 0; b < m; b++) {
            const int16_t *word = old + ((b ? back + (b - 1) * D : bias) - f->codes);
            double weight = prior * uniform(&q->fsq, a, b);
            e[a * n + b] += weight;
            for (size_t i = 0; i < D; i++)
                e[a * n + m + i] += weight * word[i];
        }
    solve(e, m, n);
    for (size_t i = 0; i < D; i++) {
        bias[i] = (int16_t)fixed(e[m + i], LAC_RVQ_MAX);
        for (size_t j = 1; j < m; j++)
            back[(j - 1) * D + i] = (int16_t)fixed(e[j * n + m + i], LAC_RVQ_MAX);
    }
}

void lac_fit_scalar_pass(lac_fit *f, uint32_t stage, uint32_t pass)
{
    lac_rfsq q = stage_of(f, stage);
    if (pass == 0 && !f->warm)
        start_stage(f, &q);
    if (pass > 0 || !f->warm)
        fit_levels(f, &q);
    assign(f, stage, f->kept, false);
    fit_words(f, &q);
}
