/* What a factor model's file holds, as analyser and generator see it (doc/factor-format.md). Pointers lead into the
 * file or, where packed at open, into the model's own memory; nothing here is written after open. Networks and
 * tensors are named as in train/factors/nets.py. */
#ifndef LAC_LATENT_FACTORMODEL_H
#define LAC_LATENT_FACTORMODEL_H

#include <stddef.h>
#include <stdint.h>

#include "kernels.h"
#include "lac/sampler.h"
#include "network.h"
#include "workspace.h"

#define LAC_FACTOR_LATENT_ONE 512 /* fixed-point one of latents */
#define LAC_PITCH_CLASSES 120     /* log-spaced from LAC_PITCH_MIN to LAC_PITCH_MAX; a class before is unvoiced */
#define LAC_PITCH_MIN 50.0f       /* Hz */
#define LAC_PITCH_MAX 600.0f
#define LAC_TRUNK_TAPS 3          /* rows that a trunk's input layer sees, oldest first */
#define LAC_HEAD_WIDTH 64         /* hidden, of what is read off the vectors of surroundings */
#define LAC_ROOM_SIZE 2           /* snr_db / 20, log2(t60_s / 0.4) */
#define LAC_LINE_SIZE (1 + LAC_CODEC_CLASSES)   /* bandwidth_hz / 6000, log odds of codecs */
#define LAC_GENERATOR_ABOUT (LAC_SPEAKER_SIZE + LAC_ENVIRONMENT_SIZE + LAC_CHANNEL_SIZE + 1) /* vectors, time */
#define LAC_GENERATOR_EXTRAS 3    /* log2(f0 / 150) or 0, 1 where voiced, (energy_db + 60) / 20: behind the codes */
#define LAC_PHONE_BYTES 16        /* of a symbol, terminating zero included */
#define LAC_VOICE_SIZE (LAC_SPEAKER_SIZE + 1) /* speaker vector, log2(f0_median_hz / 150) */

typedef struct lac_trunk_shape {
    uint32_t width, expand, kernel, blocks;
} lac_trunk_shape;

/* Of a mixture; both are 0 where the file has nothing to sample from. */
typedef struct lac_mixture_shape {
    uint32_t components, rank;
} lac_mixture_shape;

/* Sizes: the architecture table of the file. train/factors/config.json has them, voices.py those of mixtures. */
typedef struct lac_factor_arch {
    uint32_t latent; /* D */
    uint32_t content_stride, content_ahead, content_late;
    uint32_t style_ahead;
    uint32_t generator_condition, generator_steps, generator_ahead;
    uint32_t phone_classes; /* blank included */
    lac_trunk_shape content, phones, speaker, surroundings, style, generator;
    uint32_t dimensions, levels[LAC_CONTENT_MAX_LEVELS]; /* of content; the levels behind are 0 */
    uint32_t slots;                                      /* the largest of levels less 1 */
    lac_mixture_shape voices, places, lines;
} lac_factor_arch;

/* Rows -> rows of `width`: input layer over LAC_TRUNK_TAPS rows, blocks; a norm follows. */
typedef struct lac_trunk {
    lac_linear input; /* in = [LAC_TRUNK_TAPS][inputs] */
    lac_block blocks[LAC_MAX_BLOCKS];
} lac_trunk;

typedef struct lac_content_weights {
    lac_trunk trunk;
    lac_linear join;                /* `stride` rows, oldest first: in = [stride][width], after the trunk's norm */
    lac_block late[LAC_MAX_BLOCKS]; /* content_late of them; then a norm */
    lac_linear output;              /* -> [dimensions] */
    const float *thresholds;        /* [dimensions][slots]: a digit is how many of its levels - 1 are not above the
                                       output; a code is (digit - floor(L / 2)) / floor(L / 2) */
} lac_content_weights;

typedef struct lac_phones_weights {
    lac_trunk trunk;   /* of codes */
    lac_linear output; /* -> log odds [phone_classes], 0 is blank */
} lac_phones_weights;

typedef struct lac_speaker_weights {
    lac_trunk trunk;
    lac_linear weigh;  /* -> the log odds of a row's weight, 1 */
    lac_linear output; /* mean and deviation, [2][width] -> [LAC_SPEAKER_SIZE], to be made a unit vector */
} lac_speaker_weights;

typedef struct lac_surroundings_weights {
    lac_trunk trunk;
    lac_linear weigh;
    lac_linear environment, channel; /* [2][width] -> [LAC_ENVIRONMENT_SIZE], [LAC_CHANNEL_SIZE] */
    lac_linear environment_hidden, environment_output; /* -> LAC_HEAD_WIDTH, GELU, -> LAC_ROOM_SIZE */
    lac_linear channel_hidden, channel_output;         /* -> LAC_HEAD_WIDTH -> LAC_LINE_SIZE */
} lac_surroundings_weights;

typedef struct lac_style_weights {
    lac_trunk trunk;
    lac_linear output; /* -> log odds of unvoiced and the pitch classes, (energy_db + 60) / 20 */
} lac_style_weights;

typedef struct lac_generator_weights {
    lac_linear about;                    /* [LAC_GENERATOR_ABOUT] -> [condition], then a GELU */
    lac_linear modulate[LAC_MAX_BLOCKS]; /* of each block -> [2][width]: its norm's gain, 1 included, and shift */
    lac_trunk trunk;                     /* of codes, extras and, with steps, latents */
    lac_linear output;                   /* -> velocity [latent] */
} lac_generator_weights;

typedef struct lac_factor_calibration {
    const float *speaker;     /* [2]: the log odds that two vectors are of one speaker are [0] * cosine + [1] */
    const float *style;       /* [LAC_STYLE_SIZE] deviations in the training set, above 0 */
    const float *environment; /* [LAC_ENVIRONMENT_SIZE] */
    const float *channel;     /* [LAC_CHANNEL_SIZE] */
} lac_factor_calibration;

/* Vectors drawn: mean of a component, plus normal numbers times the rows of its factor. */
typedef struct lac_mixture {
    lac_mixture_shape shape;
    uint32_t size;
    const float *bounds;  /* [components] a uniform number below bounds[i], not below bounds[i - 1], chooses i */
    const float *means;   /* [components][size] */
    const float *factors; /* [components][rank][size] */
} lac_mixture;

/* What lac_voice_sample and its like draw from. */
typedef struct lac_distributions {
    lac_mixture voices, places, lines;  /* of LAC_VOICE_SIZE, LAC_ENVIRONMENT_SIZE, LAC_CHANNEL_SIZE */
    const float *middle;                /* [LAC_VOICE_SIZE] of voices */
    const float *directions;            /* [LAC_VOICE_ATTRIBUTES][LAC_SPEAKER_SIZE]: an attribute is the product */
    const float *offsets;               /* [LAC_VOICE_ATTRIBUTES]; plus this */
    const float *moves;                 /* [LAC_VOICE_ATTRIBUTES][LAC_VOICE_SIZE]: how voices differ with it */
    const float *dry_place, *wide_line; /* [LAC_ENVIRONMENT_SIZE], [LAC_CHANNEL_SIZE] */
} lac_distributions;

struct lac_factor_model {
    lac_workspace memory;
    lac_factor_info info;
    lac_factor_arch arch;
    lac_content_weights content;
    lac_phones_weights phones;
    lac_speaker_weights speaker;
    lac_surroundings_weights surroundings;
    lac_style_weights style;
    lac_generator_weights generator;
    lac_factor_calibration calibration;
    lac_distributions distributions; /* NULL pointers where the file has none */
    const char *symbols; /* [phone_classes][LAC_PHONE_BYTES] */
    lac_kernels kernels; /* chosen at open */
    const void *data;    /* the file */
    size_t size;
    void *mapping;       /* to unmap at close, or NULL */
    void *owned;         /* to free at close, or NULL */
};

/* Numbers of a row that the generator's trunk reads. */
static inline uint32_t lac_generator_inputs(const lac_factor_arch *a)
{
    return a->dimensions + LAC_GENERATOR_EXTRAS + (a->generator_steps > 0 ? a->latent : 0);
}

#endif
