/* A moving window over an input, of bytes read once and in order, with the CRC-32C of any part of it at a cost that
 * does not grow with the part: running checksums are kept every LAC_WINDOW_STEP bytes. So a reader that looks for pages
 * in hostile input pays a bounded price for each byte. */
#ifndef LAC_CODEC_WINDOW_H
#define LAC_CODEC_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lac/stream.h"
#include "page.h"

#define LAC_WINDOW_SIZE 131072
#define LAC_WINDOW_STEP 64

typedef struct lac_window {
    lac_io io;
    uint8_t *data;    /* [LAC_WINDOW_SIZE] */
    uint32_t *checks; /* [LAC_WINDOW_SIZE / LAC_WINDOW_STEP + 1]: CRC of all bytes before each step */
    size_t start;     /* the cursor */
    size_t filled;
    size_t steps;     /* checks[0 .. steps] are right */
    uint64_t base;    /* position of data[0] in the input */
    bool ended;       /* the input gave its last byte */
    uint32_t power[16]; /* x^(8 * 2^k) modulo the polynomial */
} lac_window;

/* data and checks have been set, the rest is zero. */
void lac_window_init(lac_window *w, const lac_io *io);

/* Read until `size` <= LAC_WINDOW_SIZE - LAC_WINDOW_STEP bytes stand at the cursor or the input ends: 0 or
 * LAC_ERROR_IO. */
int lac_window_need(lac_window *w, size_t size);

/* Bytes that stand at the cursor. */
static inline size_t lac_window_count(const lac_window *w)
{
    return w->filled - w->start;
}

static inline const uint8_t *lac_window_at(const lac_window *w)
{
    return w->data + w->start;
}

static inline uint64_t lac_window_position(const lac_window *w)
{
    return w->base + w->start;
}

/* Move the cursor by at most the bytes that stand there. */
void lac_window_advance(lac_window *w, size_t size);

/* Move the cursor to a position in the input: 0, LAC_ERROR_NOT_SEEKABLE. */
int lac_window_seek(lac_window *w, uint64_t position);

/* CRC-32C of the `size` bytes at the cursor. */
uint32_t lac_window_crc(const lac_window *w, size_t size);

#endif
