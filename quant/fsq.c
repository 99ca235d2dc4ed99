#include "fsq.h"

#include "fmath.h"

/* tanh(z + shift) * half - offset. */
typedef struct bound {
    float half, offset, shift;
} bound;

static bound bound_of(uint32_t levels)
{
    bound b = {.half = (float)(levels - 1) * 0.999f / 2, .offset = levels % 2 ? 0.0f : 0.5f};
    uint32_t turn = (uint32_t)(b.offset / b.half * (4294967296.0f * 0.159154943f));
    b.shift = lac_sin_turn(turn) / lac_cos_turn(turn);
    return b;
}

uint32_t lac_fsq_codewords(const lac_fsq *q)
{
    uint64_t product = 1;
    if (q->dimensions < 1 || q->dimensions > LAC_FSQ_MAX_DIMENSIONS)
        return 0;
    for (uint32_t j = 0; j < q->dimensions; j++) {
        product *= q->levels[j];
        if (q->levels[j] < 2 || q->levels[j] > LAC_FSQ_MAX_LEVELS || product > LAC_FSQ_MAX_CODEWORDS)
            return 0;
    }
    return (uint32_t)product;
}

uint32_t lac_fsq_slots(const lac_fsq *q)
{
    uint32_t most = 0;
    for (uint32_t j = 0; j < q->dimensions; j++)
        most = q->levels[j] - 1u > most ? q->levels[j] - 1u : most;
    return most;
}

float lac_fsq_bound(float z, uint32_t levels)
{
    bound b = bound_of(levels);
    float tanh = 1 - 2 / (lac_expf(2 * (z + b.shift)) + 1);
    return tanh * b.half - b.offset;
}

void lac_fsq_thresholds(uint32_t levels, float *thresholds)
{
    bound b = bound_of(levels);
    for (uint32_t i = 0; i + 1 < levels; i++) {
        float between = (float)i + 0.5f - (float)(levels / 2); /* two integers */
        float t = (between + b.offset) / b.half;
        thresholds[i] = lac_logf((1 + t) / (1 - t)) / 2 - b.shift;
    }
}

void lac_fsq_quantise(const lac_fsq *q, const float *z, uint8_t *level)
{
    for (uint32_t j = 0; j < q->dimensions; j++) {
        float thresholds[LAC_FSQ_MAX_LEVELS - 1];
        lac_fsq_thresholds(q->levels[j], thresholds);
        level[j] = 0;
        while (level[j] + 1 < q->levels[j] && z[j] >= thresholds[level[j]])
            level[j]++;
    }
}

uint32_t lac_fsq_index(const lac_fsq *q, const uint8_t *level)
{
    uint32_t index = 0;
    for (uint32_t j = q->dimensions; j-- > 0;)
        index = index * q->levels[j] + level[j];
    return index;
}

void lac_fsq_levels(const lac_fsq *q, uint32_t index, uint8_t *level)
{
    for (uint32_t j = 0; j < q->dimensions; j++) {
        level[j] = (uint8_t)(index % q->levels[j]);
        index /= q->levels[j];
    }
}

void lac_fsq_code(const lac_fsq *q, const uint8_t *level, float *code)
{
    for (uint32_t j = 0; j < q->dimensions; j++) {
        float half = (float)(q->levels[j] / 2);
        code[j] = ((float)level[j] - half) / half;
    }
}
