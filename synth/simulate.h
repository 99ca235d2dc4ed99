/* Rooms, noise and lines by signal processing, on mono sound as a whole in memory.
 *
 * What is asked for happens in this order: room, microphone, band limits, noise and babble (through the same
 * microphone and band), clipping, mu-law, Opus. All is a function of (samples, settings, seed) on one build. Time
 * stays aligned: delays of filters and codecs are taken out; a room's direct sound stays where it was. Any number
 * of threads at once. */
#ifndef LAC_SYNTH_SIMULATE_H
#define LAC_SYNTH_SIMULATE_H

#include <stddef.h>
#include <stdint.h>

#define LAC_SIMULATE_LOWEST_RATE  8000u /* Hz */
#define LAC_SIMULATE_HIGHEST_RATE 192000u
#define LAC_SIMULATE_NO_NOISE_DB  60.0f
#define LAC_SIMULATE_VOICES       16 /* of babble, at most */

/* Zeroed: nothing is done. */
typedef struct lac_simulation {
    float t60_s;        /* a room (image method, Allen and Berkley 1979), 0.1 .. 1.5; 0: none. Its size, and where
                           mouth and microphone are, follow from the seed */
    const float *noise; /* [noise_count], at the sound's rate, repeated where it is too short; where it begins is
                           drawn by the seed; NULL: none */
    size_t noise_count;
    float snr_db;        /* active speech to noise, -10 .. 60 */
    const float *babble; /* [babble_count], a second noise, as lac_simulate_babble makes it; NULL: none */
    size_t babble_count;
    float babble_snr_db;   /* -10 .. 60 */
    float microphone_db;   /* a microphone's curve: root mean square deviation from flat over 100 Hz to 10 kHz, all
                              octaves alike, 0 .. 12; drawn by the seed; 0: flat */
    float low_hz, high_hz; /* band limits: 20 .. 2000, and 500 or more, above low_hz; 0: none */
    int mulaw;             /* 8 kHz G.711 mu-law and back */
    uint32_t opus_bps;     /* libopus and back, 6000 .. 64000; 0: none */
    float opus_loss; /* probability that one of its 20 ms packets is lost, in bursts of 2 on average (Gilbert 1960),
                        concealed by libopus, 0 .. 0.5 */
    float clip_db;   /* clipping this far below the peak, 0 .. 40; 0: none */
} lac_simulation;

/* What was done, as labels. */
typedef struct lac_simulated {
    float t60_s;        /* measured on the response, octaves of 500 and 1000 Hz, -5 .. -25 dB; 0: no room */
    float distance_m;   /* mouth to microphone; 0: no room */
    float snr_db;       /* as asked, of both noises together; LAC_SIMULATE_NO_NOISE_DB: none was added, also because
                           speech or noise is silent */
    float bandwidth_hz; /* what is left: half the rate, high_hz, the codecs' band */
    float opus_loss;    /* share of packets that were lost */
} lac_simulated;

/* Change pcm[count] at `rate` Hz (LAC_SIMULATE_LOWEST_RATE .. HIGHEST_RATE) in place; full scale 1.0. The level of
 * active speech is kept (20 ms frames within 25 dB of their 95th percentile, above 100 Hz; the noise comes on top),
 * unless samples would then pass full scale: all is turned down to it. 0, or a negative status of lac/status.h with
 * pcm in an undefined state: LAC_ERROR_ARGUMENT for settings out of range or samples that are not finite,
 * LAC_ERROR_MEMORY. `done` is written on success. */
int lac_simulate(float *pcm, size_t count, uint32_t rate, const lac_simulation *settings, uint64_t seed,
                 lac_simulated *done);

/* out[count] = several talkers at once: each of the voices[i] [counts[i]], 1 .. LAC_SIMULATE_VOICES of them, at the
 * same active level, begins where the seed says and is repeated. At `rate` Hz. LAC_ERROR_ARGUMENT,
 * LAC_ERROR_MEMORY. */
int lac_simulate_babble(float *out, size_t count, uint32_t rate, const float *const *voices, const size_t *counts,
                        size_t n, uint64_t seed);

#endif
