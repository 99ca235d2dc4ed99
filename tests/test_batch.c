#include <criterion/criterion.h>
#include <string.h>

#include "fixture.h"
#include "lac/batch.h"
#include "weights.h"
#include "workspace.h"

TestSuite(batch, .timeout = 3000);

#define STREAMS 9
#define STEPS 14
#define PIECE 700 /* most samples taken at once */
#define PCM (STEPS * LAC_FRAME + 1000)

/* Streams twice: `many` go through batches, `alone` do the same by themselves. */
typedef struct bench {
    lac_model *model;
    random_source random;
    size_t q;
    float *sound; /* [PCM] */
    lac_encoder *many_e[STREAMS], *alone_e[STREAMS];
    lac_decoder *many_d[STREAMS], *alone_d[STREAMS];
} bench;

static lac_batch *open_batch(const lac_model *m, uint32_t streams, uint32_t threads)
{
    lac_batch *b = NULL;
    cr_assert_eq(lac_batch_open(&b, m, &(lac_batch_settings){streams, threads}), 0);
    return b;
}

/* Some of the streams have blocks and threads of their own, which a batch leaves aside, and beams. */
static bench make_bench(void)
{
    bench b = {.model = open_tiny(), .random = random_start()};
    b.q = b.model->arch.codebooks;
    b.sound = test_alloc(PCM, sizeof(float));
    generate_sound(b.sound, PCM);
    for (uint32_t i = 0; i < STREAMS; i++) {
        lac_encoder_settings e = {.codebooks = i % 4, .block_frames = 1 + i % 3, .threads = 1 + i % 2,
                                  .beam = i % 5 * 4};
        lac_decoder_settings d = {.block_frames = 1 + i % 3, .threads = 1 + i % 2};
        cr_assert_eq(lac_encoder_open(&b.many_e[i], b.model, &e), 0);
        cr_assert_eq(lac_encoder_open(&b.alone_e[i], b.model, &e), 0);
        cr_assert_eq(lac_decoder_open(&b.many_d[i], b.model, &d), 0);
        cr_assert_eq(lac_decoder_open(&b.alone_d[i], b.model, &d), 0);
    }
    return b;
}

static void end_bench(bench *b)
{
    for (size_t i = 0; i < STREAMS; i++) {
        lac_encoder_close(&b->many_e[i]);
        lac_encoder_close(&b->alone_e[i]);
        lac_decoder_close(&b->many_d[i]);
        lac_decoder_close(&b->alone_d[i]);
    }
    free(b->sound);
    lac_model_close(&b->model);
}

/* A random choice of n different streams to pick [n]. */
static void pick_streams(bench *b, size_t n, size_t *pick)
{
    size_t all[STREAMS];
    for (size_t i = 0; i < STREAMS; i++)
        all[i] = i;
    for (size_t i = 0; i < n; i++) {
        size_t j = i + random_below(&b->random, (uint32_t)(STREAMS - i)), chosen = all[j];
        all[j] = all[i];
        pick[i] = all[i] = chosen;
    }
}

/* [PIECE] */
static const float *any_sound(bench *b)
{
    return b->sound + random_below(&b->random, PCM - PIECE);
}

static void encode_and_compare(bench *b, lac_batch *batch, size_t n)
{
    size_t pick[STREAMS], frames;
    lac_encoder *encoders[STREAMS];
    const float *pcm[STREAMS];
    uint16_t *got = test_alloc(n * b->q, sizeof(uint16_t)), *want = test_alloc(b->q, sizeof(uint16_t));
    memset(got, 0xff, n * b->q * sizeof(uint16_t));
    pick_streams(b, n, pick);
    for (size_t i = 0; i < n; i++) {
        encoders[i] = b->many_e[pick[i]];
        pcm[i] = any_sound(b);
    }
    cr_assert_eq(lac_batch_encode(batch, encoders, pcm, n, got), 0);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(lac_encoder_write(b->alone_e[pick[i]], pcm[i], LAC_FRAME, want, 1, &frames), 0);
        cr_assert_eq(frames, 1);
        cr_assert_arr_eq(got + i * b->q, want, b->q * sizeof(uint16_t), "%zu of %zu, stream %zu", i, n, pick[i]);
    }
    free(got);
    free(want);
}

/* What both of a stream's encoders do between batches. */
static void disturb_encoder(bench *b, size_t i)
{
    uint16_t one[4 * LAC_MAX_CODEBOOKS], other[4 * LAC_MAX_CODEBOOKS];
    size_t samples = random_below(&b->random, PIECE), frames, same;
    uint32_t codebooks = 1 + random_below(&b->random, (uint32_t)b->q);
    const float *pcm = any_sound(b);
    switch (random_below(&b->random, 4)) {
    case 0:
        cr_assert_eq(lac_encoder_write(b->many_e[i], pcm, samples, one, 4, &frames), 0);
        cr_assert_eq(lac_encoder_write(b->alone_e[i], pcm, samples, other, 4, &same), 0);
        cr_assert_eq(frames, same);
        cr_assert_arr_eq(one, other, frames * b->q * sizeof *one);
        break;
    case 1:
        lac_encoder_set_codebooks(b->many_e[i], codebooks);
        lac_encoder_set_codebooks(b->alone_e[i], codebooks);
        break;
    case 2:
        lac_encoder_reset(b->many_e[i]);
        lac_encoder_reset(b->alone_e[i]);
        break;
    }
}

Test(batch, encoders_give_what_they_give_alone)
{
    bench b = make_bench();
    for (uint32_t threads = 1; threads <= 3; threads++) {
        lac_batch *batch = open_batch(b.model, STREAMS, threads);
        for (size_t n = 1; n <= STREAMS; n++)
            encode_and_compare(&b, batch, n);
        for (int i = 0; i < rounds(30); i++) {
            for (size_t k = 0; k < 3; k++)
                disturb_encoder(&b, random_below(&b.random, STREAMS));
            encode_and_compare(&b, batch, random_below(&b.random, STREAMS + 1));
        }
        lac_batch_close(&batch);
    }
    end_bench(&b);
}

static void decode_and_compare(bench *b, lac_batch *batch, size_t n)
{
    size_t pick[STREAMS];
    lac_decoder *decoders[STREAMS];
    uint8_t codebooks[STREAMS];
    float *pcm[STREAMS], *want = test_alloc(LAC_FRAME, sizeof(float));
    uint16_t *tokens = test_alloc(n * b->q, sizeof(uint16_t));
    pick_streams(b, n, pick);
    for (size_t i = 0; i < n; i++) {
        decoders[i] = b->many_d[pick[i]];
        pcm[i] = test_alloc(LAC_FRAME, sizeof(float));
        codebooks[i] = (uint8_t)random_below(&b->random, (uint32_t)b->q + 1);
    }
    for (size_t i = 0; i < n * b->q; i++)
        tokens[i] = (uint16_t)random_below(&b->random, b->model->arch.codewords);
    cr_assert_eq(lac_batch_decode(batch, decoders, tokens, codebooks, n, pcm), 0);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(lac_decoder_read(b->alone_d[pick[i]], tokens + i * b->q, codebooks + i, 1, want), 0);
        cr_assert_arr_eq(pcm[i], want, LAC_FRAME * sizeof(float), "%zu of %zu, stream %zu", i, n, pick[i]);
        free(pcm[i]);
    }
    free(tokens);
    free(want);
}

static void disturb_decoder(bench *b, size_t i)
{
    lac_decoder_sync one, other;
    uint16_t tokens[3 * LAC_MAX_CODEBOOKS] = {0};
    uint8_t codebooks[3] = {1, 0, 2};
    float pcm[3 * LAC_FRAME];
    switch (random_below(&b->random, 5)) {
    case 0:
        lac_decoder_get_sync(b->many_d[i], &one);
        lac_decoder_get_sync(b->alone_d[i], &other);
        cr_assert_eq(one.frame, other.frame);
        cr_assert_eq(one.pulse_phase, other.pulse_phase);
        break;
    case 1:
        one = (lac_decoder_sync){random_below(&b->random, 1000), random_below(&b->random, 65536) << 16};
        lac_decoder_set_sync(b->many_d[i], &one);
        lac_decoder_set_sync(b->alone_d[i], &one);
        break;
    case 2:
        lac_decoder_reset(b->many_d[i]);
        lac_decoder_reset(b->alone_d[i]);
        break;
    case 3:
        cr_assert_eq(lac_decoder_skip(b->many_d[i], tokens, codebooks, 3), 0);
        cr_assert_eq(lac_decoder_skip(b->alone_d[i], tokens, codebooks, 3), 0);
        break;
    default:
        cr_assert_eq(lac_decoder_read(b->many_d[i], tokens, codebooks, 3, pcm), 0);
        cr_assert_eq(lac_decoder_read(b->alone_d[i], tokens, codebooks, 3, pcm), 0);
    }
}

Test(batch, decoders_give_what_they_give_alone)
{
    bench b = make_bench();
    for (uint32_t threads = 1; threads <= 3; threads++) {
        lac_batch *batch = open_batch(b.model, STREAMS, threads);
        for (size_t n = 1; n <= STREAMS; n++)
            decode_and_compare(&b, batch, n);
        for (int i = 0; i < rounds(30); i++) {
            for (size_t k = 0; k < 3; k++)
                disturb_decoder(&b, random_below(&b.random, STREAMS));
            decode_and_compare(&b, batch, random_below(&b.random, STREAMS + 1));
        }
        lac_batch_close(&batch);
    }
    end_bench(&b);
}

/* More than go through the network together. */
Test(batch, many_streams_equal_one)
{
    enum { MANY = 150 };
    bench b = make_bench();
    static lac_encoder *encoders[MANY];
    static lac_decoder *decoders[MANY];
    static const float *in[MANY];
    static float *out[MANY];
    static uint8_t codebooks[MANY];
    uint16_t *tokens = test_alloc(MANY * b.q, sizeof *tokens), *want = test_alloc(b.q, sizeof *want);
    float *pcm = test_alloc(MANY * LAC_FRAME, sizeof *pcm), expected[LAC_FRAME];
    size_t frames;
    for (size_t i = 0; i < MANY; i++) {
        cr_assert_eq(lac_encoder_open(&encoders[i], b.model, NULL), 0);
        cr_assert_eq(lac_decoder_open(&decoders[i], b.model, NULL), 0);
        codebooks[i] = (uint8_t)b.q;
        out[i] = pcm + i * LAC_FRAME;
    }
    lac_batch *batch = open_batch(b.model, MANY, 2);
    lac_alloc_fail_at(1); /* nothing allocates from here on */
    for (size_t t = 0; t < STEPS; t++) {
        for (size_t i = 0; i < MANY; i++)
            in[i] = b.sound + t * LAC_FRAME;
        cr_assert_eq(lac_batch_encode(batch, encoders, in, MANY, tokens), 0);
        cr_assert_eq(lac_batch_decode(batch, decoders, tokens, codebooks, MANY, out), 0);
        cr_assert_eq(lac_encoder_write(b.alone_e[0], in[0], LAC_FRAME, want, 1, &frames), 0);
        cr_assert_eq(lac_decoder_read(b.alone_d[0], want, codebooks, 1, expected), 0);
        for (size_t i = 0; i < MANY; i++) {
            cr_assert_arr_eq(tokens + i * b.q, want, b.q * sizeof *want, "frame %zu, stream %zu", t, i);
            cr_assert_arr_eq(out[i], expected, sizeof expected, "frame %zu, stream %zu", t, i);
        }
    }
    lac_alloc_fail_at(0);
    lac_batch_close(&batch);
    for (size_t i = 0; i < MANY; i++) {
        lac_encoder_close(&encoders[i]);
        lac_decoder_close(&decoders[i]);
    }
    free(tokens);
    free(want);
    free(pcm);
    end_bench(&b);
}

/* A batch-only pair beside an ordinary one: batches, which a sync or a reset may come between. */
Test(batch, batch_only_streams_do_what_others_do)
{
    bench b = make_bench();
    lac_encoder *e[2] = {NULL, b.alone_e[0]};
    lac_decoder *d[2] = {NULL, b.alone_d[0]};
    uint16_t *tokens = test_alloc(2 * b.q, sizeof *tokens);
    uint8_t codebooks[2];
    float sound[2][LAC_FRAME], *out[2] = {sound[0], sound[1]};
    lac_batch *batch = open_batch(b.model, 2, 1);
    cr_assert_eq(lac_encoder_open(&e[0], b.model, &(lac_encoder_settings){0, 64, 2, 1, 0}), 0);
    cr_assert_eq(lac_decoder_open(&d[0], b.model, &(lac_decoder_settings){64, 2, 1}), 0);
    for (int i = 0; i < rounds(60); i++) {
        const float *in = any_sound(&b);
        lac_decoder_sync sync = {random_below(&b.random, 1000), random_below(&b.random, 65536) << 16}, at[2];
        uint32_t what = random_below(&b.random, 8);
        for (size_t k = 0; k < 2; k++) {
            if (what == 0)
                lac_encoder_reset(e[k]);
            if (what == 1)
                lac_decoder_reset(d[k]);
            if (what == 2)
                lac_decoder_set_sync(d[k], &sync);
            lac_decoder_get_sync(d[k], &at[k]);
            codebooks[k] = (uint8_t)(i % (int)(b.q + 1));
        }
        cr_assert_eq(at[0].frame, at[1].frame);
        cr_assert_eq(at[0].pulse_phase, at[1].pulse_phase);
        cr_assert_eq(lac_batch_encode(batch, e, (const float *[]){in, in}, 2, tokens), 0);
        cr_assert_arr_eq(tokens, tokens + b.q, b.q * sizeof *tokens);
        cr_assert_eq(lac_batch_decode(batch, d, tokens, codebooks, 2, out), 0);
        cr_assert_arr_eq(sound[0], sound[1], sizeof sound[0]);
    }
    lac_encoder_close(&e[0]);
    lac_decoder_close(&d[0]);
    free(tokens);
    lac_batch_close(&batch);
    end_bench(&b);
}

Test(batch, batch_only_streams_are_small_and_not_used_alone)
{
    bench b = make_bench();
    lac_encoder *e = NULL;
    lac_decoder *d = NULL;
    uint16_t tokens[LAC_MAX_CODEBOOKS] = {0};
    uint8_t codebooks = 1;
    float pcm[LAC_FRAME];
    size_t frames;
    cr_assert_eq(lac_encoder_open(&e, b.model, &(lac_encoder_settings){0, 64, 2, 1, 0}), 0);
    cr_assert_eq(lac_decoder_open(&d, b.model, &(lac_decoder_settings){64, 2, 1}), 0);
    cr_assert_lt(2 * lac_encoder_bytes(e), lac_encoder_bytes(b.alone_e[0]));
    cr_assert_lt(2 * lac_decoder_bytes(d), lac_decoder_bytes(b.alone_d[0]));
    cr_assert_eq(lac_encoder_write(e, b.sound, LAC_FRAME, tokens, 1, &frames), LAC_ERROR_STATE);
    cr_assert_eq(lac_encoder_flush(e, tokens, 1, &frames), LAC_ERROR_STATE);
    cr_assert_eq(lac_decoder_read(d, tokens, &codebooks, 1, pcm), LAC_ERROR_STATE);
    cr_assert_eq(lac_decoder_skip(d, tokens, &codebooks, 1), LAC_ERROR_STATE);
    lac_encoder_close(&e);
    lac_decoder_close(&d);
    end_bench(&b);
}

Test(batch, wrong_encoders_are_refused_and_take_nothing)
{
    bench b = make_bench();
    lac_model *other = open_tiny();
    lac_encoder *stranger = NULL;
    lac_batch *batch = open_batch(b.model, 3, 1);
    const float *pcm[4] = {b.sound, b.sound, b.sound, b.sound};
    lac_encoder *e[4] = {b.many_e[0], b.many_e[1], b.many_e[0], b.many_e[3]};
    uint16_t *tokens = test_alloc(4 * b.q, sizeof *tokens);
    cr_assert_eq(lac_encoder_open(&stranger, other, NULL), 0);
    cr_assert_eq(lac_batch_encode(batch, e, pcm, 3, tokens), LAC_ERROR_ARGUMENT, "twice");
    e[2] = stranger;
    cr_assert_eq(lac_batch_encode(batch, e, pcm, 3, tokens), LAC_ERROR_ARGUMENT, "another model");
    e[2] = NULL;
    cr_assert_eq(lac_batch_encode(batch, e, pcm, 3, tokens), LAC_ERROR_ARGUMENT, "none");
    e[2] = b.many_e[2];
    cr_assert_eq(lac_batch_encode(batch, e, pcm, 4, tokens), LAC_ERROR_ARGUMENT, "too many");
    pcm[1] = NULL;
    cr_assert_eq(lac_batch_encode(batch, e, pcm, 3, tokens), LAC_ERROR_ARGUMENT, "no sound");
    pcm[1] = b.sound;
    size_t frames;
    cr_assert_eq(lac_encoder_flush(b.many_e[2], tokens, 4, &frames), 0);
    cr_assert_eq(lac_batch_encode(batch, e, pcm, 3, tokens), LAC_ERROR_STATE, "flushed");
    cr_assert_eq(lac_batch_encode(NULL, e, pcm, 2, tokens), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_batch_encode(batch, NULL, pcm, 2, tokens), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_batch_encode(batch, e, NULL, 2, tokens), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_batch_encode(batch, e, pcm, 2, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_batch_encode(batch, NULL, NULL, 0, NULL), 0);
    lac_encoder_reset(b.many_e[2]);
    for (int i = 0; i < 5; i++)
        encode_and_compare(&b, batch, 3);
    lac_encoder_close(&stranger);
    lac_model_close(&other);
    free(tokens);
    lac_batch_close(&batch);
    end_bench(&b);
}

Test(batch, wrong_decoders_are_refused_and_decode_nothing)
{
    bench b = make_bench();
    lac_model *other = open_tiny();
    lac_decoder *stranger = NULL;
    lac_batch *batch = open_batch(b.model, 3, 1);
    float sound[4][LAC_FRAME], *pcm[4] = {sound[0], sound[1], sound[2], sound[3]};
    lac_decoder *d[4] = {b.many_d[0], b.many_d[1], b.many_d[1], b.many_d[3]};
    uint16_t *tokens = test_alloc(4 * b.q, sizeof *tokens);
    uint8_t codebooks[4] = {1, 1, 1, 1};
    cr_assert_eq(lac_decoder_open(&stranger, other, NULL), 0);
    cr_assert_eq(lac_batch_decode(batch, d, tokens, codebooks, 3, pcm), LAC_ERROR_ARGUMENT, "twice");
    d[2] = stranger;
    cr_assert_eq(lac_batch_decode(batch, d, tokens, codebooks, 3, pcm), LAC_ERROR_ARGUMENT, "another model");
    d[2] = NULL;
    cr_assert_eq(lac_batch_decode(batch, d, tokens, codebooks, 3, pcm), LAC_ERROR_ARGUMENT, "none");
    d[2] = b.many_d[2];
    cr_assert_eq(lac_batch_decode(batch, d, tokens, codebooks, 4, pcm), LAC_ERROR_ARGUMENT, "too many");
    pcm[2] = NULL;
    cr_assert_eq(lac_batch_decode(batch, d, tokens, codebooks, 3, pcm), LAC_ERROR_ARGUMENT, "no room");
    pcm[2] = sound[2];
    codebooks[2] = (uint8_t)(b.q + 1);
    cr_assert_eq(lac_batch_decode(batch, d, tokens, codebooks, 3, pcm), LAC_ERROR_ARGUMENT, "codebooks");
    codebooks[2] = 1;
    tokens[2 * b.q] = (uint16_t)b.model->arch.codewords;
    cr_assert_eq(lac_batch_decode(batch, d, tokens, codebooks, 3, pcm), LAC_ERROR_ARGUMENT, "token");
    tokens[2 * b.q] = 0;
    cr_assert_eq(lac_batch_decode(NULL, d, tokens, codebooks, 2, pcm), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_batch_decode(batch, NULL, tokens, codebooks, 2, pcm), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_batch_decode(batch, d, NULL, codebooks, 2, pcm), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_batch_decode(batch, d, tokens, NULL, 2, pcm), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_batch_decode(batch, d, tokens, codebooks, 2, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_batch_decode(batch, NULL, NULL, NULL, 0, NULL), 0);
    for (int i = 0; i < 5; i++)
        decode_and_compare(&b, batch, 3);
    lac_decoder_close(&stranger);
    lac_model_close(&other);
    free(tokens);
    lac_batch_close(&batch);
    end_bench(&b);
}

Test(batch, settings_are_checked)
{
    static const lac_batch_settings wrong[] = {{0, 1}, {65537, 1}, {1, 0}, {1, 257}};
    lac_model *m = open_tiny();
    lac_batch *b = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_eq(lac_batch_open(&b, m, &wrong[i]), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_batch_open(NULL, m, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_batch_open(&b, NULL, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_null(b);
    cr_assert_eq(lac_batch_open(&b, m, NULL), 0);
    cr_assert_gt(lac_batch_bytes(b), 1000);
    lac_batch_close(&b);
    cr_assert_null(b);
    lac_batch_close(&b);
    lac_batch_close(NULL);
    lac_model_close(&m);
}

Test(batch, open_fails_cleanly_without_memory)
{
    lac_model *m = open_tiny();
    int status = LAC_ERROR_MEMORY;
    for (size_t n = 1; status == LAC_ERROR_MEMORY; n++) {
        lac_batch *b = NULL;
        cr_assert_lt(n, 20);
        lac_alloc_fail_at(n);
        status = lac_batch_open(&b, m, &(lac_batch_settings){5, 2});
        lac_alloc_fail_at(0);
        cr_assert_eq(status == 0, b != NULL);
        cr_assert(n > 1 || status == LAC_ERROR_MEMORY);
        lac_batch_close(&b);
    }
    cr_assert_eq(status, 0);
    lac_model_close(&m);
}
