/* State of a lac_writer, shared by writer.c (sound), writerate.c (its average rate) and writetokens.c (tokens). */
#ifndef LAC_CODEC_WRITER_H
#define LAC_CODEC_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "lac/decoder.h"
#include "lac/encoder.h"
#include "average.h"
#include "lac/stream.h"
#include "page.h"
#include "pagecoding.h"
#include "workspace.h"

#define LAC_WRITER_PENDING (4 * LAC_PAGE_FRAMES) /* a page less one, a block, and what flush may add to both */

enum lac_writer_state { LAC_WRITER_OPEN, LAC_WRITER_FINISHED, LAC_WRITER_FAILED };

struct lac_writer {
    lac_workspace memory;
    lac_io io;
    lac_model_info model;
    lac_stream_format format;
    enum lac_writer_state state;
    bool takes_tokens;                      /* not sound, which the encoders are for */
    lac_encoder *encoder[LAC_MAX_CHANNELS];
    lac_decoder *tracker[LAC_MAX_CHANNELS]; /* follows what a decoder will do, to learn its pulse phase */
    float *staging[LAC_MAX_CHANNELS];       /* [LAC_PAGE_FRAMES * frame_samples] */
    size_t room;                            /* most frames that are pending */
    uint16_t *tokens[LAC_MAX_CHANNELS];     /* [room][Q] */
    uint8_t *codebooks;                     /* [room], of the pending frames */
    uint32_t current_codebooks;
    uint32_t threads, beam;
    uint32_t bitrate;                       /* average, bits a second and channel, or 0: codebooks are as told */
    lac_average average;                    /* with it: latents and levels of the pending frames */
    int64_t carry;                          /* bits left by the windows before */
    uint32_t ratio;                         /* of coded to plain bits, of the last window */
    uint32_t page_coding;                   /* LAC_PAGE_... */
    lac_pagecoding coding;
    size_t staged;                          /* samples a channel in staging */
    size_t pending;                         /* frames in tokens */
    uint64_t samples, frames, bytes;        /* taken at the model's rate; in pages; written */
    uint32_t pages, header_size;
    uint64_t payload_bits, plain_bits, adaptive_pages, prior_pages;
    uint32_t min_codebooks, max_codebooks;
    lac_run *runs;                          /* [LAC_END_MAX_RUNS] */
    uint32_t run_count, last_size;          /* last_size: of the last page, not in a run yet */
    bool runs_full;
    uint8_t *page, *coded;                  /* [LAC_PAGE_MAX]; a page as plain bits, and coded */
    uint64_t finished_samples;
};

/* Write the first `frames` pending frames as a page. */
int lac_writer_put_page(lac_writer *w, size_t frames);

/* Before the first window, and with a window full or the last frames pending: give them codebooks and write them all. */
void lac_writer_begin_average(lac_writer *w);
int lac_writer_settle(lac_writer *w);

/* Latent frames of `samples` samples at the model's rate. */
uint64_t lac_writer_frames(const lac_writer *w, uint64_t samples);

#endif
