/* State of a lac_reader, shared by reader.c (bytes), readaudio.c (sound) and readtokens.c (tokens). */
#ifndef LAC_CODEC_READER_H
#define LAC_CODEC_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "lac/decoder.h"
#include "lac/stream.h"
#include "page.h"
#include "pagecoding.h"
#include "scan.h"
#include "window.h"
#include "workspace.h"

enum lac_reader_gives { LAC_READER_GIVES_ANY, LAC_READER_GIVES_SOUND, LAC_READER_GIVES_TOKENS };

/* Of decoding; frames and samples count from the stream's start. */
typedef struct lac_reader_audio {
    lac_workspace memory;
    lac_model_info model;
    lac_decoder *decoder[LAC_MAX_CHANNELS];
    float *pcm[LAC_MAX_CHANNELS];        /* [LAC_PAGE_FRAMES * frame_samples], what was decoded last */
    uint16_t *tokens[LAC_MAX_CHANNELS];  /* [LAC_PAGE_FRAMES][Q] */
    lac_pagecoding coding;
    size_t pcm_count, pcm_used;          /* samples of pcm that are there, and that are delivered or dropped */
    uint64_t frame;                      /* next frame to decode */
    uint64_t audible;                    /* frames before are decoded for the state only; a multiple of a page */
    uint64_t drop;                       /* samples to drop before the next delivered one */
    uint64_t position;                   /* of the next delivered sample */
    uint64_t limit;                      /* samples in all, UINT64_MAX while unknown */
    enum lac_reader_gives gives;         /* what it was asked for first; of tokens, only the following and frame count */
    uint8_t codebooks[LAC_PAGE_FRAMES];  /* of the frames in tokens */
    size_t token_count, token_used;      /* frames in tokens, and those of them that are delivered or dropped */
} lac_reader_audio;

struct lac_reader {
    lac_workspace memory;
    lac_window window;
    lac_stream_format format;
    uint64_t first_page;   /* byte offset of page 0 */
    uint8_t *tags;         /* the tag block, from lac_alloc */
    size_t tag_bytes, tag_count;
    bool can_seek;
    bool located;          /* the end page was found from the input's end and stands where it says: its runs hold */
    lac_scan scan;
    lac_item ahead;        /* the next page, at the window's cursor, if has_ahead */
    bool has_ahead;
    uint64_t seen;         /* what starts before this offset was counted in info already */
    uint64_t rejected;     /* likewise for lac_reader_reject_page */
    bool met_page;
    lac_stream_info info;
    bool started;
    bool has_read;         /* the input was moved through and can't be read from its start any more */
    lac_reader_audio audio;
};

/* Find the next page unless it is there already, and count what is new in info. */
int lac_reader_fetch(lac_reader *r);

/* Go past the page that is ahead. */
void lac_reader_consume(lac_reader *r);

/* Continue at a page that starts at `offset` and is not before `frame`. */
int lac_reader_jump(lac_reader *r, uint64_t offset, uint64_t frame);

/* The page ahead turned out unusable after all: count it damaged, once. */
void lac_reader_reject_page(lac_reader *r);

/* The end page contradicts the model: go on as if there were none. */
void lac_reader_reject_end(lac_reader *r);

/* lac_reader_fetch, and take the totals once they are known. */
int lac_reader_fetch_audio(lac_reader *r);

/* First frame of what is ahead; past the last sound page, if the total is unknown, audio.frame. */
uint64_t lac_reader_ahead(const lac_reader *r);

/* Unpack the page ahead to audio.tokens and go past it. LAC_ERROR_FORMAT: all its frames are lost, which is counted. */
int lac_reader_unpack(lac_reader *r, lac_page *page);

/* Byte offset of the last page not after `page` that the seek table knows, and that page's number. */
uint64_t lac_reader_look_up(const lac_reader *r, uint64_t page, uint64_t *found);

void lac_reader_audio_close(lac_reader_audio *a);

#endif
