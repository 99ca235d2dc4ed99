/* Models: trained weights with their architecture, in one checksummed file (doc/model-format.md).
 *
 * A model is immutable once open and may be shared by any number of encoders, decoders and threads. It must
 * outlive everything opened with it. */
#ifndef LAC_MODEL_H
#define LAC_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "lac/export.h"
#include "lac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAC_MODEL_NAME_SIZE 64  /* bytes, terminating zero included */
#define LAC_MODEL_ID_SIZE 16    /* bytes: the first of the file's SHA-256 */
#define LAC_MAX_CODEBOOKS 32
#define LAC_MODEL_RVQ 1         /* residual vector quantiser (arXiv 2107.03312) */
#define LAC_MODEL_FSQ 2         /* residual finite scalar quantiser (arXiv 2309.15505) */
#define LAC_MODEL_MAX_DIMENSIONS 16

typedef struct lac_model lac_model;

/* What a caller may want to know of a model. */
typedef struct lac_model_info {
    char name[LAC_MODEL_NAME_SIZE];   /* for example "speech24" */
    uint8_t id[LAC_MODEL_ID_SIZE];
    uint32_t sample_rate;             /* Hz, mono: 24000 */
    uint32_t frame_samples;           /* samples at sample_rate a latent frame: 480 */
    uint32_t delay_samples;           /* algorithmic latency, encoder to decoder, buffering included: 720 */
    uint32_t decoder_delay_samples;   /* samples that lac_decoder puts before the first coded one: 240 */
    uint32_t receptive_frames;        /* R: decoded PCM depends on the tokens of this many earlier frames */
    uint32_t latent_size;             /* D */
    uint32_t codebooks;               /* Q: most codebooks (tokens) a frame, at most LAC_MAX_CODEBOOKS */
    uint32_t codewords;               /* K: a token is in 0 .. K - 1 */
    uint32_t token_bits;              /* bits of a token, plain */
    uint64_t file_bytes;              /* size of the model file */
    uint64_t encoder_macs;            /* multiply-accumulates of the encoder's network a second of audio */
    uint64_t decoder_macs;            /* the same of the decoder's */
    uint64_t search_macs;             /* the same of the search for all Q tokens, greedy */
    uint32_t quantiser;               /* LAC_MODEL_RVQ or LAC_MODEL_FSQ */
    uint8_t levels[LAC_MODEL_MAX_DIMENSIONS]; /* of FSQ: levels of each dimension, then zeros; else zeros */
    uint64_t prior_macs;              /* as search_macs, of the prior, which shortens tokens; 0: there is none */
    uint8_t prior_id[LAC_MODEL_ID_SIZE]; /* first bytes of its SHA-256, or zeros */
    uint32_t metric;                  /* 1: the search weighs errors of latents by what they do to the sound */
} lac_model_info;

/* Open by name or path. NULL or "" is the default model. Otherwise, in this order: the name of an embedded
 * model; a path, if it holds a '/' or names an existing file; NAME.lacm in the directories of the environment
 * variable LAC_MODEL_PATH (colon-separated) and in the installed model directory.
 * On success *model is owned by the caller. */
LAC_API int lac_model_open(lac_model **model, const char *name);

/* Open the model whose id begins with these 1 .. LAC_MODEL_ID_SIZE bytes, as a .lac file names it: an embedded one,
 * otherwise a file *.lacm in the directories that lac_model_open looks in. Those are read to the first that fits.
 * LAC_ERROR_NOT_FOUND if none does. On success *model is owned by the caller. */
LAC_API int lac_model_open_id(lac_model **model, const uint8_t *id, size_t bytes);

/* Open a file; it is mapped read-only and must not change while the model is open. */
LAC_API int lac_model_open_file(lac_model **model, const char *path);

/* Open from memory, which must stay valid and unchanged until the model is closed. */
LAC_API int lac_model_open_memory(lac_model **model, const void *data, size_t size);

/* Close and set *model to NULL; NULL and pointers to NULL are accepted. */
LAC_API void lac_model_close(lac_model **model);

LAC_API void lac_model_get_info(const lac_model *model, lac_model_info *info);

/* Name of embedded model `index` (0 is the default), or NULL past the last. Static storage. */
LAC_API const char *lac_model_embedded_name(size_t index);

/* Names of the functions that compute, comma-separated, for example "gemm_s16s8_avx2,quantize_row_avx2". They are
 * chosen by what the processor can do when the model is opened, and give the same bits all. The environment variable
 * LAC_CPU_MASK, read then, leaves instructions out: a list of names such as "-avx512" (-avx2, -avx512, -avx512vnni,
 * -shani, -neon, -neondot, -neonsha2, -simd128; what builds on a name goes with it), or a number, of whose bits the
 * others are left out (core/cpu.h; 0: the C definitions only). The text lives as long as the model. */
LAC_API const char *lac_model_kernels(const lac_model *model);

#ifdef __cplusplus
}
#endif

#endif
