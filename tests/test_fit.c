/* Fitting: against what is published and what must come out, any threads and chunks, faults, states that go on. */
#include <math.h>
#include <string.h>

#include "bytes.h"
#include "fitfixture.h"
#include "lac/encoder.h"
#include "memfile.h"
#include "workspace.h"

/* ---- scalar ---- */

static double lloyd_max(double (*density)(double), double edge, uint32_t levels)
{
    enum { POINTS = 200001 };
    float *x = test_alloc(POINTS, sizeof *x), *w = test_alloc(POINTS, sizeof *w), to[16];
    double error = -1;
    for (size_t i = 0; i < POINTS; i++) {
        double v = edge * (2.0 * (double)i / (POINTS - 1) - 1);
        x[i] = (float)v;
        w[i] = (float)density(v);
    }
    cr_assert_eq(lac_fit_lloyd_max(x, w, POINTS, levels, to, &error), 0);
    for (uint32_t l = 1; l < levels; l++)
        cr_assert_gt(to[l], to[l - 1]);
    free(x);
    free(w);
    return error;
}

static double gaussian(double x)
{
    return exp(-x * x / 2);
}

static double laplacian(double x)
{
    return exp(-sqrt(2) * fabs(x));
}

/* Max 1960; Paez and Glisson 1972. */
Test(fit, lloyd_max_reaches_the_published_distortions)
{
    static const uint32_t levels[] = {2, 4, 8, 16};
    static const double of_gaussian[] = {.3634, .1175, .03454, .009497}, of_laplacian[] = {.5, .1762, .0545, .0154};
    for (size_t i = 0; i < 4; i++) {
        double g = lloyd_max(gaussian, 8, levels[i]), l = lloyd_max(laplacian, 20, levels[i]);
        cr_expect_lt(fabs(g / of_gaussian[i] - 1), .005, "Gaussian, %u levels: %.6f", levels[i], g);
        cr_expect_lt(fabs(l / of_laplacian[i] - 1), .005, "Laplacian, %u levels: %.6f", levels[i], l);
    }
}

Test(fit, lloyd_max_of_samples)
{
    static const float x[] = {-3, -3, -1, 5, 5, 5, 9};
    float to[4];
    double error;
    cr_assert_eq(lac_fit_lloyd_max(x, NULL, 7, 4, to, &error), 0);
    cr_expect_float_eq(error, 0, 1e-12);
    cr_expect(to[0] == -3 && to[1] == -1 && to[2] == 5 && to[3] == 9);
    cr_assert_eq(lac_fit_lloyd_max(x, NULL, 7, 1, to, NULL), 0);
    cr_expect_float_eq(to[0], 17.0f / 7, 1e-6);
    cr_assert_eq(lac_fit_lloyd_max(x, NULL, 1, 4, to, &error), 0, "fewer points than levels");
    static const float nan[] = {0, NAN}, falling[] = {1, 0}, nothing[] = {0, 0}, negative[] = {1, -1};
    cr_expect_eq(lac_fit_lloyd_max(nan, NULL, 2, 2, to, NULL), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_lloyd_max(falling, NULL, 2, 2, to, NULL), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_lloyd_max(x, nothing, 2, 2, to, NULL), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_lloyd_max(x, negative, 2, 2, to, NULL), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_lloyd_max(x, NULL, 0, 2, to, NULL), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_lloyd_max(x, NULL, 2, 0, to, NULL), LAC_ERROR_ARGUMENT);
}

/* ---- codebooks ---- */

static size_t code_bytes(const lac_fit_settings *s)
{
    return (size_t)s->stages * s->codewords * s->dimension * sizeof(int16_t);
}

/* Codes after a whole fit, to be freed. */
static int16_t *fitted(const lac_fit_settings *s, const int16_t *start, const int16_t *z, size_t count,
                       size_t chunk)
{
    lac_fit *fit = fit_open(s, start);
    for (size_t at = 0, n; at < count; at += n) {
        n = count - at < chunk ? count - at : chunk;
        cr_assert_eq(lac_fit_add(fit, z + at * D, n), 0);
    }
    run(fit);
    int16_t *codes = test_alloc(1, code_bytes(s));
    memcpy(codes, lac_fit_get_codes(fit), code_bytes(s));
    lac_fit_close(&fit);
    return codes;
}

Test(fit, threads_and_chunks_change_nothing)
{
    int16_t *z = random_rows(5000);
    for (uint32_t way = 0; way < 8; way++) {
        lac_fit_settings s = small_settings();
        s.method = way & 1;
        s.layered = way >> 1 & 1;
        s.spread = way & 4 ? 5 : 1;
        int16_t *one = fitted(&s, NULL, z, 5000, 5000);
        s.threads = 3;
        int16_t *three = fitted(&s, NULL, z, 5000, 77);
        cr_expect_eq(memcmp(one, three, code_bytes(&s)), 0, "way %u", way);
        s.seed = 2;
        int16_t *other = fitted(&s, NULL, z, 5000, 77);
        cr_expect_neq(memcmp(one, other, code_bytes(&s)), 0, "the seed says nothing, way %u", way);
        free(one);
        free(three);
        free(other);
    }
    free(z);
}

Test(fit, every_cluster_gets_its_codeword)
{
    random_source r = random_start();
    int16_t centres[20 * D], z[600 * D];
    for (size_t i = 0; i < 20 * D; i++)
        centres[i] = (int16_t)((int)random_below(&r, 8000) - 4000);
    for (size_t i = 0; i < 600; i++)
        memcpy(z + i * D, centres + i % 20 * D, D * sizeof *z);
    for (uint32_t method = 0; method < 2; method++) {
        lac_fit_settings s = small_settings();
        s.stages = 1;
        s.refinements = 0;
        s.method = method;
        lac_fit *fit = fit_open(&s, NULL);
        lac_fit_report report;
        cr_assert_eq(lac_fit_add(fit, z, 600), 0);
        run(fit);
        cr_assert_eq(lac_fit_measure(fit, NULL, 0, &report), 0);
        cr_expect_eq(report.stage[0].used, 20);
        cr_expect_leq(report.stage[0].distortion, 1);
        cr_expect_float_eq(report.stage[0].entropy, log2(20), 1e-4);
        cr_expect_float_eq(report.stage[0].perplexity, 20, 1e-2);
        lac_fit_close(&fit);
    }
}

/* Far codewords of a start are used by nothing: both ways they come back. */
Test(fit, dead_codewords_are_revived)
{
    int16_t *z = random_rows(2000), start[3 * 20 * D];
    for (size_t i = 0; i < 3 * 20 * D; i++)
        start[i] = i / D % 20 < 3 ? (int16_t)(100 * (i % 7)) : LAC_FIT_MAX_VALUE;
    for (uint32_t method = 0; method < 2; method++) {
        lac_fit_settings s = small_settings();
        lac_fit_report report;
        s.method = method;
        s.prior = 0;
        s.iterations = 12;
        s.decay = 50000;
        lac_fit *fit = fit_open(&s, start);
        cr_assert_eq(lac_fit_add(fit, z, 2000), 0);
        run(fit);
        cr_assert_eq(lac_fit_measure(fit, NULL, 0, &report), 0);
        for (size_t q = 0; q < 3; q++)
            cr_expect_eq(report.stage[q].used, 20, "method %u, stage %zu: %u", method, q, report.stage[q].used);
        lac_fit_close(&fit);
    }
    free(z);
}

static double last_distortion(const lac_fit_settings *s, const int16_t *z, size_t count)
{
    lac_fit *fit = fit_open(s, NULL);
    lac_fit_report report;
    cr_assert_eq(lac_fit_add(fit, z, count), 0);
    run(fit);
    cr_assert_eq(lac_fit_measure(fit, NULL, 0, &report), 0);
    double before = report.variance;
    for (size_t q = 0; q < s->stages; q++) {
        cr_expect_lt(report.stage[q].distortion, before);
        before = report.stage[q].distortion;
    }
    lac_fit_close(&fit);
    return before;
}

Test(fit, iterations_and_refinements_lower_the_error)
{
    int16_t *z = random_rows(2000);
    lac_fit_settings s = small_settings();
    s.iterations = 1;
    s.refinements = 0;
    double first = last_distortion(&s, z, 2000);
    s.iterations = 10;
    double more = last_distortion(&s, z, 2000);
    s.refinements = 6;
    s.layered = 0;
    s.beam = 1;
    double refined = last_distortion(&s, z, 2000);
    cr_expect_lt(more, first);
    cr_expect_lt(refined, more);
    free(z);
}

Test(fit, a_prior_holds_codewords_where_they_were)
{
    int16_t *z = random_rows(2000), start[3 * 20 * D];
    lac_fit_settings s = small_settings();
    for (size_t i = 0; i < 3 * 20 * D; i++)
        start[i] = z[i];
    s.prior = 1u << 20;
    int16_t *held = fitted(&s, start, z, 2000, 2000);
    s.prior = 1;
    int16_t *moved = fitted(&s, start, z, 2000, 2000);
    int most = 0, far = 0;
    for (size_t i = 0; i < 3 * 20 * D; i++) {
        most = abs(held[i] - start[i]) > most ? abs(held[i] - start[i]) : most;
        far = abs(moved[i] - start[i]) > far ? abs(moved[i] - start[i]) : far;
    }
    cr_expect_leq(most, 1);
    cr_expect_gt(far, 50);
    free(held);
    free(moved);
    free(z);
}

Test(fit, what_is_kept_is_a_fair_sample)
{
    lac_fit_settings s = small_settings();
    s.rows = 1000;
    lac_fit *fit = fit_open(&s, NULL);
    for (int i = 0; i < 8000; i++) {
        int16_t row[D] = {(int16_t)(i / 2000 * 1000)};
        cr_assert_eq(lac_fit_add(fit, row, 1), 0);
    }
    lac_fit_report report;
    cr_expect_eq(lac_fit_seen(fit), 8000);
    cr_expect_eq(lac_fit_kept(fit), 1000);
    cr_assert_eq(lac_fit_measure(fit, NULL, 0, &report), 0);
    cr_expect_float_eq(report.variance, (0 + 1 + 4 + 9) * 1e6 / 4 / D, 4e4);
    lac_fit_close(&fit);
}

Test(fit, coding_gives_what_is_measured)
{
    int16_t *z = random_rows(1000), back[1000 * D];
    uint16_t tokens[1000 * 3], better[1000 * 3];
    lac_fit_settings s = small_settings();
    s.threads = 2;
    lac_fit *fit = fit_open(&s, NULL);
    lac_fit_report report;
    cr_assert_eq(lac_fit_add(fit, z, 1000), 0);
    run(fit);
    double sums[2] = {0, 0};
    cr_assert_eq(lac_fit_encode(fit, z, 1000, 3, 1, tokens), 0);
    cr_assert_eq(lac_fit_encode(fit, z, 1000, 3, 8, better), 0);
    for (int way = 0; way < 2; way++) {
        cr_assert_eq(lac_fit_decode(fit, way ? better : tokens, 1000, 3, back), 0);
        for (size_t i = 0; i < 1000 * D; i++)
            sums[way] += (z[i] - back[i]) * (z[i] - back[i]);
    }
    cr_assert_eq(lac_fit_measure(fit, z, 1000, &report), 0);
    cr_expect_float_eq(report.stage[2].distortion, sums[0] / (1000 * D), 1e-6 * sums[0]);
    cr_expect_lt(sums[1], sums[0]);
    cr_expect_eq(lac_fit_encode(fit, z, 1000, 4, 1, tokens), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_encode(fit, z, 1000, 3, 17, tokens), LAC_ERROR_ARGUMENT);
    tokens[5] = 20;
    cr_expect_eq(lac_fit_decode(fit, tokens, 1000, 3, back), LAC_ERROR_ARGUMENT);
    lac_fit_close(&fit);
    free(z);
}

/* ---- faults ---- */

Test(fit, bad_input_is_refused)
{
    lac_fit_settings s = small_settings();
    lac_fit *fit = fit_open(&s, NULL);
    float row[D] = {0};
    int16_t wild[D] = {4096};
    cr_expect_eq(lac_fit_step(fit), LAC_ERROR_STATE, "nothing to fit to");
    for (int i = 0; i < 3; i++) {
        row[3] = i == 0 ? NAN : i == 1 ? INFINITY : -INFINITY;
        cr_expect_eq(lac_fit_add_float(fit, row, 1, 512), LAC_ERROR_ARGUMENT);
    }
    row[3] = 1e30f;
    cr_expect_eq(lac_fit_add_float(fit, row, 1, NAN), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_add_float(fit, row, 1, 0), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_add(fit, wild, 1), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_seen(fit), 0);
    cr_expect_eq(lac_fit_add_float(fit, row, 1, 512), 0, "clamped");
    cr_expect_eq(lac_fit_step(fit), LAC_ERROR_STATE, "fewer rows than codewords");
    for (int i = 0; i < 20; i++)
        cr_expect_eq(lac_fit_add_float(fit, row, 1, 512), 0);
    run(fit);
    cr_expect_eq(lac_fit_get_codes(fit)[3], LAC_FIT_MAX_VALUE);
    cr_expect_eq(lac_fit_add_float(fit, row, 1, 512), LAC_ERROR_STATE);
    cr_expect_eq(lac_fit_step(fit), 0, "nothing left to do");
    lac_fit_close(&fit);
    lac_fit_close(&fit);
    lac_fit_close(NULL);
}

Test(fit, settings_out_of_range_are_refused)
{
    lac_fit_settings good = small_settings();
    static const uint32_t bad[] = {33, 4097, 65, 2, 1001, 17, 1001, 17, 2,
                                   (1u << 20) + 1, 65537, 65536, (1u << 21) + 1, 257};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lac_fit_settings s = good;
        lac_fit *fit = NULL;
        memcpy((char *)&s + i * sizeof *bad, &bad[i], sizeof *bad);
        cr_expect_eq(lac_fit_open(&fit, &s, NULL), LAC_ERROR_ARGUMENT, "setting %zu", i);
        cr_expect_null(fit);
    }
    int16_t start[3 * 20 * D] = {[100] = -4096};
    lac_fit *fit = NULL;
    cr_expect_eq(lac_fit_open(&fit, &good, start), LAC_ERROR_ARGUMENT);
    lac_alloc_fail_at(1);
    cr_expect_eq(lac_fit_open(&fit, &good, NULL), LAC_ERROR_MEMORY);
    lac_alloc_fail_at(0);
}

/* ---- states ---- */

static lac_io io_of(memfile *f)
{
    return (lac_io){f, memfile_read, memfile_write, NULL, NULL};
}

/* Fits with a stop after `steps`. */
static int16_t *resumed(const lac_fit_settings *s, const int16_t *start, const int16_t *z, size_t count,
                        uint32_t steps)
{
    memfile f = {0};
    lac_io io = io_of(&f);
    lac_fit *fit = fit_open(s, start);
    cr_assert_eq(lac_fit_add(fit, z, count / 2), 0);
    for (size_t at = count / 2; steps > 0 && at < count; at++)
        cr_assert_eq(lac_fit_add(fit, z + at * D, 1), 0);
    for (uint32_t i = 1; i < steps; i++)
        cr_assert_eq(lac_fit_step(fit), 0);
    cr_assert_eq(lac_fit_save(fit, &io), 0);
    lac_fit_close(&fit);
    f.piece = 100;
    cr_assert_eq(lac_fit_load(&fit, &io, 2), 0);
    if (steps == 0)
        cr_assert_eq(lac_fit_add(fit, z + count / 2 * D, count - count / 2), 0);
    run(fit);
    int16_t *codes = test_alloc(1, code_bytes(s));
    memcpy(codes, lac_fit_get_codes(fit), code_bytes(s));
    lac_fit_close(&fit);
    free(f.data);
    return codes;
}

Test(fit, a_saved_fit_goes_on_to_the_same_codewords)
{
    int16_t *z = random_rows(3000);
    for (uint32_t way = 0; way < 4; way++) {
        lac_fit_settings s = small_settings();
        s.method = way & 1;
        s.spread = 1 + way;
        const int16_t *start = way & 2 ? z : NULL;
        int16_t *whole = fitted(&s, start, z, 3000, 3000);
        for (uint32_t steps = 0; steps <= s.stages * s.iterations + s.refinements + 1; steps += 2) {
            int16_t *parts = resumed(&s, start, z, 3000, steps);
            cr_expect_eq(memcmp(whole, parts, code_bytes(&s)), 0, "way %u, %u steps", way, steps);
            free(parts);
        }
        free(whole);
    }
    free(z);
}

#define SEEN_AT 76 /* in a state's head; its checksum: */
#define HEAD_CRC_AT 108

/* Rows are counted on from there. */
Test(fit, a_state_that_has_seen_all_that_can_be_counted_is_refused)
{
    memfile f = {0};
    lac_io io = io_of(&f);
    lac_fit_settings s = small_settings();
    int16_t *z = random_rows(100);
    s.rows = 100;
    lac_fit *fit = fit_open(&s, NULL), *got = NULL;
    cr_assert_eq(lac_fit_add(fit, z, 100), 0);
    cr_assert_eq(lac_fit_save(fit, &io), 0);
    lac_store64(f.data + SEEN_AT, UINT64_MAX);
    lac_store32(f.data + HEAD_CRC_AT, lac_crc32c(0, f.data, HEAD_CRC_AT));
    lac_store32(f.data + f.size - 4, lac_crc32c(0, f.data, f.size - 4));
    f.at = 0;
    cr_expect_eq(lac_fit_load(&got, &io, 1), LAC_ERROR_FORMAT);
    cr_expect_null(got);
    lac_fit_close(&fit);
    free(f.data);
    free(z);
}

Test(fit, damaged_states_are_refused)
{
    memfile f = {0};
    lac_io io = io_of(&f);
    lac_fit_settings s = small_settings();
    int16_t *z = random_rows(100);
    lac_fit *fit = fit_open(&s, NULL), *got = NULL;
    cr_assert_eq(lac_fit_add(fit, z, 100), 0);
    cr_assert_eq(lac_fit_step(fit), 0);
    cr_assert_eq(lac_fit_save(fit, &io), 0);
    random_source r = random_start();
    for (int i = 0; i < rounds(400); i++) {
        size_t at = i < 120 ? (size_t)i : random_below(&r, (uint32_t)f.size);
        uint8_t flip = (uint8_t)(1u << random_below(&r, 8));
        f.data[at] ^= flip;
        f.at = 0;
        cr_expect_lt(lac_fit_load(&got, &io, 1), 0, "a bit of byte %zu", at);
        f.data[at] ^= flip;
        size_t whole = f.size;
        f.size = at;
        f.at = 0;
        cr_expect_lt(lac_fit_load(&got, &io, 1), 0, "%zu bytes", at);
        f.size = whole;
    }
    memfile_write(&f, "x", 1);
    f.at = 0;
    cr_expect_eq(lac_fit_load(&got, &io, 1), LAC_ERROR_FORMAT, "a byte more");
    cr_expect_null(got);
    f.fail_at = 1000;
    f.size = 0;
    cr_expect_eq(lac_fit_save(fit, &io), LAC_ERROR_IO);
    lac_fit_close(&fit);
    free(f.data);
    free(z);
}

/* ---- models ---- */

static lac_model *rewritten(memfile *f, const lac_model *model, const char *name, uint32_t Q, uint32_t K,
                            const int16_t *codes)
{
    lac_io io = io_of(f);
    lac_model *other = NULL;
    f->size = 0;
    cr_assert_eq(lac_fit_write_model(model, name, Q, K, codes, &io), 0);
    cr_assert_eq(lac_model_open_memory(&other, f->data, f->size), 0);
    return other;
}

Test(fit, a_model_with_its_own_codes_is_itself)
{
    memfile f = {0};
    lac_model *model = open_tiny();
    lac_model_info info, got;
    lac_model_get_info(model, &info);
    lac_model *same = rewritten(&f, model, info.name, info.codebooks, info.codewords, lac_fit_model_codes(model));
    lac_model_get_info(same, &got);
    cr_expect_arr_eq(got.id, info.id, LAC_MODEL_ID_SIZE);
    lac_model_close(&same);
    lac_model_close(&model);
    free(f.data);
}

/* A metric, twice everything, behind what a model was written to. */
static void append_metric(memfile *f, uint32_t d)
{
    size_t at = f->size, used = 64 + 2 * (size_t)d * d, bytes = (used + 63) / 64 * 64;
    uint8_t *p = test_alloc(bytes, 1);
    memcpy(p, "LACX", 4);
    lac_store32(p + 4, 3);
    lac_store64(p + 16, bytes);
    for (size_t i = 0; i < d; i++)
        lac_store16(p + 64 + 2 * i * (d + 1), 2048);
    lac_store32(p + 12, lac_crc32c(0, p, bytes));
    cr_assert_eq(memfile_write(f, p, bytes), 0);
    cr_assert_eq(f->size, at + bytes);
    free(p);
}

Test(fit, a_metric_stays_with_codebooks)
{
    memfile first = {0}, f = {0};
    lac_model *model = open_tiny(), *measured = NULL, *scalar = NULL;
    lac_io io = io_of(&f);
    lac_model_info info, got;
    lac_model_get_info(model, &info);
    lac_model *same = rewritten(&first, model, "mine", info.codebooks, info.codewords, lac_fit_model_codes(model));
    lac_model_close(&same);
    append_metric(&first, info.latent_size);
    cr_assert_eq(lac_model_open_memory(&measured, first.data, first.size), 0);
    lac_model *other = rewritten(&f, measured, "other", info.codebooks, info.codewords, lac_fit_model_codes(model));
    lac_model_get_info(other, &got);
    cr_expect_eq(got.metric, 1);
    lac_model_close(&other);

    lac_model *fsq = open_fsq();
    lac_fit_maps maps;
    uint8_t levels[LAC_FIT_MAX_LEVELS];
    cr_assert_eq(lac_fit_model_maps(fsq, &maps, levels), 0);
    lac_model_get_info(fsq, &info);
    f.size = 0;
    cr_assert_eq(lac_fit_write_maps(measured, "scalar", info.codebooks, levels, &maps, &io), 0);
    cr_assert_eq(lac_model_open_memory(&scalar, f.data, f.size), 0, "without the metric");
    lac_model_get_info(scalar, &got);
    cr_expect_eq(got.metric, 0);
    lac_model_close(&scalar);
    lac_model_close(&fsq);
    lac_model_close(&measured);
    lac_model_close(&model);
    free(first.data);
    free(f.data);
}

Test(fit, codebooks_take_the_place_of_scalar_quantisers)
{
    memfile f = {0};
    lac_model *model = open_fsq();
    lac_model_info info, got;
    cr_assert_null(lac_fit_model_codes(model));
    lac_model_get_info(model, &info);
    int16_t *codes = test_alloc((size_t)3 * 16 * info.latent_size, sizeof *codes);
    lac_model *other = rewritten(&f, model, "mine", 3, 16, codes);
    lac_model_get_info(other, &got);
    cr_expect_eq(got.codebooks, 3);
    cr_expect_not_null(lac_fit_model_codes(other));
    lac_model_close(&other);
    lac_model_close(&model);
    free(codes);
    free(f.data);
}

Test(fit, a_model_takes_other_codebooks)
{
    memfile f = {0}, again = {0};
    lac_model *model = open_tiny();
    lac_model_info info, got;
    lac_model_get_info(model, &info);
    size_t values = 2 * 100 * info.latent_size;
    int16_t *codes = test_alloc(values, sizeof *codes);
    for (size_t i = 0; i < values; i++)
        codes[i] = (int16_t)(i % 4000);
    lac_model *other = rewritten(&f, model, "mine", 2, 100, codes);
    lac_model_get_info(other, &got);
    cr_expect_str_eq(got.name, "mine");
    cr_expect_eq(got.codebooks, 2);
    cr_expect_eq(got.codewords, 100);
    cr_expect_neq(memcmp(got.id, info.id, LAC_MODEL_ID_SIZE), 0);
    cr_expect_eq(memcmp(lac_fit_model_codes(other), codes, values * sizeof *codes), 0);
    lac_model *back =
        rewritten(&again, other, info.name, info.codebooks, info.codewords, lac_fit_model_codes(model));
    lac_model_get_info(back, &got);
    cr_expect_arr_eq(got.id, info.id, LAC_MODEL_ID_SIZE, "what is not the quantiser stays");
    lac_model_close(&back);
    lac_model_close(&other);

    lac_io io = io_of(&f);
    cr_expect_eq(lac_fit_write_model(model, "a/b", 2, 100, codes, &io), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_write_model(model, "", 2, 100, codes, &io), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_write_model(model, "a", 33, 2, codes, &io), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_write_model(model, "a", 1, 4097, codes, &io), LAC_ERROR_ARGUMENT);
    codes[7] = 4096;
    cr_expect_eq(lac_fit_write_model(model, "a", 2, 100, codes, &io), LAC_ERROR_ARGUMENT);
    codes[7] = 0;
    f.fail_at = 1;
    cr_expect_eq(lac_fit_write_model(model, "a", 2, 100, codes, &io), LAC_ERROR_IO);
    lac_alloc_fail_at(1);
    cr_expect_eq(lac_fit_write_model(model, "a", 2, 100, codes, &io), LAC_ERROR_MEMORY);
    lac_alloc_fail_at(0);
    lac_model_close(&model);
    free(codes);
    free(f.data);
    free(again.data);
}
