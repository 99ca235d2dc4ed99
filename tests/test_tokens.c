/* Tokens out of .lac files and into them: the encoder's own, in any pieces, from any frame, past damage. */
#include "lac/encoder.h"
#include "lacfile.h"

TestSuite(tokens, .init = set_up, .fini = tear_down);

/* Tokens [frames][channels][Q] and the codebooks of each frame. */
typedef struct token_file {
    uint16_t *tokens;
    uint8_t *codebooks;
    size_t frames, row;
    lac_stream_info info;
    int status;
} token_file;

static void token_file_free(token_file *t)
{
    free(t->tokens);
    free(t->codebooks);
}

static lac_reader *open_reader(memfile *f, bool can_seek)
{
    lac_io io = memfile_io(f, can_seek);
    lac_reader *r = NULL;
    cr_assert_eq(lac_reader_open(&r, &io), 0);
    cr_assert_eq(lac_reader_start(r, model, 1), 0);
    return r;
}

/* From where the reader stands, in random pieces. */
static token_file read_rest(lac_reader *r, random_source *random)
{
    token_file t = {0};
    size_t got = 1, capacity = 4000;
    lac_reader_get_info(r, &t.info);
    t.row = t.info.channels * about.codebooks;
    t.tokens = test_alloc(capacity * t.row, sizeof *t.tokens);
    t.codebooks = test_alloc(capacity, 1);
    while (t.status == 0 && got > 0) {
        size_t piece = 1 + random_below(random, 200);
        cr_assert_leq(t.frames + piece, capacity);
        t.status = lac_reader_read_tokens(r, t.tokens + t.frames * t.row, t.codebooks + t.frames, piece, &got);
        t.frames += t.status == 0 ? got : 0;
    }
    lac_reader_get_info(r, &t.info);
    return t;
}

static token_file read_all(memfile *f, bool can_seek, random_source *random)
{
    lac_reader *r = open_reader(f, can_seek);
    token_file t = read_rest(r, random);
    lac_reader_close(&r);
    return t;
}

static memfile write_tokens(const token_file *t, const lac_writer_settings *s, uint64_t samples,
                            random_source *random)
{
    memfile f = {0};
    lac_io io = memfile_io(&f, false);
    lac_writer *w = NULL;
    cr_assert_eq(lac_writer_open(&w, model, &io, s), 0);
    for (size_t at = 0, n; at < t->frames; at += n) {
        n = 1 + random_below(random, 100);
        n = n < t->frames - at ? n : t->frames - at;
        cr_assert_eq(lac_writer_write_tokens(w, t->tokens + at * t->row, t->codebooks + at, n), 0);
    }
    cr_assert_eq(lac_writer_finish(w, samples), 0);
    lac_writer_close(&w);
    return f;
}

/* Sound in `channels` channels whose rate changes as it goes. */
static memfile sound_file(size_t samples, uint32_t channels, random_source *random)
{
    float *pcm = make_sound(samples, channels);
    lac_writer_settings s = mono();
    s.channels = channels;
    memfile f = write_file(pcm, samples, samples, &s, 9000, random);
    free(pcm);
    return f;
}

Test(tokens, are_the_encoders)
{
    random_source random = random_start();
    size_t samples = 50000, got, more;
    float *pcm = make_sound(samples, 1);
    lac_encoder *e = NULL;
    uint16_t *wanted = test_alloc(400 * about.codebooks, sizeof *wanted);
    memfile f = write_mono(samples, 0);
    token_file t = read_all(&f, true, &random);
    cr_assert_eq(lac_encoder_open(&e, model, NULL), 0);
    cr_assert_eq(lac_encoder_write(e, pcm, samples, wanted, 400, &got), 0);
    cr_assert_eq(lac_encoder_flush(e, wanted + got * about.codebooks, 400 - got, &more), 0);
    cr_assert_eq(t.status, 0);
    cr_assert_eq(t.frames, got + more);
    cr_assert_eq(memcmp(t.tokens, wanted, t.frames * t.row * sizeof *wanted), 0);
    for (size_t i = 0; i < t.frames; i++)
        cr_assert_eq(t.codebooks[i], about.codebooks);
    lac_encoder_close(&e);
    token_file_free(&t);
    memfile_free(&f);
    free(wanted);
    free(pcm);
}

Test(tokens, written_again_are_the_same_file)
{
    random_source random = random_start();
    for (uint32_t channels = 1; channels <= 2; channels++)
        for (int i = 0; i < rounds(3); i++) {
            size_t samples = random_below(&random, 4) ? random_below(&random, 150000) : random_below(&random, 3);
            memfile f = sound_file(samples, channels, &random);
            token_file t = read_all(&f, i % 2, &random);
            lac_writer_settings s = mono();
            s.channels = channels;
            memfile again = write_tokens(&t, &s, samples, &random);
            cr_assert_eq(t.frames, t.info.frames);
            cr_assert_eq(again.size, f.size);
            cr_assert_eq(memcmp(again.data, f.data, f.size), 0, "%zu samples", samples);
            token_file_free(&t);
            memfile_free(&again);
            memfile_free(&f);
        }
}

Test(tokens, from_any_frame)
{
    random_source random = random_start();
    memfile f = sound_file(150000, 2, &random);
    token_file whole = read_all(&f, true, &random);
    for (int seekable = 0; seekable < 2; seekable++) {
        lac_reader *r = open_reader(&f, seekable);
        uint64_t at = 0;
        for (int i = 0; i < 20; i++) {
            uint16_t rows[2 * LAC_MAX_CODEBOOKS];
            uint8_t codebooks;
            size_t got;
            at = seekable ? random_below(&random, (uint32_t)whole.frames + 5) : at + random_below(&random, 20);
            cr_assert_eq(lac_reader_seek_frame(r, at), 0);
            cr_assert_eq(lac_reader_read_tokens(r, rows, &codebooks, 1, &got), 0);
            cr_assert_eq(got, at < whole.frames, "frame %llu", (unsigned long long)at);
            if (got) {
                cr_assert_eq(codebooks, whole.codebooks[at]);
                cr_assert_eq(memcmp(rows, whole.tokens + at * whole.row, whole.row * sizeof *rows), 0);
            }
            at += got;
        }
        cr_assert_eq(lac_reader_seek_frame(r, UINT64_MAX), 0);
        cr_assert_eq(lac_reader_seek_frame(r, 3), seekable ? 0 : LAC_ERROR_NOT_SEEKABLE);
        lac_reader_close(&r);
    }
    token_file_free(&whole);
    memfile_free(&f);
}

/* One page's frames are lost, all others keep their tokens and places. */
Test(tokens, past_damage)
{
    random_source random = random_start();
    memfile f = write_mono(6 * PAGE_SAMPLES + 1000, 4);
    token_file sound = read_all(&f, true, &random);
    size_t ends[20], pages = page_ends(&f, ends);
    cr_assert_geq(pages, 6);
    for (size_t p = 0; p < pages; p++) {
        memfile bad = copy_file(&f, f.size);
        bad.data[ends[p] + 9] ^= 4;
        token_file t = read_all(&bad, p % 2, &random);
        cr_assert_eq(t.status, 0);
        cr_assert_eq(t.frames, sound.frames);
        cr_assert_eq(t.info.damaged_pages, 1);
        for (size_t i = 0; i < t.frames; i++) {
            bool lost = i / LAC_PAGE_FRAMES == p;
            cr_assert_eq(t.codebooks[i], lost ? 0 : 4, "page %zu, frame %zu", p, i);
            for (size_t q = 0; q < t.row; q++)
                cr_assert_eq(t.tokens[i * t.row + q], lost ? 0 : sound.tokens[i * t.row + q]);
        }
        token_file_free(&t);
        memfile_free(&bad);
    }
    memfile cut = copy_file(&f, ends[3] + 7);
    token_file t = read_all(&cut, true, &random);
    cr_assert_eq(t.frames, 3 * LAC_PAGE_FRAMES);
    cr_assert_eq(t.info.truncated, 1);
    token_file_free(&t);
    memfile_free(&cut);
    token_file_free(&sound);
    memfile_free(&f);
}

/* Lost frames can be written; they decode to what a decoder conceals. */
Test(tokens, lost_frames_are_written)
{
    random_source random = random_start();
    memfile f = write_mono(3 * PAGE_SAMPLES, 4);
    token_file t = read_all(&f, true, &random);
    memset(t.codebooks + 70, 0, 10);
    lac_writer_settings s = mono();
    memfile holed = write_tokens(&t, &s, 3 * PAGE_SAMPLES, &random);
    token_file back = read_all(&holed, true, &random);
    cr_assert_eq(back.info.damaged_pages, 0);
    cr_assert_eq(memcmp(back.codebooks, t.codebooks, t.frames), 0);
    decoded d = memfile_decode(&holed, model, true, 4096, ALL);
    cr_assert_eq(d.status, 0);
    cr_assert_eq(d.frames, 3 * PAGE_SAMPLES);
    free(d.pcm);
    token_file_free(&back);
    token_file_free(&t);
    memfile_free(&holed);
    memfile_free(&f);
}

Test(tokens, wrong_calls)
{
    memfile f = {0};
    lac_io io = memfile_io(&f, false);
    lac_writer *w = NULL;
    uint16_t tokens[2 * LAC_MAX_CODEBOOKS] = {0};
    uint8_t codebooks[2] = {1, 1};
    float pcm[3] = {0};
    cr_assert_eq(lac_writer_open(&w, model, &io, NULL), 0);
    tokens[about.codebooks] = (uint16_t)about.codewords;
    cr_assert_eq(lac_writer_write_tokens(w, tokens, codebooks, 2), LAC_ERROR_ARGUMENT);
    tokens[about.codebooks] = 0;
    codebooks[1] = (uint8_t)(about.codebooks + 1);
    cr_assert_eq(lac_writer_write_tokens(w, tokens, codebooks, 2), LAC_ERROR_ARGUMENT);
    codebooks[1] = 0;
    cr_assert_eq(lac_writer_write_tokens(w, tokens, codebooks, 2), 0);
    cr_assert_eq(lac_writer_write(w, pcm, 3), LAC_ERROR_STATE);
    cr_assert_eq(lac_writer_finish(w, 2 * FRAME - DELAY + 1), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_writer_finish(w, FRAME - DELAY), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_writer_finish(w, 2 * FRAME - DELAY), 0);
    lac_writer_close(&w);
    lac_reader *r = open_reader(&f, true);
    size_t got;
    cr_assert_eq(lac_reader_read_tokens(r, tokens, codebooks, 1, &got), 0);
    cr_assert_eq(lac_reader_read(r, pcm, 3, &got), LAC_ERROR_STATE);
    cr_assert_eq(lac_reader_seek(r, 0), LAC_ERROR_STATE);
    lac_reader_close(&r);
    r = open_reader(&f, true);
    cr_assert_eq(lac_reader_read(r, pcm, 3, &got), 0);
    cr_assert_eq(lac_reader_read_tokens(r, tokens, codebooks, 1, &got), LAC_ERROR_STATE);
    cr_assert_eq(lac_reader_seek_frame(r, 0), LAC_ERROR_STATE);
    lac_reader_close(&r);
    memfile_free(&f);
    memfile sounding = {0};
    io = memfile_io(&sounding, false);
    cr_assert_eq(lac_writer_open(&w, model, &io, NULL), 0);
    cr_assert_eq(lac_writer_write(w, pcm, 3), 0);
    cr_assert_eq(lac_writer_write_tokens(w, tokens, codebooks, 1), LAC_ERROR_STATE);
    lac_writer_close(&w);
    memfile_free(&sounding);
}
