/* What a model file holds, as the network sees it. Pointers lead into the mapped file or, where worked out or packed
 * at open, into the model's own memory; nothing here is written after open. */
#ifndef LAC_CODEC_WEIGHTS_H
#define LAC_CODEC_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "fft.h"
#include "fmath.h"
#include "kernels.h"
#include "lac/model.h"
#include "network.h"
#include "prior.h"
#include "quantiser.h"
#include "workspace.h"

#define LAC_MAX_CODEWORDS 4096
#define LAC_RATE 24000     /* Hz */
#define LAC_HOP 240        /* samples a fine frame */
#define LAC_FRAME 480      /* samples a latent frame: two fine frames */
#define LAC_WINDOW 480     /* samples of the analysis and synthesis window */
#define LAC_BINS 241       /* of the window's spectrum */
#define LAC_F0_MIN 60.0f   /* Hz: pitch classes and lags are log-spaced from it to LAC_F0_MAX */
#define LAC_F0_MAX 500.0f
#define LAC_F0_SPAN 2.1202635f /* log(LAC_F0_MAX / LAC_F0_MIN) */
#define LAC_HARMONICS 10   /* of the pulse train, whose phases the tokens carry */
#define LAC_LONG_WINDOW 960 /* samples of the periodicity window */
#define LAC_LONG_FFT 1920  /* its transform size, zero-padded at the end */
#define LAC_PERIODIC_LO 4  /* first bin of the periodicity curve */
#define LAC_PERIODIC_BINS 92
#define LAC_CONCEAL_FRAMES 4 /* lost frames until silence: they lengthen the receptive field */
#define LAC_PREDICTOR_ONE 4096 /* fixed-point one of a predictor's weights */
#define LAC_KERNEL_NAMES_SIZE (40 * LAC_OPERATION_COUNT)
#define LAC_LATENT_ONE 512 /* fixed-point one of latents and codewords (int16, |v| <= 4095) */

/* Sizes: the architecture table of the file. train/config.json has the same names. */
typedef struct lac_arch {
    uint32_t bands;    /* P: pitch classes and lags of the periodicity curve */
    uint32_t latent;   /* D */
    uint32_t kernel;   /* taps of every depthwise convolution */
    uint32_t codebooks, codewords; /* Q, K */
    uint32_t expand_encoder_fine, expand_coarse, expand_decoder_fine; /* hidden width of a block / its width */
    uint32_t encoder_fine_count, encoder_fine[LAC_MAX_BLOCKS];     /* widths of the 100 Hz blocks (all equal) */
    uint32_t encoder_coarse_count, encoder_coarse[LAC_MAX_BLOCKS]; /* of the 50 Hz blocks (all equal) */
    uint32_t decoder_coarse_count, decoder_coarse[LAC_MAX_BLOCKS];
    uint32_t decoder_fine_count, decoder_fine[LAC_MAX_BLOCKS];
} lac_arch;

typedef struct lac_encoder_weights {
    const float *window;      /* [LAC_WINDOW] */
    const float *long_window; /* [LAC_LONG_WINDOW] */
    const float *cosines;     /* [LAC_PERIODIC_BINS][P] */
    lac_linear input;         /* lac_features_width(P) -> fine width */
    lac_block fine[LAC_MAX_BLOCKS];
    lac_linear downsample;    /* 4 fine frames, oldest first, -> coarse width: in = [4][fine width] */
    lac_block coarse[LAC_MAX_BLOCKS];
    lac_linear output;        /* coarse width -> D, after a norm */
} lac_encoder_weights;

typedef struct lac_decoder_weights {
    const float *window;      /* [LAC_WINDOW] */
    lac_linear input;         /* 3 latent frames, oldest first, -> coarse width: in = [3][D] */
    lac_block coarse[LAC_MAX_BLOCKS];
    lac_linear upsample;      /* coarse width -> [2][fine width] */
    lac_block fine[LAC_MAX_BLOCKS];
    lac_linear output;        /* fine width -> 5 * BINS + lac_voicing_width(P), after a norm */
} lac_decoder_weights;

/* Hz of a pitch class, whole or between, 0 .. bands - 1. */
static inline float lac_class_hz(float class, size_t bands)
{
    return LAC_F0_MIN * lac_expf(class / (float)(bands - 1) * LAC_F0_SPAN);
}

/* Floats of a row of features, and of what a row of the decoder's output has behind its spectra. */
static inline uint32_t lac_features_width(uint32_t bands)
{
    return 3 * LAC_BINS + bands + 2 * (LAC_HARMONICS - 1);
}

static inline uint32_t lac_voicing_width(uint32_t bands)
{
    return bands + 1 + 2 * LAC_HARMONICS;
}

/* The n-th lost frame in a row, n = 0 .. LAC_CONCEAL_FRAMES - 1, is weight[n] z + bias[n] of the last latent z. */
typedef struct lac_predictor {
    const int16_t *weight; /* [LAC_CONCEAL_FRAMES][D][D], in 1 / LAC_PREDICTOR_ONE; NULL: z itself */
    const int16_t *bias;   /* [LAC_CONCEAL_FRAMES][D] */
} lac_predictor;

struct lac_model {
    lac_workspace memory;
    lac_model_info info;
    lac_arch arch;
    lac_encoder_weights encoder;
    lac_decoder_weights decoder;
    lac_quantiser quantiser;  /* of latents in fixed point, one = LAC_LATENT_ONE */
    const float *thresholds;  /* [Q][d][slots], an RFSQ's in the file; else NULL */
    lac_predictor predictor;  /* of lost frames; an extension */
    lac_prior_weights prior_weights; /* an extension: sizes are 0 without */
    const lac_prior *prior;   /* what is made of them at open, or NULL */
    const lac_fft *fft, *long_fft; /* of LAC_WINDOW and LAC_LONG_FFT */
    const int32_t *harmonics; /* [LAC_HARMONICS][P]: bin of a harmonic at a lag of the periodicity curve */
    lac_kernels kernels;      /* chosen at open */
    char kernel_names[LAC_KERNEL_NAMES_SIZE];
    const void *data;         /* the file */
    size_t size;
    void *mapping;            /* to unmap at close, or NULL */
    void *owned;              /* to free at close, or NULL */
};

#endif
