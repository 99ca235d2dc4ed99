#include "average.h"

#include "parallel.h"

#define OCTAVE 16             /* of power: a level's unit is 3/16 dB */
#define DECIBELS_20 106       /* in levels */
#define LOUD_PERCENT 95       /* the level that so many frames of a window don't exceed is loud */
#define WEIGHT_ONE 256
#define MOST_HALVINGS 2
#define SAMPLE_ONE 1048576.0f
#define SILENT 304            /* the level of a frame of -90 dB full scale: what is below needs to be nothing */
#define MOST_SAMPLE 4.0f      /* as encoders clamp */

void lac_average_init(lac_average *a, lac_workspace *w, const lac_quantiser *quantiser, uint32_t channels,
                      uint32_t most, uint32_t threads, uint32_t beam)
{
    a->quantiser = quantiser;
    a->channels = channels;
    a->most = most;
    a->threads = threads;
    a->beam = beam;
    for (uint32_t c = 0; c < channels; c++) {
        a->latents[c] = lac_workspace_take(w, (size_t)LAC_AVERAGE_ROOM * quantiser->dimension, sizeof(int16_t));
        a->levels[c] = lac_workspace_take(w, LAC_AVERAGE_ROOM, sizeof(int16_t));
    }
    a->residual = lac_workspace_take(w, (size_t)LAC_AVERAGE_ROOM * quantiser->dimension, sizeof(int16_t));
    a->left = lac_workspace_take(w, (size_t)LAC_AVERAGE_ROOM * most, sizeof *a->left);
    a->stages = lac_workspace_take(w, LAC_AVERAGE_ROOM, sizeof *a->stages);
    a->errors = lac_workspace_take(w, (size_t)LAC_AVERAGE_ROOM * most, sizeof *a->errors);
}

/* ---- levels ---- */

/* Binary logarithm in 1 / OCTAVE, linear between whole ones; 0 of 0. */
static int16_t logarithm(uint64_t x)
{
    int whole = 0;
    if (x == 0)
        return 0;
    while (x >> whole > 1)
        whole++;
    uint64_t rest = whole >= 4 ? x >> (whole - 4) : x << (4 - whole);
    return (int16_t)(whole * OCTAVE + (int)(rest - OCTAVE));
}

int16_t lac_average_level(const float *pcm, size_t samples)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < samples; i++) {
        float x = pcm[i] > MOST_SAMPLE || pcm[i] < -MOST_SAMPLE ? MOST_SAMPLE : pcm[i];
        int64_t whole = x == x ? (int64_t)(x * SAMPLE_ONE) : 0;
        sum += (uint64_t)(whole * whole);
    }
    return logarithm(sum);
}

/* The least level that more than LOUD_PERCENT of the frames don't exceed. */
static int16_t loud_level(const int16_t *levels, size_t frames)
{
    size_t target = frames * LOUD_PERCENT / 100;
    int16_t low = 0, high = 64 * OCTAVE;
    while (low < high) {
        int16_t middle = (int16_t)((low + high) / 2);
        size_t below = 0;
        for (size_t i = 0; i < frames; i++)
            below += levels[i] <= middle;
        if (below > target)
            high = middle;
        else
            low = (int16_t)(middle + 1);
    }
    return high;
}

static uint64_t weight_of(int16_t level, int16_t loud)
{
    int below = loud - DECIBELS_20 - level, halvings = below / DECIBELS_20, rest = below % DECIBELS_20;
    if (level < SILENT)
        return 0;
    if (below <= 0)
        return WEIGHT_ONE;
    if (halvings >= MOST_HALVINGS)
        return WEIGHT_ONE >> MOST_HALVINGS;
    return (uint64_t)((WEIGHT_ONE >> halvings) - (WEIGHT_ONE >> halvings) / 2 * rest / DECIBELS_20);
}

/* ---- errors and tokens ---- */

typedef struct job {
    const lac_average *a;
    const int16_t *latents;
    uint16_t *tokens;
} job;

static void measure_rows(void *user, size_t part, size_t first, size_t end)
{
    const job *j = user;
    const lac_quantiser *q = j->a->quantiser;
    size_t at = first * q->dimension;
    (void)part;
    lac_quantiser_errors(q, j->a->most, j->latents + at, end - first, j->tokens + first * q->stages,
                         j->a->residual + at, j->a->left + first * j->a->most);
}

void lac_average_measure(lac_average *a, size_t frames, uint16_t *const *tokens)
{
    size_t most = a->most;
    for (size_t i = 0; i < frames * most; i++)
        a->errors[i] = 0;
    for (uint32_t c = 0; c < a->channels; c++) {
        int16_t loud = loud_level(a->levels[c], frames);
        lac_parallel(frames, a->threads, measure_rows, &(job){a, a->latents[c], tokens[c]});
        for (size_t t = 0; t < frames; t++) {
            uint64_t weight = weight_of(a->levels[c][t], loud);
            for (size_t s = 0; s < most; s++)
                a->errors[t * most + s] += a->left[t * most + s] * weight;
        }
    }
}

static void search_rows(void *user, size_t part, size_t first, size_t end)
{
    const job *j = user;
    const lac_quantiser *q = j->a->quantiser;
    size_t at = first * q->dimension;
    (void)part;
    lac_quantiser_encode(q, j->a->beam, j->latents + at, j->a->stages + first, end - first,
                         j->tokens + first * q->stages, j->a->residual + at);
}

void lac_average_search(lac_average *a, size_t frames, const uint8_t *codebooks, uint16_t *const *tokens)
{
    for (size_t t = 0; t < frames; t++)
        a->stages[t] = codebooks[t];
    for (uint32_t c = 0; c < a->channels; c++)
        lac_parallel(frames, a->threads, search_rows, &(job){a, a->latents[c], tokens[c]});
}
