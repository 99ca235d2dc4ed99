#include "rfsq.h"

#include <string.h>

#include "beam.h"

/* ---- words ---- */

static const int16_t *row_of(const int16_t *rows, const lac_rfsq *q, size_t stage, size_t j)
{
    return rows + (stage * q->fsq.dimensions + j) * q->dimension;
}

void lac_rfsq_add(const lac_rfsq *q, uint32_t stage, uint32_t token, int32_t *sum)
{
    uint8_t level[LAC_FSQ_MAX_DIMENSIONS];
    lac_fsq_levels(&q->fsq, token, level);
    for (size_t i = 0; i < q->dimension; i++)
        sum[i] += q->bias[stage * (size_t)q->dimension + i];
    for (size_t j = 0; j < q->fsq.dimensions; j++) {
        const int16_t *back = row_of(q->back, q, stage, j);
        for (size_t i = 0; i < q->dimension; i++)
            sum[i] += level[j] * back[i];
    }
}

void lac_rfsq_decode(const lac_rfsq *q, const uint16_t *tokens, uint32_t stages, int16_t *z)
{
    int32_t sums[LAC_RVQ_MAX_D] = {0};
    for (uint32_t s = 0; s < stages; s++)
        lac_rfsq_add(q, s, tokens[s], sums);
    for (size_t i = 0; i < q->dimension; i++)
        z[i] = lac_rvq_clamp(sums[i]);
}

static void subtract(const lac_rfsq *q, uint32_t stage, uint32_t token, const int16_t *from, int16_t *left)
{
    int32_t word[LAC_RVQ_MAX_D] = {0};
    lac_rfsq_add(q, stage, token, word);
    for (size_t i = 0; i < q->dimension; i++)
        left[i] = lac_rvq_clamp(from[i] - word[i]);
}

/* ---- levels ---- */

/* Where a projection stands among a dimension's thresholds. */
typedef struct place {
    uint8_t level;
    int8_t other; /* from it to the second nearest, 1 or -1 */
} place;

static place find_place(const lac_rfsq *q, size_t stage, size_t j, const int16_t *residual)
{
    const int16_t *into = row_of(q->into, q, stage, j);
    const int32_t *t = q->thresholds + (stage * q->fsq.dimensions + j) * q->slots;
    int32_t p = 0;
    uint8_t last = (uint8_t)(q->fsq.levels[j] - 1), level = 0;
    for (size_t i = 0; i < q->dimension; i++)
        p += into[i] * residual[i];
    while (level < last && t[level] <= p)
        level++;
    int up = level == 0 || (level < last && (int64_t)t[level] - p < (int64_t)p - t[level - 1]);
    return (place){level, up ? 1 : -1};
}

static uint32_t find_token(const lac_rfsq *q, size_t stage, const int16_t *residual, place *places)
{
    uint8_t level[LAC_FSQ_MAX_DIMENSIONS];
    for (size_t j = 0; j < q->fsq.dimensions; j++) {
        places[j] = find_place(q, stage, j, residual);
        level[j] = places[j].level;
    }
    return lac_fsq_index(&q->fsq, level);
}

void lac_rfsq_encode(const lac_rfsq *q, const int16_t *z, const uint32_t *stages, size_t rows, uint16_t *tokens,
                     int16_t *residual)
{
    place places[LAC_RFSQ_MAX_DIMENSIONS];
    memcpy(residual, z, rows * q->dimension * sizeof *z);
    memset(tokens, 0, rows * q->stages * sizeof *tokens);
    for (size_t i = 0; i < rows; i++)
        for (uint32_t s = 0; s < stages[i]; s++) {
            int16_t *left = residual + i * q->dimension;
            uint32_t token = find_token(q, s, left, places);
            tokens[i * q->stages + s] = (uint16_t)token;
            subtract(q, s, token, left, left);
        }
}

/* ---- beam ---- */

typedef struct candidate {
    int16_t left[LAC_RVQ_MAX_D]; /* the residual, then zeros */
    uint16_t tokens[LAC_RVQ_MAX_STAGES];
} candidate;

/* Of constant length, which is faster: behind D there are zeros. */
static int32_t squared(const int32_t left[LAC_RVQ_MAX_D])
{
    int32_t sum = 0;
    for (size_t i = 0; i < LAC_RVQ_MAX_D; i++) {
        int32_t v = lac_rvq_clamp(left[i]);
        sum += v * v;
    }
    return sum;
}

/* The children of a candidate, in the order of a Gray code: each differs from the one before in one level. Returns that
 * of greedy search. */
static int64_t offer(const lac_rfsq *q, uint32_t stage, const candidate *c, size_t parent, size_t width, int64_t *best)
{
    place places[LAC_RFSQ_MAX_DIMENSIONS];
    int32_t left[LAC_RVQ_MAX_D] = {0}, weight[LAC_RFSQ_MAX_DIMENSIONS] = {1};
    uint32_t token = find_token(q, stage, c->left, places);
    lac_rfsq_add(q, stage, token, left);
    for (size_t i = 0; i < q->dimension; i++)
        left[i] = c->left[i] - left[i];
    for (size_t j = 1; j < q->fsq.dimensions; j++)
        weight[j] = weight[j - 1] * q->fsq.levels[j - 1];
    int64_t greedy = lac_child_of(-squared(left), parent, token);
    lac_child_insert(best, width, greedy);
    for (uint32_t k = 1; k < UINT32_C(1) << q->fsq.dimensions; k++) {
        size_t j = 0;
        while ((k >> j & 1) == 0)
            j++;
        const int16_t *back = row_of(q->back, q, stage, j);
        int step = places[j].other;
        places[j].other = (int8_t)-step;
        token += (uint32_t)(step * weight[j]);
        for (size_t i = 0; i < q->dimension; i++)
            left[i] -= step * back[i];
        lac_child_insert(best, width, lac_child_of(-squared(left), parent, token));
    }
    return greedy;
}

/* The candidates of a stage [count] become those of the next; *greedy is which of them greedy search chose. */
static size_t advance(const lac_rfsq *q, uint32_t stage, size_t width, const candidate *now, size_t count,
                      candidate *next, size_t *greedy)
{
    int64_t best[LAC_RVQ_MAX_BEAM], chosen = LAC_CHILD_NONE;
    for (size_t i = 0; i < width; i++)
        best[i] = LAC_CHILD_NONE;
    for (size_t c = 0; c < count; c++) {
        int64_t nearest = offer(q, stage, &now[c], c, width, best);
        chosen = c == *greedy ? nearest : chosen;
    }
    count = lac_beam_keep(best, width, chosen);
    for (size_t i = 0; i < count; i++) {
        const candidate *parent = &now[lac_child_parent(best[i])];
        next[i] = *parent;
        next[i].tokens[stage] = lac_child_token(best[i]);
        subtract(q, stage, next[i].tokens[stage], parent->left, next[i].left);
        if (best[i] == chosen)
            *greedy = i;
    }
    return count;
}

static void encode_row(const lac_rfsq *q, size_t width, const int16_t *z, uint32_t stages, uint16_t *tokens)
{
    candidate pool[2][LAC_RVQ_MAX_BEAM];
    const candidate *last = pool[stages % 2];
    size_t count = 1, greedy = 0;
    uint32_t least = UINT32_MAX;
    memset(&pool[0][0], 0, sizeof pool[0][0]);
    memcpy(pool[0][0].left, z, q->dimension * sizeof *z);
    for (uint32_t s = 0; s < stages; s++)
        count = advance(q, s, width, pool[s % 2], count, pool[(s + 1) % 2], &greedy);
    for (size_t c = 0; c < count; c++) {
        int16_t decoded[LAC_RVQ_MAX_D];
        lac_rfsq_decode(q, last[c].tokens, stages, decoded);
        uint32_t left = lac_beam_distance(z, decoded, q->dimension);
        if (left < least)
            memcpy(tokens, last[c].tokens, stages * sizeof *tokens);
        least = left < least ? left : least;
    }
}

void lac_rfsq_encode_beam(const lac_rfsq *q, uint32_t width, const int16_t *z, const uint32_t *stages, size_t rows,
                          uint16_t *tokens)
{
    memset(tokens, 0, rows * q->stages * sizeof *tokens);
    for (size_t i = 0; i < rows; i++)
        encode_row(q, width, z + i * q->dimension, stages[i], tokens + i * q->stages);
}
