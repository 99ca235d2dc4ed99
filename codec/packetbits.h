/* The bits of a payload, doc/rtp-payload.md. Pure functions over bytes. */
#ifndef LAC_CODEC_PACKETBITS_H
#define LAC_CODEC_PACKETBITS_H

#include "lac/packet.h"

#define LAC_PACKET_PART_TOKENS (LAC_PACKET_MAX_FRAMES * LAC_MAX_CODEBOOKS)
#define LAC_PACKET_MAX_CODED 255 /* bytes of a part coded by a prior, but the last possible one */

enum { LAC_PACKET_PLAIN, LAC_PACKET_PRIOR, LAC_PACKET_CODINGS };

/* A layer of the new frames, or a redundant block: tokens [frames][count]. */
typedef struct lac_packet_part {
    uint32_t age;           /* frames from its first frame to the first new one: 0 for a layer */
    uint32_t frames;
    uint32_t first, count;  /* codebooks `first` .. `first` + count - 1 */
} lac_packet_part;

/* Bytes before the parts, and how many parts there are. `sent`: the payload before any cut. */
size_t lac_packet_head_bytes(const lac_packet_info *sent);
uint32_t lac_packet_parts(const lac_packet_info *sent);

/* Part i in the order of the payload: layer 1, blocks, layers 2, 3, ... */
lac_packet_part lac_packet_get_part(const lac_packet_info *sent, uint32_t i);

/* Of a part in plain bits, padded to whole bytes. */
size_t lac_packet_part_bytes(const lac_packet_part *part, uint32_t token_bits);

/* The whole payload that `sent` describes, in plain bits. */
size_t lac_packet_bytes(const lac_packet_info *sent, uint32_t token_bits);

/* Bytes of part i, whatever the coding, and in *at, which was where part i - 1 or the head ends, where they begin.
 * They may be more than there are; 0: there are none. */
size_t lac_packet_find_part(const lac_packet_info *sent, uint32_t token_bits, const uint8_t *payload, size_t size,
                            uint32_t i, size_t *at);

/* As lac_packet_parse, but *sent is the payload before any cut and *parts how many are left; LAC_ERROR_VERSION for
 * `codings` and those above. */
int lac_packet_read(const uint8_t *payload, size_t size, uint32_t token_bits, uint32_t codings,
                    lac_packet_info *sent, uint32_t *parts);

/* What lac_packet_parse gives of it. */
void lac_packet_get_info(const lac_packet_info *sent, uint32_t parts, lac_packet_info *info);

/* lac_depacketizer_put in two steps. The first has the errors that don't depend on the frame, and *info as
 * lac_packet_parse gives it; the second takes what the first has read. */
int lac_depacketizer_read(lac_depacketizer *d, const void *payload, size_t size, lac_packet_info *info);
int lac_depacketizer_keep(lac_depacketizer *d, uint64_t frame, uint32_t *fresh);

/* Writes lac_packet_head_bytes(sent). */
void lac_packet_write_head(uint8_t *out, const lac_packet_info *sent);

/* n tokens below 2^bits, most significant bit first; unused bits of the last byte are zero. */
void lac_packet_pack(uint8_t *out, const uint16_t *tokens, size_t n, uint32_t bits);
void lac_packet_unpack(uint16_t *tokens, size_t n, const uint8_t *in, uint32_t bits);

#endif
