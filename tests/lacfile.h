/* What tests of .lac files share: the tiny model, files written with it, comparison with the full decode. */
#ifndef LAC_TESTS_LACFILE_H
#define LAC_TESTS_LACFILE_H

#include <criterion/criterion.h>
#include <string.h>

#include "fixture.h"
#include "memfile.h"
#include "page.h"
#include "pagecoding.h"
#include "workspace.h"

#define FRAME 480
#define DELAY 240
#define PAGE_SAMPLES ((size_t)LAC_PAGE_FRAMES * FRAME)
#define ALL (SIZE_MAX / 4)

static lac_model *model;
static lac_model_info about;

static inline void set_up(void)
{
    model = open_tiny();
    lac_model_get_info(model, &about);
}

/* The same model, and a prior of random numbers. */
static inline void set_up_prior(void)
{
    model = open_vector("tiny_prior.lacm");
    lac_model_get_info(model, &about);
}

static inline void tear_down(void)
{
    lac_model_close(&model);
}

/* Sound [frames][channels], each channel different. */
static inline float *make_sound(size_t frames, uint32_t channels)
{
    float *pcm = test_alloc(frames * channels, sizeof *pcm), *one = test_alloc(frames + 8000, sizeof *one);
    cr_assert_lt(frames, ALL / 4);
    generate_sound(one, frames + 8000);
    for (size_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < channels; c++)
            pcm[i * channels + c] = one[i + 1000 * c];
    free(one);
    return pcm;
}

static inline lac_writer_settings mono(void)
{
    lac_writer_settings s;
    lac_writer_default_settings(&s);
    return s;
}

/* Write pcm in pieces of `piece`; with `r`, pieces are random and the rate changes at random. */
static inline memfile write_file(const float *pcm, size_t frames, uint64_t samples, const lac_writer_settings *s,
                          size_t piece, random_source *r)
{
    memfile f = {0};
    lac_io io = memfile_io(&f, false);
    lac_writer *w = NULL;
    cr_assert_eq(lac_writer_open(&w, model, &io, s), 0);
    for (size_t at = 0, n; at < frames; at += n) {
        n = r ? 1 + random_below(r, (uint32_t)piece) : piece;
        n = n < frames - at ? n : frames - at;
        if (r)
            cr_assert_eq(lac_writer_set_codebooks(w, 1 + random_below(r, about.codebooks)), 0);
        cr_assert_eq(lac_writer_write(w, pcm + at * s->channels, n), 0);
    }
    cr_assert_eq(lac_writer_finish(w, samples), 0);
    lac_writer_close(&w);
    return f;
}

/* A writer whose output fails says so, wherever that is, and takes no more. `first` places are tried one by one, then
 * each `step`-th. */
static inline void check_write_errors(const lac_writer_settings *s, size_t frames, size_t first, size_t step)
{
    float *pcm = make_sound(frames, s->channels);
    memfile whole = write_file(pcm, frames, frames, s, frames, NULL);
    for (size_t n = 1; n <= whole.size; n += n < first ? 1 : step) {
        memfile f = {.fail_at = n};
        lac_io io = memfile_io(&f, false);
        lac_writer *w = NULL;
        int status = lac_writer_open(&w, model, &io, s);
        if (status == 0)
            status = lac_writer_write(w, pcm, frames);
        if (status == 0)
            status = lac_writer_finish(w, frames);
        cr_assert_eq(status, LAC_ERROR_IO, "%zu", n);
        if (w)
            cr_assert_eq(lac_writer_write(w, pcm, 1), LAC_ERROR_STATE);
        lac_writer_close(&w);
        memfile_free(&f);
    }
    free(pcm);
    memfile_free(&whole);
}

/* Opening a writer says so if memory is not there, whichever allocation that is, and leaves none behind. */
static inline void check_writer_memory(const lac_writer_settings *s)
{
    int status = LAC_ERROR_MEMORY;
    for (size_t n = 1; status != 0; n++) {
        memfile f = {0};
        lac_writer *w = NULL;
        lac_io io = memfile_io(&f, false);
        lac_alloc_fail_at(n);
        status = lac_writer_open(&w, model, &io, s);
        lac_alloc_fail_at(0);
        cr_assert(status == 0 ? w != NULL && n > 5 : status == LAC_ERROR_MEMORY && !w);
        lac_writer_close(&w);
        memfile_free(&f);
    }
}

static inline memfile write_coded(size_t frames, uint32_t codebooks, uint32_t coding)
{
    float *pcm = make_sound(frames, 1);
    lac_writer_settings s = mono();
    s.codebooks = codebooks;
    s.coding = coding;
    memfile f = write_file(pcm, frames, frames, &s, 5000, NULL);
    free(pcm);
    return f;
}

static inline memfile write_mono(size_t frames, uint32_t codebooks)
{
    return write_coded(frames, codebooks, LAC_CODING_BEST);
}

/* A page coder with its memory, which is returned, to be closed. */
static inline lac_workspace open_coder(lac_pagecoding *coder, uint32_t channels)
{
    lac_workspace memory = lac_workspace_measure();
    *coder = (lac_pagecoding){0};
    lac_pagecoding_init(coder, &memory, model, channels, true);
    cr_assert_eq(lac_workspace_open(&memory, memory.used), 0);
    lac_pagecoding_init(coder, &memory, model, channels, true);
    cr_assert_not(memory.failed);
    return memory;
}

/* Tokens of one page that its coding finds likely: what random bytes decode to. tokens: as lac_pagecoding_decode's. */
static inline void likely_tokens(lac_pagecoding *coder, const lac_page *page, uint16_t *const *tokens,
                                 random_source *r)
{
    static uint8_t data[LAC_PAGE_MAX];
    lac_page p = *page;
    p.head_size = 0;
    p.payload_size = sizeof data;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)lac_hash32(r->state++);
    (void)lac_pagecoding_decode(coder, tokens, NULL, &p, data);
}

/* A mono file of likely tokens, all of whose pages but a short one are coded so. */
static inline memfile write_likely(size_t frames, uint32_t codebooks, uint32_t coding)
{
    memfile f = {0};
    lac_io io = memfile_io(&f, false);
    lac_writer *w = NULL;
    lac_pagecoding coder;
    lac_workspace memory = open_coder(&coder, 1);
    random_source r = random_start();
    lac_writer_settings s = mono();
    lac_page p = {.frames = LAC_PAGE_FRAMES, .coding = LAC_PAGE_ADAPTIVE};
    uint16_t rows[LAC_PAGE_FRAMES * LAC_MAX_CODEBOOKS], *tokens = rows;
    memset(p.codebooks, (int)codebooks, sizeof p.codebooks);
    s.coding = coding;
    if (coding == LAC_CODING_PRIOR)
        p.coding = lac_pagecoding_prior(model);
    cr_assert_eq(lac_writer_open(&w, model, &io, &s), 0);
    for (size_t at = 0; at < frames; at += LAC_PAGE_FRAMES) {
        size_t n = frames - at < LAC_PAGE_FRAMES ? frames - at : LAC_PAGE_FRAMES;
        likely_tokens(&coder, &p, &tokens, &r);
        cr_assert_eq(lac_writer_write_tokens(w, rows, p.codebooks, n), 0);
    }
    cr_assert_eq(lac_writer_finish(w, frames * FRAME - DELAY), 0);
    lac_writer_close(&w);
    lac_workspace_close(&memory);
    return f;
}

static inline memfile copy_file(const memfile *f, size_t size)
{
    memfile copy = {.data = test_alloc(size, 1), .size = size, .capacity = size};
    memcpy(copy.data, f->data, size < f->size ? size : f->size);
    return copy;
}

static inline bool same_pcm(const float *a, const float *b, size_t count)
{
    return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

/* Every position in `at` gives what `whole` has there. */
static inline void check_seek(lac_reader *r, const decoded *whole, uint64_t position)
{
    float part[1500];
    size_t got = 0, done = 0, want = position < whole->frames ? whole->frames - (size_t)position : 0;
    want = want < 1500 ? want : 1500;
    cr_assert_eq(lac_reader_seek(r, position), 0);
    while (done < want) {
        cr_assert_eq(lac_reader_read(r, part + done, 1500 - done, &got), 0);
        cr_assert_gt(got, 0, "position %llu", (unsigned long long)position);
        done += got;
    }
    if (want == 0)
        cr_assert(lac_reader_read(r, part, 1500, &got) == 0 && got == 0);
    cr_assert(same_pcm(part, whole->pcm + (want ? position : 0), want), "position %llu", (unsigned long long)position);
}

/* The page ends of a sound file, found by its own rules. */
static inline size_t page_ends(const memfile *f, size_t *ends)
{
    lac_header h;
    lac_page p;
    size_t count = 0;
    cr_assert_eq(lac_header_parse(&h, f->data, f->size), 0);
    for (size_t at = ends[0] = h.size; lac_page_parse(&p, &h.format, f->data + at, f->size - at) == 0; count++)
        ends[count + 1] = at += p.size;
    return count;
}

#endif
