/* Rooms, noise and lines by signal processing, on mono sound as a whole in memory.
 *
 * All is a function of (samples, settings, seed) on one build. Time stays aligned: delays of filters and codecs are
 * taken out; a room's direct sound stays where it was. Any number of threads at once. */
#ifndef LAC_SYNTH_SIMULATE_H
#define LAC_SYNTH_SIMULATE_H

#include <stddef.h>
#include <stdint.h>

typedef struct lac_simulation {
    float t60_s;        /* a room (image method, Allen and Berkley 1979), 0.1 .. 1.5; 0: none. Its size, and where
                           mouth and microphone are, follow from the seed */
    const float *noise; /* [noise_count], at the sound's rate, repeated where it is too short; NULL: none */
    size_t noise_count;
    float snr_db;          /* active speech to noise, -10 .. 60 */
    float microphone_db;   /* a microphone's curve: deviation from flat, 0 .. 12; drawn by the seed; 0: flat */
    float low_hz, high_hz; /* band limits; 0: none */
    int mulaw;             /* 8 kHz G.711 mu-law and back */
    uint32_t opus_bps;     /* libopus and back, 6000 .. 64000; 0: none */
    float opus_loss; /* share of its 20 ms packets lost, in bursts (Gilbert), concealed by libopus, 0 .. 0.5 */
    float clip_db;   /* clipping this far below the peak, 0 .. 40; 0: none */
} lac_simulation;

/* What was done, as labels. */
typedef struct lac_simulated {
    float t60_s;        /* measured on the response; 0: no room */
    float snr_db;       /* as asked; 60: no noise */
    float bandwidth_hz; /* what is left */
    float distance_m;   /* mouth to microphone; 0: no room */
} lac_simulated;

/* Change pcm[count] at `rate` Hz (8000 .. 48000) in place; full scale 1.0, the level of active speech is kept. 0,
 * or a negative status of lac/status.h: LAC_ERROR_ARGUMENT for settings out of range, LAC_ERROR_MEMORY. */
int lac_simulate(float *pcm, size_t count, uint32_t rate, const lac_simulation *settings, uint64_t seed,
                 lac_simulated *done);

#endif
