/* Spectra, mel banks, resampling, alignment, distances, pictures: against closed forms and the Python definitions. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "align.h"
#include "canvas.h"
#include "convolve.h"
#include "distance.h"
#include "lac/status.h"
#include "lettering.h"
#include "mel.h"
#include "pca.h"
#include "picture.h"
#include "polyphase.h"
#include "spectra.h"

#define PI 3.14159265358979323846

/* -1 .. 1, of a position: the tests need no order of calls. */
static double noise(uint32_t at)
{
    uint32_t x = at * 2654435761u + 12345u;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    return x / 2147483648.0 - 1;
}

/* Noise in syllables of 200 ms with a tone below, so that envelopes have something to match. */
static double *babble(size_t samples, unsigned rate)
{
    double *x = malloc(samples * sizeof *x);
    cr_assert_not_null(x);
    for (size_t i = 0; i < samples; i++) {
        double t = (double)i / rate;
        double loud = 0.5 + 0.5 * noise((uint32_t)(t * 5) + 77777u);
        x[i] = 0.2 * loud * (noise((uint32_t)i) + sin(2 * PI * 180 * t));
    }
    return x;
}

static void near(double value, double expected, double tolerance, const char *what)
{
    cr_assert(fabs(value - expected) <= tolerance, "%s: %.9g, expected %.9g", what, value, expected);
}

Test(spectra, frame_of_a_sine)
{
    lac_stft *stft = NULL;
    double x[4000];
    for (size_t i = 0; i < 4000; i++)
        x[i] = cos(2 * PI * 40 * (double)i / 1000);
    cr_assert_eq(lac_stft_open(&stft, 1000, 250, 500), 0);
    cr_assert_eq(lac_stft_frames(stft, 4000), 17);
    cr_assert_eq(lac_stft_bins(stft), 501);
    const double *m = lac_stft_frame(stft, x, 4000, 8);
    near(m[40], 125, 1e-9, "peak: half the window's sum");
    near(m[200], 0, 1e-2, "far from the peak");
    lac_stft_close(&stft);
    cr_assert_null(stft);
    lac_stft_close(&stft);
}

Test(spectra, reflection_at_the_ends)
{
    lac_stft *stft = NULL;
    double x[3] = {1, 2, 4};
    cr_assert_eq(lac_stft_open(&stft, 8, 1, 8), 0);
    /* Frame 0 covers x[-4 .. 3] = 1 2 4 2 | 1 2 4 2; the periodic Hann window of 8 weights them. */
    static const double around[8] = {1, 2, 4, 2, 1, 2, 4, 2};
    double sum = 0;
    for (size_t i = 0; i < 8; i++)
        sum += around[i] * (0.5 - 0.5 * cos(2 * PI * (double)i / 8));
    near(lac_stft_frame(stft, x, 3, 0)[0], sum, 1e-12, "bin 0");
    near(lac_stft_frame(stft, x, 1, 0)[0], 4, 1e-12, "one sample repeats");
    lac_stft_close(&stft);
}

Test(spectra, refuses_bad_shapes)
{
    lac_stft *stft = NULL;
    cr_assert_eq(lac_stft_open(&stft, 511, 10, 100), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_stft_open(&stft, 512, 0, 100), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_stft_open(&stft, 512, 10, 513), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_stft_open(&stft, 512, 10, 0), LAC_ERROR_ARGUMENT);
    cr_assert_null(stft);
}

Test(spectra, band_power_splits_two_tones)
{
    double x[2400], band, all;
    for (size_t i = 0; i < 2400; i++)
        x[i] = sin(2 * PI * 1000 * (double)i / 24000) + 0.5 * sin(2 * PI * 9000 * (double)i / 24000);
    cr_assert_eq(lac_band_power(x, 2400, 24000, 8500, 11500, &band, &all), 0);
    near(band / all, 0.2, 1e-9, "share of the weaker tone");
}

Test(spectra, correlation_by_definition)
{
    enum { A = 37, B = 23, LAG = 10 };
    double a[A], b[B], out[2 * LAG + 1];
    for (uint32_t i = 0; i < A; i++)
        a[i] = noise(i);
    for (uint32_t i = 0; i < B; i++)
        b[i] = noise(i + 1000);
    lac_correlator *c = NULL;
    cr_assert_eq(lac_correlator_open(&c, A + B), 0);
    lac_correlator_add(c, a, A, b, B);
    lac_correlator_add(c, a, A, b, B);
    lac_correlator_finish(c, LAG, out);
    for (int lag = -LAG; lag <= LAG; lag++) {
        double sum = 0;
        for (int i = 0; i < A; i++)
            if (i + lag >= 0 && i + lag < B)
                sum += a[i] * b[i + lag];
        near(out[LAG + lag], 2 * sum, 1e-12, "lag");
    }
    lac_correlator_close(&c);
    cr_assert_null(c);
}

Test(mel, scale)
{
    near(lac_mel_from_hz(1000), 15, 1e-12, "1000 Hz");
    near(lac_mel_from_hz(6400), 42, 1e-9, "6400 Hz");
    for (double hz = 0; hz < 20000; hz += 137)
        near(lac_mel_to_hz(lac_mel_from_hz(hz)), hz, 1e-8, "there and back");
}

Test(mel, triangles_have_area_one)
{
    lac_bank *bank = NULL;
    enum { FFT = 1 << 16 };
    double *flat = malloc((FFT / 2 + 1) * sizeof *flat), out[80];
    cr_assert_not_null(flat);
    for (size_t k = 0; k <= FFT / 2; k++)
        flat[k] = 1;
    cr_assert_eq(lac_bank_open_mel(&bank, 24000, FFT, 80, 0, 12000), 0);
    cr_assert_eq(lac_bank_bands(bank), 80);
    lac_bank_apply(bank, flat, out);
    for (size_t b = 0; b < 80; b++)
        near(out[b] * 24000 / FFT, 1, 1e-3, "area");
    lac_bank_close(&bank);
    cr_assert_null(bank);
    free(flat);
}

Test(mel, custom_edges)
{
    lac_bank *bank = NULL;
    double edges[] = {0, 2, 4, 8}, spectrum[9], out[2];
    for (size_t k = 0; k < 9; k++)
        spectrum[k] = (double)k;
    cr_assert_eq(lac_bank_open(&bank, 16, 16, edges, 2), 0);
    lac_bank_apply(bank, spectrum, out);
    near(out[0], (0.5 * 1 + 1 * 2 + 0.5 * 3) * 2 / 4, 1e-12, "band 0");
    near(out[1], (0.5 * 3 + 1 * 4 + 0.75 * 5 + 0.5 * 6 + 0.25 * 7) * 2 / 6, 1e-12, "band 1");
    lac_bank_close(&bank);
    double flat[] = {0, 2, 2, 8};
    cr_assert_eq(lac_bank_open(&bank, 16, 16, flat, 2), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_bank_open_mel(&bank, 16000, 1024, 80, 8000, 0), LAC_ERROR_ARGUMENT);
    cr_assert_null(bank);
}

Test(polyphase, agrees_with_scipy)
{
    /* scipy.signal.resample_poly([1, -2, 3, 0.5, -1], up, down) */
    static const double x[] = {1, -2, 3, 0.5, -1};
    static const double up3down2[] = {
        1.00060617355378, -1.72117934249555, -0.786471369123495, 3.00181852066133, 2.23947290297285,
        -0.866509732106168, -1.00060617355378, -0.0775155976503326};
    static const double up2down3[] = {
        -0.335399587668245, 0.653951629065158, 1.14479720685469, -1.00062935167463};
    double *y;
    size_t n;
    cr_assert_eq(lac_polyphase(x, 5, 16000, 24000, &y, &n), 0);
    cr_assert_eq(n, sizeof up3down2 / sizeof *up3down2);
    for (size_t i = 0; i < n; i++)
        near(y[i], up3down2[i], 1e-12, "3/2");
    free(y);
    cr_assert_eq(lac_polyphase(x, 5, 24000, 16000, &y, &n), 0);
    cr_assert_eq(n, sizeof up2down3 / sizeof *up2down3);
    for (size_t i = 0; i < n; i++)
        near(y[i], up2down3[i], 1e-12, "2/3");
    free(y);
}

Test(polyphase, keeps_a_sine)
{
    static const unsigned rates[] = {8000, 11025, 22050, 44100, 48000, 96000, 44099};
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        size_t samples = rates[r] / 4, n;
        double *x = malloc(samples * sizeof *x), *y;
        for (size_t i = 0; i < samples; i++)
            x[i] = sin(2 * PI * 440 * (double)i / rates[r]);
        cr_assert_eq(lac_polyphase(x, samples, rates[r], 24000, &y, &n), 0);
        cr_assert_eq(n, (samples * 24000 + rates[r] - 1) / rates[r]);
        for (size_t i = 1000; i < n - 1000; i++)
            near(y[i], sin(2 * PI * 440 * (double)i / 24000), 5e-3, "sample");
        free(x);
        free(y);
    }
}

Test(polyphase, refuses_bad_rates)
{
    double x = 1, *y = NULL;
    size_t n;
    cr_assert_eq(lac_polyphase(&x, 1, 0, 16000, &y, &n), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_polyphase(&x, 1, 16000, 2000000, &y, &n), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_polyphase(&x, 0, 16000, 24000, &y, &n), LAC_ERROR_ARGUMENT);
    cr_assert_null(y);
}

static int lag_of(const double *ref, const double *test, size_t samples)
{
    lac_alignment *a = calloc(1, sizeof *a);
    cr_assert_not_null(a);
    cr_assert_eq(lac_alignment_lag(a), 0);
    cr_assert_eq(lac_alignment_add(a, ref, samples, test, samples), 0);
    int lag = lac_alignment_lag(a);
    free(a);
    return lag;
}

Test(alignment, finds_delays)
{
    static const int lags[] = {0, 1, -1, 480, -480, 4799, -4800};
    size_t samples = 2 * LAC_ALIGN_RATE;
    double *ref = babble(samples, LAC_ALIGN_RATE), *test = malloc(samples * sizeof *test);
    for (size_t i = 0; i < sizeof lags / sizeof *lags; i++) {
        lac_shift(ref, samples, -lags[i], test, samples);
        cr_assert_eq(lag_of(ref, test, samples), lags[i], "lag %d", lags[i]);
    }
    free(ref);
    free(test);
}

Test(alignment, survives_silence)
{
    double *silent = calloc(8000, sizeof *silent);
    lag_of(silent, silent, 8000);
    free(silent);
}

Test(alignment, shift)
{
    static const double x[] = {1, 2, 3};
    static const double expected[][4] = {{1, 2, 3, 0}, {3, 0, 0, 0}, {0, 1, 2, 3}, {0, 0, 0, 0}, {0, 0, 0, 0}};
    static const long lags[] = {0, 2, -1, 9, -9};
    for (size_t i = 0; i < 5; i++) {
        double y[4];
        lac_shift(x, 3, lags[i], y, 4);
        cr_assert_eq(memcmp(y, expected[i], sizeof y), 0, "lag %ld", lags[i]);
    }
}

Test(distance, of_itself_is_zero)
{
    lac_distances d;
    double *x = babble(24000, 24000);
    cr_assert_eq(lac_distances_measure(&d, x, x, 24000, 24000), 0);
    near(d.mel24, 0, 0, "mel24");
    near(d.mel16, 0, 0, "mel16");
    near(d.stft_sc, 0, 0, "stft_sc");
    near(d.stft_mag, 0, 0, "stft_mag");
    near(d.level_db, 0, 0, "level");
    cr_assert(d.si_sdr_db > 100);
    free(x);
}

Test(distance, of_a_gain)
{
    lac_distances d;
    double *x = babble(48000, 48000), *y = malloc(48000 * sizeof *y);
    for (size_t i = 0; i < 48000; i++)
        y[i] = x[i] / 2;
    cr_assert_eq(lac_distances_measure(&d, x, y, 48000, 48000), 0);
    near(d.mel24, log(2), 1e-3, "mel24");
    near(d.mel16, log(2), 1e-3, "mel16");
    near(d.stft_sc, 0.5, 1e-3, "stft_sc");
    near(d.stft_mag, log(2), 1e-2, "stft_mag");
    near(d.level_db, -20 * log10(2), 1e-9, "level");
    cr_assert(d.si_sdr_db > 100);
    free(x);
    free(y);
}

Test(distance, si_sdr_of_orthogonal_noise)
{
    lac_distances d;
    double x[16000], y[16000];
    for (size_t i = 0; i < 16000; i++) {
        x[i] = 0.3 * sin(2 * PI * 500 * (double)i / 16000);
        y[i] = x[i] + 0.03 * sin(2 * PI * 3000 * (double)i / 16000);
    }
    cr_assert_eq(lac_distances_measure(&d, x, y, 16000, 16000), 0);
    near(d.si_sdr_db, 20, 1e-6, "SI-SDR");
    cr_assert(isnan(d.mel24), "a 16 kHz reference has no mel24");
}

Test(distance, mel24_needs_content_above_8500_hz)
{
    lac_distances d;
    double x[24000];
    for (int wide = 0; wide < 2; wide++) {
        for (size_t i = 0; i < 24000; i++) {
            double t = (double)i / 24000, fade = 0.5 - 0.5 * cos(2 * PI * t);
            x[i] = 0.3 * fade * (sin(2 * PI * 1000 * t) + wide * 0.01 * sin(2 * PI * 10000 * t));
        }
        cr_assert_eq(lac_distances_measure(&d, x, x, 24000, 24000), 0);
        cr_assert_eq(!isnan(d.mel24), wide);
    }
}

Test(distance, of_silence_is_finite)
{
    lac_distances d;
    double *silent = calloc(4800, sizeof *silent), *x = babble(4800, 48000);
    cr_assert_eq(lac_distances_measure(&d, silent, x, 4800, 48000), 0);
    cr_assert(isfinite(d.mel16) && isfinite(d.si_sdr_db) && isfinite(d.level_db));
    cr_assert(isfinite(d.stft_sc) && isfinite(d.stft_mag));
    cr_assert_eq(lac_distances_measure(&d, x, silent, 4800, 48000), 0);
    cr_assert(isfinite(d.mel24) && isfinite(d.si_sdr_db) && isfinite(d.level_db));
    free(silent);
    free(x);
}

Test(distance, shortest)
{
    static const unsigned rates[] = {1000, 8000, 16000, 24000, 48000, 384000};
    lac_distances d;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        size_t samples = lac_distances_shortest(rates[i]);
        double *x = babble(samples, rates[i]);
        cr_assert_eq(lac_distances_measure(&d, x, x, samples, rates[i]), 0);
        cr_assert_eq(lac_distances_measure(&d, x, x, samples - 1, rates[i]), LAC_ERROR_ARGUMENT);
        free(x);
    }
}

Test(canvas, clips_at_its_edges)
{
    lac_canvas c;
    lac_lettering style = {12, 1.5, {0, 0, 0}};
    cr_assert_eq(lac_canvas_open(&c, 0, 5, (lac_colour){0, 0, 0}), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_canvas_open(&c, 20, 10, (lac_colour){255, 255, 255}), 0);
    lac_canvas_box(&c, -5, -5, 100, 7, (lac_colour){1, 2, 3});
    lac_canvas_frame(&c, 0, 0, 20, 10, (lac_colour){9, 9, 9});
    lac_canvas_text(&c, -10, 3, "clipped text", style, LAC_ANCHOR_MIDDLE, false);
    lac_canvas_text(&c, 18, 30, "clipped text", style, LAC_ANCHOR_RIGHT, true);
    cr_assert_eq(c.pixel[9 * 20].r, 255);
    lac_canvas_close(&c);
    lac_canvas_close(&c);
}

Test(canvas, every_letter_leaves_ink_within_its_advance)
{
    lac_lettering style = {12, 1.5, {0, 0, 0}};
    for (char letter = '!'; letter <= '~'; letter++) {
        lac_canvas c;
        char text[2] = {letter, 0};
        int dark = 0, outside = 0;
        cr_assert_eq(lac_canvas_open(&c, 40, 40, (lac_colour){255, 255, 255}), 0);
        lac_canvas_text(&c, 10, 25, text, style, LAC_ANCHOR_LEFT, false);
        for (int i = 0; i < 40 * 40; i++) {
            int x = i % 40;
            dark += c.pixel[i].r < 128;
            outside += c.pixel[i].r < 128 && (x < 9 || x >= 10 + lac_lettering_advance(letter));
        }
        cr_assert(dark >= 3, "'%c' has %d dark pixels", letter, dark);
        cr_assert_eq(outside, 0, "'%c'", letter);
        lac_canvas_close(&c);
    }
    cr_assert_str_eq(lac_lettering_strokes('\x01'), lac_lettering_strokes('?'));
    cr_assert_str_eq(lac_lettering_strokes((char)0xc3), lac_lettering_strokes('?'));
    cr_assert_str_empty(lac_lettering_strokes(' '));
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

Test(picture, is_a_png_at_most_1600_wide)
{
    static const char *const titles[3] = {"a title that is far too long for the picture and has to be cut somewhere: "
                                          "a title that is far too long for the picture and has to be cut somewhere",
                                          "\xc3\xa4", ""};
    static const struct shape { size_t samples; unsigned rate; } shapes[] = {
        {1, 1000}, {960, 24000}, {24000, 24000}, {16000 * 30, 16000}, {48000, 384000}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        double *x = babble(shapes[i].samples, shapes[i].rate);
        uint8_t *png = NULL;
        size_t size = 0;
        cr_assert_eq(lac_picture_compare(x, x, shapes[i].samples, shapes[i].rate, titles, &png, &size), 0);
        cr_assert(size > 1000);
        cr_assert_eq(memcmp(png, "\x89PNG\r\n\x1a\n", 8), 0);
        cr_assert(big_endian(png + 16) <= 1600 && big_endian(png + 20) <= 1200);
        free(png);
        free(x);
    }
}

/* Points on a plane that is turned within 5 dimensions, four times as wide as high. */
Test(pca, finds_the_axes_of_most_variance)
{
    static const double u[5] = {0.5, -0.5, 0.5, -0.5, 0}, v[5] = {0, 0.6, 0, -0.6, 0.5291502622};
    float x[200 * 5];
    double wide[200], high[200], out[200 * 2], again[200 * 2], shares[2];
    for (size_t i = 0; i < 200; i++) {
        wide[i] = 4 * sin(0.1 + 2.4 * (double)i);
        high[i] = cos(1.7 * (double)i);
        for (size_t k = 0; k < 5; k++)
            x[i * 5 + k] = (float)(3 + wide[i] * u[k] + high[i] * v[k]);
    }
    cr_assert_eq(lac_pca(x, 200, 5, 2, out, shares), 0);
    cr_assert_eq(lac_pca(x, 200, 5, 2, again, shares), 0);
    cr_assert_eq(memcmp(out, again, sizeof out), 0);
    cr_assert_float_eq(shares[0] + shares[1], 1, 1e-6);
    cr_assert_gt(shares[0], 0.9);
    for (size_t i = 1; i < 200; i++) { /* distances are kept */
        double there = hypot(wide[i] - wide[0], high[i] - high[0]);
        cr_assert_float_eq(hypot(out[2 * i] - out[0], out[2 * i + 1] - out[1]), there, 1e-5);
    }
}

Test(pca, of_one_point_and_of_equal_ones)
{
    static const float x[6] = {1, 2, 3, 1, 2, 3};
    double out[4] = {9, 9, 9, 9}, shares[2];
    cr_assert_eq(lac_pca(x, 1, 3, 2, out, shares), 0);
    cr_assert(out[0] == 0 && out[1] == 0 && shares[0] == 0);
    cr_assert_eq(lac_pca(x, 2, 3, 2, out, shares), 0);
    cr_assert(out[2] == 0 && out[3] == 0 && shares[1] == 0);
    cr_assert_eq(lac_pca(x, 0, 3, 2, out, shares), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_pca(x, 1, 3, 4, out, shares), LAC_ERROR_ARGUMENT);
}

/* ---- Convolution ---- */

static void check_convolution(size_t count, size_t taps, size_t delay)
{
    float *x = malloc((count + 1) * sizeof *x), *h = malloc(taps * sizeof *h);
    double *wanted = calloc(count + 1, sizeof *wanted);
    cr_assert(x && h && wanted);
    for (size_t k = 0; k < taps; k++)
        h[k] = (float)noise(900000 + (uint32_t)k);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)noise((uint32_t)i);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < taps; k++)
            if (i + delay >= k && i + delay - k < count)
                wanted[i] += (double)h[k] * (double)x[i + delay - k];
    cr_assert_eq(lac_convolve(x, count, h, taps, delay), 0);
    double worst = 0;
    for (size_t i = 0; i < count; i++)
        worst = fmax(worst, fabs((double)x[i] - wanted[i]));
    cr_assert(worst < 1e-5, "%zu samples, %zu taps, delay %zu: %g", count, taps, delay, worst);
    free(x);
    free(h);
    free(wanted);
}

Test(convolve, is_the_sum_of_its_definition)
{
    static const size_t counts[] = {0, 1, 2, 100, 769, 770, 771, 3000, 9001}, taps[] = {1, 2, 255, 300, 2500};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t k = 0; k < sizeof taps / sizeof *taps; k++) {
            check_convolution(counts[i], taps[k], 0);
            check_convolution(counts[i], taps[k], taps[k] / 2);
            check_convolution(counts[i], taps[k], taps[k] - 1);
        }
}

Test(convolve, refuses_what_is_too_long)
{
    float x = 1, h = 1;
    cr_assert_eq(lac_convolve(&x, 1, &h, (size_t)1 << 26, 0), LAC_ERROR_LIMIT);
}
