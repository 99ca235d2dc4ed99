/* Model files (.lacm): parsing and full validation. doc/model-format.md is normative; the lists here drive it all. */
#ifndef LAC_CODEC_MODELFILE_H
#define LAC_CODEC_MODELFILE_H

#include <stddef.h>
#include <stdint.h>

#include "modelopen.h"
#include "weights.h"

#define LAC_MODEL_VERSION 1
#define LAC_MODEL_MAX_EXTENSIONS 16

extern const lac_embedded_model lac_embedded_models[]; /* the last has no name */

/* The architecture's scalars in file order: field, least, most. */
#define LAC_ARCH_SCALARS(X)           \
    X(bands, 2, LAC_MAX_BANDS)        \
    X(latent, 1, 64)                  \
    X(kernel, 1, 31)                  \
    X(codebooks, 1, LAC_MAX_CODEBOOKS) \
    X(codewords, 2, LAC_MAX_CODEWORDS) \
    X(expand_encoder_fine, 1, 8)      \
    X(expand_coarse, 1, 8)            \
    X(expand_decoder_fine, 1, 8)

/* Then its lists: each a count, 1 .. LAC_MAX_BLOCKS, and LAC_MAX_BLOCKS widths. */
#define LAC_ARCH_LISTS(X) \
    X(encoder_fine)       \
    X(encoder_coarse)     \
    X(decoder_coarse)     \
    X(decoder_fine)

/* The network's layers in file order; `a` is the lac_arch. FLOATS is a constant table, LINEAR a matrix product with
 * scale and bias, BLOCKS the blocks of a width list. A layer runs `rate` times a second of audio.
 *   FLOATS(side, field, rank, rows, columns)   LINEAR(side, field, in, out, rate)   BLOCKS(side, field, expand, rate) */
#define LAC_MODEL_LAYERS(FLOATS, LINEAR, BLOCKS)                                                              \
    FLOATS(encoder, window, 1, LAC_WINDOW, 1)                                                                 \
    FLOATS(encoder, long_window, 1, LAC_LONG_WINDOW, 1)                                                       \
    FLOATS(encoder, cosines, 2, LAC_PERIODIC_BINS, a->bands)                                                  \
    LINEAR(encoder, input, lac_features_width(a->bands), a->encoder_fine[0], LAC_RATE / LAC_HOP)              \
    BLOCKS(encoder, fine, a->expand_encoder_fine, LAC_RATE / LAC_HOP)                                         \
    LINEAR(encoder, downsample, 4 * a->encoder_fine[0], a->encoder_coarse[0], LAC_RATE / LAC_FRAME)           \
    BLOCKS(encoder, coarse, a->expand_coarse, LAC_RATE / LAC_FRAME)                                           \
    LINEAR(encoder, output, a->encoder_coarse[0], a->latent, LAC_RATE / LAC_FRAME)                            \
    FLOATS(decoder, window, 1, LAC_WINDOW, 1)                                                                 \
    LINEAR(decoder, input, 3 * a->latent, a->decoder_coarse[0], LAC_RATE / LAC_FRAME)                         \
    BLOCKS(decoder, coarse, a->expand_coarse, LAC_RATE / LAC_FRAME)                                           \
    LINEAR(decoder, upsample, a->decoder_coarse[0], 2 * a->decoder_fine[0], LAC_RATE / LAC_FRAME)             \
    BLOCKS(decoder, fine, a->expand_decoder_fine, LAC_RATE / LAC_HOP)                                         \
    LINEAR(decoder, output, a->decoder_fine[0], 5 * LAC_BINS + lac_voicing_width(a->bands), LAC_RATE / LAC_HOP)

/* The id that data[size] has if it is a model, of which little is checked: 0 or LAC_ERROR_FORMAT. */
int lac_modelfile_id(uint8_t id[LAC_MODEL_ID_SIZE], const uint8_t *data, size_t size);

/* Validate all of data[size] and fill every field of *model but what is worked out of the file, mapping and owned; its pointers lead into
 * data. Data must be aligned to LAC_ALIGN. Time is linear in size. 0, or LAC_ERROR_FORMAT, _VERSION, _CHECKSUM,
 * _TRUNCATED or _LIMIT, with *model undefined. */
int lac_modelfile_parse(lac_model *model, const uint8_t *data, size_t size);

#endif
