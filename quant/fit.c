#include "lac/fit.h"

#include <string.h>

#include "fitstate.h"
#include "fmath.h"
#include "parallel.h"
#include "rng.h"

#define RARE 32 /* a codeword is dead below this part of its share, among moving averages */

void lac_fit_default_settings(lac_fit_settings *settings)
{
    *settings = (lac_fit_settings){.stages = 8, .codewords = 1024, .dimension = 64, .iterations = 10, .spread = 1,
                                   .beam = 8, .layered = 1, .prior = 60, .batch = 4096, .decay = 64880,
                                   .rows = 1u << 18, .threads = 1, .seed = 1};
}

static bool within(uint32_t v, uint32_t least, uint32_t most)
{
    return v >= least && v <= most;
}

/* Scalar quantisers are neither spread nor refined. */
static bool levels_valid(const lac_fit_settings *s)
{
    lac_fsq fsq = lac_fit_fsq(s);
    return s->method != LAC_FIT_FSQ ||
           (lac_fsq_codewords(&fsq) == s->codewords && s->spread == 1 && s->refinements == 0);
}

size_t lac_fit_values(const lac_fit_settings *s)
{
    size_t rows = s->method == LAC_FIT_FSQ ? 2 * lac_fit_fsq(s).dimensions + 1 : s->codewords;
    return s->stages * rows * s->dimension;
}

bool lac_fit_settings_valid(const lac_fit_settings *s)
{
    return levels_valid(s) && within(s->stages, 1, LAC_RVQ_MAX_STAGES) &&
           within(s->codewords, 2, LAC_FIT_MAX_CODEWORDS) &&
           within(s->dimension, 1, LAC_FIT_MAX_DIMENSION) && s->method <= LAC_FIT_FSQ && s->iterations <= 1000 &&
           within(s->spread, 1, LAC_RVQ_MAX_BEAM) && s->spread <= s->codewords && s->refinements <= 1000 &&
           within(s->beam, 1, LAC_RVQ_MAX_BEAM) && s->layered <= 1 && s->prior <= LAC_KMEANS_MAX_PRIOR &&
           within(s->batch, 1, LAC_FIT_MAX_BATCH) && within(s->decay, 1, 65535) &&
           within(s->rows, 1, LAC_FIT_MAX_ROWS) && within(s->threads, 1, 256);
}

bool lac_fit_in_range(const int16_t *v, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= (uint32_t)(v[i] + LAC_FIT_MAX_VALUE) > 2 * LAC_FIT_MAX_VALUE;
    return bad == 0;
}

/* ---- open ---- */

static int lay_out(void *object, lac_workspace *w)
{
    lac_fit *f = object;
    const lac_fit_settings *s = &f->settings;
    size_t book = (size_t)s->codewords * s->dimension, values = lac_fit_values(s);
    lac_codebook shape = {.codewords = s->codewords, .dimension = s->dimension};
    f->packed_bytes = lac_codebook_packed_bytes(&shape);
    f->kmeans.codewords = s->codewords;
    f->kmeans.dimension = s->dimension;
    f->kmeans.threads = s->threads;
    lac_kmeans_init(&f->kmeans, w, (size_t)s->rows * s->spread);
    f->z = lac_workspace_take(w, (size_t)s->rows * s->dimension, sizeof *f->z);
    f->left = lac_workspace_take(w, (size_t)s->rows * s->spread * s->dimension, sizeof *f->left);
    f->codes = lac_workspace_take(w, values, sizeof *f->codes);
    f->start = lac_workspace_take(w, f->warm ? values : 0, sizeof *f->start);
    f->half_norm = lac_workspace_take(w, (size_t)s->stages * s->codewords, sizeof *f->half_norm);
    f->packed = lac_workspace_take(w, s->stages, f->packed_bytes);
    f->tokens = lac_workspace_take(w, s->refinements > 0 ? (size_t)s->rows * s->stages : 0, sizeof *f->tokens);
    f->counts = lac_workspace_take(w, s->codewords, sizeof *f->counts);
    f->sums = lac_workspace_take(w, book, sizeof *f->sums);
    f->usage = lac_workspace_take(w, (size_t)s->stages * s->codewords, sizeof *f->usage);
    if (w->base && f->given) {
        memcpy(f->codes, f->given, values * sizeof *f->codes);
        memcpy(f->start, f->given, values * sizeof *f->start);
    }
    if (s->method == LAC_FIT_FSQ) {
        lac_fit_lay_maps(f, w);
        return LAC_OK;
    }
    for (uint32_t q = 0; w->base && q < s->stages; q++)
        lac_kmeans_prepare(lac_fit_stage_of(f, q));
    return LAC_OK;
}

int lac_fit_create(lac_fit **fit, lac_fit *draft)
{
    void *opened;
    draft->left_stage = UINT32_MAX;
    draft->fsq = lac_fit_fsq(&draft->settings);
    draft->slots = lac_fsq_slots(&draft->fsq);
    int status = lac_object_open(&opened, draft, sizeof *draft, lay_out);
    if (!status)
        *fit = opened;
    return status;
}

int lac_fit_open(lac_fit **fit, const lac_fit_settings *settings, const int16_t *start)
{
    if (!fit || !settings || !lac_fit_settings_valid(settings))
        return LAC_ERROR_ARGUMENT;
    if (start && (settings->method == LAC_FIT_FSQ || !lac_fit_in_range(start, lac_fit_values(settings))))
        return LAC_ERROR_ARGUMENT;
    lac_fit draft = {.settings = *settings, .warm = start != NULL, .given = start};
    draft.kmeans.random = (uint64_t)lac_hash32(settings->seed) << 32;
    return lac_fit_create(fit, &draft);
}

int lac_fit_open_maps(lac_fit **fit, const lac_fit_settings *settings, const lac_fit_maps *start)
{
    if (!fit || !settings || !start || settings->method != LAC_FIT_FSQ || !lac_fit_settings_valid(settings))
        return LAC_ERROR_ARGUMENT;
    size_t words = (size_t)settings->stages * settings->dimension, maps = words * lac_fit_fsq(settings).dimensions;
    if (!lac_fit_in_range(start->into, maps) || !lac_fit_in_range(start->back, maps) ||
        !lac_fit_in_range(start->bias, words))
        return LAC_ERROR_ARGUMENT;
    lac_fit draft = {.settings = *settings, .warm = true, .given_maps = start};
    return lac_fit_create(fit, &draft);
}

void lac_fit_close(lac_fit **fit)
{
    if (!fit)
        return;
    lac_object_close(*fit);
    *fit = NULL;
}

void lac_fit_get_settings(const lac_fit *fit, lac_fit_settings *settings)
{
    *settings = fit->settings;
}

uint64_t lac_fit_seen(const lac_fit *fit)
{
    return fit->seen;
}

uint32_t lac_fit_kept(const lac_fit *fit)
{
    return fit->kept;
}

uint32_t lac_fit_steps(const lac_fit *fit)
{
    return fit->settings.stages * fit->settings.iterations + fit->settings.refinements;
}

uint32_t lac_fit_done(const lac_fit *fit)
{
    return fit->done;
}

const int16_t *lac_fit_get_codes(const lac_fit *fit)
{
    return fit->fsq.dimensions ? NULL : fit->codes;
}

int lac_fit_get_maps(const lac_fit *fit, lac_fit_maps *maps)
{
    if (!fit || !maps || !fit->fsq.dimensions)
        return LAC_ERROR_ARGUMENT;
    lac_rfsq q = lac_fit_rfsq(fit);
    *maps = (lac_fit_maps){q.into, q.thresholds, q.back, q.bias};
    return LAC_OK;
}

/* ---- rows ---- */

/* Where row number `seen` goes, or none: a reservoir (Vitter 1985, algorithm R), its draws a function of the
 * number. */
static uint32_t place_of(const lac_fit *f)
{
    if (f->kept < f->settings.rows)
        return f->kept;
    uint64_t counter = ((uint64_t)lac_hash32(f->settings.seed) << 32 | 1u << 31) + 2 * f->seen;
    uint64_t drawn = ((uint64_t)lac_hash32(counter) << 32 | lac_hash32(counter + 1)) % (f->seen + 1);
    return drawn < f->kept ? (uint32_t)drawn : UINT32_MAX;
}

static void keep(lac_fit *f, const int16_t *row)
{
    uint32_t at = place_of(f);
    f->seen++;
    if (at == UINT32_MAX)
        return;
    f->kept += at == f->kept;
    memcpy(f->z + (size_t)at * f->settings.dimension, row, f->settings.dimension * sizeof *row);
}

int lac_fit_add(lac_fit *fit, const int16_t *latents, size_t rows)
{
    if (!fit || (rows > 0 && !latents))
        return LAC_ERROR_ARGUMENT;
    if (fit->done > 0)
        return LAC_ERROR_STATE;
    size_t D = fit->settings.dimension;
    if (!lac_fit_in_range(latents, rows * D))
        return LAC_ERROR_ARGUMENT;
    for (size_t i = 0; i < rows; i++)
        keep(fit, latents + i * D);
    fit->left_stage = UINT32_MAX;
    return LAC_OK;
}

static int16_t fixed_of(float v)
{
    float size = v < 0 ? -v : v;
    int whole = size >= LAC_FIT_MAX_VALUE ? LAC_FIT_MAX_VALUE : (int)size;
    if (whole < LAC_FIT_MAX_VALUE && size - (float)whole >= 0.5f)
        whole++;
    return (int16_t)(v < 0 ? -whole : whole);
}

static bool all_finite(const float *v, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= !(v[i] - v[i] == 0);
    return bad == 0;
}

int lac_fit_add_float(lac_fit *fit, const float *latents, size_t rows, float one)
{
    if (!fit || (rows > 0 && !latents) || !(one > 0) || !(one - one == 0))
        return LAC_ERROR_ARGUMENT;
    if (fit->done > 0)
        return LAC_ERROR_STATE;
    size_t D = fit->settings.dimension;
    if (!all_finite(latents, rows * D))
        return LAC_ERROR_ARGUMENT;
    lac_float_mode mode = lac_float_enter();
    for (size_t i = 0; i < rows; i++) {
        int16_t row[LAC_FIT_MAX_DIMENSION];
        for (size_t d = 0; d < D; d++)
            row[d] = fixed_of(latents[i * D + d] * one);
        keep(fit, row);
    }
    fit->left_stage = UINT32_MAX;
    lac_float_leave(mode);
    return LAC_OK;
}

/* ---- stages ---- */

lac_kmeans *lac_fit_stage_of(lac_fit *f, uint32_t stage)
{
    size_t first = (size_t)stage * f->settings.codewords;
    f->kmeans.codes = f->codes + first * f->settings.dimension;
    f->kmeans.half_norm = f->half_norm + first;
    f->kmeans.packed = f->packed + stage * f->packed_bytes;
    return &f->kmeans;
}

static void subtract_rows(void *user, size_t part, size_t first, size_t end)
{
    lac_fit *f = user;
    size_t D = f->settings.dimension;
    (void)part;
    for (size_t i = first; i < end; i++) {
        const int16_t *code = f->kmeans.codes + f->kmeans.tokens[i] * D;
        for (size_t d = 0; d < D; d++) {
            int left = f->left[i * D + d] - code[d];
            left = left > LAC_RVQ_MAX ? LAC_RVQ_MAX : left;
            f->left[i * D + d] = (int16_t)(left < -LAC_RVQ_MAX ? -LAC_RVQ_MAX : left);
        }
    }
}

void lac_fit_subtract(lac_fit *f, size_t rows)
{
    lac_parallel(rows, f->settings.threads, subtract_rows, f);
}

void lac_fit_leave(lac_fit *f, uint32_t stage)
{
    size_t D = f->settings.dimension, width = f->settings.spread;
    if (f->left_stage > stage) {
        for (size_t i = 0; i < f->kept; i++)
            memcpy(f->left + i * width * D, f->z + i * D, D * sizeof *f->z);
        f->left_stage = 0;
    }
    for (; f->left_stage < stage; f->left_stage++) {
        if (f->fsq.dimensions) {
            lac_fit_take(f, f->left_stage, f->kept);
            continue;
        }
        lac_kmeans *k = lac_fit_stage_of(f, f->left_stage);
        if (width > 1) {
            lac_fit_spread(f, f->left_stage);
        } else {
            lac_kmeans_assign(k, (lac_kmeans_rows){f->left, f->kept, 1});
            lac_fit_subtract(f, f->kept);
        }
    }
}

/* What a stage is fitted to. */
static lac_kmeans_rows rows_of(const lac_fit *f, uint32_t stage)
{
    uint32_t width = f->settings.spread;
    return stage == 0 ? (lac_kmeans_rows){f->left, f->kept, width}
                      : (lac_kmeans_rows){f->left, (size_t)f->kept * width, 1};
}

/* ---- steps ---- */

static void lloyd_pass(lac_fit *f, lac_kmeans *k, uint32_t stage)
{
    lac_kmeans_rows rows = rows_of(f, stage);
    size_t first = (size_t)stage * f->settings.codewords * f->settings.dimension;
    uint32_t each = (uint32_t)(rows.count / f->kept);
    lac_kmeans_assign(k, rows);
    lac_kmeans_mean(k, f->warm ? f->start + first : NULL, f->warm ? f->settings.prior * each : 0);
    for (uint32_t c = 0; c < k->codewords; c++)
        if (k->counts[c] == 0 && !(f->warm && f->settings.prior > 0))
            lac_kmeans_revive(k, rows, c);
    lac_kmeans_prepare(k);
}

/* Averages of codeword c begin where it is. */
static void begin_average(lac_fit *f, const lac_kmeans *k, uint32_t c, int64_t count)
{
    size_t D = k->dimension;
    f->counts[c] = count;
    for (size_t d = 0; d < D; d++)
        f->sums[c * D + d] = count * k->codes[c * D + d];
}

/* Batches take rows from all over. */
static void average_pass(lac_fit *f, lac_kmeans *k, lac_kmeans_rows all, bool begins)
{
    const lac_fit_settings *s = &f->settings;
    size_t batches = (all.count + s->batch - 1) / s->batch;
    int64_t share = (int64_t)s->batch * 65536 / s->codewords, prior = s->prior < 65536 ? s->prior : 65536;
    for (uint32_t c = 0; begins && c < k->codewords; c++)
        begin_average(f, k, c, f->warm && prior > 0 ? prior * 65536 : share);
    for (size_t b = 0; b < batches; b++) {
        lac_kmeans_rows rows = {all.first + b * all.stride * s->dimension, (all.count - b + batches - 1) / batches,
                                all.stride * batches};
        lac_kmeans_assign(k, rows);
        lac_kmeans_average(k, f->counts, f->sums, s->decay);
        for (uint32_t c = 0; c < k->codewords; c++)
            if (f->counts[c] < share / RARE) {
                lac_kmeans_revive(k, rows, c);
                begin_average(f, k, c, share);
            }
        lac_kmeans_prepare(k);
    }
}

static void stage_pass(lac_fit *f, uint32_t stage, uint32_t pass)
{
    lac_fit_leave(f, stage);
    if (f->fsq.dimensions) {
        lac_fit_scalar_pass(f, stage, pass);
        return;
    }
    lac_kmeans *k = lac_fit_stage_of(f, stage);
    if (pass == 0 && !f->warm) {
        lac_kmeans_start(k, rows_of(f, stage));
        lac_kmeans_prepare(k);
    }
    if (f->settings.method == LAC_FIT_EMA)
        average_pass(f, k, rows_of(f, stage), pass == 0);
    else
        lloyd_pass(f, k, stage);
}

int lac_fit_step(lac_fit *fit)
{
    if (!fit)
        return LAC_ERROR_ARGUMENT;
    const lac_fit_settings *s = &fit->settings;
    if (fit->kept == 0 || (!fit->warm && !fit->fsq.dimensions && fit->kept < s->codewords))
        return LAC_ERROR_STATE;
    if (fit->done == lac_fit_steps(fit))
        return LAC_OK;
    lac_float_mode mode = lac_float_enter();
    if (fit->done < s->stages * s->iterations)
        stage_pass(fit, fit->done / s->iterations, fit->done % s->iterations);
    else
        lac_fit_refine(fit);
    fit->done++;
    lac_float_leave(mode);
    return LAC_OK;
}
