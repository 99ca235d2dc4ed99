/* The decoder's synthesis: pulse train and noise, shaped by the network's spectra, plus a free spectrum.
 *
 * A row is one fine frame j of the network's output: log gains of the pulses, log gains of the noise, log magnitude and
 * direction (re, im) of the rest; pitch logits [P + 1] and a vector along the phase of each of LAC_HARMONICS harmonics.
 * It sounds in hops j - 1 and j, so each row completes one hop. Source: train/model.py, excitation(), synthesise(). */
#ifndef LAC_CODEC_SOURCEFILTER_H
#define LAC_CODEC_SOURCEFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fft.h"
#include "lac/profile.h"
#include "weights.h"
#include "workspace.h"

#define LAC_SPECTRA (5 * LAC_BINS) /* floats of a row before its pitch logits */

/* What the phases of the second and further harmonics are ahead of multiples of the first's. */
typedef struct lac_lead {
    uint32_t of[LAC_HARMONICS - 1];
} lac_lead;

/* What a stream remembers. Zeroed, it is at its start. */
typedef struct lac_sourcefilter_state {
    uint64_t hop;                 /* rows so far: the index of the next */
    uint32_t phase;               /* of the pulses, 2^-32 of a period */
    float f0[3];                  /* Hz, 0 unvoiced: of the last hops, newest last */
    int32_t mend[2];              /* phase a sample by which the last hops corrected the pulses, newest last */
    lac_lead lead[3];             /* at the ends of the last hops, newest last */
    bool stale;                   /* what follows must be rebuilt */
    float pulses[LAC_HOP];        /* of the last hop */
    float noise[LAC_HOP];
    float tail[LAC_HOP];          /* the last row's part in the next hop */
} lac_sourcefilter_state;

/* Scratch, which streams that run one after another share. */
typedef struct lac_sourcefilter {
    const lac_kernels *kernels;
    const float *window;
    const lac_fft *fft;
    size_t bands;
    unsigned parts;
    size_t scratch_floats;
    float *pulses, *noise; /* [1 + rows][LAC_HOP], the hop before first */
    float *frames;         /* [rows][LAC_WINDOW] */
    float *scratch;        /* [parts][scratch_floats] */
    lac_profile profile;
} lac_sourcefilter;

/* For at most `rows` rows a call. */
void lac_sourcefilter_init(lac_sourcefilter *s, lac_workspace *w, const lac_model *model, size_t rows,
                           unsigned threads);

/* o [rows], ldo floats apart -> pcm [rows][LAC_HOP]. Not of a stale state. */
void lac_sourcefilter_run(const lac_sourcefilter *s, lac_sourcefilter_state *t, const float *o, size_t ldo, size_t rows,
                          float *pcm);

/* The same without sound, of any state, which is stale then. logits [rows]: rows from the pitch logits on, ldo floats
 * apart. */
void lac_sourcefilter_skip(const lac_sourcefilter *s, lac_sourcefilter_state *t, const float *logits, size_t ldo,
                           size_t rows);

/* Make the last hop's sources and its tail what they are by the state's hop, phase, f0, mend, lead and the last row's
 * spectra, NULL if there was no row. Without a change to any of them this changes nothing. */
void lac_sourcefilter_rebuild(const lac_sourcefilter *s, lac_sourcefilter_state *t, const float *spectra);

/* Continue at `hop` with the last hop's pulses ending in `phase`, and with what follows from no other past than the
 * rows of the last hops. The state is stale then. */
void lac_sourcefilter_sync(lac_sourcefilter_state *t, uint64_t hop, uint32_t phase);

/* Pitch logits [bands + 1] -> Hz, 0 = unvoiced: mean of the five classes around the peak. */
float lac_pitch_hz(const float *logits, size_t bands);

#endif
