/* Fitting scalar quantisers: any threads, chunks and stops, what must come out, faults, models. */
#include <string.h>

#include "fitfixture.h"
#include "memfile.h"

static lac_fit_settings map_settings(void)
{
    static const uint8_t levels[] = {4, 3, 2};
    lac_fit_settings s = small_settings();
    s.method = LAC_FIT_FSQ;
    memcpy(s.levels, levels, sizeof levels);
    s.codewords = 24;
    s.refinements = 0;
    s.iterations = 4;
    return s;
}

/* A saved fit holds all there is. */
static memfile state_of(const lac_fit *fit)
{
    memfile f = {0};
    lac_io io = {&f, memfile_read, memfile_write, NULL, NULL};
    cr_assert_eq(lac_fit_save(fit, &io), 0);
    return f;
}

Test(fitmaps, maps_are_the_same_with_any_threads_chunks_and_stops)
{
    int16_t *z = random_rows(3000);
    lac_fit_settings s = map_settings();
    lac_fit *one = fit_open(&s, NULL);
    cr_assert_eq(lac_fit_add(one, z, 3000), 0);
    run(one);
    memfile want = state_of(one);
    for (uint32_t stop = 0; stop < 12; stop += 3) {
        s.threads = 3;
        lac_fit *fit = fit_open(&s, NULL);
        for (size_t at = 0; at < 3000; at += 100)
            cr_assert_eq(lac_fit_add(fit, z + at * D, 100), 0);
        for (uint32_t i = 0; i < stop; i++)
            cr_assert_eq(lac_fit_step(fit), 0);
        memfile part = state_of(fit), got;
        lac_io io = {&part, memfile_read, memfile_write, NULL, NULL};
        lac_fit_close(&fit);
        cr_assert_eq(lac_fit_load(&fit, &io, 2), 0);
        run(fit);
        got = state_of(fit);
        cr_assert_eq(got.size, want.size);
        cr_expect_arr_eq(got.data, want.data, want.size, "stopped after %u steps", stop);
        lac_fit_close(&fit);
        free(part.data);
        free(got.data);
    }
    lac_fit_close(&one);
    free(want.data);
    free(z);
}

static double map_distortion(lac_fit *fit, const int16_t *z, size_t count, lac_fit_report *report)
{
    cr_assert_eq(lac_fit_add(fit, z, count), 0);
    run(fit);
    cr_assert_eq(lac_fit_measure(fit, z, count, report), 0);
    return report->stage[report->stages - 1].distortion;
}

/* One direction of eight, evenly spread: 4 levels leave 1 / 16 of the variance, twice
 * four 1 / 256. */
Test(fitmaps, maps_find_the_levels_of_a_line)
{
    static int16_t z[2001 * D];
    lac_fit_report report;
    lac_fit_settings s = map_settings();
    s.stages = 2;
    s.codewords = 4;
    s.iterations = 20;
    memcpy(s.levels, (uint8_t[LAC_FIT_MAX_LEVELS]){4}, sizeof s.levels);
    for (int i = 0; i < 2001; i++)
        for (int k = 0; k < D; k++)
            z[i * D + k] = (int16_t)((i - 1000) * (k % 3) + 100 * k);
    lac_fit *fit = fit_open(&s, NULL);
    map_distortion(fit, z, 2001, &report);
    double variance = (1000.0 * 1001 / 3) * (0 + 1 + 4 + 0 + 1 + 4 + 0 + 1) / D;
    cr_expect_float_eq(report.stage[0].distortion / variance, 1.0 / 16, .001);
    cr_expect_float_eq(report.stage[1].distortion / variance, 1.0 / 256, .001);
    cr_expect_eq(report.stage[0].used, 4);
    cr_expect_float_eq(report.stage[0].entropy, 2, .01);
    lac_fit_close(&fit);
}

Test(fitmaps, maps_move_from_where_they_were_as_the_prior_lets_them)
{
    int16_t *z = random_rows(4000);
    lac_fit_settings s = map_settings();
    lac_fit_report report;
    lac_fit_maps maps, got;
    lac_fit *first = fit_open(&s, NULL), *fit = NULL;
    map_distortion(first, z, 2000, &report);
    cr_assert_eq(lac_fit_get_maps(first, &maps), 0);
    cr_expect_null(lac_fit_get_codes(first));
    for (size_t i = 0; i < 2000 * D; i++)
        z[i] = (int16_t)(z[i] / 2 + 300);
    double error[3];
    static const uint32_t priors[] = {1u << 20, 20, 0};
    for (size_t i = 0; i < 3; i++) {
        s.prior = priors[i];
        cr_assert_eq(lac_fit_open_maps(&fit, &s, &maps), 0);
        error[i] = map_distortion(fit, z, 2000, &report);
        cr_assert_eq(lac_fit_get_maps(fit, &got), 0);
        int most = 0;
        for (size_t k = 0; k < 3 * 3 * D; k++)
            most = abs(got.back[k] - maps.back[k]) > most ? abs(got.back[k] - maps.back[k]) : most;
        cr_expect(i == 0 ? most <= 1 : most > 20, "prior %u: %d", priors[i], most);
        lac_fit_close(&fit);
    }
    cr_expect_lt(error[1], error[0]);
    cr_expect_lt(error[2], error[1]);
    lac_fit_close(&first);
    free(z);
}

Test(fitmaps, coding_with_maps_gives_what_is_measured)
{
    int16_t *z = random_rows(1000), back[1000 * D];
    uint16_t tokens[1000 * 3];
    lac_fit_settings s = map_settings();
    lac_fit_report report;
    lac_fit *fit = fit_open(&s, NULL);
    double wanted = map_distortion(fit, z, 1000, &report), sums[2] = {0, 0};
    for (int way = 0; way < 2; way++) {
        cr_assert_eq(lac_fit_encode(fit, z, 1000, 3, way ? 8 : 1, tokens), 0);
        cr_assert_eq(lac_fit_decode(fit, tokens, 1000, 3, back), 0);
        for (size_t i = 0; i < 1000 * D; i++)
            sums[way] += (z[i] - back[i]) * (z[i] - back[i]);
    }
    cr_expect_float_eq(wanted, sums[0] / (1000 * D), 1e-6 * wanted);
    cr_expect_lt(sums[1], sums[0]);
    lac_fit_close(&fit);
    free(z);
}

Test(fitmaps, maps_out_of_range_are_refused)
{
    lac_fit_settings good = map_settings(), s;
    static int16_t zeros[3 * 3 * D], wild[3 * 3 * D] = {[7] = 4096};
    static int32_t thresholds[3 * 3 * 3];
    lac_fit_maps maps = {wild, thresholds, zeros, zeros};
    lac_fit *fit = NULL;
    cr_expect_eq(lac_fit_open_maps(&fit, &good, &maps), LAC_ERROR_ARGUMENT);
    maps = (lac_fit_maps){zeros, thresholds, zeros, wild};
    cr_expect_eq(lac_fit_open_maps(&fit, &good, &maps), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_fit_open(&fit, &good, zeros), LAC_ERROR_ARGUMENT, "codewords");
    for (int i = 0; i < 4; i++) {
        s = good;
        s.codewords += i == 0;
        s.levels[1] = i == 1 ? 65 : 3;
        s.refinements = i == 2;
        s.spread = i == 3 ? 2 : 1;
        cr_expect_eq(lac_fit_open(&fit, &s, NULL), LAC_ERROR_ARGUMENT, "%d", i);
    }
    s = small_settings();
    fit = fit_open(&s, NULL);
    cr_expect_eq(lac_fit_get_maps(fit, &maps), LAC_ERROR_ARGUMENT);
    lac_fit_close(&fit);
    cr_expect_eq(lac_fit_open_maps(&fit, &s, &maps), LAC_ERROR_ARGUMENT);
}

/* Nothing varies: what is not determined stays at rest. */
Test(fitmaps, maps_of_one_row)
{
    static const int16_t z[D] = {1, -4095, 4095};
    lac_fit_settings s = map_settings();
    lac_fit_report report;
    lac_fit *fit = fit_open(&s, NULL);
    cr_expect_lt(map_distortion(fit, z, 1, &report), 1.1);
    lac_fit_close(&fit);
}

Test(fitmaps, a_model_takes_other_maps)
{
    memfile f = {0};
    lac_io io = {&f, NULL, memfile_write, NULL, NULL};
    lac_model *model = open_fsq(), *tiny = open_tiny(), *other = NULL;
    lac_model_info info, got;
    lac_fit_maps maps, read;
    uint8_t levels[LAC_FIT_MAX_LEVELS], again[LAC_FIT_MAX_LEVELS];
    cr_expect_eq(lac_fit_model_maps(tiny, &maps, levels), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_fit_model_maps(model, &maps, levels), 0);
    lac_model_get_info(model, &info);
    cr_assert_eq(lac_fit_write_maps(tiny, "mine", info.codebooks, levels, &maps, &io), 0);
    cr_assert_eq(lac_model_open_memory(&other, f.data, f.size), 0);
    lac_model_get_info(other, &got);
    cr_expect_str_eq(got.name, "mine");
    cr_expect_eq(got.codewords, info.codewords);
    cr_assert_eq(lac_fit_model_maps(other, &read, again), 0);
    cr_expect_arr_eq(again, levels, sizeof levels);
    size_t d = strlen((char *)levels), words = (size_t)info.codebooks * info.latent_size;
    cr_expect_arr_eq(read.into, maps.into, words * d * sizeof *maps.into);
    cr_expect_arr_eq(read.back, maps.back, words * d * sizeof *maps.back);
    cr_expect_arr_eq(read.bias, maps.bias, words * sizeof *maps.bias);
    cr_expect_eq(read.thresholds[1], maps.thresholds[1]);
    int16_t *wild = test_alloc(words * d, sizeof *wild);
    wild[3] = 5000;
    maps.back = wild;
    cr_expect_eq(lac_fit_write_maps(tiny, "mine", info.codebooks, levels, &maps, &io), LAC_ERROR_ARGUMENT);
    levels[0] = 1;
    cr_expect_eq(lac_fit_write_maps(tiny, "mine", info.codebooks, levels, &read, &io), LAC_ERROR_ARGUMENT);
    lac_model_close(&other);
    lac_model_close(&model);
    lac_model_close(&tiny);
    free(wild);
    free(f.data);
}
