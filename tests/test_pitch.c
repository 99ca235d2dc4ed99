#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "bytes.h"
#include "fixture.h"
#include "fmath.h"
#include "lac/pitch.h"
#include "lac/status.h"
#include "synthspeech.h"
#include "workspace.h"

TestSuite(pitch, .timeout = 300);

#define RATE LAC_PITCH_RATE
#define HOP LAC_PITCH_HOP
#define SECONDS 2
#define SAMPLES (SECONDS * RATE)
#define FRAMES (SAMPLES / HOP)
#define EDGE 3 /* frames at each end where sound begins and ends */
#define TAU 6.28318530717958647692
#define CLEAN 100 /* dB: no noise */

static const double snrs[] = {CLEAN, 20, 10};

static double steady(double t, double hz)
{
    (void)t;
    return hz;
}

static double rise(double t, double hz)
{
    return hz * pow(500.0 / 60, t / SECONDS);
}

static double fall(double t, double hz)
{
    return hz * pow(60.0 / 500, t / SECONDS);
}

/* A semitone up and down, 5.5 times a second. */
static double waver(double t, double hz)
{
    return hz * pow(2, sin(TAU * 5.5 * t) / 12);
}

typedef struct sound {
    double (*pitch)(double t, double hz);
    double hz;
    double harmonics[8];       /* amplitudes of the first; where all are zero, of all below 11 kHz they are 1 */
    double formants[3], snr;   /* Hz, or 0: none; dB */
    double pcm[SAMPLES];
    lac_pitch_frame frames[FRAMES];
} sound;

static double harmonic(const sound *s, size_t h)
{
    bool any = false;
    for (size_t i = 0; i < 8; i++)
        any |= s->harmonics[i] != 0;
    return !any ? 1 : h <= 8 ? s->harmonics[h - 1] : 0;
}

/* cos(h a) = 2 cos(a) cos((h - 1) a) - cos((h - 2) a) */
static void add_harmonics(sound *s)
{
    double phase = 0;
    for (size_t n = 0; n < SAMPLES; n++) {
        double hz = s->pitch((double)n / RATE, s->hz), x = 0;
        double first = cos(TAU * phase), before = 1, now = first;
        for (size_t h = 1; h * hz < 11000; h++) {
            double next = 2 * first * now - before;
            x += harmonic(s, h) * now;
            before = now;
            now = next;
        }
        s->pcm[n] = x;
        phase += hz / RATE;
    }
}

/* Through the glottis, -12 dB an octave, and resonances 60, 90 and 150 Hz wide. */
static void add_formants(sound *s)
{
    static const double width[] = {60, 90, 150};
    for (size_t f = 0; f < 4; f++) {
        double r = f < 3 ? exp(-TAU / 2 * width[f] / RATE) : 0.95, turn = f < 3 ? s->formants[f] / RATE : 0;
        double a1 = 2 * r * cos(TAU * turn), a2 = -r * r, y1 = 0, y2 = 0;
        for (size_t n = 0; n < SAMPLES; n++) {
            double y = s->pcm[n] + a1 * y1 + a2 * y2;
            y2 = y1;
            s->pcm[n] = y1 = y;
        }
    }
}

static void track_all(const double *pcm, lac_pitch_frame *frames)
{
    static float x[SAMPLES];
    lac_pitch *p = NULL;
    size_t n, rest;
    for (size_t i = 0; i < SAMPLES; i++)
        x[i] = (float)pcm[i];
    cr_assert_eq(lac_pitch_open(&p), 0);
    cr_assert_eq(lac_pitch_write(p, x, SAMPLES, frames, FRAMES, &n), 0);
    cr_assert_eq(lac_pitch_flush(p, frames + n, FRAMES - n, &rest), 0);
    cr_assert_eq(n + rest, FRAMES);
    lac_pitch_close(&p);
}

/* At -20 dB of full scale. */
static void make(sound *s)
{
    double power = 0;
    add_harmonics(s);
    if (s->formants[0] > 0)
        add_formants(s);
    for (size_t n = 0; n < SAMPLES; n++)
        power += s->pcm[n] * s->pcm[n] / SAMPLES;
    for (size_t n = 0; n < SAMPLES; n++) {
        s->pcm[n] *= 0.1 / sqrt(power);
        if (s->snr < CLEAN)
            s->pcm[n] += 0.1 * pow(10, -s->snr / 20) * lac_noise(n);
    }
    track_all(s->pcm, s->frames);
}

/* Every frame but those at the ends must be voiced and within `cents`. */
static void expect_pitch(sound *s, double cents, const char *what)
{
    double worst = 0;
    int lost = 0;
    make(s);
    for (size_t t = EDGE; t < FRAMES - EDGE; t++) {
        double hz = s->pitch((double)(HOP * t + HOP / 2) / RATE, s->hz);
        double off = s->frames[t].f0_hz > 0 ? fabs(1200 * log2(s->frames[t].f0_hz / hz)) : 0;
        lost += s->frames[t].f0_hz == 0;
        worst = off > worst ? off : worst;
    }
    cr_expect_eq(lost, 0, "%s %g Hz at %g dB: %d frames lost", what, s->hz, s->snr, lost);
    cr_expect_lt(worst, cents, "%s %g Hz at %g dB: %.2f cents off", what, s->hz, s->snr, worst);
}

Test(pitch, pulses)
{
    static const double hz[] = {51, 60, 80, 123.4, 200, 333.3, 480, 500, 590};
    static const double cents[] = {0.5, 2, 5};
    for (size_t i = 0; i < sizeof hz / sizeof *hz; i++)
        for (size_t k = 0; k < 3; k++)
            expect_pitch(&(sound){.pitch = steady, .hz = hz[i], .snr = snrs[k]}, cents[k], "pulses");
}

Test(pitch, vowels)
{
    static const double formants[][3] = {
        {280, 2250, 2900}, {730, 1090, 2440}, {310, 870, 2240}, {400, 2000, 2550}, {500, 800, 2400}};
    static const double hz[] = {70, 120, 250, 390}, cents[] = {0.5, 4, 20};
    for (size_t i = 0; i < sizeof formants / sizeof *formants; i++)
        for (size_t k = 0; k < 3; k++)
            for (size_t h = 0; h < sizeof hz / sizeof *hz; h++) {
                sound s = {.pitch = steady, .hz = hz[h], .snr = snrs[k]};
                memcpy(s.formants, formants[i], sizeof s.formants);
                expect_pitch(&s, cents[k], "vowel");
            }
}

Test(pitch, follows_sweeps_and_vibrato)
{
    for (size_t k = 0; k < 2; k++) {
        sound s = {.snr = snrs[k], .formants = {730, 1090, 2440}};
        s.pitch = rise, s.hz = 60;
        expect_pitch(&s, 20, "rise");
        s.pitch = fall, s.hz = 500;
        expect_pitch(&s, 20, "fall");
        s.pitch = waver, s.hz = 200;
        expect_pitch(&s, 25, "vibrato");
    }
}

Test(pitch, octaves_are_right)
{
    static const struct {
        double hz, harmonics[8], cents;
        const char *name;
    } cases[] = {
        {220, {1}, 25, "sine"},
        {150, {0.3, 1, 0.2}, 15, "strong second"},
        {200, {0, 1, 1, 1, 1}, 10, "no first"},
        {100, {0, 0, 1, 1, 1, 1}, 10, "neither first nor second"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 0; k < 3; k++) {
            sound s = {.pitch = steady, .hz = cases[i].hz, .snr = snrs[k]};
            memcpy(s.harmonics, cases[i].harmonics, sizeof s.harmonics);
            expect_pitch(&s, cases[i].cents, cases[i].name);
        }
}

/* x[n] = noise, low-passed by a pole. */
static void expect_unvoiced(double pole, double level)
{
    static double pcm[SAMPLES];
    lac_pitch_frame frames[FRAMES];
    double y = 0;
    for (size_t n = 0; n < SAMPLES; n++) {
        y = pole * y + lac_noise(n);
        pcm[n] = level * y;
    }
    track_all(pcm, frames);
    for (size_t t = 0; t < FRAMES; t++) {
        cr_assert(frames[t].f0_hz == 0 && frames[t].voicing < 0.5f, "pole %g level %g: frame %zu", pole, level, t);
        cr_assert(level > 0 || (frames[t].energy_db > -100.01f && frames[t].energy_db < -99.9f));
    }
}

Test(pitch, silence_and_noise_have_none)
{
    expect_unvoiced(0, 0);
    expect_unvoiced(0, 1e-5);
    expect_unvoiced(0, 0.1);
    expect_unvoiced(0.95, 0.03);
    expect_unvoiced(0.99, 0.01);
}

Test(pitch, voice_begins_and_ends_where_the_sound_does)
{
    static sound s = {.pitch = steady, .hz = 140, .snr = 100, .formants = {500, 1500, 2500}};
    make(&s);
    for (size_t n = 0; n < SAMPLES; n++)
        s.pcm[n] = n / HOP >= 30 && n / HOP < 60 ? s.pcm[n] + 1e-4 * lac_noise(n) : 1e-4 * lac_noise(n);
    track_all(s.pcm, s.frames);
    for (size_t t = 0; t < FRAMES; t++)
        if (t < 29 || t > 60)
            cr_expect_eq(s.frames[t].f0_hz, 0, "frame %zu", t);
        else if (t > 30 && t < 59)
            cr_expect_float_eq(s.frames[t].f0_hz, 140, 0.5, "frame %zu", t);
}

Test(pitch, energy_is_the_frames)
{
    static sound s = {.pitch = steady, .hz = 100, .harmonics = {1}, .snr = CLEAN};
    make(&s);
    for (size_t n = 0; n < SAMPLES; n++)
        s.pcm[n] = n / HOP == 50 ? sin(TAU * 100 * (double)n / RATE) : 0;
    track_all(s.pcm, s.frames);
    cr_expect_float_eq(s.frames[50].energy_db, -3.0103, 1e-3);
    cr_expect_float_eq(s.frames[49].energy_db, -100, 1e-3);
    cr_expect_float_eq(s.frames[51].energy_db, -100, 1e-3);
}

/* In pieces of random size; returns the frames. */
static size_t track_pieces(lac_pitch *p, random_source *r, const float *x, size_t samples, lac_pitch_frame *frames)
{
    size_t count = 0, n;
    for (size_t at = 0, piece; at < samples; at += piece) {
        piece = random_below(r, random_below(r, 4) ? 100 : 3000);
        piece = piece < samples - at ? piece : samples - at;
        size_t most = lac_pitch_max_frames(p, piece);
        if (piece > 0 && most > 0)
            cr_assert_eq(lac_pitch_write(p, x + at, piece, frames + count, most - 1, &n), LAC_ERROR_SPACE);
        cr_assert_eq(lac_pitch_write(p, x + at, piece, frames + count, most, &n), 0);
        cr_assert(piece == 0 || n == most);
        count += n;
    }
    cr_assert_eq(lac_pitch_flush(p, frames + count, lac_pitch_max_frames(p, 0), &n), 0);
    return count + n;
}

Test(pitch, any_chunking_gives_the_same)
{
    static float x[SAMPLES];
    lac_pitch_frame once[FRAMES + 1], pieces[FRAMES + 1];
    random_source r = random_start();
    lac_pitch *p = NULL;
    cr_assert_eq(lac_pitch_open(&p), 0);
    generate_sound(x, SAMPLES);
    for (int round = 0; round < rounds(20); round++) {
        size_t samples = random_below(&r, SAMPLES), n, rest;
        cr_assert_eq(lac_pitch_write(p, x, samples, once, FRAMES, &n), 0);
        cr_assert_eq(lac_pitch_flush(p, once + n, FRAMES - n, &rest), 0);
        cr_assert_eq(n + rest, (samples + HOP - 1) / HOP);
        lac_pitch_reset(p);
        cr_assert_eq(track_pieces(p, &r, x, samples, pieces), n + rest);
        cr_assert_eq(memcmp(once, pieces, (n + rest) * sizeof *once), 0);
        lac_pitch_reset(p);
    }
    lac_pitch_close(&p);
}

Test(pitch, length_is_samples_over_480_rounded_up)
{
    static const size_t lengths[] = {0, 1, 479, 480, 481, 2400, 2401, 2880, 2881};
    static float x[3000];
    lac_pitch_frame frames[8];
    lac_pitch *p = NULL;
    size_t n, rest;
    cr_assert_eq(lac_pitch_open(&p), 0);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        cr_assert_eq(lac_pitch_write(p, x, lengths[i], frames, 8, &n), 0);
        cr_assert_eq(lac_pitch_flush(p, frames + n, 8 - n, &rest), 0);
        cr_expect_eq(n + rest, (lengths[i] + HOP - 1) / HOP, "%zu samples: %zu", lengths[i], n + rest);
        cr_expect_eq(lac_pitch_write(p, x, 1, frames, 8, &n), LAC_ERROR_STATE);
        cr_expect_eq(lac_pitch_flush(p, frames, 8, &n), 0);
        cr_expect_eq(n, 0);
        lac_pitch_reset(p);
    }
    lac_pitch_close(&p);
}

Test(pitch, samples_that_are_no_sound)
{
    static float bad[SAMPLES], clean[SAMPLES];
    lac_pitch_frame a[FRAMES], b[FRAMES];
    lac_pitch *p = NULL;
    size_t n, rest;
    generate_sound(clean, SAMPLES);
    memcpy(bad, clean, sizeof bad);
    for (size_t i = 0; i < SAMPLES; i += 1000) {
        bad[i] = NAN, clean[i] = 0;
        bad[i + 1] = INFINITY, clean[i + 1] = 4;
        bad[i + 2] = -1e30f, clean[i + 2] = -4;
    }
    cr_assert_eq(lac_pitch_open(&p), 0);
    cr_assert_eq(lac_pitch_write(p, bad, SAMPLES, a, FRAMES, &n), 0);
    cr_assert_eq(lac_pitch_flush(p, a + n, FRAMES - n, &rest), 0);
    lac_pitch_reset(p);
    cr_assert_eq(lac_pitch_write(p, clean, SAMPLES, b, FRAMES, &n), 0);
    cr_assert_eq(lac_pitch_flush(p, b + n, FRAMES - n, &rest), 0);
    cr_expect_eq(memcmp(a, b, sizeof a), 0);
    lac_pitch_close(&p);
}

Test(pitch, bits_never_change)
{
    static float x[5 * RATE];
    lac_pitch_frame frames[5 * RATE / HOP];
    lac_pitch *p = NULL;
    uint32_t crc = 0;
    uint8_t b[4];
    size_t n;
    synthspeech_fill(x, 5 * RATE, 1);
    cr_assert_eq(lac_pitch_open(&p), 0);
    cr_assert_eq(lac_pitch_write(p, x, 5 * RATE, frames, 5 * RATE / HOP, &n), 0);
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < 3; i++) {
            lac_store32(b, lac_float_bits((&frames[t].f0_hz)[i]));
            crc = lac_crc32c(crc, b, 4);
        }
    cr_expect_eq(crc, 0xc886dc44u, "0x%08x", crc);
    lac_pitch_close(&p);
}

Test(pitch, open_without_memory)
{
    lac_pitch *p = NULL;
    lac_alloc_fail_at(1);
    cr_expect_eq(lac_pitch_open(&p), LAC_ERROR_MEMORY);
    cr_expect_null(p);
    cr_expect_eq(lac_pitch_open(NULL), LAC_ERROR_ARGUMENT);
    lac_pitch_close(&p);
    lac_pitch_close(NULL);
    cr_assert_eq(lac_pitch_open(&p), 0);
    cr_expect_leq(lac_pitch_bytes(p), 65536);
    lac_pitch_close(&p);
}
