#include "synthspeech.h"

#include <string.h>

#include "rng.h"

#define FORMANTS 3
#define RATE 24000
#define ONE 16384 /* of the resonators' coefficients */

enum { VOWELS = 6, HISSES = 3 };

/* round(ONE * 2 exp(-pi B / RATE) cos(2 pi F / RATE)): vowels a i u e o @ with B = 60, 90, 150 Hz. */
static const int32_t vowel_a1[VOWELS][FORMANTS] = {
    {31920, 31075, 25795}, {32430, 26737, 22660}, {32411, 31548, 26762},
    {32199, 28699, 25593}, {32150, 31604, 25945}, {32234, 29919, 25491},
};
static const int32_t vowel_a2[FORMANTS] = {-16129, -16002, -15753};

/* The same of fricatives: 2500, 4200 and 6500 Hz with B = 600, 900 and 1200 Hz. */
static const int32_t hiss_a1[HISSES] = {24033, 13223, -3655};
static const int32_t hiss_a2[HISSES] = {-14002, -12945, -11967};

typedef struct resonator {
    int32_t a1, a2, y1, y2;
} resonator;

typedef struct voice {
    uint64_t counter; /* of the random numbers */
    uint32_t phase;   /* of the pulses, 2^-32 periods */
    int32_t glottis;  /* last value of the pulse */
    int32_t f0, f0_target;         /* 1/256 Hz */
    int32_t level[2], level_target[2]; /* voiced, unvoiced: 0 .. ONE */
    int32_t a1[FORMANTS];          /* where the formants move to */
    resonator formant[FORMANTS], hiss;
    uint32_t left;    /* samples of this segment */
} voice;

/* 0 .. range - 1. */
static uint32_t draw(voice *v, uint32_t range)
{
    return (uint32_t)((uint64_t)lac_hash32(v->counter++) * range >> 32);
}

/* Unity gain at 0 Hz. Division and not a shift: it is defined for negative values and lets the state die out. */
static int32_t resonate(resonator *r, int32_t x)
{
    int64_t sum = (int64_t)(ONE - r->a1 - r->a2) * x + (int64_t)r->a1 * r->y1 + (int64_t)r->a2 * r->y2;
    int32_t y = (int32_t)(sum / ONE);
    r->y2 = r->y1;
    r->y1 = y;
    return y;
}

static void start_segment(voice *v)
{
    uint32_t kind = draw(v, 16), vowel = draw(v, VOWELS), hiss = draw(v, HISSES);
    v->left = RATE / 20 + draw(v, RATE / 5);
    v->level_target[0] = kind < 10 ? ONE / 2 + (int32_t)draw(v, ONE / 2) : 0;
    v->level_target[1] = kind >= 8 && kind < 14 ? ONE / 3 + (int32_t)draw(v, ONE / 3) : 0;
    v->f0_target = v->f0_target * 7 / 8 + (int32_t)(70 + draw(v, 190)) * 32;
    memcpy(v->a1, vowel_a1[vowel], sizeof v->a1);
    v->hiss.a1 = hiss_a1[hiss];
    v->hiss.a2 = hiss_a2[hiss];
}

static void glide(voice *v)
{
    v->f0 += (v->f0_target - v->f0) / 512;
    for (int i = 0; i < 2; i++)
        v->level[i] += (v->level_target[i] - v->level[i]) / 128;
    for (int i = 0; i < FORMANTS; i++)
        v->formant[i].a1 += (v->a1[i] - v->formant[i].a1) / 64;
}

/* Flow through the vocal folds: a parabola over 5/8 of the period, closed for the rest. 0 .. 8192. */
static int32_t flow(uint32_t phase)
{
    const uint32_t open = 40960;
    uint32_t t = phase >> 16;
    return t < open ? (int32_t)((uint64_t)t * (open - t) * 4 * 8192 / ((uint64_t)open * open)) : 0;
}

static int32_t next_sample(voice *v)
{
    if (v->left == 0)
        start_segment(v);
    v->left--;
    glide(v);
    v->phase += (uint32_t)((uint64_t)v->f0 * (UINT64_C(1) << 32) / (256 * RATE));
    int32_t noise = (int32_t)draw(v, 4096) - 2048, now = flow(v->phase);
    int32_t x = (now - v->glottis) * 12 + noise / 16;
    v->glottis = now;
    x = x * v->level[0] / ONE;
    for (int i = 0; i < FORMANTS; i++)
        x = resonate(&v->formant[i], x);
    return x + resonate(&v->hiss, noise * v->level[1] / ONE);
}

void synthspeech_fill(float *pcm, size_t samples, uint32_t seed)
{
    voice v;
    memset(&v, 0, sizeof v);
    v.counter = (uint64_t)seed << 32;
    v.f0 = v.f0_target = 120 * 256;
    for (int i = 0; i < FORMANTS; i++) {
        v.formant[i].a1 = vowel_a1[VOWELS - 1][i];
        v.formant[i].a2 = vowel_a2[i];
    }
    for (size_t i = 0; i < samples; i++) {
        int32_t y = next_sample(&v);
        y = y > 32767 ? 32767 : y < -32768 ? -32768 : y;
        pcm[i] = (float)y * (1.0f / 32768.0f);
    }
}
