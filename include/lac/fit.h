/* Fitting quantisers to latents, without PyTorch: codebooks of vector and residual vector quantisers, the maps of
 * residual finite scalar quantisers (FSQ, arXiv 2309.15505), and levels of one dimension.
 *
 * Codebooks start where k-means++ puts them (Arthur and Vassilvitskii 2007), or at given ones, and are refined by
 * Lloyd's iterations over all rows, or by exponential moving averages over batches (VQ-VAE, arXiv 1711.00937,
 * appendix A.1); codewords that nothing uses are put where the error is. A residual quantiser (SoundStream, arXiv
 * 2107.03312) is fitted stage by stage, to what a beam search leaves as FAISS does or to what greedy search leaves;
 * then, if asked, all stages together on what a beam search assigns.
 *
 * The maps of a scalar quantiser are fitted stage by stage to what greedy search leaves, by passes of Lloyd's for
 * a lattice: `back` and `bias` by least squares, then `into` and thresholds so that a row gets the levels to which
 * least squares would round. They start as given, or along the axes of largest variance.
 *
 *     lac_fit_open(&fit, &settings, NULL);
 *     while there are latents: lac_fit_add(fit, latents, rows);
 *     while (lac_fit_done(fit) < lac_fit_steps(fit)) lac_fit_step(fit);
 *     lac_fit_get_codes(fit)
 *
 * Latents are rows of D int16 in -4095 .. 4095, fixed point: the caller knows the scale (a Lac model's one is 512).
 * All that decides a codeword is integers, and a map exact sums and double in one order: a result is a function
 * of settings, start, rows and their order, the same on every machine and for any number of threads and any
 * chunking. A lac_fit is used by one thread at a time; calls are independent of each other. Only open, load and
 * lac_fit_lloyd_max allocate. */
#ifndef LAC_FIT_H
#define LAC_FIT_H

#include <stddef.h>
#include <stdint.h>

#include "lac/export.h"
#include "lac/model.h"
#include "lac/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAC_FIT_MAX_VALUE 4095
#define LAC_FIT_MAX_DIMENSION 64
#define LAC_FIT_MAX_CODEWORDS 4096
#define LAC_FIT_MAX_ROWS (1u << 21)  /* kept: 11 hours at 50 a second */
#define LAC_FIT_MAX_BATCH 65536
#define LAC_FIT_MAX_LEVELS 12         /* dimensions of a scalar quantiser */
#define LAC_FIT_LATENT_ONE 512       /* fixed-point one of a Lac model's latents */

typedef struct lac_fit lac_fit;

enum lac_fit_method {
    LAC_FIT_LLOYD = 0,
    LAC_FIT_EMA = 1,
    LAC_FIT_FSQ = 2
};

typedef struct lac_fit_settings {
    uint32_t stages;       /* Q, 1 .. LAC_MAX_CODEBOOKS; 1 is a plain vector quantiser */
    uint32_t codewords;    /* K, 2 .. LAC_FIT_MAX_CODEWORDS */
    uint32_t dimension;    /* D, 1 .. LAC_FIT_MAX_DIMENSION */
    uint32_t method;       /* of enum lac_fit_method */
    uint32_t iterations;   /* passes over the rows for each stage, 0 .. 1000 */
    uint32_t spread;       /* each stage is fitted to what the best so many choices of the stages below leave of a
                              row, 1 .. LAC_MAX_BEAM and at most K. More take time, and less is learnt by heart */
    uint32_t refinements;  /* passes over all stages together after that, 0 .. 1000 */
    uint32_t beam;         /* of the search in these, 1 .. LAC_MAX_BEAM */
    uint32_t layered;      /* 1: they serve every number of stages alike; 0: all Q stages in use */
    uint32_t prior;        /* rows that a codeword of the start counts as, 0 .. 2^20; without a start, no effect */
    uint32_t batch;        /* LAC_FIT_EMA: rows a batch, 1 .. LAC_FIT_MAX_BATCH */
    uint32_t decay;        /* LAC_FIT_EMA: what a batch leaves of the averages, in 1 / 65536, 1 .. 65535 */
    uint32_t rows;         /* most that are kept, 1 .. LAC_FIT_MAX_ROWS: of more, a random sample, all equally
                              likely */
    uint32_t threads;      /* OpenMP threads, 1 .. 256 */
    uint64_t seed;
    uint8_t levels[LAC_FIT_MAX_LEVELS]; /* LAC_FIT_FSQ: of each dimension, 2 .. 64, then zeros. Codewords are their
                              product, spread is 1, refinements 0; a start counts as `prior` rows for each level,
                              at least as one */
} lac_fit_settings;

/* A scalar quantiser of d dimensions with at most S + 1 levels; doc/model-format.md, quantiser 2. */
typedef struct lac_fit_maps {
    const int16_t *into;       /* [Q][d][D] */
    const int32_t *thresholds; /* [Q][d][S], 2^20 times those of a model file */
    const int16_t *back;       /* [Q][d][D] */
    const int16_t *bias;       /* [Q][D] */
} lac_fit_maps;

/* How well rows are quantised when each stage takes the nearest codeword. */
typedef struct lac_fit_stage {
    double distortion; /* mean squared error of an element, in units of the latents, after this stage */
    double entropy;    /* of this stage's tokens, bits */
    double perplexity; /* 2^entropy */
    uint32_t used;     /* codewords that any row takes */
} lac_fit_stage;

typedef struct lac_fit_report {
    uint64_t rows;
    double variance; /* mean square of an element before any stage */
    uint32_t stages;
    lac_fit_stage stage[LAC_MAX_CODEBOOKS];
} lac_fit_report;

/* 8 stages of 1024 codewords of 64 elements; Lloyd, 10 iterations, spread 1, no refinements (beam 8, layered),
 * prior 60; batches of 4096, decay 64880 (0.99); 2^18 rows, 1 thread, seed 1. */
LAC_API void lac_fit_default_settings(lac_fit_settings *settings);

/* start [Q][K][D], copied, or NULL: k-means++; LAC_FIT_FSQ: NULL. On success *fit is owned by the caller.
 * LAC_ERROR_ARGUMENT if a setting or a value of the start is out of range. */
LAC_API int lac_fit_open(lac_fit **fit, const lac_fit_settings *settings, const int16_t *start);

/* The same with LAC_FIT_FSQ and a start, copied. */
LAC_API int lac_fit_open_maps(lac_fit **fit, const lac_fit_settings *settings, const lac_fit_maps *start);

/* Close and set *fit to NULL; NULL and pointers to NULL are accepted. */
LAC_API void lac_fit_close(lac_fit **fit);

LAC_API void lac_fit_get_settings(const lac_fit *fit, lac_fit_settings *settings);

/* Take latents [rows][D]. LAC_ERROR_ARGUMENT, with nothing taken, if a value is out of range; LAC_ERROR_STATE once
 * a step has been done. */
LAC_API int lac_fit_add(lac_fit *fit, const int16_t *latents, size_t rows);

/* The same from float: times `one`, halves rounded away from zero, clamped. LAC_ERROR_ARGUMENT also for a NaN or an
 * infinity, or if `one` is not finite and positive. */
LAC_API int lac_fit_add_float(lac_fit *fit, const float *latents, size_t rows, float one);

/* Rows taken, and of these the ones kept. */
LAC_API uint64_t lac_fit_seen(const lac_fit *fit);
LAC_API uint32_t lac_fit_kept(const lac_fit *fit);

/* Steps of the whole fit, and those done. A step is one pass over the rows. */
LAC_API uint32_t lac_fit_steps(const lac_fit *fit);
LAC_API uint32_t lac_fit_done(const lac_fit *fit);

/* Do the next step; none is left: success. LAC_ERROR_STATE if there are too few rows: none, or without a start
 * fewer than codewords (LAC_FIT_FSQ: none). */
LAC_API int lac_fit_step(lac_fit *fit);

/* The codewords [Q][K][D] as they stand; those of stages not begun are the start's, or zero. Valid until close,
 * changed by steps. NULL with LAC_FIT_FSQ. */
LAC_API const int16_t *lac_fit_get_codes(const lac_fit *fit);

/* The same with LAC_FIT_FSQ; else LAC_ERROR_ARGUMENT. */
LAC_API int lac_fit_get_maps(const lac_fit *fit, lac_fit_maps *maps);

/* latents [rows][D] -> tokens [rows][Q] with the codewords as they stand, `stages` of each row, 1 .. Q, zeros
 * behind; beam 1 .. LAC_MAX_BEAM, 1 is greedy. LAC_ERROR_ARGUMENT also for latents out of range. */
LAC_API int lac_fit_encode(const lac_fit *fit, const int16_t *latents, size_t rows, uint32_t stages, uint32_t beam,
                           uint16_t *tokens);

/* tokens [rows][Q] -> latents [rows][D], the sum of the first `stages` codewords, clamped. LAC_ERROR_ARGUMENT if a
 * token is none. */
LAC_API int lac_fit_decode(const lac_fit *fit, const uint16_t *tokens, size_t rows, uint32_t stages,
                           int16_t *latents);

/* How the codewords as they stand quantise latents [rows][D]; NULL: the rows kept. The sums are exact; the
 * logarithms of the report are float. */
LAC_API int lac_fit_measure(lac_fit *fit, const int16_t *latents, size_t rows, lac_fit_report *report);

/* Write all there is, so that load goes on to the same result; doc/fitting.md has the format. Calls io->write. */
LAC_API int lac_fit_save(const lac_fit *fit, const lac_io *io);

/* What save wrote, to the last byte of io, with `threads` threads. Calls io->read. On success *fit is owned by the
 * caller. LAC_ERROR_FORMAT, _VERSION, _TRUNCATED, _CHECKSUM, _IO, _MEMORY; any bytes give one of these or a sound
 * object. */
LAC_API int lac_fit_load(lac_fit **fit, const lac_io *io, uint32_t threads);

/* Lloyd-Max quantiser of one dimension (Lloyd 1957, Max 1960) of points with weights, by exact iterations.
 *   points   [count], ascending, finite; count >= 1
 *   weights  [count], finite, none negative, not all zero; NULL: all 1. A density is its values on a fine grid
 *   levels   1 .. 65536; to [levels], ascending
 *   error    mean squared error, or NULL
 * LAC_ERROR_ARGUMENT if any of that is not so. */
LAC_API int lac_fit_lloyd_max(const float *points, const float *weights, size_t count, uint32_t levels, float *to,
                              double *error);

/* The codewords [Q][K][D] that a model has, valid while it is open; NULL if its quantiser has none. */
LAC_API const int16_t *lac_fit_model_codes(const lac_model *model);

/* The maps that a model has, valid while it is open, and their levels, then zeros. LAC_ERROR_ARGUMENT if its
 * quantiser has none. */
LAC_API int lac_fit_model_maps(const lac_model *model, lac_fit_maps *maps, uint8_t levels[LAC_FIT_MAX_LEVELS]);

/* A model file with other codebooks: that of `model` with `name` (1 to 63 bytes 0x21 .. 0x7e without '/'), and
 * codes [Q][K][D] instead of its own. The predictor of lost frames and the metric of the search stay; other
 * extensions, which speak of the old tokens, go. Calls io->write. LAC_ERROR_ARGUMENT if name, sizes or values are
 * out of range; D is the model's. */
LAC_API int lac_fit_write_model(const lac_model *model, const char *name, uint32_t codebooks, uint32_t codewords,
                                const int16_t *codes, const lac_io *io);

/* The same with a scalar quantiser, which has no metric. Thresholds, never descending, at most 1000 * 2^20 in size,
 * are rounded to float, which changes none that a fit gives; those that a dimension doesn't use are 0. */
LAC_API int lac_fit_write_maps(const lac_model *model, const char *name, uint32_t codebooks,
                               const uint8_t levels[LAC_FIT_MAX_LEVELS], const lac_fit_maps *maps,
                               const lac_io *io);

#ifdef __cplusplus
}
#endif

#endif
