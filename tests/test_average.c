/* Average rates: how bits are shared out, and files written so. */
#include <math.h>

#include "allocate.h"
#include "average.h"
#include "beam.h"
#include "lacfile.h"
#include "weights.h"

TestSuite(average, .init = set_up, .fini = tear_down, .timeout = 3000);

/* ---- allocation ---- */

enum { FRAMES = 150, STAGES = 7 };

/* Errors that fall from stage to stage, of frames that are loud or soft for a while. */
static void make_errors(uint64_t errors[FRAMES][STAGES])
{
    random_source r = random_start();
    uint64_t size = 0;
    for (int i = 0; i < FRAMES; i++) {
        if (i % 13 == 0)
            size = UINT64_C(1) << (10 + random_below(&r, 30));
        for (int n = 0; n < STAGES; n++)
            errors[i][n] = (size >> n) * (16 + random_below(&r, 8)) / 16;
    }
}

static uint64_t sum_errors(uint64_t errors[FRAMES][STAGES], const uint8_t *codebooks)
{
    uint64_t sum = 0;
    for (int i = 0; i < FRAMES; i++)
        sum += errors[i][codebooks[i] - 1];
    return sum;
}

Test(average, keeps_its_budget_and_uses_it)
{
    static uint64_t errors[FRAMES][STAGES];
    make_errors(errors);
    lac_allocation a = {errors[0], FRAMES, STAGES, 30000};
    uint64_t before = UINT64_MAX, least = UINT64_MAX;
    uint8_t codebooks[FRAMES], same[FRAMES];
    for (uint64_t bits = 0; bits < FRAMES * STAGES * 9; bits += 97) {
        lac_allocate(&a, bits, codebooks);
        for (int i = 0; i < FRAMES; i++)
            cr_assert(codebooks[i] >= 1 && codebooks[i] <= STAGES);
        memset(same, 1, FRAMES);
        least = lac_allocation_bits(&a, same);
        cr_assert(lac_allocation_bits(&a, codebooks) <= (bits > least ? bits : least), "%d bits", (int)bits);
        uint64_t sum = sum_errors(errors, codebooks);
        cr_assert_leq(sum, before, "%d bits", (int)bits);
        before = sum;
        for (uint8_t n = 1; n <= STAGES; n++) {
            memset(same, n, FRAMES);
            if (n > 1 && lac_allocation_bits(&a, same) <= bits)
                cr_assert_leq(sum, sum_errors(errors, same), "%d bits against %d codebooks", (int)bits, n);
        }
    }
    for (int i = 0; i < FRAMES; i++)
        cr_assert_eq(codebooks[i], STAGES);
}

/* Of five frames, in eighths of a bit: moves, which the search goes by, even where a page takes a shorter list. */
static uint32_t priced(const uint8_t *codebooks, uint32_t token_eighths)
{
    uint32_t eighths = 8 * LAC_PAGE_FIRST_BITS + token_eighths * codebooks[0];
    for (int i = 1; i < 5; i++)
        eighths += 8 * lac_page_move_bits(codebooks[i - 1], codebooks[i]) + token_eighths * codebooks[i];
    return eighths;
}

/* One page of few frames: no other choice has less error for less, at the price that was paid. */
Test(average, is_the_best_of_all_choices)
{
    random_source r = random_start();
    for (int round = 0; round < rounds(40); round++) {
        uint64_t errors[5][4], sum = 0;
        uint32_t token = 8 + random_below(&r, 80);
        uint8_t best[5], other[5];
        for (int i = 0; i < 5; i++)
            for (int n = 3; n >= 0; n--)
                errors[i][n] = (n < 3 ? errors[i][n + 1] : 0) + random_below(&r, 1000);
        lac_allocation a = {errors[0], 5, 4, LAC_ALLOCATION_BIT / 8 * token};
        lac_allocate(&a, 20 + random_below(&r, 150), best);
        for (int i = 0; i < 5; i++)
            sum += errors[i][best[i] - 1];
        for (int code = 0; code < 1024; code++) {
            uint64_t error = 0;
            for (int i = 0; i < 5; i++) {
                other[i] = (uint8_t)(1 + (code >> 2 * i & 3));
                error += errors[i][other[i] - 1];
            }
            cr_assert(error >= sum || priced(other, token) >= priced(best, token), "round %d", round);
        }
    }
}

Test(average, keeps_its_budget_whatever_tokens_cost)
{
    static const uint32_t costs[] = {1, 100, 255, 256, 300, 128 * LAC_ALLOCATION_BIT};
    static uint64_t errors[FRAMES][STAGES];
    uint8_t codebooks[FRAMES], ones[FRAMES];
    make_errors(errors);
    memset(ones, 1, FRAMES);
    for (size_t c = 0; c < sizeof costs / sizeof *costs; c++)
        for (uint64_t bits = 0; bits < 3000; bits += 111) {
            lac_allocation a = {errors[0], FRAMES, STAGES, costs[c]};
            uint64_t least = lac_allocation_bits(&a, ones);
            lac_allocate(&a, bits, codebooks);
            cr_assert_leq(lac_allocation_bits(&a, codebooks), bits > least ? bits : least);
        }
}

Test(average, levels)
{
    float pcm[480];
    int16_t before = 0;
    for (size_t i = 0; i < 480; i++)
        pcm[i] = 0;
    cr_assert_eq(lac_average_level(pcm, 480), 0);
    cr_assert_eq(lac_average_level(pcm, 0), 0);
    for (float size = 1e-4f; size < 10; size *= 2, before = lac_average_level(pcm, 480)) {
        for (size_t i = 0; i < 480; i++)
            pcm[i] = i % 2 ? size : -size;
        int rise = lac_average_level(pcm, 480) - before; /* 6 dB: two octaves of power */
        cr_assert(before == 0 || size > 4 || (rise >= 31 && rise <= 33), "%d at %g", rise, (double)size);
        cr_assert_geq(rise, 0);
    }
    pcm[7] = NAN;
    pcm[8] = -INFINITY;
    cr_assert_leq(lac_average_level(pcm, 480), before);
}

/* What greedy search is said to leave is what the tokens' words leave. */
static void check_errors(const char *name)
{
    lac_model *m = open_vector(name);
    const lac_quantiser *q = &m->quantiser;
    random_source r = random_start();
    enum { ROWS = 70 };
    static int16_t z[ROWS * LAC_RVQ_MAX_D], scratch[ROWS * LAC_RVQ_MAX_D];
    static uint16_t tokens[ROWS * LAC_RVQ_MAX_STAGES];
    static uint32_t errors[ROWS * LAC_RVQ_MAX_STAGES];
    for (size_t i = 0; i < ROWS * q->dimension; i++)
        z[i] = (int16_t)((int)random_below(&r, 800) - 400);
    for (uint32_t stages = 1; stages <= q->stages; stages++) {
        lac_quantiser_errors(q, stages, z, ROWS, tokens, scratch, errors);
        for (size_t i = 0; i < ROWS; i++)
            for (uint32_t n = 1; n <= stages; n++) {
                int16_t word[LAC_RVQ_MAX_D];
                lac_quantiser_decode(q, tokens + i * q->stages, n, word);
                uint32_t sum = lac_beam_distance(z + i * q->dimension, word, q->dimension);
                cr_assert_eq(errors[i * stages + n - 1], sum, "%s: row %zu, %u of %u", name, i, n, stages);
            }
    }
    lac_model_close(&m);
}

Test(average, errors_are_those_of_the_tokens)
{
    check_errors("tiny.lacm");
    check_errors("tiny-fsq.lacm");
}

/* ---- files ---- */

static memfile write_average(size_t frames, uint32_t channels, uint32_t bitrate, uint32_t codebooks, uint32_t coding,
                             size_t piece, uint32_t threads)
{
    lac_writer_settings s = mono();
    s.channels = channels;
    s.bitrate = bitrate;
    s.codebooks = codebooks;
    s.coding = coding;
    s.threads = threads;
    s.beam = 2;
    float *pcm = make_sound(frames, channels);
    for (size_t i = frames / 3 * channels; i < frames / 2 * channels; i++)
        pcm[i] *= 1e-3f; /* what is soft gets fewer */
    memfile f = write_file(pcm, frames, frames, &s, piece, NULL);
    free(pcm);
    return f;
}

static void check_rate(const memfile *f, double wanted, size_t frames, uint32_t channels, double tolerance)
{
    decoded d = memfile_decode((memfile *)f, model, false, 5000, ALL);
    double got = (double)d.info.payload_bits * about.sample_rate / (double)frames / channels;
    cr_assert(d.status == 0 && d.frames == frames && d.info.damaged_pages == 0);
    cr_assert(got < wanted * (1 + tolerance) && got > wanted * (1 - tolerance), "%g, %g was asked for", got, wanted);
    free(d.pcm);
}

Test(average, files_have_their_rate)
{
    double least = (double)about.token_bits * about.sample_rate / about.frame_samples, most = least * about.codebooks;
    static const uint32_t codings[] = {LAC_CODING_PLAIN, LAC_CODING_ADAPTIVE};
    size_t n = 20 * PAGE_SAMPLES + 1234; /* more than a window */
    for (size_t i = 0; i < 2; i++)
        for (uint32_t channels = 1; channels < 3; channels++) {
            uint32_t bitrate = (uint32_t)(least + (most - least) * 0.4);
            memfile f = write_average(n, channels, bitrate, 0, codings[i], 10000, 1);
            lac_stream_info info;
            check_rate(&f, bitrate, n, channels, 0.03);
            cr_assert(memfile_verify(&f, true, &info) == 0 && info.min_codebooks < info.max_codebooks);
            memfile_free(&f);
        }
}

Test(average, neither_more_nor_less_than_there_is)
{
    double step = (double)about.token_bits * about.sample_rate / about.frame_samples;
    size_t n = 3 * PAGE_SAMPLES;
    for (uint32_t most = 1; most <= about.codebooks; most += about.codebooks - 1) {
        memfile f = write_average(n, 1, LAC_MAX_BITRATE, most, LAC_CODING_PLAIN, ALL, 1);
        check_rate(&f, step * most, n, 1, 0.01);
        memfile_free(&f);
    }
    memfile f = write_average(n, 1, 1, 0, LAC_CODING_PLAIN, ALL, 1);
    check_rate(&f, step, n, 1, 0.01);
    memfile_free(&f);
}

Test(average, the_same_whatever_the_pieces_and_threads)
{
    size_t n = 18 * PAGE_SAMPLES + 77;
    memfile first = write_average(n, 2, 700, 0, LAC_CODING_BEST, ALL, 1);
    for (uint32_t i = 1; i < 4; i++) {
        memfile f = write_average(n, 2, 700, 0, LAC_CODING_BEST, i == 1 ? 999 : PAGE_SAMPLES + i, i);
        cr_assert_eq(f.size, first.size);
        cr_assert_arr_eq(f.data, first.data, f.size);
        memfile_free(&f);
    }
    memfile_free(&first);
}

Test(average, every_length)
{
    static const size_t lengths[] = {0, 1, 480, PAGE_SAMPLES, 16 * PAGE_SAMPLES - DELAY - 1, 16 * PAGE_SAMPLES - DELAY,
                                     16 * PAGE_SAMPLES - 1, 16 * PAGE_SAMPLES, 16 * PAGE_SAMPLES + 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memfile f = write_average(lengths[i], 1, 800, 0, LAC_CODING_BEST, 12345, 1);
        decoded d = memfile_decode(&f, model, true, 7777, ALL);
        cr_assert(d.status == 0 && d.frames == lengths[i] && d.info.damaged_pages == 0 && !d.info.truncated);
        free(d.pcm);
        memfile_free(&f);
    }
}

/* Sound whose tokens get cheaper as there are more of them; and silence, which leaves its bits to what comes. */
Test(average, keeps_its_rate_with_sound_that_does_not_change)
{
    size_t n = 40 * PAGE_SAMPLES;
    random_source r = random_start();
    for (int kind = 0; kind < 3; kind++) {
        float *pcm = test_alloc(n, sizeof *pcm);
        for (size_t i = 0; i < n; i++) {
            float noise = (float)random_below(&r, 2001) / 1000 - 1;
            pcm[i] = kind == 0 ? (i % 480 < 240 ? 0.2f : -0.2f) + 0.002f * noise : kind == 1 ? 0.3f * noise : 0;
        }
        for (uint32_t bitrate = 400; bitrate < 1000; bitrate += 250) {
            lac_writer_settings s = mono();
            s.bitrate = bitrate;
            s.coding = LAC_CODING_ADAPTIVE;
            memfile f = write_file(pcm, n, n, &s, ALL, NULL);
            lac_stream_info info;
            cr_assert_eq(memfile_verify(&f, true, &info), 0);
            double got = (double)info.payload_bits * about.sample_rate / (double)n;
            cr_assert(got < 1.1 * bitrate && (kind < 2 || got < 300), "kind %d: %g of %u", kind, got, bitrate);
            memfile_free(&f);
        }
        free(pcm);
    }
}

Test(average, seeking)
{
    size_t n = 20 * PAGE_SAMPLES + 100;
    memfile f = write_average(n, 1, 700, 0, LAC_CODING_BEST, 10000, 1);
    decoded whole = memfile_decode(&f, model, true, 5000, ALL);
    lac_io io = memfile_io(&f, true);
    lac_reader *reader = NULL;
    f.at = 0;
    cr_assert_eq(lac_reader_open(&reader, &io), 0);
    cr_assert_eq(lac_reader_start(reader, model, 1), 0);
    for (size_t at = 0; at < n; at += n / 9)
        check_seek(reader, &whole, at);
    lac_reader_close(&reader);
    free(whole.pcm);
    memfile_free(&f);
}

Test(average, write_errors)
{
    lac_writer_settings s = mono();
    s.bitrate = 700;
    s.beam = 2;
    check_write_errors(&s, 17 * PAGE_SAMPLES, 2, 97);
}

Test(average, memory_that_is_not_there)
{
    lac_writer_settings s = mono();
    s.channels = 2;
    s.bitrate = 700;
    check_writer_memory(&s);
}

Test(average, has_no_other_codebooks)
{
    memfile f = {0};
    lac_io io = memfile_io(&f, false);
    lac_writer *w = NULL;
    lac_writer_settings s = mono();
    s.bitrate = LAC_MAX_BITRATE + 1;
    cr_assert_eq(lac_writer_open(&w, model, &io, &s), LAC_ERROR_ARGUMENT);
    s.bitrate = 1000;
    cr_assert_eq(lac_writer_open(&w, model, &io, &s), 0);
    cr_assert_eq(lac_writer_set_codebooks(w, 1), LAC_ERROR_STATE);
    cr_assert_eq(lac_writer_finish(w, 0), 0);
    lac_writer_close(&w);
    memfile_free(&f);
}
