/* How a number is drawn: always the same, evenly in a range, around a mean, or one of several. */
#ifndef LAC_SYNTH_SPREAD_H
#define LAC_SYNTH_SPREAD_H

#include <stdint.h>

#define LAC_SPREAD_VALUES 32

enum lac_spread_kind { LAC_SPREAD_FIXED, LAC_SPREAD_UNIFORM, LAC_SPREAD_NORMAL, LAC_SPREAD_CHOICE };

typedef struct lac_spread {
    enum lac_spread_kind kind;
    uint32_t count;                  /* of values; 0: there is nothing to draw */
    double value[LAC_SPREAD_VALUES]; /* the number; lowest and highest; mean and deviation; any of these */
    double low, high;                /* draws around a mean are kept within */
} lac_spread;

/* The number for a key: the same on every machine. Around a mean, twelve even draws added (Irwin and Hall): within
 * 6 deviations. */
double lac_spread_draw(const lac_spread *spread, uint64_t key);

/* The lowest and the highest number that can come. */
double lac_spread_least(const lac_spread *spread);
double lac_spread_most(const lac_spread *spread);

/* 64 bits of a key and what is asked for under it; and a number of them, 0 .. 1 (not 1). */
uint64_t lac_key(uint64_t key, uint64_t what);
double lac_key_share(uint64_t key);

#endif
