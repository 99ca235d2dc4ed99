/* A stream of random tokens, and what packets of it must give. No sound is coded here. */
#ifndef LAC_TESTS_PACKETSTREAM_H
#define LAC_TESTS_PACKETSTREAM_H

#include <string.h>

#include "fixture.h"
#include "lac/packet.h"
#include "weights.h"

#define STREAM 200 /* frames of a stream */

typedef struct stream {
    lac_model *model;
    uint32_t q, k;
    uint16_t *tokens;           /* [STREAM][Q] */
    uint8_t codebooks[STREAM];  /* Q */
    uint8_t active[STREAM];     /* 1 */
} stream;

static inline stream make_stream(random_source *r)
{
    stream s = {.model = open_tiny()};
    s.q = s.model->info.codebooks;
    s.k = s.model->info.codewords;
    s.tokens = test_alloc((size_t)STREAM * s.q, sizeof *s.tokens);
    for (size_t i = 0; i < (size_t)STREAM * s.q; i++)
        s.tokens[i] = (uint16_t)random_below(r, s.k);
    memset(s.codebooks, (int)s.q, STREAM);
    memset(s.active, 1, STREAM);
    return s;
}

static inline void end_stream(stream *s)
{
    free(s->tokens);
    lac_model_close(&s->model);
}

static inline lac_packetizer_settings settings_of(uint32_t frames, uint32_t layer)
{
    lac_packetizer_settings settings;
    lac_packetizer_default_settings(&settings);
    settings.frames = frames;
    settings.layer = layer;
    return settings;
}

/* All packets of a stream, [STREAM + 1]; returns how many. */
static inline size_t packetize(const stream *s, const lac_packetizer_settings *settings, lac_packet *packets)
{
    lac_packetizer *p = NULL;
    size_t n = 0;
    int ready;
    cr_assert_eq(lac_packetizer_open(&p, s->model, settings), 0);
    for (size_t i = 0; i < STREAM; i++) {
        const uint16_t *row = s->tokens + i * s->q;
        cr_assert_eq(lac_packetizer_write(p, row, s->codebooks[i], s->active[i], &packets[n], &ready), 0);
        n += (size_t)ready;
    }
    cr_assert_eq(lac_packetizer_flush(p, &packets[n], &ready), 0);
    n += (size_t)ready;
    lac_packetizer_close(&p);
    return n;
}

static inline lac_depacketizer *open_depacketizer(const stream *s)
{
    lac_depacketizer *d = NULL;
    cr_assert_eq(lac_depacketizer_open(&d, s->model), 0);
    cr_assert_eq(lac_depacketizer_next(d), 0);
    cr_assert_eq(lac_depacketizer_end(d), 0);
    return d;
}

/* Frames that were new to the depacketizer. */
static inline uint32_t put(lac_depacketizer *d, const lac_packet *p)
{
    uint32_t fresh = 1000;
    int status = lac_depacketizer_put(d, p->frame, p->data, p->size, &fresh);
    cr_assert_eq(status, 0, "%s", lac_status_string(status));
    return fresh;
}

/* The next frame is the stream's, with these codebooks; and peek knew. */
static inline void take(lac_depacketizer *d, const stream *s, enum lac_frame_source source, uint32_t codebooks)
{
    uint16_t tokens[LAC_MAX_CODEBOOKS];
    uint8_t got;
    uint64_t frame = lac_depacketizer_next(d);
    cr_assert_eq(lac_depacketizer_peek(d, frame), source, "frame %u", (unsigned)frame);
    cr_assert_eq(lac_depacketizer_take(d, tokens, &got), source, "frame %u", (unsigned)frame);
    cr_assert_eq(got, codebooks, "frame %u: %u codebooks", (unsigned)frame, got);
    cr_assert_eq(lac_depacketizer_next(d), frame + 1);
    for (uint32_t i = 0; i < s->q; i++)
        cr_assert_eq(tokens[i], i < codebooks ? s->tokens[frame % STREAM * s->q + i] : 0, "frame %u, codebook %u",
                     (unsigned)frame, i);
}

#endif
