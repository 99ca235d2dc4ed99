/* What output `index` of a plan is made of, at its attempt `attempt`: a pure function of plan, cast and these, in
 * constant time and memory, so that any shard can be made alone. Balance comes from keyed permutations: every row
 * of content is used once before any is used twice, and one row's uses get different voices while there are some.
 */
#ifndef LAC_SYNTH_DRAW_H
#define LAC_SYNTH_DRAW_H

#include "cast.h"

#define LAC_DRAW_BABBLE 8 /* voices of babble, at most */
#define LAC_DRAW_NONE   UINT32_MAX

enum lac_draw_kind { LAC_DRAW_SAME, LAC_DRAW_NEUTRAL, LAC_DRAW_SEED, LAC_DRAW_SAMPLED, LAC_DRAW_MIXED };

typedef struct lac_draw_factor {
    enum lac_draw_kind kind;
    uint32_t row[2]; /* of the manifest; LAC_DRAW_NONE */
    double weight;   /* of style: how far towards it; of a mixed voice: the second's share */
    uint64_t seed;   /* of a sampled one */
} lac_draw_factor;

/* 0 stands for none, as in lac_simulation. */
typedef struct lac_draw_simulation {
    bool any;
    double t60_s, snr_db, babble_snr_db, microphone_db, low_hz, high_hz, opus_bps, opus_loss, clip_db;
    bool mulaw;
    uint32_t noise_row, noise_file;   /* of the manifest, of the plan's files; LAC_DRAW_NONE */
    uint32_t babble[LAC_DRAW_BABBLE]; /* rows */
    uint32_t voices;                  /* of babble */
    uint64_t seed;
} lac_draw_simulation;

typedef struct lac_draw {
    uint64_t index;
    uint32_t attempt;
    uint64_t seed;    /* of this attempt: of the generator's noise */
    uint32_t content; /* row */
    uint64_t use;     /* which use of that row, from 0 */
    uint64_t uses;    /* that it has, about */
    bool untouched;
    lac_draw_factor speaker, style, environment, channel;
    double attribute[4]; /* of a sampled voice; NAN: as it comes */
    double pitch_semitones, range, rate, energy_db;
    lac_draw_simulation simulation;
} lac_draw;

/* index below cast->count. */
void lac_draw_make(lac_draw *draw, const lac_plan *plan, const lac_cast *cast, uint64_t index, uint32_t attempt);

/* Number i of a permutation of 0 .. n - 1 that the key chooses. */
uint64_t lac_draw_permute(uint64_t key, uint64_t n, uint64_t i);

const char *lac_draw_kind_name(enum lac_draw_kind kind);

#endif
