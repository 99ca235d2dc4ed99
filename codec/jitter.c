#include "jitter.h"

#include <string.h>

#include "divide.h"
#include "weights.h"

#define FASTEST_SPAN (10 * LAC_RATE / LAC_MINIMUM_SLOTS) /* ten seconds of fastest packets */
#define FRAME_WEIGHT 16
#define MOST_WEIGHT (512 * FRAME_WEIGHT) /* halved when it is reached: ten seconds, of which older ones fade */
#define PRIOR_BUCKET 7                   /* what is supposed before anything is known: 40 ms, */
#define PRIOR_WEIGHT (32 * FRAME_WEIGHT) /* forgotten in half a minute */
#define MOST_STEP (60 * LAC_RATE)        /* between two lags, for RFC 3550's jitter */

void lac_minimum_init(lac_minimum *m, int64_t span)
{
    m->span = span;
    m->slot = 0;
    for (int i = 0; i < LAC_MINIMUM_SLOTS; i++)
        m->least[i] = INT64_MAX;
}

void lac_minimum_add(lac_minimum *m, int64_t time, int64_t value)
{
    int64_t slot = lac_floor_divide(time, m->span);
    if (slot < m->slot - LAC_MINIMUM_SLOTS || slot > m->slot + LAC_MINIMUM_SLOTS) {
        lac_minimum_init(m, m->span);
        m->slot = slot;
    }
    while (m->slot < slot)
        m->least[++m->slot & (LAC_MINIMUM_SLOTS - 1)] = INT64_MAX;
    int64_t *least = &m->least[slot & (LAC_MINIMUM_SLOTS - 1)];
    *least = value < *least ? value : *least;
}

int64_t lac_minimum_get(const lac_minimum *m)
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < LAC_MINIMUM_SLOTS; i++)
        least = m->least[i] < least ? m->least[i] : least;
    return least;
}

void lac_minimum_shift(lac_minimum *m, int64_t by)
{
    for (int i = 0; i < LAC_MINIMUM_SLOTS; i++)
        m->least[i] += m->least[i] == INT64_MAX ? 0 : by;
}

void lac_jitter_init(lac_jitter *j)
{
    memset(j, 0, sizeof *j);
    lac_minimum_init(&j->fastest, FASTEST_SPAN);
    j->weight[PRIOR_BUCKET] = j->total = PRIOR_WEIGHT;
}

static size_t bucket_of(const lac_jitter *j, int64_t lag)
{
    int64_t i = lac_floor_divide(lag - j->origin, LAC_JITTER_BUCKET);
    return i < 0 ? 0 : i < LAC_JITTER_BUCKETS ? (size_t)i : LAC_JITTER_BUCKETS - 1;
}

/* The histogram begins where the fastest packets are. */
static void move_origin(lac_jitter *j)
{
    uint32_t old[LAC_JITTER_BUCKETS];
    int64_t by = lac_floor_divide(lac_minimum_get(&j->fastest) - j->origin, LAC_JITTER_BUCKET);
    if (by == 0)
        return;
    int64_t from = j->origin;
    j->origin += by * LAC_JITTER_BUCKET;
    memcpy(old, j->weight, sizeof old);
    memset(j->weight, 0, sizeof j->weight);
    for (size_t i = 0; i < LAC_JITTER_BUCKETS; i++)
        j->weight[bucket_of(j, from + (int64_t)i * LAC_JITTER_BUCKET)] += old[i];
}

static void add(lac_jitter *j, int64_t lag, uint32_t frames)
{
    j->weight[bucket_of(j, lag)] += frames * FRAME_WEIGHT;
    j->total += frames * FRAME_WEIGHT;
    if (j->total < MOST_WEIGHT)
        return;
    j->total = 0;
    for (size_t i = 0; i < LAC_JITTER_BUCKETS; i++)
        j->total += j->weight[i] /= 2;
}

void lac_jitter_arrived(lac_jitter *j, int64_t arrival, int64_t lag, uint32_t frames)
{
    if (!j->begun)
        j->origin = j->last = lag;
    j->begun = true;
    lac_minimum_add(&j->fastest, arrival, lag);
    move_origin(j);
    add(j, lag, frames);
    int64_t step = lag < j->last ? j->last - lag : lag - j->last;
    step = step < MOST_STEP ? step : MOST_STEP;
    j->variation += step - (j->variation + 8) / 16;
    j->last = lag;
}

void lac_jitter_recovered(lac_jitter *j, int64_t lag)
{
    add(j, lag, 1);
}

int64_t lac_jitter_fastest(const lac_jitter *j)
{
    return lac_minimum_get(&j->fastest);
}

int64_t lac_jitter_wanted(const lac_jitter *j, uint32_t permille)
{
    uint64_t late = 0, allowed = (uint64_t)j->total * permille / 1000;
    size_t i = LAC_JITTER_BUCKETS;
    while (i > 0 && late <= allowed)
        late += j->weight[--i];
    return j->origin + (int64_t)(i + 1) * LAC_JITTER_BUCKET - lac_jitter_fastest(j);
}
