/* Encoder and decoder together, and what holds for both. */
#include <criterion/criterion.h>
#include <fenv.h>
#include <math.h>
#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "conceal.h"
#include "fixture.h"
#include "lac/decoder.h"
#include "lac/encoder.h"
#include "lac/profile.h"
#include "weights.h"
#include "workspace.h"

TestSuite(codec, .timeout = 3000);

#define FRAMES 60
#define SAMPLES (FRAMES * LAC_FRAME)

typedef struct trip {
    lac_model *model;
    lac_encoder *encoder;
    lac_decoder *decoder;
    float in[SAMPLES], out[SAMPLES];
    uint16_t tokens[FRAMES * LAC_MAX_CODEBOOKS];
} trip;

static trip *open_trip_of(lac_model *model)
{
    trip *t = test_alloc(1, sizeof *t);
    t->model = model;
    cr_assert_eq(lac_encoder_open(&t->encoder, t->model, NULL), 0);
    cr_assert_eq(lac_decoder_open(&t->decoder, t->model, NULL), 0);
    return t;
}

static trip *open_trip(void)
{
    return open_trip_of(open_tiny());
}

static void close_trip(trip *t)
{
    lac_encoder_close(&t->encoder);
    lac_decoder_close(&t->decoder);
    lac_model_close(&t->model);
    free(t);
}

static void run(trip *t)
{
    uint8_t codebooks[FRAMES];
    size_t frames;
    memset(codebooks, (int)t->model->arch.codebooks, sizeof codebooks);
    lac_encoder_reset(t->encoder);
    lac_decoder_reset(t->decoder);
    cr_assert_eq(lac_encoder_write(t->encoder, t->in, SAMPLES, t->tokens, FRAMES, &frames), 0);
    cr_assert_eq(frames, FRAMES);
    cr_assert_eq(lac_decoder_read(t->decoder, t->tokens, codebooks, FRAMES, t->out), 0);
    for (size_t i = 0; i < SAMPLES; i++)
        cr_assert(isfinite(t->out[i]) && fabsf(t->out[i]) < 1e4f, "sample %zu: %g", i, (double)t->out[i]);
}

Test(codec, extreme_input_gives_finite_output)
{
    trip *t = open_trip();
    run(t);
    size_t q = t->model->arch.codebooks;
    cr_assert_arr_eq(t->tokens + 40 * q, t->tokens + 41 * q, q * sizeof(uint16_t), "silence repeats its tokens");
    for (size_t i = 0; i < SAMPLES; i++)
        t->in[i] = i / 100 % 2 ? 1 : -1;
    run(t);
    for (size_t i = 0; i < SAMPLES; i++)
        t->in[i] = i % 2 ? INFINITY : -INFINITY;
    run(t);
    for (size_t i = 0; i < SAMPLES; i++)
        t->in[i] = NAN;
    run(t);
    for (size_t i = 0; i < SAMPLES; i++)
        t->in[i] = i % 3 ? 1e-42f : -1e-38f;
    run(t);
    close_trip(t);
}

static unsigned disturb(void)
{
    fesetround(FE_UPWARD);
#if defined(__SSE__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040); /* flush to zero, denormals are zero */
    return _mm_getcsr() & ~0x3fu;
#else
    return (unsigned)fegetround();
#endif
}

/* Threads of OpenMP's pool keep the mode of whoever started them. */
static void start_pool(void)
{
    volatile int threads = 0;
#ifdef _OPENMP
#pragma omp parallel num_threads(4)
#endif
    threads = 1;
    (void)threads;
}

static unsigned float_mode(void)
{
#if defined(__SSE__)
    return _mm_getcsr() & ~0x3fu;
#else
    return (unsigned)fegetround();
#endif
}

static void restore(void)
{
#if defined(__SSE__)
    _mm_setcsr(_mm_getcsr() & ~0x8040u);
#endif
    fesetround(FE_TONEAREST);
}

Test(codec, the_callers_float_mode_changes_nothing_and_is_kept)
{
    trip *t = open_trip(), *u = open_trip();
    uint8_t codebooks[FRAMES];
    size_t frames;
    generate_sound(t->in, SAMPLES);
    memcpy(u->in, t->in, sizeof t->in);
    memset(codebooks, 2, sizeof codebooks);
    run(t);
    cr_assert_eq(lac_decoder_read(t->decoder, t->tokens, codebooks, FRAMES, t->out), 0);
    lac_encoder_close(&u->encoder);
    lac_decoder_close(&u->decoder);

    unsigned mode = disturb();
    start_pool();
    int status = lac_encoder_open(&u->encoder, u->model, &(lac_encoder_settings){.block_frames = 8, .threads = 4});
    status |= lac_decoder_open(&u->decoder, u->model, &(lac_decoder_settings){.block_frames = 8, .threads = 4});
    status |= lac_encoder_write(u->encoder, u->in, SAMPLES, u->tokens, FRAMES, &frames);
    memset(codebooks, (int)u->model->arch.codebooks, sizeof codebooks);
    status |= lac_decoder_skip(u->decoder, u->tokens, codebooks, FRAMES);
    memset(codebooks, 2, sizeof codebooks);
    status |= lac_decoder_read(u->decoder, u->tokens, codebooks, FRAMES, u->out);
    unsigned after = float_mode();
    restore();

    cr_assert_eq(status, 0);
    cr_assert_eq(mode, after, "%x, %x", mode, after);
    cr_assert_arr_eq(t->tokens, u->tokens, FRAMES * t->model->arch.codebooks * sizeof(uint16_t));
    cr_assert_arr_eq(t->out, u->out, sizeof t->out);
    close_trip(t);
    close_trip(u);
}

Test(codec, nothing_is_allocated_while_audio_runs)
{
    trip *t = open_trip();
    generate_sound(t->in, SAMPLES);
    lac_alloc_fail_at(1);
    run(t);
    size_t frames;
    lac_decoder_sync sync;
    lac_decoder_get_sync(t->decoder, &sync);
    lac_decoder_set_sync(t->decoder, &sync);
    cr_assert_eq(lac_encoder_flush(t->encoder, t->tokens, FRAMES, &frames), 0);
    cr_assert_null(lac_alloc(1), "an allocation took the failure that was set");
    close_trip(t);
}

typedef struct tally {
    uint64_t macs, weight_bytes;
    uint64_t search;
    char order[256];
} tally;

static void count_layer(void *user, const char *layer, uint64_t macs, uint64_t weight_bytes)
{
    tally *t = user;
    bool search = strcmp(layer, "search") == 0;
    t->search += search ? macs : 0;
    t->macs += search ? 0 : macs;
    t->weight_bytes += weight_bytes;
    cr_assert_eq(macs > 0, weight_bytes > 0, "%s", layer);
    if (strlen(t->order) + strlen(layer) + 2 <= sizeof t->order)
        strcat(strcat(t->order, layer), " ");
}

Test(codec, a_profile_sees_every_layer_and_changes_nothing)
{
    trip *t = open_trip(), *u = open_trip();
    tally encoder = {0}, decoder = {0};
    lac_model_info info;
    lac_model_get_info(t->model, &info);
    generate_sound(t->in, SAMPLES);
    memcpy(u->in, t->in, sizeof t->in);
    lac_encoder_set_profile(u->encoder, &(lac_profile){count_layer, &encoder});
    lac_decoder_set_profile(u->decoder, &(lac_profile){count_layer, &decoder});
    run(t);
    run(u);
    cr_assert_arr_eq(t->tokens, u->tokens, FRAMES * info.codebooks * sizeof(uint16_t));
    cr_assert_arr_eq(t->out, u->out, sizeof t->out);

    const char *layers[] = {"features input fine downsample coarse output search ",
                            "input coarse upsample fine output sources spectra overlap "};
    cr_assert_eq(strncmp(encoder.order, layers[0], strlen(layers[0])), 0, "%s", encoder.order);
    cr_assert_eq(strncmp(decoder.order, layers[1], strlen(layers[1])), 0, "%s", decoder.order);
    cr_assert_eq(encoder.macs * LAC_RATE, info.encoder_macs * SAMPLES);
    cr_assert_eq(decoder.macs * LAC_RATE, info.decoder_macs * SAMPLES);
    cr_assert_eq(encoder.search * LAC_RATE, info.search_macs * SAMPLES);
    cr_assert_leq((encoder.weight_bytes + decoder.weight_bytes) / FRAMES, info.file_bytes);
    cr_assert_gt((encoder.weight_bytes + decoder.weight_bytes) / FRAMES, info.file_bytes / 2);

    lac_encoder_set_profile(u->encoder, NULL);
    lac_decoder_set_profile(u->decoder, NULL);
    tally before = encoder;
    run(u);
    cr_assert_arr_eq(&before, &encoder, sizeof before);
    close_trip(t);
    close_trip(u);
}

static lac_model *open_default(void)
{
    lac_model *model = NULL;
    cr_assert_eq(lac_model_open(&model, NULL), 0);
    return model;
}

/* Of the shipped model, where it is embedded. */
Test(codec, a_stream_of_single_frames_is_small)
{
    trip *t = lac_model_embedded_name(0) ? open_trip_of(open_default()) : open_trip();
    cr_assert_lt(lac_encoder_bytes(t->encoder) + lac_decoder_bytes(t->decoder), 300000);
    cr_assert_gt(lac_encoder_bytes(t->encoder), 1000);
    cr_assert_gt(lac_decoder_bytes(t->decoder), 1000);
    close_trip(t);
}

Test(codec, gains_of_losses_are_continuous)
{
    random_source r = random_start();
    lac_conceal c = {0};
    lac_predictor none = {0};
    int16_t z[4] = {1, 2, 3, 4}, stand_in[4];
    uint8_t last = lac_conceal_received(&c, z, 4).at[2];
    for (int i = 0; i < 2000; i++) {
        lac_gain g = random_below(&r, 3) ? lac_conceal_lost(&c, &none, stand_in, 4) : lac_conceal_received(&c, z, 4);
        cr_assert_eq(g.at[0], last);
        cr_assert_leq(abs(g.at[1] - g.at[0]), LAC_GAIN_ONE / 2);
        cr_assert_leq(abs(g.at[2] - g.at[1]), LAC_GAIN_ONE / 2);
        last = g.at[2];
    }
    for (uint32_t i = 1; i <= LAC_CONCEAL_FRAMES + 1; i++) {
        lac_gain g = lac_conceal_lost(&c, &none, stand_in, 4);
        cr_assert(i < LAC_CONCEAL_FRAMES || g.at[2] == 0);
    }
    cr_assert_eq(stand_in[3], 0);
}

/* Against the formula of doc/synthesis.md. */
Test(codec, lost_frames_are_predicted_where_the_model_can)
{
    enum { D = 3 };
    static const int16_t weight[LAC_CONCEAL_FRAMES][D][D] = {
        {{4096, 0, 0}, {0, 2048, 0}, {0, 0, -4096}},
        {{0, 0, 0}, {32767, 32767, 32767}, {-32767, -32767, -32767}},
        {{1, 0, 0}, {-1, 0, 0}, {2048, 0, 0}},
        {{-2048, 0, 0}, {0, 0, 0}, {0, 0, 0}}};
    static const int16_t bias[LAC_CONCEAL_FRAMES][D] = {{0, 1, 0}, {7, 0, 0}, {0, 0, 0}, {0, -5000, 0}};
    static const int16_t x[D] = {101, 11, 4095};
    static const int16_t expected[LAC_CONCEAL_FRAMES + 1][D] = {
        {101, 7, -4095}, {7, 4095, -4095}, {0, 0, 51}, {-50, -4095, 0}, {0, 0, 0}};
    const lac_predictor p = {&weight[0][0][0], &bias[0][0]};
    lac_conceal c = {0};
    int16_t z[D];
    lac_conceal_lost(&c, &p, z, D);
    cr_assert_arr_eq(z, expected[LAC_CONCEAL_FRAMES], sizeof z, "nothing has come yet");
    for (int again = 0; again < 2; again++) {
        lac_conceal_received(&c, x, D);
        for (size_t n = 0; n <= LAC_CONCEAL_FRAMES; n++) {
            lac_conceal_lost(&c, &p, z, D);
            cr_assert_arr_eq(z, expected[n], sizeof z, "loss %zu", n);
        }
    }
}
