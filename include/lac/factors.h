/* Factors of speech: who speaks (speaker), what is said (content), how (style), where (environment: noise,
 * reverberation), through what (channel: bandwidth, coding, microphone), from a codec's latents.
 *
 * A factor model belongs to the latents of one encoder and its codebooks (lac_model_latent_id). It is immutable once
 * open and may be shared by any number of analysers, generators and threads; it must outlive them. An analyser is one
 * mono stream, used by one thread at a time. No call but open and close allocates, locks or prints. Any chunking gives
 * the same factors, on every machine.
 *
 * Latents are rows of D int16 in fixed point, 512 is 1.0 (lac/latents.h), LAC_FACTOR_RATE rows a second. */
#ifndef LAC_FACTORS_H
#define LAC_FACTORS_H

#include <stddef.h>
#include <stdint.h>

#include "lac/export.h"
#include "lac/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAC_FACTOR_RATE 50      /* frames a second */
#define LAC_SPEAKER_SIZE 192
#define LAC_ENVIRONMENT_SIZE 32
#define LAC_CHANNEL_SIZE 32
#define LAC_STYLE_SIZE 8
#define LAC_CODEC_CLASSES 4     /* none, opus, mulaw, clipped */
#define LAC_CONTENT_MAX_LEVELS 8

typedef struct lac_factor_model lac_factor_model;

typedef struct lac_factor_info {
    char name[LAC_MODEL_NAME_SIZE];
    uint8_t id[LAC_MODEL_ID_SIZE];        /* of this file */
    uint8_t latent_id[LAC_MODEL_ID_SIZE]; /* whose latents it reads: lac_model_latent_id */
    uint32_t latent_size;                 /* D */
    uint32_t content_stride;              /* frames a content token: 1 or 2 */
    uint32_t content_tokens;              /* a token is in 0 .. content_tokens - 1 */
    uint32_t content_dimensions;          /* digits of a token */
    uint8_t content_levels[LAC_CONTENT_MAX_LEVELS]; /* of each digit, the first counts least; then zeros */
    uint32_t phones;                      /* phone classes, blank included */
    uint32_t delay_frames;                /* the analyser's: frames that it holds back */
    uint32_t generator_steps;             /* of the generator's flow; 0: plain regression */
    uint32_t generator_delay_frames;
    uint32_t voices;                      /* 1: voices, places and lines can be sampled (lac/sampler.h); else 0 */
    uint64_t file_bytes;
    uint64_t analyser_macs;               /* multiply-accumulates of the analyser a second of audio */
    uint64_t generator_macs;
} lac_factor_info;

/* Open by name or path, as lac_model_open: NULL or "" is the embedded default; otherwise a path, or NAME.lacf in the
 * directories of LAC_MODEL_PATH and the installed model directory. On success *model is owned by the caller. */
LAC_API int lac_factor_model_open(lac_factor_model **model, const char *name);

/* From memory aligned to 64 bytes, which must stay valid and unchanged until the model is closed. */
LAC_API int lac_factor_model_open_memory(lac_factor_model **model, const void *data, size_t size);

/* Close and set *model to NULL; NULL and pointers to NULL are accepted. */
LAC_API void lac_factor_model_close(lac_factor_model **model);

LAC_API void lac_factor_model_get_info(const lac_factor_model *model, lac_factor_info *info);

/* Symbol of a phone class (International Phonetic Alphabet, UTF-8), "" for blank; NULL beyond the last. */
LAC_API const char *lac_factor_model_phone(const lac_factor_model *model, uint32_t phone);

/* 20 ms of a stream. */
typedef struct lac_factor_frame {
    uint16_t content;  /* token; the content_stride frames that share one all hold it */
    uint16_t phone;    /* most likely phone class at the token's end, 0 is blank (connectionist temporal
                          classification): repetitions and then blanks are dropped to read them. The shipped
                          model's recogniser tells a phone about 8 frames (0.16 s) after it was said */
    float f0_hz;       /* pitch, 50 .. 600; 0 where unvoiced */
    float voicing;     /* probability of voice, 0 .. 1 */
    float energy_db;   /* of the voice as loud as it is heard, less noise and echo: a full scale sine is -3.01;
                          -100 .. 0 */
} lac_factor_frame;

/* What lac_factors.style holds. A frame is speech if its energy is above -70 dB and within 40 dB of what the loudest
 * frames have: of the 50 loudest, of a quarter of all if those are fewer, the quietest. It is voiced where its
 * f0_hz is not 0. Energies count in steps of 0.25 dB, percentiles of pitch in steps of 0.1 semitone. 0 where there
 * is nothing to measure. */
enum lac_style_item {
    LAC_STYLE_F0_DEVIATION = 0, /* of voiced frames, semitones */
    LAC_STYLE_F0_RANGE,         /* of voiced frames, semitones between the 5th and the 95th percentile */
    LAC_STYLE_F0_SLOPE,         /* mean absolute change between voiced neighbours, semitones a second */
    LAC_STYLE_VOICED,           /* share of voiced frames in speech, 0 .. 1 */
    LAC_STYLE_ENERGY_DEVIATION, /* of speech, dB */
    LAC_STYLE_ENERGY_SLOPE,     /* mean absolute change between neighbours that are speech, dB a second */
    LAC_STYLE_RATE,             /* phones a second of speech, at most 50 */
    LAC_STYLE_PAUSES            /* share of frames that are not speech, 0 .. 1 */
};

/* Of an utterance, or of a stream so far: f0_median_hz, speech_s and style of the frames given, vectors and what is
 * read off them of all latents written. All zeros of none. Vectors are of the first 2^29 latents, four months. */
typedef struct lac_factors {
    uint64_t frames;                         /* given */
    float speech_s;                          /* seconds that are speech */
    float confidence;                        /* of the speaker vector, 0 .. 1: v / (v + 0.5), v the seconds of speech
                                                that are voiced, times 2 c up to 1, c the mean cosine between the
                                                vectors of stretches of 1.5 s (1 if there are fewer than two). It
                                                falls where parts disagree (two voices, music), is 0 without voice */
    float speaker[LAC_SPEAKER_SIZE];         /* unit vector, zeros without speech */
    float f0_median_hz;                      /* of voiced frames, 0 if there are none */
    float style[LAC_STYLE_SIZE];
    float environment[LAC_ENVIRONMENT_SIZE];
    float channel[LAC_CHANNEL_SIZE];
    float snr_db;                            /* speech to noise, -10 .. 60 */
    float t60_s;                             /* reverberation time, 0.05 .. 3 */
    float bandwidth_hz;                      /* 500 .. 12000 */
    float codec[LAC_CODEC_CLASSES];          /* probabilities: none, opus, mulaw, clipped */
} lac_factors;

typedef struct lac_analyser lac_analyser;

typedef struct lac_analyser_settings {
    uint32_t block_frames; /* frames worked on together, 1 .. 256 */
    uint32_t threads;      /* OpenMP threads, 1 .. 256; the result does not depend on it */
} lac_analyser_settings;

/* 64 frames a block, 1 thread. */
LAC_API void lac_analyser_default_settings(lac_analyser_settings *settings);

/* settings NULL means the defaults. On success *analyser is owned by the caller. */
LAC_API int lac_analyser_open(lac_analyser **analyser, const lac_factor_model *model,
                              const lac_analyser_settings *settings);

/* Close and set *analyser to NULL; NULL and pointers to NULL are accepted. */
LAC_API void lac_analyser_close(lac_analyser **analyser);

LAC_API size_t lac_analyser_bytes(const lac_analyser *analyser);

/* Take latents [count][D] and give the frames that complete, at most count + delay_frames.
 * LAC_ERROR_SPACE, with nothing taken, if capacity is less than they are. out may be NULL if capacity is 0: the
 * frames then only count for the utterance, and no LAC_ERROR_SPACE comes. LAC_ERROR_STATE after a flush. */
LAC_API int lac_analyser_write(lac_analyser *analyser, const int16_t *latents, size_t count, lac_factor_frame *out,
                               size_t capacity, size_t *frames);

/* Give the last frames: in all as many as were written. Then reset before more: LAC_ERROR_STATE. */
LAC_API int lac_analyser_flush(lac_analyser *analyser, lac_factor_frame *out, size_t capacity, size_t *frames);

/* Of what has come so far. */
LAC_API void lac_analyser_get(const lac_analyser *analyser, lac_factors *factors);

LAC_API void lac_analyser_reset(lac_analyser *analyser);

/* Distances of two utterances. */
typedef struct lac_factor_distance {
    float speaker_cosine;            /* -1 .. 1 */
    float same_speaker_probability;  /* 0 .. 1, calibrated on pairs drawn half and half; 0.5 where a confidence is 0 */
    float style_distance;            /* root mean square over the items of style, in deviations of the training set */
    float environment_distance;      /* the same over the vectors' elements */
    float channel_distance;
} lac_factor_distance;

LAC_API void lac_factors_compare(const lac_factor_model *model, const lac_factors *a, const lac_factors *b,
                                 lac_factor_distance *distance);

/* What is said, compared: edits (insert, delete, substitute) that turn the phones of one into those of the other, as
 * a share of the longer one's number, 0 .. 1; 0 if both have none. *phones_a and *phones_b: their numbers.
 * Memory is that of a row of b's; LAC_ERROR_LIMIT beyond 10000 phones each. */
LAC_API int lac_content_distance(const lac_factor_frame *a, size_t frames_a, const lac_factor_frame *b, size_t frames_b,
                                 float *distance, uint32_t *phones_a, uint32_t *phones_b);

#ifdef __cplusplus
}
#endif

#endif
