#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "lac/decoder.h"
#include "streams.h"
#include "weights.h"
#include "workspace.h"

TestSuite(decoder, .timeout = 3000);

#define FRAMES 150

typedef struct script {
    lac_model *model;
    random_source random;
    uint16_t *tokens; /* [FRAMES][Q] */
    uint8_t codebooks[FRAMES];
    float *pcm; /* [FRAMES * LAC_FRAME] */
} script;

/* lost: one frame in so many is the start of a run of up to nine lost ones; 0 loses none. */
static script make_script(uint32_t lost)
{
    script s = {.model = open_tiny(), .random = random_start()};
    size_t q = s.model->arch.codebooks;
    s.tokens = test_alloc(FRAMES * q, sizeof(uint16_t));
    s.pcm = test_alloc(FRAMES * LAC_FRAME, sizeof(float));
    for (size_t i = 0; i < FRAMES * q; i++)
        s.tokens[i] = (uint16_t)random_below(&s.random, s.model->arch.codewords);
    uint32_t run = 0;
    for (size_t t = 0; t < FRAMES; t++) {
        if (run > 0)
            run--;
        else if (lost && random_below(&s.random, lost) == 0)
            run = 1 + random_below(&s.random, 9);
        s.codebooks[t] = run > 0 ? 0 : (uint8_t)(1 + random_below(&s.random, (uint32_t)q));
    }
    return s;
}

static void end_script(script *s)
{
    free(s->tokens);
    free(s->pcm);
    lac_model_close(&s->model);
}

static lac_decoder *open_decoder(const lac_model *m, uint32_t block, uint32_t threads)
{
    lac_decoder *d = NULL;
    cr_assert_eq(lac_decoder_open(&d, m, &(lac_decoder_settings){.block_frames = block, .threads = threads}), 0);
    return d;
}

static void read_part(lac_decoder *d, const script *s, size_t from, size_t to, float *pcm)
{
    size_t q = s->model->arch.codebooks;
    cr_assert_eq(lac_decoder_read(d, s->tokens + from * q, s->codebooks + from, to - from, pcm + from * LAC_FRAME), 0);
}

static void skip_part(lac_decoder *d, const script *s, size_t from, size_t to)
{
    size_t q = s->model->arch.codebooks;
    cr_assert_eq(lac_decoder_skip(d, s->tokens + from * q, s->codebooks + from, to - from), 0);
}

static void assert_same_pcm(const float *a, const float *b, size_t from, size_t to, const char *what)
{
    for (size_t i = from * LAC_FRAME; i < to * LAC_FRAME; i++)
        cr_assert_eq(memcmp(a + i, b + i, sizeof *a), 0, "%s: sample %zu: %a, %a", what, i, (double)a[i],
                     (double)b[i]);
}

static uint32_t random_block(random_source *r)
{
    static const uint32_t blocks[] = {1, 2, 5, 64};
    return blocks[random_below(r, 4)];
}

Test(decoder, any_chunk_block_and_thread_count_gives_the_same)
{
    script s = make_script(12);
    float *pcm = test_alloc(FRAMES * LAC_FRAME, sizeof(float));
    lac_decoder *d = open_decoder(s.model, 1, 1);
    read_part(d, &s, 0, FRAMES, s.pcm);
    lac_decoder_close(&d);
    for (int i = 0; i < rounds(8); i++) {
        char what[80];
        uint32_t block = random_block(&s.random), threads = 1 + random_below(&s.random, 4);
        snprintf(what, sizeof what, "block %u threads %u", block, threads);
        d = open_decoder(s.model, block, threads);
        for (size_t at = 0, n; at < FRAMES; at += n) {
            n = random_below(&s.random, 40);
            n = n < FRAMES - at ? n : FRAMES - at;
            read_part(d, &s, at, at + n, pcm);
        }
        assert_same_pcm(s.pcm, pcm, 0, FRAMES, what);
        lac_decoder_close(&d);
    }
    free(pcm);
    end_script(&s);
}

Test(decoder, sound_is_finite_and_not_silent)
{
    script s = make_script(0);
    lac_decoder *d = open_decoder(s.model, 16, 1);
    read_part(d, &s, 0, FRAMES, s.pcm);
    double energy = 0;
    for (size_t i = 0; i < FRAMES * LAC_FRAME; i++) {
        cr_assert(isfinite(s.pcm[i]));
        energy += (double)s.pcm[i] * (double)s.pcm[i];
    }
    cr_assert_gt(energy, 1e-6 * FRAMES * LAC_FRAME);
    lac_decoder_close(&d);
    end_script(&s);
}

Test(decoder, skipping_leaves_the_state_of_reading)
{
    script s = make_script(12);
    float *pcm = test_alloc(FRAMES * LAC_FRAME, sizeof(float));
    lac_decoder *d = open_decoder(s.model, 8, 1);
    read_part(d, &s, 0, FRAMES, s.pcm);
    lac_decoder_close(&d);
    for (int i = 0; i < rounds(30); i++) {
        d = open_decoder(s.model, random_block(&s.random), 1);
        for (size_t at = 0, n; at < FRAMES; at += n) {
            n = random_below(&s.random, 10);
            n = n < FRAMES - at ? n : FRAMES - at;
            if (random_below(&s.random, 2)) {
                skip_part(d, &s, at, at + n);
            } else {
                read_part(d, &s, at, at + n, pcm);
                assert_same_pcm(s.pcm, pcm, at, at + n, "after a skip");
            }
        }
        lac_decoder_close(&d);
    }
    free(pcm);
    end_script(&s);
}

/* Decode with sync points at random frames; then decode from each of them with nothing but a pre-roll. */
static void check_sync_points(uint32_t lost)
{
    script s = make_script(lost);
    lac_model_info info;
    lac_model_get_info(s.model, &info);
    float *pcm = test_alloc(FRAMES * LAC_FRAME, sizeof(float));
    size_t points[FRAMES], count = 0;
    lac_decoder_sync syncs[FRAMES];
    lac_decoder *d = open_decoder(s.model, 16, 1);
    for (size_t at = 0, n; at < FRAMES; at += n) {
        lac_decoder_get_sync(d, &syncs[count]);
        cr_assert_eq(syncs[count].frame, at);
        cr_assert_eq(syncs[count].pulse_phase & 0xffff, 0);
        points[count++] = at;
        n = 1 + random_below(&s.random, 12);
        n = n < FRAMES - at ? n : FRAMES - at;
        read_part(d, &s, at, at + n, s.pcm);
    }
    lac_decoder_close(&d);
    for (size_t i = 0; i < count; i++) {
        size_t start = points[i] > info.receptive_frames ? points[i] - info.receptive_frames : 0;
        d = open_decoder(s.model, random_block(&s.random), 1);
        if (random_below(&s.random, 2))
            skip_part(d, &s, start, points[i]);
        else
            read_part(d, &s, start, points[i], pcm);
        lac_decoder_set_sync(d, &syncs[i]);
        size_t end = i + 1 < count ? points[i + 1] : FRAMES;
        read_part(d, &s, points[i], end, pcm);
        assert_same_pcm(s.pcm, pcm, points[i], end, "after set_sync");
        if (i + 1 < count) {
            lac_decoder_sync next;
            lac_decoder_get_sync(d, &next);
            cr_assert_eq(next.frame, syncs[i + 1].frame);
            cr_assert_eq(next.pulse_phase, syncs[i + 1].pulse_phase);
        }
        lac_decoder_close(&d);
    }
    free(pcm);
    end_script(&s);
}

Test(decoder, preroll_and_sync_equal_the_full_decode)
{
    check_sync_points(0);
}

Test(decoder, preroll_and_sync_equal_the_full_decode_with_losses)
{
    check_sync_points(12);
    check_sync_points(3);
}

Test(decoder, asking_twice_for_the_sync_changes_nothing)
{
    script s = make_script(0);
    float *pcm = test_alloc(FRAMES * LAC_FRAME, sizeof(float));
    lac_decoder *a = open_decoder(s.model, 4, 1), *b = open_decoder(s.model, 4, 1);
    lac_decoder_sync first, second;
    read_part(a, &s, 0, 50, s.pcm);
    read_part(b, &s, 0, 50, pcm);
    lac_decoder_get_sync(a, &first);
    lac_decoder_get_sync(a, &second);
    lac_decoder_get_sync(b, &first);
    lac_decoder_set_sync(b, &second);
    read_part(a, &s, 50, FRAMES, s.pcm);
    read_part(b, &s, 50, FRAMES, pcm);
    assert_same_pcm(s.pcm, pcm, 0, FRAMES, "second sync");
    lac_decoder_close(&a);
    lac_decoder_close(&b);
    free(pcm);
    end_script(&s);
}

Test(decoder, reset_equals_fresh)
{
    script s = make_script(9);
    float *pcm = test_alloc(FRAMES * LAC_FRAME, sizeof(float));
    lac_decoder *d = open_decoder(s.model, 8, 1);
    read_part(d, &s, 0, FRAMES, s.pcm);
    for (int i = 0; i < 3; i++) {
        lac_decoder_reset(d);
        read_part(d, &s, 0, FRAMES, pcm);
        assert_same_pcm(s.pcm, pcm, 0, FRAMES, "reset");
        lac_decoder_reset(d);
        skip_part(d, &s, 3, 3 + random_below(&s.random, 90));
    }
    lac_decoder_close(&d);
    free(pcm);
    end_script(&s);
}

static float loudest(const float *pcm, size_t from, size_t to)
{
    float most = 0;
    for (size_t i = from * LAC_FRAME; i < to * LAC_FRAME; i++)
        most = fabsf(pcm[i]) > most ? fabsf(pcm[i]) : most;
    return most;
}

Test(decoder, losses_fade_to_silence_and_back)
{
    script s = make_script(0);
    float *pcm = test_alloc(FRAMES * LAC_FRAME, sizeof(float));
    lac_decoder *d = open_decoder(s.model, 8, 1);
    read_part(d, &s, 0, FRAMES, s.pcm);
    lac_decoder_reset(d);
    memset(s.codebooks + 40, 0, 20);
    read_part(d, &s, 0, FRAMES, pcm);
    assert_same_pcm(s.pcm, pcm, 0, 40, "before the loss");
    cr_assert_gt(loudest(pcm, 40, 42), 0);
    cr_assert_float_eq(loudest(pcm, 40 + LAC_CONCEAL_FRAMES, 60), 0, 0);
    cr_assert_gt(loudest(pcm, 61, 63), 0);
    cr_assert_lt(fabsf(pcm[60 * LAC_FRAME]), loudest(s.pcm, 0, FRAMES) / 64);
    lac_decoder_reset(d);
    memset(s.codebooks, 0, 10);
    read_part(d, &s, 0, 12, pcm);
    cr_assert_float_eq(loudest(pcm, 0, 10), 0, 0, "nothing arrived yet: nothing to repeat");
    cr_assert_gt(loudest(pcm, 11, 12), 0);
    lac_decoder_close(&d);
    free(pcm);
    end_script(&s);
}

Test(decoder, wrong_use_is_refused)
{
    script s = make_script(0);
    size_t q = s.model->arch.codebooks;
    float *pcm = test_alloc(FRAMES * LAC_FRAME, sizeof(float));
    lac_decoder *d = open_decoder(s.model, 4, 1);
    read_part(d, &s, 0, FRAMES, s.pcm);
    lac_decoder_reset(d);
    uint16_t kept = s.tokens[9 * q];
    s.tokens[9 * q] = (uint16_t)s.model->arch.codewords;
    cr_assert_eq(lac_decoder_read(d, s.tokens, s.codebooks, FRAMES, pcm), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_decoder_skip(d, s.tokens, s.codebooks, FRAMES), LAC_ERROR_ARGUMENT);
    s.tokens[9 * q] = kept;
    s.codebooks[11] = (uint8_t)(q + 1);
    cr_assert_eq(lac_decoder_read(d, s.tokens, s.codebooks, FRAMES, pcm), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_decoder_read(d, s.tokens, s.codebooks, 1, NULL), LAC_ERROR_ARGUMENT);
    read_part(d, &s, 0, 11, pcm);
    assert_same_pcm(s.pcm, pcm, 0, 11, "refused calls decode nothing");
    cr_assert_eq(lac_decoder_read(d, NULL, NULL, 0, NULL), 0);
    cr_assert_eq(lac_decoder_skip(d, NULL, NULL, 0), 0);
    lac_decoder_close(&d);
    cr_assert_null(d);
    lac_decoder_close(&d);
    lac_decoder_close(NULL);

    static const lac_decoder_settings wrong[] = {{0, 1, 0}, {257, 1, 0}, {1, 0, 0}, {1, 257, 0}, {1, 1, 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_eq(lac_decoder_open(&d, s.model, &wrong[i]), LAC_ERROR_ARGUMENT);
    cr_assert_null(d);
    free(pcm);
    end_script(&s);
}

Test(decoder, open_fails_cleanly_without_memory)
{
    lac_model *m = open_tiny();
    int status = LAC_ERROR_MEMORY;
    for (size_t n = 1; status == LAC_ERROR_MEMORY; n++) {
        lac_decoder *d = NULL;
        cr_assert_lt(n, 20);
        lac_alloc_fail_at(n);
        status = lac_decoder_open(&d, m, NULL);
        lac_alloc_fail_at(0);
        cr_assert_eq(status == 0, d != NULL);
        cr_assert(n > 1 || status == LAC_ERROR_MEMORY);
        lac_decoder_close(&d);
    }
    cr_assert_eq(status, 0);
    lac_model_close(&m);
}
