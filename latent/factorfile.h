/* Files of factor models (.lacf): parsing and full validation. doc/factor-format.md is normative; the lists here
 * drive it all. */
#ifndef LAC_LATENT_FACTORFILE_H
#define LAC_LATENT_FACTORFILE_H

#include <stddef.h>
#include <stdint.h>

#include "factormodel.h"
#include "modelopen.h"
#include "tensortable.h"

#define LAC_FACTOR_VERSION 2
#define LAC_FACTOR_SAMPLING_VERSION 2 /* may have distributions to sample from */
#define LAC_FACTOR_MAX_AHEAD 64  /* frames */
#define LAC_FACTOR_MAX_STEPS 64
#define LAC_FACTOR_MAX_LEVELS 64 /* of a digit */
#define LAC_FACTOR_MAX_TOKENS 65536
#define LAC_FACTOR_MAX_PHONES 256
#define LAC_FACTOR_MAX_COMPONENTS 64 /* of a mixture */
#define LAC_FACTOR_MAX_RANK 256

extern const lac_embedded_model lac_embedded_factors[]; /* the last has no name */

/* The architecture's scalars in file order: field, least, most. */
#define LAC_FACTOR_SCALARS(X)                         \
    X(latent, 1, 64)                                  \
    X(content_stride, 1, 2)                           \
    X(content_ahead, 0, LAC_FACTOR_MAX_AHEAD)         \
    X(content_late, 1, LAC_MAX_BLOCKS)                \
    X(style_ahead, 0, LAC_FACTOR_MAX_AHEAD)           \
    X(generator_condition, 1, LAC_MODEL_MAX_WIDTH)    \
    X(generator_steps, 0, LAC_FACTOR_MAX_STEPS)       \
    X(generator_ahead, 0, LAC_FACTOR_MAX_AHEAD)       \
    X(phone_classes, 2, LAC_FACTOR_MAX_PHONES)

/* Then the trunks' shapes: width, expand, kernel, blocks each. */
#define LAC_FACTOR_SHAPES(X) \
    X(content)               \
    X(phones)                \
    X(speaker)               \
    X(surroundings)          \
    X(style)                 \
    X(generator)

/* Then the mixtures' shapes: components, rank each. In the file under "sampling.NAME": field, name, size. */
#define LAC_FACTOR_MIXTURES(X)                    \
    X(voices, "voices", LAC_VOICE_SIZE)           \
    X(places, "environment", LAC_ENVIRONMENT_SIZE) \
    X(lines, "channel", LAC_CHANNEL_SIZE)

#define LAC_FACTOR_TOKEN_RATE (LAC_FACTOR_RATE / a->content_stride)
#define LAC_FACTOR_FLOW_RATE (LAC_FACTOR_RATE * (a->generator_steps > 0 ? a->generator_steps : 1))

/* The networks' layers in file order; `a` is the lac_factor_arch. TRUNK is a network's input layer and its blocks,
 * LINEAR a matrix product with scale and bias, LINEARS the same of each of its trunk's blocks, BLOCKS further blocks
 * of its shape. A layer runs `rate` times a second of audio; 0: once for an utterance.
 *   TRUNK(net, inputs, rate)  LINEAR(net, field, in, out, rate)  LINEARS(net, field, in, out)
 *   BLOCKS(net, field, count, rate) */
#define LAC_FACTOR_LAYERS(TRUNK, LINEAR, LINEARS, BLOCKS)                                                \
    TRUNK(content, a->latent, LAC_FACTOR_RATE)                                                           \
    LINEAR(content, join, a->content_stride * a->content.width, a->content.width, LAC_FACTOR_TOKEN_RATE) \
    BLOCKS(content, late, a->content_late, LAC_FACTOR_TOKEN_RATE)                                        \
    LINEAR(content, output, a->content.width, a->dimensions, LAC_FACTOR_TOKEN_RATE)                      \
    TRUNK(phones, a->dimensions, LAC_FACTOR_TOKEN_RATE)                                                  \
    LINEAR(phones, output, a->phones.width, a->phone_classes, LAC_FACTOR_TOKEN_RATE)                     \
    TRUNK(speaker, a->latent, LAC_FACTOR_RATE)                                                           \
    LINEAR(speaker, weigh, a->speaker.width, 1, LAC_FACTOR_RATE)                                         \
    LINEAR(speaker, output, 2 * a->speaker.width, LAC_SPEAKER_SIZE, 0)                                   \
    TRUNK(surroundings, a->latent, LAC_FACTOR_RATE)                                                      \
    LINEAR(surroundings, weigh, a->surroundings.width, 1, LAC_FACTOR_RATE)                               \
    LINEAR(surroundings, environment, 2 * a->surroundings.width, LAC_ENVIRONMENT_SIZE, 0)                \
    LINEAR(surroundings, channel, 2 * a->surroundings.width, LAC_CHANNEL_SIZE, 0)                        \
    LINEAR(surroundings, environment_hidden, LAC_ENVIRONMENT_SIZE, LAC_HEAD_WIDTH, 0)                    \
    LINEAR(surroundings, environment_output, LAC_HEAD_WIDTH, LAC_ROOM_SIZE, 0)                           \
    LINEAR(surroundings, channel_hidden, LAC_CHANNEL_SIZE, LAC_HEAD_WIDTH, 0)                            \
    LINEAR(surroundings, channel_output, LAC_HEAD_WIDTH, LAC_LINE_SIZE, 0)                               \
    TRUNK(style, a->latent, LAC_FACTOR_RATE)                                                             \
    LINEAR(style, output, a->style.width, 2 + LAC_PITCH_CLASSES, LAC_FACTOR_RATE)                        \
    LINEAR(generator, about, LAC_GENERATOR_ABOUT, a->generator_condition, 0)                             \
    LINEARS(generator, modulate, a->generator_condition, 2 * a->generator.width)                         \
    TRUNK(generator, lac_generator_inputs(a), LAC_FACTOR_FLOW_RATE)                                      \
    LINEAR(generator, output, a->generator.width, a->latent, LAC_FACTOR_FLOW_RATE)

/* Validate all of data[size] and fill every field of *model but memory, kernels, mapping and owned; its pointers
 * lead into data, which must be aligned to LAC_ALIGN. Time is linear in size. 0, or LAC_ERROR_FORMAT, _VERSION,
 * _CHECKSUM, _TRUNCATED or _LIMIT, with *model undefined. */
int lac_factorfile_parse(lac_factor_model *model, const uint8_t *data, size_t size);

#endif
