/* Packets: payloads of 1 to 10 frames for networks that lose some of them. doc/rtp-payload.md is normative.
 *
 * A payload decodes by itself. Its tokens lie in layers of a few codebooks each, lowest first, and a payload may be
 * cut after any of them: routers need no decoder for that. Coarser copies of earlier frames ride along as the
 * sender wishes, so that a lost packet's frames come with a later one.
 *
 *     sender:    lac_encoder_write -> lac_packetizer_write -> RTP
 *     receiver:  RTP -> lac_receiver (lac/receiver.h), or
 *                RTP -> lac_depacketizer_put, lac_depacketizer_take -> lac_decoder_read
 *
 * Thread rule as for lac_encoder. No call but open and close allocates, locks or prints. */
#ifndef LAC_PACKET_H
#define LAC_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAC_PACKET_MAX_BYTES 1200     /* of a payload: fits every path's MTU with RTP, SRTP, UDP and IPv6 headers */
#define LAC_PACKET_MAX_FRAMES 10      /* new frames of a payload, and frames of one redundant block */
#define LAC_PACKET_MAX_REDUNDANCY 4   /* redundant blocks of a payload */
#define LAC_PACKET_MAX_AGE 63         /* frames from a redundant block's first frame to the first new one */
#define LAC_PACKET_MAX_LAYER 8        /* codebooks of a layer */

/* ---- one payload ---- */

/* Copies of earlier frames: `frames` of them, the first `age` frames before the payload's first new frame,
 * `codebooks` tokens of each. frames <= age. */
typedef struct lac_packet_block {
    uint8_t age, frames, codebooks;
} lac_packet_block;

/* What a payload holds. */
typedef struct lac_packet_info {
    uint8_t coding;           /* of the tokens: 0 = plain bits, 1 = by the model's prior */
    uint8_t comfort;          /* 1: its one frame is background noise, to be held until the next packet */
    uint8_t frames;           /* new frames, 1 .. LAC_PACKET_MAX_FRAMES */
    uint8_t codebooks;        /* of the new frames, as sent, 1 .. LAC_MAX_CODEBOOKS */
    uint8_t kept;             /* of these, how many are left after cuts */
    uint8_t layer;            /* codebooks of a layer, 1 .. LAC_PACKET_MAX_LAYER; the last may have fewer */
    uint8_t redundancy;       /* blocks in block[] that the payload still holds */
    lac_packet_block block[LAC_PACKET_MAX_REDUNDANCY];
} lac_packet_info;

/* Read and check a payload's structure; the tokens may have any values. token_bits as in lac_model_info, 1 .. 16.
 * LAC_ERROR_VERSION for another coding, LAC_ERROR_TRUNCATED if it ends before the first layer does or in the
 * middle of another or of a block (coded by a prior, what lies behind the sizes it states is not looked at),
 * LAC_ERROR_FORMAT for values out of range, padding bits that are not zero, bytes
 * after the last layer or more than LAC_PACKET_MAX_BYTES. */
LAC_API int lac_packet_parse(const void *payload, size_t size, uint32_t token_bits, lac_packet_info *info);

/* *kept = the most bytes of a payload, at most `limit`, that are a payload too: what a router sends on.
 * LAC_ERROR_SPACE if not even the first layer fits; errors of lac_packet_parse. */
LAC_API int lac_packet_cut(const void *payload, size_t size, uint32_t token_bits, size_t limit, size_t *kept);

/* ---- sending ---- */

typedef struct lac_packetizer lac_packetizer;

typedef struct lac_packetizer_settings {
    uint32_t frames;          /* new frames a packet, 1 .. LAC_PACKET_MAX_FRAMES */
    uint32_t layer;           /* codebooks of a layer, 1 .. LAC_PACKET_MAX_LAYER */
    uint32_t redundancy;      /* blocks, 0 .. LAC_PACKET_MAX_REDUNDANCY */
    lac_packet_block block[LAC_PACKET_MAX_REDUNDANCY]; /* frames before the stream's first are left out, under DTX
                                                          also inactive ones at a block's ends; codebooks, here
                                                          1 .. 32, are limited to those that all its frames have */
    uint32_t dtx;             /* 0 or 1. 1: of frames marked inactive only a description of their noise is sent, at
                                 once and then every comfort_frames */
    uint32_t comfort_frames;  /* 1 .. 500 */
    uint32_t coded;           /* 0 or 1. 1: packets of sound that get smaller by it are coded by the model's prior,
                                 if it has one (lac_model_info); only for a receiver that has stated the same
                                 prior */
} lac_packetizer_settings;

/* 1 frame a packet, layers of 2 codebooks, no redundancy, no DTX, comfort noise every 20 frames, plain bits. */
LAC_API void lac_packetizer_default_settings(lac_packetizer_settings *settings);

/* Set redundancy and block, for the `frames` that is set, to copies that take at most `bytes` a packet: of each of
 * the `packets` packets before (fewer if that is too many), the nearest with up to `codebooks` codebooks and the
 * older ones with fewer. token_bits as in lac_model_info. */
LAC_API void lac_packetizer_plan(lac_packetizer_settings *settings, uint32_t token_bits, uint32_t codebooks,
                                 uint32_t packets, uint32_t bytes);

/* What the packetizer gives: send it with RTP timestamp = random start + frame * frame_samples. */
typedef struct lac_packet {
    uint64_t frame;           /* index of its first new frame since the stream's start */
    uint32_t frames;          /* new frames */
    uint32_t size;            /* bytes of data */
    uint8_t marker;           /* 1: first packet of sound after comfort noise (RTP's marker bit) */
    uint8_t comfort;          /* 1: comfort noise */
    uint8_t data[LAC_PACKET_MAX_BYTES];
} lac_packet;

/* settings NULL means the defaults. LAC_ERROR_LIMIT if a payload of frames with all codebooks would exceed
 * LAC_PACKET_MAX_BYTES in plain bits. On success *packetizer is owned by the caller; the model must outlive it. */
LAC_API int lac_packetizer_open(lac_packetizer **packetizer, const lac_model *model,
                                const lac_packetizer_settings *settings);

/* Close and set *packetizer to NULL; NULL and pointers to NULL are accepted. */
LAC_API void lac_packetizer_close(lac_packetizer **packetizer);

/* Other settings from the next packet on. Frames that wait go with the next one, even if they are more than
 * `frames` now. Errors as open; then nothing changes. */
LAC_API int lac_packetizer_set(lac_packetizer *packetizer, const lac_packetizer_settings *settings);

/* Take the next frame: tokens [Q], of which `codebooks` (1 .. Q) count; active 0 if it holds background noise only
 * (lac/activity.h). *ready = 1 and *packet filled when a packet is complete, else *ready = 0 and *packet is
 * untouched. Frames of a packet are sent with the fewest codebooks that one of them has. Under DTX an inactive
 * frame that comes while others wait is sent with them at once; of those that follow only comfort noise is sent. */
LAC_API int lac_packetizer_write(lac_packetizer *packetizer, const uint16_t *tokens, uint32_t codebooks, int active,
                                 lac_packet *packet, int *ready);

/* The frames that wait, as a shorter packet. *ready = 0 if none do. */
LAC_API int lac_packetizer_flush(lac_packetizer *packetizer, lac_packet *packet, int *ready);

/* ---- receiving ---- */

typedef struct lac_depacketizer lac_depacketizer;

#define LAC_DEPACKETIZER_FRAMES 256   /* frames it holds from the next one on */

/* Where a frame's tokens come from. */
enum lac_frame_source {
    LAC_FRAME_LOST,      /* nowhere: codebooks is 0, the decoder conceals */
    LAC_FRAME_RECEIVED,  /* its own packet */
    LAC_FRAME_RECOVERED, /* a later packet's redundancy */
    LAC_FRAME_COMFORT    /* comfort noise, its description repeated */
};

LAC_API int lac_depacketizer_open(lac_depacketizer **depacketizer, const lac_model *model);

/* Close and set *depacketizer to NULL; NULL and pointers to NULL are accepted. */
LAC_API void lac_depacketizer_close(lac_depacketizer **depacketizer);

/* Take a payload whose first new frame has index `frame`. Of each frame the copy with most codebooks is kept, and
 * comfort noise before any other; frames before the next to be taken are ignored. But comfort noise that comes
 * late counts for the frames after it, if none of them was held when it was taken. *fresh (may be NULL): frames,
 * at or after the next, that it had nothing or less of before. On errors nothing is taken: LAC_ERROR_LIMIT if one
 * of its frames is LAC_DEPACKETIZER_FRAMES or more ahead; those of lac_packet_parse, LAC_ERROR_VERSION also for
 * a payload coded by a prior if the model has none; LAC_ERROR_MODEL_MISMATCH if a count or a token is beyond what
 * the model has, or a part's bytes are not what its prior codes. */
LAC_API int lac_depacketizer_put(lac_depacketizer *depacketizer, uint64_t frame, const void *payload, size_t size,
                                 uint32_t *fresh);

/* Index of the frame that take gives next: 0 after open. */
LAC_API uint64_t lac_depacketizer_next(const lac_depacketizer *depacketizer);

/* One past the newest frame held, or the next frame if none is: their difference is what is buffered. */
LAC_API uint64_t lac_depacketizer_end(const lac_depacketizer *depacketizer);

/* What take would give for frame `frame` (at or after next), without taking. */
LAC_API enum lac_frame_source lac_depacketizer_peek(const lac_depacketizer *depacketizer, uint64_t frame);

/* The next frame: tokens [Q] and *codebooks as lac_decoder_read takes them. A frame of which nothing is held is
 * COMFORT if the last one before it that was held is comfort noise, whose description is repeated; else it is
 * LOST. So the first frames of speech, if they are lost, are comfort noise too. */
LAC_API enum lac_frame_source lac_depacketizer_take(lac_depacketizer *depacketizer, uint16_t *tokens,
                                                    uint8_t *codebooks);

/* Go on at `frame`, before or after the next; all that is held is forgotten. */
LAC_API void lac_depacketizer_seek(lac_depacketizer *depacketizer, uint64_t frame);

#ifdef __cplusplus
}
#endif

#endif
