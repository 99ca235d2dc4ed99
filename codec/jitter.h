/* How unevenly packets arrive, and what delay lets nearly all of them come in time.
 *
 * Times are in samples. A lag is a packet's arrival less its timestamp: it means nothing but in comparison with
 * others. Of lags a histogram is kept that forgets, as in the delay manager of WebRTC's NetEQ, and the least of
 * late. */
#ifndef LAC_CODEC_JITTER_H
#define LAC_CODEC_JITTER_H

#include <stdbool.h>
#include <stdint.h>

#define LAC_MINIMUM_SLOTS 8   /* a power of two */
#define LAC_JITTER_BUCKETS 400
#define LAC_JITTER_BUCKET 120 /* samples: 5 ms */

/* The least of the values of the last LAC_MINIMUM_SLOTS times `span` samples. */
typedef struct lac_minimum {
    int64_t span, slot;
    int64_t least[LAC_MINIMUM_SLOTS];
} lac_minimum;

void lac_minimum_init(lac_minimum *m, int64_t span);
void lac_minimum_add(lac_minimum *m, int64_t time, int64_t value);

/* INT64_MAX if there is none. */
int64_t lac_minimum_get(const lac_minimum *m);

/* All values grow by `by`. */
void lac_minimum_shift(lac_minimum *m, int64_t by);

typedef struct lac_jitter {
    bool begun;
    lac_minimum fastest;
    int64_t origin;   /* lag at which the first bucket begins */
    uint32_t total, weight[LAC_JITTER_BUCKETS];
    int64_t last;     /* lag of the last packet */
    int64_t variation; /* RFC 3550's interarrival jitter times 16 */
} lac_jitter;

void lac_jitter_init(lac_jitter *j);

/* A packet of `frames` frames came. */
void lac_jitter_arrived(lac_jitter *j, int64_t arrival, int64_t lag, uint32_t frames);

/* A lost frame came with a later packet; lag: of that packet's arrival and this frame's timestamp. */
void lac_jitter_recovered(lac_jitter *j, int64_t lag);

/* The lag of the fastest packets. Something must have arrived. */
int64_t lac_jitter_fastest(const lac_jitter *j);

/* Delay from the fastest packets on with which `permille` of 1000 frames come too late. */
int64_t lac_jitter_wanted(const lac_jitter *j, uint32_t permille);

#endif
