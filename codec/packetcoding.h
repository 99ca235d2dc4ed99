/* Tokens of a part of a payload to bytes and back, in every coding of doc/rtp-payload.md. */
#ifndef LAC_CODEC_PACKETCODING_H
#define LAC_CODEC_PACKETCODING_H

#include <stdbool.h>

#include "packetbits.h"

/* rows: of each of the part's frames the codebooks of the model, [frames][Q], those below the part's given. Coded
 * by the prior, the lower ones serve to predict: a part needs no part above it. The model has as many codebooks, and
 * a prior if the coding is LAC_PACKET_PRIOR. */

/* Bytes written to out, 0 if they are more than capacity. rows stays as it is. */
size_t lac_packetcoding_write(const lac_model *model, uint32_t coding, const lac_packet_part *part, uint16_t *rows,
                              uint8_t *out, size_t capacity);

/* False: these are not the bytes of tokens of the model. The time depends on the part alone. */
bool lac_packetcoding_read(const lac_model *model, uint32_t coding, const lac_packet_part *part, uint16_t *rows,
                           const uint8_t *in, size_t size);

#endif
