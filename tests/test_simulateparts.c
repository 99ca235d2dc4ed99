/* What lac_simulate is made of: rooms, mu-law, microphones, noise, rate conversion. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "line.h"
#include "microphone.h"
#include "noise.h"
#include "room.h"
#include "roomdecay.h"

#define RATE        24000
#define PI          3.14159265358979323846
#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- Rooms ---- */

Test(room, t60_of_a_known_decay)
{
    static float h[2 * RATE];
    static const double asked[] = {0.1, 0.3, 1, 2};
    for (size_t k = 0; k < COUNT_OF(asked); k++) {
        double t60 = 0;
        for (size_t i = 0; i < COUNT_OF(h); i++)
            h[i] = lac_noise(i) * (float)pow(10, -3.0 * (double)i / RATE / asked[k]);
        cr_assert_eq(lac_room_t60(h, COUNT_OF(h), RATE, &t60), 0);
        cr_assert(fabs(t60 - asked[k]) < 0.1 * asked[k], "%g, not %g", t60, asked[k]);
    }
}

Test(room, t60_of_what_does_not_decay)
{
    float silence[100] = {0};
    double t60 = 1;
    cr_assert_eq(lac_room_t60(silence, 100, RATE, &t60), 0);
    cr_assert_eq(t60, 0);
    cr_assert_eq(lac_room_t60(silence, 0, RATE, &t60), 0);
    cr_assert_eq(t60, 0);
}

Test(room, dies_away_as_asked)
{
    enum { ROOMS = 31 };
    static const double asked[] = {0.1, 0.15, 0.25, 0.4, 0.6, 0.9, 1.2, 1.5}, rates[] = {8000, 24000, 48000};
    for (size_t r = 0; r < COUNT_OF(rates); r++)
        for (size_t k = 0; k < COUNT_OF(asked); k++) {
            double error[ROOMS];
            for (size_t i = 0; i < ROOMS; i++) {
                lac_room room;
                cr_assert_eq(lac_room_open(&room, asked[k], rates[r], i), 0);
                error[i] = fabs(room.t60_s - asked[k]);
                cr_assert(room.distance_m >= 0.5 && room.distance_m <= 3);
                lac_room_close(&room);
            }
            qsort(error, ROOMS, sizeof *error, by_size);
            cr_assert(error[ROOMS / 2] < fmax(0.05, 0.1 * asked[k]), "%g s at %g Hz: off by %g s", asked[k],
                      rates[r], error[ROOMS / 2]);
        }
}

Test(room, begins_with_the_direct_sound)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        lac_room room;
        double energy = 0;
        cr_assert_eq(lac_room_open(&room, 0.3, RATE, seed), 0);
        for (size_t i = 0; i < room.taps; i++) {
            energy += (double)room.response[i] * (double)room.response[i];
            cr_assert(isfinite(room.response[i]));
        }
        cr_assert_float_eq(energy, 1, 1e-4);
        cr_assert(room.response[0] > 0.1f, "%g", (double)room.response[0]);
        lac_room_close(&room);
        cr_assert_null(room.response);
    }
}

/* Where the images one by one end and noise goes on, the power goes on too: mean of rooms, steps of 20 ms. */
Test(room, has_no_seam)
{
    enum { ROOMS = 60, STEP = RATE / 50, STEPS = 20 };
    double power[STEPS] = {0};
    for (uint64_t seed = 0; seed < ROOMS; seed++) {
        lac_room room;
        cr_assert_eq(lac_room_open(&room, 0.8, RATE, seed), 0);
        for (size_t i = 0; i < STEP * STEPS; i++)
            power[i / STEP] += (double)room.response[i] * (double)room.response[i];
        lac_room_close(&room);
    }
    for (size_t i = 2; i < STEPS; i++) {
        double fall = 10 * log10(power[i - 1] / power[i]);
        cr_assert(fall > 0.8 && fall < 3, "%g dB after %zu ms", fall, 20 * i);
    }
}

/* A cube, far from its walls' loss being small: Eyring's formula holds within what directions differ by. */
Test(room, reflection_is_near_eyrings)
{
    const double size[3] = {5, 5, 5};
    lac_decay d;
    lac_decay_init(&d, size, 2);
    for (double t60 = 0.2; t60 < 1.5; t60 += 0.2) {
        double eyring = exp(-0.161 * 125 / (150 * t60) / 2), b = lac_decay_reflection(&d, t60);
        cr_assert(fabs(log(b) / log(eyring) - 1) < 0.15, "%g s: %g, Eyring %g", t60, b, eyring);
    }
}

/* ---- mu-law: decoder outputs of ITU-T G.711, table 2a, and the decision values between them ---- */

Test(mulaw, values_of_the_standard)
{
    static const struct {
        unsigned code;
        int value;
    } table[] = {{0x80, 8031}, {0x81, 7775}, {0x8f, 4191}, {0x90, 3999}, {0x9f, 2079}, {0xa0, 1983},  {0xaf, 1023},
                 {0xb0, 975},  {0xbf, 495},  {0xc0, 471},  {0xcf, 231},  {0xd0, 219},  {0xdf, 99},    {0xe0, 93},
                 {0xef, 33},   {0xf0, 30},   {0xf1, 28},   {0xfe, 2},    {0xff, 0},    {0x00, -8031}, {0x7e, -2}};
    for (size_t i = 0; i < COUNT_OF(table); i++)
        cr_assert_eq(lac_mulaw_value((uint8_t)table[i].code) * 8192, (float)table[i].value, "code %02x",
                     table[i].code);
}

Test(mulaw, decisions_of_the_standard)
{
    static const struct {
        int decision;
        unsigned below, above;
    } table[] = {{1, 0xff, 0xfe},   {3, 0xfe, 0xfd},   {31, 0xf0, 0xef},   {35, 0xef, 0xee},  {95, 0xe0, 0xdf},
                 {103, 0xdf, 0xde}, {479, 0xc0, 0xbf}, {4063, 0x90, 0x8f}, {7903, 0x81, 0x80}};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        float x = (float)table[i].decision / 8192, less = x - 1e-5f;
        cr_assert_eq(lac_mulaw_code(less), table[i].below, "below %d: %02x", table[i].decision,
                     lac_mulaw_code(less));
        cr_assert_eq(lac_mulaw_code(x), table[i].above, "at %d: %02x", table[i].decision, lac_mulaw_code(x));
        cr_assert_eq(lac_mulaw_code(-x), table[i].above & 0x7f);
    }
    cr_assert_eq(lac_mulaw_code(4), 0x80);
    cr_assert_eq(lac_mulaw_code(-4), 0x00);
    cr_assert_eq(lac_mulaw_code(0), 0xff);
}

Test(mulaw, codes_mean_themselves)
{
    for (unsigned code = 0; code < 256; code++) {
        unsigned again = lac_mulaw_code(lac_mulaw_value((uint8_t)code));
        cr_assert(again == code || (code == 0x7f && again == 0xff), "%02x became %02x", code, again);
    }
}

/* ---- Microphones ---- */

static double level_at(const lac_microphone *m, double hz, double rate)
{
    double re = 0, im = 0;
    for (size_t i = 0; i <= 2 * m->side; i++) {
        re += (double)m->response[i] * cos(2 * PI * hz / rate * (double)i);
        im += (double)m->response[i] * sin(2 * PI * hz / rate * (double)i);
    }
    return 10 * log10(re * re + im * im);
}

Test(microphone, deviates_as_asked)
{
    static const double asked[] = {0.5, 3, 6, 12};
    for (size_t k = 0; k < COUNT_OF(asked); k++) {
        enum { MICROPHONES = 9, POINTS = 60 };
        double deviation[MICROPHONES];
        for (uint64_t seed = 0; seed < MICROPHONES; seed++) {
            lac_microphone m;
            double sum = 0, squares = 0;
            cr_assert_eq(lac_microphone_open(&m, asked[k], RATE, seed), 0);
            for (int i = 0; i < POINTS; i++) {
                double level = level_at(&m, 100 * pow(100, (double)i / (POINTS - 1)), RATE);
                sum += level / POINTS;
                squares += level * level / POINTS;
            }
            deviation[seed] = sqrt(squares - sum * sum);
            lac_microphone_close(&m);
        }
        qsort(deviation, MICROPHONES, sizeof *deviation, by_size);
        cr_assert(fabs(deviation[MICROPHONES / 2] - asked[k]) < 0.15 * asked[k] + 0.3, "%g dB, not %g",
                  deviation[MICROPHONES / 2], asked[k]);
    }
}

Test(microphone, is_the_same_at_any_rate)
{
    lac_microphone a, b;
    cr_assert_eq(lac_microphone_open(&a, 6, 24000, 3), 0);
    cr_assert_eq(lac_microphone_open(&b, 6, 48000, 3), 0);
    for (double hz = 200; hz < 9000; hz *= 1.3)
        cr_assert(fabs(level_at(&a, hz, 24000) - level_at(&b, hz, 48000)) < 0.3, "%g Hz", hz);
    lac_microphone_close(&a);
    lac_microphone_close(&b);
}

/* ---- Noise ---- */

Test(noise, a_part_of_what_is_long_enough)
{
    float noise[1000], out[400];
    for (int i = 0; i < 1000; i++)
        noise[i] = (float)i;
    for (uint64_t seed = 0; seed < 50; seed++) {
        lac_chance c = lac_chance_open(seed, LAC_CHANCE_NOISE);
        lac_noise_take(out, 400, noise, 1000, 50, &c);
        cr_assert(out[0] >= 0 && out[0] <= 600);
        for (int i = 1; i < 400; i++)
            cr_assert_eq(out[i], out[0] + (float)i);
    }
}

Test(noise, repeats_what_is_too_short)
{
    float noise[1000], out[5000];
    for (int i = 0; i < 1000; i++)
        noise[i] = (float)i / 1000;
    lac_chance c = lac_chance_open(1, LAC_CHANCE_NOISE);
    lac_noise_take(out, 5000, noise, 1000, 100, &c);
    for (int i = 900; i < 5000; i++)
        cr_assert_eq(out[i], out[i - 900], "sample %d", i);
    for (int i = 1; i < 5000; i++)
        cr_assert(fabsf(out[i] - out[i - 1]) < 0.12f, "a step at %d", i);
    lac_noise_take(out, 5000, noise, 1, 100, &c);
    cr_assert_eq(out[4999], noise[0]);
}

/* ---- Rates ---- */

Test(convert, keeps_time_and_length)
{
    static const uint32_t rates[] = {8000, 11025, 44100, 48000};
    static float x[RATE], y[2 * RATE], back[RATE];
    for (size_t i = 0; i < RATE; i++)
        x[i] = 0.5f * sinf(2 * (float)PI * 700 * (float)i / RATE);
    for (size_t k = 0; k < COUNT_OF(rates); k++) {
        size_t n = lac_convert_count(RATE, RATE, rates[k]);
        cr_assert_eq(n, rates[k]);
        cr_assert_eq(lac_convert(x, RATE, RATE, y, n, rates[k]), 0);
        cr_assert_eq(lac_convert(y, n, rates[k], back, RATE, RATE), 0);
        for (size_t i = 1000; i < RATE - 1000; i++)
            if (fabsf(back[i] - x[i]) > 1e-3f)
                cr_assert_fail("%u Hz: sample %zu is %g, not %g", rates[k], i, (double)back[i], (double)x[i]);
    }
    cr_assert_eq(lac_convert_count(1, 48000, 8000), 1);
    cr_assert_eq(lac_convert_count(0, 48000, 8000), 0);
}
