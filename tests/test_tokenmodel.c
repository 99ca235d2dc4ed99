/* The model of tokens: encoder and decoder in step whatever the bytes, what it learns, what never changes. */
#include <math.h>
#include <string.h>

#include "bytes.h"
#include "fixture.h"
#include "lac/status.h"
#include "tokenmodel.h"

#define FRAMES 64
#define STAGES 12
#define BYTES 20000

typedef struct fixture {
    lac_workspace memory;
    lac_tokenmodel model;
} fixture;

static fixture fixture_open(uint32_t stages, uint32_t codewords, const uint16_t *leaf_of)
{
    fixture f;
    lac_workspace count = lac_workspace_measure();
    lac_tokenmodel_init(&f.model, &count, stages, codewords, leaf_of);
    cr_assert_eq(lac_workspace_open(&f.memory, count.used), LAC_OK);
    lac_tokenmodel_init(&f.model, &f.memory, stages, codewords, leaf_of);
    cr_assert_not(f.memory.failed);
    return f;
}

/* [stages][codewords], each a permutation. */
static uint16_t *random_leaves(random_source *r, uint32_t stages, uint32_t codewords)
{
    uint16_t *leaf = test_alloc((size_t)stages * codewords, sizeof *leaf);
    for (uint32_t s = 0; s < stages; s++)
        for (uint32_t i = 0; i < codewords; i++) {
            uint32_t j = random_below(r, i + 1);
            leaf[s * codewords + i] = leaf[s * codewords + j];
            leaf[s * codewords + j] = (uint16_t)i;
        }
    return leaf;
}

/* A stream's shape: how many stages each frame has. */
typedef struct stream {
    uint32_t stages, codewords;
    uint16_t tokens[FRAMES][STAGES];
    uint32_t used[FRAMES];
} stream;

static void stream_random(stream *t, random_source *r, uint32_t stages, uint32_t codewords)
{
    t->stages = stages;
    t->codewords = codewords;
    for (uint32_t i = 0; i < FRAMES; i++) {
        t->used[i] = random_below(r, 4) ? stages : random_below(r, stages + 1);
        for (uint32_t s = 0; s < stages; s++)
            t->tokens[i][s] = (uint16_t)(i > 0 && random_below(r, 3) == 0 ? t->tokens[i - 1][s]
                                                                          : random_below(r, codewords));
    }
}

static uint32_t encode(lac_tokenmodel *m, const stream *t, uint8_t *bytes, size_t *size)
{
    lac_range_encoder e;
    lac_range_encoder_init(&e, bytes, BYTES);
    for (uint32_t i = 0; i < FRAMES; i++)
        for (uint32_t s = 0; s < t->used[i]; s++)
            lac_tokenmodel_encode(m, &e, s, t->tokens[i][s]);
    uint32_t range = e.range;
    cr_assert(lac_range_encoder_end(&e, size));
    return range;
}

static void check_round_trip(random_source *r, uint32_t stages, uint32_t codewords)
{
    static stream t;
    static uint8_t bytes[BYTES];
    size_t size;
    uint16_t *leaves = random_below(r, 2) ? random_leaves(r, stages, codewords) : NULL;
    fixture a = fixture_open(stages, codewords, leaves), b = fixture_open(stages, codewords, leaves);
    stream_random(&t, r, stages, codewords);
    uint32_t range = encode(&a.model, &t, bytes, &size);
    lac_range_decoder d;
    lac_range_decoder_init(&d, bytes, size);
    for (uint32_t i = 0; i < FRAMES; i++)
        for (uint32_t s = 0; s < t.used[i]; s++) {
            uint32_t token = lac_tokenmodel_decode(&b.model, &d, s);
            cr_assert_eq(token, t.tokens[i][s], "K %u, frame %u, stage %u", codewords, i, s);
        }
    cr_assert_eq(d.range, range);
    cr_assert_eq(lac_range_decoder_size(&d), size);
    cr_assert_eq(memcmp(a.model.stage, b.model.stage, stages * sizeof *a.model.stage), 0);
    lac_workspace_close(&a.memory);
    lac_workspace_close(&b.memory);
    free(leaves);
}

Test(tokenmodel, decoder_follows_encoder)
{
    random_source r = random_start();
    static const uint32_t sizes[] = {2, 3, 4, 5, 31, 33, 100, 1000, 1024, 1025, 4095, 4096};
    for (int round = 0; round < rounds(2); round++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            check_round_trip(&r, 1 + random_below(&r, STAGES), sizes[i]);
}

/* Bits of a frame, the mean of those from `from` on. */
static double bits_a_frame(const stream *t, uint32_t from)
{
    static uint8_t bytes[BYTES];
    fixture f = fixture_open(t->stages, t->codewords, NULL);
    lac_range_encoder e;
    uint64_t before = 0;
    lac_range_encoder_init(&e, bytes, BYTES);
    for (uint32_t i = 0; i < FRAMES; i++) {
        if (i == from)
            before = lac_range_encoder_cost(&e);
        for (uint32_t s = 0; s < t->stages; s++)
            lac_tokenmodel_encode(&f.model, &e, s, t->tokens[i][s]);
    }
    lac_workspace_close(&f.memory);
    return (double)(lac_range_encoder_cost(&e) - before) / LAC_RANGE_COST_ONE / (FRAMES - from);
}

Test(tokenmodel, learns_what_repeats)
{
    static stream t = {.stages = 6, .codewords = 1024};
    for (uint32_t i = 0; i < FRAMES; i++)
        for (uint32_t s = 0; s < 6; s++)
            t.tokens[i][s] = (uint16_t)(170 * s + 3);
    double bits = bits_a_frame(&t, FRAMES / 2);
    cr_assert_lt(bits, 0.5, "%f bits a frame", bits);
}

Test(tokenmodel, noise_costs_little_more_than_plain)
{
    random_source r = random_start();
    static stream t = {.stages = 6, .codewords = 1024};
    for (uint32_t i = 0; i < FRAMES; i++)
        for (uint32_t s = 0; s < 6; s++)
            t.tokens[i][s] = (uint16_t)random_below(&r, 1024);
    double bits = bits_a_frame(&t, 0);
    cr_assert_lt(bits, 60 * 1.03, "%f bits a frame", bits);
}

Test(tokenmodel, reset_is_fresh)
{
    random_source r = random_start();
    static stream t;
    static uint8_t first[BYTES], second[BYTES];
    size_t size, again;
    fixture f = fixture_open(STAGES, 1000, NULL);
    stream_random(&t, &r, STAGES, 1000);
    encode(&f.model, &t, first, &size);
    lac_tokenmodel_reset(&f.model);
    encode(&f.model, &t, second, &again);
    cr_assert(size == again && memcmp(first, second, size) == 0);
    lac_workspace_close(&f.memory);
}

Test(tokenmodel, any_bytes_decode_to_tokens)
{
    random_source r = random_start();
    static const uint32_t sizes[] = {2, 3, 5, 33, 600, 1024, 2049, 4096};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        uint8_t bytes[300];
        fixture f = fixture_open(6, sizes[k], NULL);
        lac_range_decoder d;
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = k % 3 == 0 ? 0xff : (uint8_t)random_below(&r, 256);
        lac_range_decoder_init(&d, bytes, sizeof bytes);
        for (uint32_t i = 0; i < 4 * FRAMES; i++)
            for (uint32_t s = 0; s < 6; s++)
                cr_assert_lt(lac_tokenmodel_decode(&f.model, &d, s), sizes[k]);
        lac_workspace_close(&f.memory);
    }
}

/* What a stream costs is part of the file format. */
Test(tokenmodel, bits_never_change)
{
    random_source r = {78};
    static stream t;
    static uint8_t bytes[BYTES];
    size_t size;
    uint16_t *leaves = random_leaves(&r, STAGES, 1024);
    fixture f = fixture_open(STAGES, 1024, leaves);
    stream_random(&t, &r, STAGES, 1024);
    encode(&f.model, &t, bytes, &size);
    uint32_t crc = lac_crc32c(0, bytes, size);
    cr_assert_eq(crc, UINT32_C(0x073b089e), "%08x, %zu bytes", crc, size);
    lac_workspace_close(&f.memory);
    free(leaves);
}
