/* What the encoder's network sees of a fine frame: compressed complex spectrum, log power, periodicity curve, and the
 * phases of harmonics against the fundamental's. */
#ifndef LAC_CODEC_FRONTEND_H
#define LAC_CODEC_FRONTEND_H

#include <stddef.h>
#include <stdint.h>

#include "fft.h"
#include "weights.h"
#include "workspace.h"

#define LAC_FEATURE_PAST (LAC_LONG_WINDOW - LAC_HOP) /* samples before its own hop that a fine frame sees */

typedef struct lac_features {
    const lac_kernels *kernels;
    const lac_encoder_weights *weights;
    const lac_fft *fft, *long_fft;
    size_t bands, width;        /* width of a row: lac_features_width(bands) */
    unsigned parts;             /* rows are worked on by this many threads */
    size_t scratch_floats;
    float *scratch;             /* [parts][scratch_floats] */
    const int32_t *harmonics;   /* the model's */
} lac_features;

/* bins [LAC_HARMONICS][bands]: a model's harmonics. */
void lac_features_harmonics(int32_t *bins, size_t bands);

/* For at most `rows` rows a call. */
void lac_features_init(lac_features *f, lac_workspace *w, const lac_model *model, size_t rows, unsigned threads);

/* out [rows][width]; row i belongs to the hop pcm[i * LAC_HOP] ..; pcm has LAC_FEATURE_PAST samples before it. */
void lac_features_run(const lac_features *f, const float *pcm, size_t rows, float *out);

#endif
