/* lac/latents.h: what names latents, tokens to latents, latents to tokens. */
#include <criterion/criterion.h>
#include <string.h>

#include "bytes.h"
#include "fixture.h"
#include "lac/latents.h"
#include "modellayout.h"
#include "streams.h"
#include "weights.h"
#include "workspace.h"

TestSuite(latents, .timeout = 300);

#define SAMPLES 30000
#define FRAMES (SAMPLES / LAC_FRAME)

typedef struct coded {
    lac_model *model;
    size_t q, d;
    int16_t *latents; /* [FRAMES][D] */
    uint16_t *tokens; /* [FRAMES][Q] */
} coded;

static lac_encoder *open_encoder(const lac_model *m, uint32_t codebooks, uint32_t block, uint32_t threads,
                                 uint32_t beam)
{
    lac_encoder *e = NULL;
    const lac_encoder_settings s = {
        .codebooks = codebooks, .block_frames = block, .threads = threads, .beam = beam};
    cr_assert_eq(lac_encoder_open(&e, m, &s), 0);
    return e;
}

static coded code(uint32_t codebooks, uint32_t beam)
{
    coded c = {.model = open_tiny()};
    c.q = c.model->arch.codebooks;
    c.d = c.model->arch.latent;
    c.latents = test_alloc(FRAMES * c.d, sizeof *c.latents);
    c.tokens = test_alloc(FRAMES * c.q, sizeof *c.tokens);
    float *x = test_alloc(SAMPLES, sizeof *x);
    generate_sound(x, SAMPLES);
    lac_encoder *e = open_encoder(c.model, codebooks, 8, 1, beam);
    size_t frames;
    cr_assert_eq(lac_encoder_write_latents(e, x, SAMPLES, c.tokens, c.latents, FRAMES, &frames), 0);
    cr_assert_eq(frames, FRAMES);
    lac_encoder_close(&e);
    free(x);
    return c;
}

static void end(coded *c)
{
    lac_model_close(&c->model);
    free(c->latents);
    free(c->tokens);
}

/* Whatever the settings, the blocks and the pieces: what the encoder found. */
static void search_finds(uint32_t codebooks, uint32_t beam)
{
    coded c = code(codebooks, beam);
    random_source r = random_start();
    uint16_t *tokens = test_alloc(FRAMES * c.q, sizeof *tokens);
    for (int round = 0; round < 8; round++) {
        lac_encoder *e = open_encoder(c.model, codebooks, 1 + random_below(&r, 20), 1 + random_below(&r, 3), beam);
        memset(tokens, 0xff, FRAMES * c.q * sizeof *tokens);
        for (size_t at = 0, n; at < FRAMES; at += n) {
            n = random_below(&r, 30);
            n = n < FRAMES - at ? n : FRAMES - at;
            cr_assert_eq(lac_encoder_search(e, c.latents + at * c.d, n, tokens + at * c.q), 0);
        }
        cr_assert_arr_eq(tokens, c.tokens, FRAMES * c.q * sizeof *tokens);
        lac_encoder_close(&e);
    }
    free(tokens);
    end(&c);
}

Test(latents, search_finds_the_encoders_tokens)
{
    search_finds(0, 0);
    search_finds(0, 5);
    search_finds(2, 3);
}

/* An encoder that searches between its writes gives what one that does not gives. */
Test(latents, search_leaves_a_stream_alone)
{
    coded c = code(0, 0);
    lac_encoder *e = open_encoder(c.model, 0, 4, 1, 0);
    uint16_t *tokens = test_alloc(FRAMES * c.q, sizeof *tokens), *found = test_alloc(FRAMES * c.q, sizeof *found);
    float *x = test_alloc(SAMPLES, sizeof *x);
    generate_sound(x, SAMPLES);
    size_t frames = 0;
    for (size_t at = 0, n = 777, got; at < SAMPLES; at += n) {
        n = n < SAMPLES - at ? n : SAMPLES - at;
        cr_assert_eq(lac_encoder_write(e, x + at, n, tokens + frames * c.q, FRAMES - frames, &got), 0);
        frames += got;
        cr_assert_eq(lac_encoder_search(e, c.latents, FRAMES, found), 0);
    }
    cr_assert_eq(frames, FRAMES);
    cr_assert_arr_eq(tokens, c.tokens, FRAMES * c.q * sizeof *tokens);
    cr_assert_arr_eq(found, c.tokens, FRAMES * c.q * sizeof *tokens);
    lac_encoder_close(&e);
    free(x);
    free(tokens);
    free(found);
    end(&c);
}

/* What the latents of tokens decode to is what the tokens decode to. */
Test(latents, tokens_stand_for_latents)
{
    coded c = code(0, 0);
    random_source r = random_start();
    uint8_t counts[FRAMES];
    int16_t *z = test_alloc(FRAMES * c.d, sizeof *z);
    float *pcm = test_alloc(2 * FRAMES * LAC_FRAME, sizeof *pcm), *other = pcm + FRAMES * LAC_FRAME;
    for (size_t t = 0; t < FRAMES; t++)
        counts[t] = (uint8_t)(1 + random_below(&r, (uint32_t)c.q));
    cr_assert_eq(lac_latents_from_tokens(c.model, c.tokens, counts, FRAMES, z), 0);
    lac_decoder *d[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++)
        cr_assert_eq(lac_decoder_open(&d[i], c.model, NULL), 0);
    cr_assert_eq(lac_decoder_read(d[0], c.tokens, counts, FRAMES, pcm), 0);
    cr_assert_eq(lac_decoder_read_latents(d[1], z, FRAMES, other), 0);
    cr_assert_arr_eq(pcm, other, FRAMES * LAC_FRAME * sizeof *pcm);
    for (int i = 0; i < 2; i++)
        lac_decoder_close(&d[i]);
    free(pcm);
    free(z);
    end(&c);
}

Test(latents, no_tokens_stand_for_zero)
{
    coded c = code(0, 0);
    uint8_t counts[2] = {0, 0};
    int16_t z[2 * 64], zero[2 * 64] = {0};
    memset(z, 0x55, sizeof z);
    cr_assert_eq(lac_latents_from_tokens(c.model, c.tokens, counts, 2, z), 0);
    cr_assert_arr_eq(z, zero, 2 * c.d * sizeof *z);
    end(&c);
}

static double distance(const int16_t *a, const int16_t *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)(a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* Of latents that tokens stand for, search finds tokens that stand for nearly the same, and a beam none further. */
Test(latents, search_comes_back_to_what_tokens_stand_for)
{
    coded c = code(0, 0);
    uint8_t counts[FRAMES];
    memset(counts, (int)c.q, sizeof counts);
    int16_t *z = test_alloc(2 * FRAMES * c.d, sizeof *z), *back = z + FRAMES * c.d;
    int16_t *zero = test_alloc(FRAMES * c.d, sizeof *zero);
    uint16_t *tokens = test_alloc(FRAMES * c.q, sizeof *tokens);
    double error[2];
    cr_assert_eq(lac_latents_from_tokens(c.model, c.tokens, counts, FRAMES, z), 0);
    for (uint32_t i = 0; i < 2; i++) {
        lac_encoder *e = open_encoder(c.model, 0, 8, 1, i == 0 ? 1 : 8);
        cr_assert_eq(lac_encoder_search(e, z, FRAMES, tokens), 0);
        cr_assert_eq(lac_latents_from_tokens(c.model, tokens, counts, FRAMES, back), 0);
        error[i] = distance(z, back, FRAMES * c.d);
        lac_encoder_close(&e);
    }
    cr_assert_lt(error[0], 0.5 * distance(z, zero, FRAMES * c.d));
    cr_assert_leq(error[1], error[0]);
    free(z);
    free(zero);
    free(tokens);
    end(&c);
}

Test(latents, bad_counts_and_tokens_are_refused)
{
    coded c = code(0, 0);
    uint8_t counts[2] = {(uint8_t)c.q, (uint8_t)(c.q + 1)};
    int16_t z[2 * 64], untouched[2 * 64];
    memset(z, 0x55, sizeof z);
    memcpy(untouched, z, sizeof z);
    cr_assert_eq(lac_latents_from_tokens(c.model, c.tokens, counts, 2, z), LAC_ERROR_ARGUMENT);
    counts[1] = (uint8_t)c.q;
    c.tokens[2 * c.q - 1] = (uint16_t)c.model->arch.codewords;
    cr_assert_eq(lac_latents_from_tokens(c.model, c.tokens, counts, 2, z), LAC_ERROR_ARGUMENT);
    cr_assert_arr_eq(z, untouched, sizeof z);
    counts[1]--; /* the bad one is beyond those that count */
    cr_assert_eq(lac_latents_from_tokens(c.model, c.tokens, counts, 2, z), 0);
    cr_assert_eq(lac_latents_from_tokens(NULL, c.tokens, counts, 2, z), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_latents_from_tokens(c.model, NULL, counts, 2, z), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_latents_from_tokens(c.model, c.tokens, NULL, 2, z), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_latents_from_tokens(c.model, c.tokens, counts, 2, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_latents_from_tokens(c.model, NULL, NULL, 0, NULL), 0);
    end(&c);
}

Test(latents, bad_latents_are_refused)
{
    static const int16_t bad[] = {4096, -4096, INT16_MAX, INT16_MIN};
    coded c = code(0, 0);
    lac_encoder *e = open_encoder(c.model, 0, 1, 1, 0);
    uint16_t *tokens = test_alloc(FRAMES * c.q, sizeof *tokens), *zero = test_alloc(FRAMES * c.q, sizeof *zero);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        c.latents[FRAMES * c.d - 1] = bad[i];
        cr_assert_eq(lac_encoder_search(e, c.latents, FRAMES, tokens), LAC_ERROR_ARGUMENT);
        cr_assert_arr_eq(tokens, zero, FRAMES * c.q * sizeof *tokens);
    }
    cr_assert_eq(lac_encoder_search(NULL, c.latents, 1, tokens), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_encoder_search(e, NULL, 1, tokens), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_encoder_search(e, c.latents, 1, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_encoder_search(e, NULL, 0, NULL), 0);
    lac_encoder_close(&e);
    cr_assert_eq(lac_encoder_open(&e, c.model, &(lac_encoder_settings){0, 1, 1, 1, 0}), 0);
    cr_assert_eq(lac_encoder_search(e, c.latents, 1, tokens), LAC_ERROR_STATE);
    lac_encoder_close(&e);
    free(tokens);
    free(zero);
    end(&c);
}

/* The id of the model with one byte of tensor `name` changed. */
static void changed_id(const lac_model *m, const char *name, uint8_t id[LAC_MODEL_ID_SIZE])
{
    uint8_t *data = lac_alloc(m->size), *entry = data + LAC_MODEL_TABLE_AT;
    size_t core = (size_t)lac_load64((const uint8_t *)m->data + 8);
    memcpy(data, m->data, m->size);
    while (strcmp((const char *)entry, name) != 0)
        entry += LAC_MODEL_ENTRY_BYTES;
    data[lac_load64(entry + LAC_MODEL_ENTRY_OFFSET)] ^= 1;
    lac_store32(data + 16, 0);
    lac_store32(data + 16, lac_crc32c(0, data, core));
    lac_model *changed = NULL;
    cr_assert_eq(lac_model_open_memory(&changed, data, m->size), 0);
    lac_model_latent_id(changed, id);
    lac_model_close(&changed);
    lac_free(data);
}

Test(latents, id_is_that_of_encoder_and_quantiser)
{
    static const char *decoder[] = {"decoder.window", "decoder.input.weight", "decoder.output.bias"};
    lac_model *m = open_tiny();
    bool fsq = m->quantiser.kind == LAC_QUANTISER_RFSQ;
    const char *others[] = {"encoder.window", "encoder.output.bias", fsq ? "fsq.bias" : "codes"};
    uint8_t id[LAC_MODEL_ID_SIZE], other[LAC_MODEL_ID_SIZE];
    lac_model_latent_id(m, id);
    for (size_t i = 0; i < 3; i++) {
        changed_id(m, decoder[i], other);
        cr_assert_arr_eq(other, id, sizeof id, "%s", decoder[i]);
        changed_id(m, others[i], other);
        cr_assert_arr_neq(other, id, sizeof id, "%s", others[i]);
    }
    lac_model_close(&m);
}
