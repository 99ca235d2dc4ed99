/* A file in memory behind lac_io, with faults to inject, and .lac files written to and read from it. */
#ifndef LAC_TESTS_MEMFILE_H
#define LAC_TESTS_MEMFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lac/stream.h"

typedef struct memfile {
    uint8_t *data;
    size_t size, capacity, at;
    size_t piece;         /* bytes a read gives at most, 0 for any */
    uint64_t fail_at;     /* reads and writes that reach this byte fail, 0 for none */
    uint64_t bytes_read;
} memfile;

static inline int64_t memfile_read(void *user, void *data, size_t size)
{
    memfile *f = user;
    size_t n = f->size - f->at < size ? f->size - f->at : size;
    if (f->piece > 0 && n > f->piece)
        n = f->piece;
    if (f->fail_at > 0 && f->at + n >= f->fail_at)
        return -1;
    if (n > 0)
        memcpy(data, f->data + f->at, n);
    f->at += n;
    f->bytes_read += n;
    return (int64_t)n;
}

static inline int memfile_write(void *user, const void *data, size_t size)
{
    memfile *f = user;
    if (f->fail_at > 0 && f->size + size >= f->fail_at)
        return -1;
    if (size == 0)
        return 0;
    if (f->size + size > f->capacity) {
        f->capacity = 2 * (f->size + size);
        f->data = realloc(f->data, f->capacity);
        if (!f->data)
            abort();
    }
    memcpy(f->data + f->size, data, size);
    f->size += size;
    return 0;
}

static inline int memfile_seek(void *user, uint64_t position)
{
    memfile *f = user;
    if (position > f->size)
        return -1;
    f->at = (size_t)position;
    return 0;
}

static inline int64_t memfile_size(void *user)
{
    return (int64_t)((memfile *)user)->size;
}

static inline lac_io memfile_io(memfile *f, bool can_seek)
{
    lac_io io = {f, memfile_read, memfile_write, can_seek ? memfile_seek : NULL, can_seek ? memfile_size : NULL};
    f->at = 0;
    return io;
}

static inline void memfile_free(memfile *f)
{
    free(f->data);
    memset(f, 0, sizeof *f);
}

/* Decoded sound with everything that is known at the end. */
typedef struct decoded {
    float *pcm;
    size_t frames;          /* sample frames */
    lac_stream_info info;
    int status;             /* of the first call that failed, or 0 */
} decoded;

/* Open, start, read all in pieces of `piece` sample frames; at most `limit` sample frames. */
static inline decoded memfile_decode(memfile *f, const lac_model *model, bool can_seek, size_t piece, size_t limit)
{
    decoded d = {NULL, 0, {0}, 0};
    lac_reader *r = NULL;
    lac_io io = memfile_io(f, can_seek);
    size_t capacity = 0;
    d.status = lac_reader_open(&r, &io);
    if (d.status == 0)
        d.status = lac_reader_start(r, model, 1);
    for (size_t got = 1; d.status == 0 && got > 0 && d.frames < limit;) {
        lac_reader_get_info(r, &d.info);
        if (capacity < d.frames + piece) {
            capacity = 2 * (d.frames + piece);
            d.pcm = realloc(d.pcm, capacity * d.info.channels * sizeof(float));
            if (!d.pcm)
                abort();
        }
        d.status = lac_reader_read(r, d.pcm + d.frames * d.info.channels, piece, &got);
        d.frames += d.status == 0 ? got : 0;
    }
    if (r)
        lac_reader_get_info(r, &d.info);
    lac_reader_close(&r);
    return d;
}

/* What lac_reader_open or else lac_reader_verify gives. */
static inline int memfile_verify(memfile *f, bool can_seek, lac_stream_info *info)
{
    lac_reader *r = NULL;
    lac_io io = memfile_io(f, can_seek);
    int status = lac_reader_open(&r, &io);
    memset(info, 0, sizeof *info);
    if (status == 0) {
        status = lac_reader_verify(r);
        lac_reader_get_info(r, info);
    }
    lac_reader_close(&r);
    return status;
}

#endif
