/* .lac files written and read with the tiny model: exactness, seeking, damage, truncation, hostile bytes. */
#include <criterion/criterion.h>
#include <string.h>

#include "bytes.h"
#include "fixture.h"
#include "lac/decoder.h"
#include "lac/encoder.h"
#include "memfile.h"
#include "page.h"
#include "workspace.h"

#define FRAME 480
#define DELAY 240
#define PAGE_SAMPLES ((size_t)LAC_PAGE_FRAMES * FRAME)
#define ALL ((size_t)1 << 40)

static lac_model *model;
static lac_model_info about;

static void set_up(void)
{
    model = open_tiny();
    lac_model_get_info(model, &about);
}

static void tear_down(void)
{
    lac_model_close(&model);
}

TestSuite(stream, .init = set_up, .fini = tear_down, .timeout = 240);

/* Sound [frames][channels], each channel different. */
static float *make_sound(size_t frames, uint32_t channels)
{
    float *pcm = test_alloc(frames * channels, sizeof *pcm), *one = test_alloc(frames + 8000, sizeof *one);
    generate_sound(one, frames + 8000);
    for (size_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < channels; c++)
            pcm[i * channels + c] = one[i + 1000 * c];
    free(one);
    return pcm;
}

static lac_writer_settings mono(void)
{
    lac_writer_settings s;
    lac_writer_default_settings(&s);
    return s;
}

/* Write pcm in pieces of `piece`; with `r`, pieces are random and the rate changes at random. */
static memfile write_file(const float *pcm, size_t frames, uint64_t samples, const lac_writer_settings *s,
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

static memfile write_mono(size_t frames, uint32_t codebooks)
{
    float *pcm = make_sound(frames, 1);
    lac_writer_settings s = mono();
    s.codebooks = codebooks;
    memfile f = write_file(pcm, frames, frames, &s, 5000, NULL);
    free(pcm);
    return f;
}

static memfile copy_file(const memfile *f, size_t size)
{
    memfile copy = {.data = test_alloc(size, 1), .size = size, .capacity = size};
    memcpy(copy.data, f->data, size < f->size ? size : f->size);
    return copy;
}

static bool same_pcm(const float *a, const float *b, size_t count)
{
    return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

/* ---- sound files ---- */

Test(stream, every_length)
{
    static const size_t lengths[] = {0, 1, 239, 240, 241, 480, 481, PAGE_SAMPLES - DELAY - 1, PAGE_SAMPLES - DELAY,
                                     PAGE_SAMPLES - DELAY + 1, PAGE_SAMPLES, 2 * PAGE_SAMPLES + 12345};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i];
        memfile f = write_mono(n, 2);
        lac_stream_info info;
        for (int can_seek = 0; can_seek < 2; can_seek++) {
            cr_assert_eq(memfile_verify(&f, can_seek, &info), 0, "%zu samples", n);
            uint64_t frames = n ? (n + DELAY + FRAME - 1) / FRAME : 0;
            cr_assert(info.samples == n && info.frames == frames && info.damaged_pages == 0 && !info.truncated);
            cr_assert_eq(info.pages, (frames + LAC_PAGE_FRAMES - 1) / LAC_PAGE_FRAMES);
            cr_assert_eq(info.payload_bits, frames * 2 * about.token_bits);
            cr_assert_eq(info.bytes, f.size);
            decoded d = memfile_decode(&f, model, can_seek, 7777, ALL);
            cr_assert(d.status == 0 && d.frames == n && d.info.model_samples == n, "%zu: %zu", n, d.frames);
            cr_assert(d.info.damaged_pages == 0 && !d.info.truncated);
            free(d.pcm);
        }
        memfile_free(&f);
    }
}

Test(stream, equals_encoder_and_decoder)
{
    size_t n = 2 * PAGE_SAMPLES + 999, frames = (n + DELAY + FRAME - 1) / FRAME, got, more;
    float *pcm = make_sound(n, 1), *out = test_alloc(frames * FRAME, sizeof *out);
    uint16_t *tokens = test_alloc((frames + 8) * about.codebooks, sizeof *tokens);
    uint8_t *codebooks = test_alloc(frames, 1);
    lac_encoder *e = NULL;
    lac_decoder *d = NULL;
    cr_assert_eq(lac_encoder_open(&e, model, NULL), 0);
    cr_assert_eq(lac_encoder_write(e, pcm, n, tokens, frames + 8, &got), 0);
    cr_assert_eq(lac_encoder_flush(e, tokens + got * about.codebooks, frames + 8 - got, &more), 0);
    cr_assert_eq(got + more, frames);
    memset(codebooks, (int)about.codebooks, frames);
    cr_assert_eq(lac_decoder_open(&d, model, NULL), 0);
    for (size_t at = 0; at < frames; at += LAC_PAGE_FRAMES) {
        size_t k = frames - at < LAC_PAGE_FRAMES ? frames - at : LAC_PAGE_FRAMES, head = about.receptive_frames;
        lac_decoder_sync sync;
        head = head < k ? head : k;
        cr_assert_eq(lac_decoder_read(d, tokens + at * about.codebooks, codebooks, head, out + at * FRAME), 0);
        if (head < k)
            lac_decoder_get_sync(d, &sync);
        at += head;
        k -= head;
        cr_assert_eq(lac_decoder_read(d, tokens + at * about.codebooks, codebooks, k, out + at * FRAME), 0);
        at -= head;
    }
    memfile f = write_mono(n, 0);
    decoded whole = memfile_decode(&f, model, false, 4096, ALL);
    cr_assert_eq(whole.frames, n);
    cr_assert(same_pcm(whole.pcm, out + DELAY, n));
    lac_encoder_close(&e);
    lac_decoder_close(&d);
    free(whole.pcm);
    free(pcm);
    free(out);
    free(tokens);
    free(codebooks);
    memfile_free(&f);
}

Test(stream, chunking)
{
    size_t n = 2 * PAGE_SAMPLES + 777;
    float *pcm = make_sound(n, 2);
    lac_writer_settings s = mono();
    s.channels = 2;
    static const size_t pieces[] = {ALL, 1, 479, 30720, 30721};
    memfile first = write_file(pcm, n, n, &s, pieces[0], NULL);
    decoded whole = memfile_decode(&first, model, true, n + 5, ALL);
    cr_assert_eq(whole.frames, n);
    for (size_t i = 1; i < sizeof pieces / sizeof *pieces; i++) {
        memfile f = write_file(pcm, n, n, &s, pieces[i], NULL);
        cr_assert_eq(f.size, first.size);
        cr_assert_arr_eq(f.data, first.data, f.size);
        f.piece = i == 1 ? 1 : 7 * i;
        decoded d = memfile_decode(&f, model, i % 2, i == 1 ? 1 : pieces[i], ALL);
        cr_assert(d.status == 0 && d.frames == n && same_pcm(d.pcm, whole.pcm, 2 * n));
        free(d.pcm);
        memfile_free(&f);
    }
    free(whole.pcm);
    free(pcm);
    memfile_free(&first);
}

Test(stream, channels)
{
    size_t n = PAGE_SAMPLES + 5000;
    for (uint32_t channels = 1; channels <= LAC_MAX_CHANNELS; channels++) {
        float *pcm = make_sound(n, channels), *one = test_alloc(n, sizeof *one);
        lac_writer_settings s = mono();
        s.channels = channels;
        memfile f = write_file(pcm, n, n, &s, 10000, NULL);
        decoded d = memfile_decode(&f, model, true, 3000, ALL);
        cr_assert(d.status == 0 && d.frames == n && d.info.channels == channels);
        uint32_t c = channels - 1;
        for (size_t i = 0; i < n; i++)
            one[i] = pcm[i * channels + c];
        s.channels = 1;
        memfile g = write_file(one, n, n, &s, 10000, NULL);
        decoded e = memfile_decode(&g, model, true, 3000, ALL);
        for (size_t i = 0; i < n; i++)
            cr_assert_eq(d.pcm[i * channels + c], e.pcm[i], "%u channels, sample %zu", channels, i);
        free(pcm);
        free(one);
        free(d.pcm);
        free(e.pcm);
        memfile_free(&f);
        memfile_free(&g);
    }
}

Test(stream, original_rate)
{
    static const uint32_t rates[] = {8000, 11025, 22050, 44100, 48000, 96000, 384000, 768000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        uint64_t samples = rates[i] / 3 + 1;
        size_t n = (size_t)lac_scale_ceil(samples, 24000, rates[i]);
        float *pcm = make_sound(n + 1, 1);
        lac_writer_settings s = mono();
        s.original_rate = rates[i];
        memfile f = write_file(pcm, n, samples, &s, 10000, NULL);
        decoded d = memfile_decode(&f, model, true, 1000, ALL);
        cr_assert(d.status == 0 && d.frames == n && d.info.samples == samples && d.info.original_rate == rates[i]);
        free(d.pcm);
        memfile_free(&f);
        memfile g = {0};
        lac_io io = memfile_io(&g, false);
        lac_writer *w = NULL;
        cr_assert_eq(lac_writer_open(&w, model, &io, &s), 0);
        cr_assert_eq(lac_writer_write(w, pcm, n + 1), 0);
        cr_assert_eq(lac_writer_finish(w, samples), LAC_ERROR_ARGUMENT);
        lac_writer_close(&w);
        memfile_free(&g);
        free(pcm);
    }
}

Test(stream, overhead)
{
    size_t n = 10 * 24000;
    memfile f = write_mono(n, 1);
    uint64_t frames = (n + DELAY + FRAME - 1) / FRAME, payload = 0;
    for (uint64_t left = frames; left > 0; left -= left < LAC_PAGE_FRAMES ? left : LAC_PAGE_FRAMES)
        payload += ((left < LAC_PAGE_FRAMES ? left : LAC_PAGE_FRAMES) * about.token_bits + 7) / 8;
    /* what 6 codebooks of 10 bits would be: 60 bits a frame */
    cr_assert_leq((f.size - payload) * 100 * 8, 4 * frames * 60, "%zu bytes of overhead", f.size - (size_t)payload);
    memfile_free(&f);
}

Test(stream, tags)
{
    static const lac_tag tags[] = {{"TITLE", "caf\xc3\xa9"}, {"EMPTY", ""}, {"a b", "x=y"}};
    lac_writer_settings s = mono();
    s.tags = tags;
    s.tag_count = 3;
    memfile f = write_file(NULL, 0, 0, &s, 1, NULL);
    lac_reader *r = NULL;
    lac_io io = memfile_io(&f, false);
    lac_tag tag;
    cr_assert_eq(lac_reader_open(&r, &io), 0);
    cr_assert_eq(lac_reader_tag_count(r), 3);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(lac_reader_tag(r, i, &tag), 0);
        cr_assert_str_eq(tag.name, tags[i].name);
        cr_assert_str_eq(tag.value, tags[i].value);
    }
    cr_assert_eq(lac_reader_tag(r, 3, &tag), LAC_ERROR_ARGUMENT);
    lac_reader_close(&r);
    memfile_free(&f);
    static const lac_tag bad[] = {{"", "x"}, {"a=b", "x"}, {"a\n", "x"}, {"a", "\xff"}, {NULL, "x"}, {"a", NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lac_writer *w = NULL;
        memfile g = {0};
        lac_io out = memfile_io(&g, false);
        s.tags = &bad[i];
        s.tag_count = 1;
        cr_assert_eq(lac_writer_open(&w, model, &out, &s), LAC_ERROR_ARGUMENT, "%zu", i);
        cr_assert_null(w);
        memfile_free(&g);
    }
}

Test(stream, largest_tags)
{
    char *value = test_alloc(LAC_MAX_TAG_BYTES, 1);
    memset(value, 'v', LAC_MAX_TAG_BYTES - 3);
    lac_tag tag = {"n", value};
    lac_writer_settings s = mono();
    s.tags = &tag;
    s.tag_count = 1;
    float *pcm = make_sound(1000, 1);
    memfile f = write_file(pcm, 1000, 1000, &s, 1000, NULL);
    for (int can_seek = 0; can_seek < 2; can_seek++) {
        lac_stream_info info;
        decoded d = memfile_decode(&f, model, can_seek, 999, ALL);
        cr_assert(d.status == 0 && d.frames == 1000);
        free(d.pcm);
        cr_assert_eq(memfile_verify(&f, can_seek, &info), 0);
    }
    value[LAC_MAX_TAG_BYTES - 3] = 'v';
    lac_writer *w = NULL;
    memfile g = {0};
    lac_io io = memfile_io(&g, false);
    cr_assert_eq(lac_writer_open(&w, model, &io, &s), LAC_ERROR_LIMIT);
    free(value);
    free(pcm);
    memfile_free(&f);
}

Test(stream, random_rates)
{
    random_source r = random_start();
    size_t n = 3 * PAGE_SAMPLES + 4321;
    float *pcm = make_sound(n, 2);
    lac_writer_settings s = mono();
    s.channels = 2;
    for (int i = 0; i < rounds(4); i++) {
        memfile f = write_file(pcm, n, n, &s, 700, &r);
        lac_stream_info info;
        cr_assert_eq(memfile_verify(&f, true, &info), 0);
        cr_assert(info.min_codebooks == 1 && info.max_codebooks == about.codebooks);
        decoded d = memfile_decode(&f, model, false, 10000, ALL);
        cr_assert(d.status == 0 && d.frames == n);
        free(d.pcm);
        memfile_free(&f);
    }
    free(pcm);
}

/* ---- seeking ---- */

/* Every position in `at` gives what `whole` has there. */
static void check_seek(lac_reader *r, const decoded *whole, uint64_t position)
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

static void check_seeks(memfile *f, int count)
{
    random_source r = random_start();
    decoded whole = memfile_decode(f, model, true, 10000, ALL);
    lac_reader *reader = NULL;
    lac_io io = memfile_io(f, true);
    cr_assert_eq(lac_reader_open(&reader, &io), 0);
    cr_assert_eq(lac_reader_start(reader, model, 1), 0);
    for (uint64_t edge = 0; edge <= whole.frames + PAGE_SAMPLES; edge += PAGE_SAMPLES)
        for (int d = -1; d <= 1; d++) {
            check_seek(reader, &whole, edge + (d < 0 ? edge > 0 ? UINT64_MAX : 0 : (uint64_t)d));
            if (edge > DELAY)
                check_seek(reader, &whole, edge - DELAY + (uint64_t)(d + 1) - 1);
        }
    for (int i = 0; i < count; i++)
        check_seek(reader, &whole, random_below(&r, (uint32_t)whole.frames + 2000));
    check_seek(reader, &whole, UINT64_MAX);
    check_seek(reader, &whole, whole.frames - 1);
    check_seek(reader, &whole, 0);
    lac_reader_close(&reader);
    free(whole.pcm);
}

Test(stream, seek)
{
    memfile f = write_mono(6 * PAGE_SAMPLES + 7000, 2);
    check_seeks(&f, rounds(40));
    f.size -= 3; /* no end page: the totals and the table are missing */
    check_seeks(&f, rounds(20));
    memfile_free(&f);
}

Test(stream, seek_with_changing_rate)
{
    random_source r = random_start();
    size_t n = 5 * PAGE_SAMPLES + 100;
    float *pcm = make_sound(n, 1);
    lac_writer_settings s = mono();
    memfile f = write_file(pcm, n, n, &s, 3000, &r);
    check_seeks(&f, rounds(20));
    free(pcm);
    memfile_free(&f);
}

Test(stream, seek_forwards_in_a_pipe)
{
    memfile f = write_mono(4 * PAGE_SAMPLES, 1);
    decoded whole = memfile_decode(&f, model, false, 10000, ALL);
    lac_reader *r = NULL;
    lac_io io = memfile_io(&f, false);
    cr_assert_eq(lac_reader_open(&r, &io), 0);
    cr_assert_eq(lac_reader_seek(r, 0), LAC_ERROR_STATE);
    cr_assert_eq(lac_reader_start(r, model, 1), 0);
    static const uint64_t positions[] = {0, 3000, 50000, 60000, 4 * PAGE_SAMPLES - 10};
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++)
        check_seek(r, &whole, positions[i]);
    cr_assert_eq(lac_reader_seek(r, 100), LAC_ERROR_NOT_SEEKABLE);
    check_seek(r, &whole, ALL);
    lac_reader_close(&r);
    free(whole.pcm);
    memfile_free(&f);
}

/* The page ends of a sound file, found by its own rules. */
static size_t page_ends(const memfile *f, size_t *ends)
{
    lac_header h;
    lac_page p;
    size_t count = 0;
    cr_assert_eq(lac_header_parse(&h, f->data, f->size), 0);
    for (size_t at = ends[0] = h.size; lac_page_parse(&p, &h.format, f->data + at, f->size - at) == 0; count++)
        ends[count + 1] = at += p.size;
    return count;
}

/* ---- truncation and damage ---- */

Test(stream, truncated_at_every_byte)
{
    memfile f = write_mono(2 * PAGE_SAMPLES + 2000, 1);
    decoded whole = memfile_decode(&f, model, true, 10000, ALL);
    size_t ends[8], pages = page_ends(&f, ends);
    cr_assert_eq(pages, 3);
    for (size_t cut = 0; cut < f.size; cut++) {
        memfile g = copy_file(&f, cut);
        for (int can_seek = 0; can_seek < 2; can_seek++) {
            lac_stream_info info;
            int status = memfile_verify(&g, can_seek, &info);
            cr_assert_eq(status, LAC_ERROR_TRUNCATED, "cut at %zu: %d", cut, status);
            if (cut < ends[0])
                continue;
            size_t complete = 0;
            while (complete < pages && ends[complete + 1] <= cut)
                complete++;
            decoded d = memfile_decode(&g, model, can_seek, 9000, ALL);
            size_t least = complete == pages ? whole.frames : complete * PAGE_SAMPLES - (complete ? DELAY : 0);
            cr_assert(d.status == 0 && d.info.truncated && d.frames >= least && d.frames < least + FRAME,
                      "cut at %zu: %zu", cut, d.frames);
            cr_assert(same_pcm(d.pcm, whole.pcm, least));
            free(d.pcm);
        }
        memfile_free(&g);
    }
    free(whole.pcm);
    memfile_free(&f);
}

/* Are all samples that page `page` and R frames after it can't reach the same? */
static bool same_outside(const decoded *d, const decoded *whole, size_t page)
{
    size_t from = page * PAGE_SAMPLES, to = from + PAGE_SAMPLES + about.receptive_frames * FRAME - DELAY;
    from -= from ? DELAY : 0;
    if (d->frames < whole->frames)
        return false;
    if (to > whole->frames)
        to = whole->frames;
    if (from > whole->frames)
        from = whole->frames;
    return same_pcm(d->pcm, whole->pcm, from) && same_pcm(d->pcm + to, whole->pcm + to, whole->frames - to);
}

Test(stream, every_byte_flipped)
{
    memfile f = write_mono(4 * PAGE_SAMPLES + 2000, 1);
    decoded whole = memfile_decode(&f, model, true, 10000, ALL);
    size_t ends[8], pages = page_ends(&f, ends);
    random_source r = random_start();
    for (size_t at = 0; at < f.size; at++) {
        uint8_t flip = (uint8_t)(1 << random_below(&r, 8));
        bool can_seek = at < ends[0] || random_below(&r, 2);
        lac_stream_info info;
        size_t page = 0;
        while (page < pages && ends[page + 1] <= at)
            page++;
        f.data[at] ^= flip;
        cr_assert_neq(memfile_verify(&f, can_seek, &info), 0, "byte %zu", at);
        cr_assert(info.damaged_pages == 1, "byte %zu: %llu", at, (unsigned long long)info.damaged_pages);
        decoded d = memfile_decode(&f, model, can_seek, 10000, ALL);
        cr_assert(d.status == 0 && d.info.damaged_pages == 1, "byte %zu: %d", at, d.status);
        cr_assert_eq(d.info.truncated, page == pages, "byte %zu", at);
        if (page < pages && at >= ends[0])
            cr_assert(d.frames == whole.frames && same_outside(&d, &whole, page), "byte %zu", at);
        else
            cr_assert(d.frames >= whole.frames && same_pcm(d.pcm, whole.pcm, whole.frames), "byte %zu", at);
        f.data[at] ^= flip;
        free(d.pcm);
    }
    free(whole.pcm);
    memfile_free(&f);
}

Test(stream, header_flipped_in_a_pipe)
{
    memfile f = write_mono(1000, 1);
    lac_stream_info info;
    for (size_t at = 0; at < LAC_HEADER_MIN; at++) {
        f.data[at] ^= 0x10;
        int status = memfile_verify(&f, false, &info);
        cr_assert_eq(status, at < 3 ? LAC_ERROR_FORMAT : at == 3 ? LAC_ERROR_VERSION : LAC_ERROR_CHECKSUM, "%zu", at);
        f.data[at] ^= 0x10;
    }
    memfile_free(&f);
}

Test(stream, damage_after_a_seek)
{
    memfile f = write_mono(6 * PAGE_SAMPLES, 1);
    decoded whole = memfile_decode(&f, model, true, 10000, ALL);
    size_t ends[16];
    page_ends(&f, ends);
    f.data[ends[2] + 20] ^= 1;
    for (int totals = 0; totals < 2; totals++) {
        lac_reader *r = NULL;
        lac_io io = memfile_io(&f, true);
        cr_assert_eq(lac_reader_open(&r, &io), 0);
        cr_assert_eq(lac_reader_start(r, model, 1), 0);
        uint64_t sound = 3 * PAGE_SAMPLES + about.receptive_frames * FRAME;
        check_seek(r, &whole, 1000);
        check_seek(r, &whole, sound);
        check_seek(r, &whole, sound + PAGE_SAMPLES);
        check_seek(r, &whole, PAGE_SAMPLES);
        lac_reader_close(&r);
        f.size -= 2;
    }
    free(whole.pcm);
    memfile_free(&f);
}

/* Remove, repeat, swap pages and insert bytes: `from`s copied one after the other make a new file. */
static memfile splice(const memfile *f, const size_t (*parts)[2], size_t count)
{
    memfile g = {0};
    for (size_t i = 0; i < count; i++)
        memfile_write(&g, f->data + parts[i][0], parts[i][1] - parts[i][0]);
    return g;
}

Test(stream, pages_removed_repeated_swapped)
{
    memfile f = write_mono(4 * PAGE_SAMPLES + 2000, 1);
    decoded whole = memfile_decode(&f, model, true, 10000, ALL);
    size_t e[8];
    page_ends(&f, e);
    const size_t parts[][4][2] = {{{0, e[2]}, {e[3], f.size}},                                  /* page 2 removed */
                                  {{0, e[2]}, {e[1], f.size}},                                  /* page 1 repeated */
                                  {{0, e[2]}, {e[3], e[4]}, {e[2], e[3]}, {e[4], f.size}},      /* 2 and 3 swapped */
                                  {{0, e[2]}, {5, 19}, {e[2], f.size}}};                        /* bytes inserted */
    static const size_t counts[] = {2, 2, 4, 3}, damaged_page[] = {2, 9, 2, 9}, damaged[] = {1, 1, 2, 1};
    for (size_t i = 0; i < 4; i++)
        for (int can_seek = 0; can_seek < 2; can_seek++) {
            memfile g = splice(&f, parts[i], counts[i]);
            lac_stream_info info;
            cr_assert_eq(memfile_verify(&g, can_seek, &info), LAC_ERROR_CHECKSUM);
            cr_assert_eq(info.damaged_pages, damaged[i], "%zu: %llu", i, (unsigned long long)info.damaged_pages);
            decoded d = memfile_decode(&g, model, can_seek, 10000, ALL);
            cr_assert(d.status == 0 && d.frames == whole.frames && same_outside(&d, &whole, damaged_page[i]), "%zu", i);
            free(d.pcm);
            memfile_free(&g);
        }
    free(whole.pcm);
    memfile_free(&f);
}

Test(stream, tail_added)
{
    memfile f = write_mono(PAGE_SAMPLES, 1), g = copy_file(&f, f.size + 3);
    lac_stream_info info;
    for (int can_seek = 0; can_seek < 2; can_seek++) {
        cr_assert_eq(memfile_verify(&g, can_seek, &info), LAC_ERROR_CHECKSUM);
        decoded d = memfile_decode(&g, model, can_seek, 10000, ALL);
        cr_assert(d.status == 0 && d.frames == PAGE_SAMPLES);
        free(d.pcm);
    }
    memfile_free(&f);
    memfile_free(&g);
}

/* ---- hostile ---- */

static void mutate(memfile *g, random_source *r)
{
    for (uint32_t k = 1 + random_below(r, 6); k > 0; k--) {
        size_t at = random_below(r, (uint32_t)g->size), n = 1 + random_below(r, 40);
        n = n < g->size - at ? n : g->size - at;
        switch (random_below(r, 4)) {
        case 0: g->data[at] = (uint8_t)lac_hash32(r->state++); break;
        case 1: memmove(g->data + at, g->data + random_below(r, (uint32_t)(g->size - n + 1)), n); break;
        case 2: memmove(g->data + at, g->data + at + n, g->size - at - n); break;
        default: memset(g->data + at, (int)random_below(r, 256), n); break;
        }
    }
}

/* Put right the checksums of what still looks like a page at the page starts of the original. */
static void repair(memfile *g, const lac_stream_format *format, const size_t *starts, size_t count)
{
    lac_page p;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = g->data + starts[i];
        if (lac_page_parse(&p, format, at, g->size - starts[i]) == 0 && p.size <= g->size - starts[i])
            lac_store32(g->data + starts[i] + p.size - 4, lac_crc32c(0, at, p.size - 4));
    }
    size_t end = lac_end_size(g->data + starts[count], g->size - starts[count]);
    if (end > 0 && starts[count] + end <= g->size)
        lac_store32(g->data + starts[count] + end - 4, lac_crc32c(0, g->data + starts[count], end - 4));
}

Test(stream, random_mutations)
{
    random_source r = random_start();
    memfile f = write_mono(2 * PAGE_SAMPLES + 2000, 1);
    size_t ends[8], pages = page_ends(&f, ends);
    lac_header h;
    lac_header_parse(&h, f.data, f.size);
    for (int i = 0; i < rounds(2000); i++) {
        memfile g = copy_file(&f, f.size);
        mutate(&g, &r);
        if (i % 2)
            repair(&g, &h.format, ends, pages);
        size_t bound = (g.size / LAC_PAGE_MIN + LAC_PAGE_SLACK + 1) * PAGE_SAMPLES;
        decoded d = memfile_decode(&g, model, i % 4 < 2, 30000, 6 * PAGE_SAMPLES);
        cr_assert_leq(d.frames, bound);
        if (d.status == 0 && i % 4 < 2) {
            lac_reader *reader = NULL;
            lac_io io = memfile_io(&g, true);
            float part[64];
            size_t got;
            cr_assert_eq(lac_reader_open(&reader, &io), 0);
            (void)lac_reader_verify(reader);
            if (lac_reader_start(reader, model, 1) == 0 && lac_reader_seek(reader, random_below(&r, 100000)) == 0)
                (void)lac_reader_read(reader, part, 64, &got);
            lac_reader_close(&reader);
        }
        free(d.pcm);
        memfile_free(&g);
    }
    memfile_free(&f);
}

Test(stream, full_of_sync_marks)
{
    /* A megabyte in which a page of 33 kB seems to start every 4 bytes, in 8 channels of 16 bits. */
    memfile f = {0};
    lac_stream_format format = {{0}, 24000, 8, 16, false};
    uint8_t header[LAC_HEADER_MIN];
    memfile_write(&f, header, lac_header_build(header, &format, NULL, 0));
    for (int i = 0; i < 1 << 18; i++)
        memfile_write(&f, "\xac\x1d\x20\x05", 4);
    for (int i = 0; i < 1 << 16; i++)
        memfile_write(&f, "\xac\x1d\x3f\x60\x80", 5);
    lac_stream_info info;
    cr_assert_eq(memfile_verify(&f, true, &info), LAC_ERROR_TRUNCATED);
    cr_assert_eq(memfile_verify(&f, false, &info), LAC_ERROR_TRUNCATED);
    cr_assert_leq(f.bytes_read, 3 * f.size);
    memfile_free(&f);
}

Test(stream, implausible_numbers)
{
    memfile f = write_mono(1000, 1), g = {0};
    lac_header h;
    static const uint16_t zero[LAC_MAX_CODEBOOKS];
    const uint16_t *rows[1] = {zero};
    static uint8_t out[LAC_PAGE_MAX];
    lac_header_parse(&h, f.data, f.size);
    for (int far = 0; far < 2; far++) {
        memfile_write(&g, f.data, h.size);
        lac_page p = {.number = (far ? 100000u : LAC_PAGE_SLACK) + 2, .frames = 1, .codebooks = {1}};
        lac_page_build(out, &h.format, &p, rows, LAC_MAX_CODEBOOKS);
        memfile_write(&g, out, p.size);
        decoded d = memfile_decode(&g, model, true, 30000, ALL);
        cr_assert(d.status == 0 && d.info.truncated);
        cr_assert_eq(d.frames, far ? 0 : ((size_t)LAC_PAGE_SLACK + 2) * PAGE_SAMPLES + FRAME - DELAY);
        free(d.pcm);
        memfile_free(&g);
    }
    memfile_free(&f);
}

Test(stream, bad_tokens_are_damage)
{
    memfile f = write_mono(1000, 1), g = {0};
    lac_header h;
    uint16_t tokens[4 * LAC_MAX_CODEBOOKS];
    const uint16_t *rows[1] = {tokens};
    static uint8_t out[LAC_PAGE_MAX];
    lac_header_parse(&h, f.data, f.size);
    memset(tokens, 0, sizeof tokens);
    lac_page p = {.frames = 4, .codebooks = {1, 1, LAC_MAX_CODEBOOKS, 1}};
    lac_page_build(out, &h.format, &p, rows, LAC_MAX_CODEBOOKS);
    memfile_write(&g, f.data, h.size);
    memfile_write(&g, out, p.size);
    decoded d = memfile_decode(&g, model, true, 30000, ALL);
    cr_assert(d.status == 0 && d.frames == 4 * FRAME - DELAY && d.info.damaged_pages == 1);
    free(d.pcm);
    g.data[h.size + 2] |= 0x80; /* a coding from the future */
    g.size = h.size;
    static const uint8_t coded[] = {0xac, 0x1d, 0x81, 0, 7, 3, 0, 0, 'x', 'y', 'z'};
    uint8_t crc[4];
    lac_store32(crc, lac_crc32c(0, coded, sizeof coded));
    memfile_write(&g, coded, sizeof coded);
    memfile_write(&g, crc, 4);
    lac_stream_info info;
    cr_assert_eq(memfile_verify(&g, true, &info), LAC_ERROR_TRUNCATED);
    cr_assert(info.pages == 1 && info.damaged_pages == 0);
    d = memfile_decode(&g, model, true, 30000, ALL);
    cr_assert_eq(d.status, LAC_ERROR_VERSION);
    free(d.pcm);
    memfile_free(&f);
    memfile_free(&g);
}

Test(stream, totals_that_contradict)
{
    memfile f = write_mono(PAGE_SAMPLES, 1);
    size_t ends[8], pages = page_ends(&f, ends);
    static lac_run runs[LAC_END_MAX_RUNS];
    static uint8_t out[LAC_PAGE_MAX];
    lac_end end;
    cr_assert_eq(lac_end_parse(&end, runs, f.data + ends[pages], f.size - ends[pages]), 0);
    end.samples += 1000000;
    lac_end_build(out, &end, runs);
    f.size = ends[pages];
    memfile_write(&f, out, end.size);
    for (int can_seek = 0; can_seek < 2; can_seek++) {
        decoded d = memfile_decode(&f, model, can_seek, 30000, ALL);
        cr_assert(d.status == 0 && d.info.truncated && d.info.damaged_pages >= 1);
        cr_assert(d.frames >= PAGE_SAMPLES && d.frames < PAGE_SAMPLES + FRAME);
        free(d.pcm);
    }
    memfile_free(&f);
}

/* ---- statuses, states, failures ---- */

Test(stream, what_is_not_lac)
{
    static const struct { const char *bytes; size_t size; int status; } cases[] = {
        {"", 0, LAC_ERROR_TRUNCATED}, {"L", 1, LAC_ERROR_TRUNCATED}, {"LAC", 3, LAC_ERROR_TRUNCATED},
        {"T", 1, LAC_ERROR_FORMAT}, {"LAC\x02zzz", 7, LAC_ERROR_VERSION}, {"LAC\x01zzz", 7, LAC_ERROR_TRUNCATED},
        {"RIFF    WAVEfmt and so on, and so on", 36, LAC_ERROR_FORMAT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int can_seek = 0; can_seek < 2; can_seek++) {
            memfile f = {0};
            lac_stream_info info;
            memfile_write(&f, cases[i].bytes, cases[i].size);
            cr_assert_eq(memfile_verify(&f, can_seek, &info), cases[i].status, "%zu", i);
            memfile_free(&f);
        }
}

Test(stream, another_model)
{
    memfile f = write_mono(1000, 1);
    lac_header h;
    lac_reader *r = NULL;
    lac_header_parse(&h, f.data, f.size);
    h.format.model_id[0] ^= 1;
    lac_header_build(f.data, &h.format, NULL, 0);
    lac_io io = memfile_io(&f, false);
    cr_assert_eq(lac_reader_open(&r, &io), 0);
    cr_assert_eq(lac_reader_start(r, model, 1), LAC_ERROR_MODEL_MISMATCH);
    lac_reader_close(&r);
    memfile_free(&f);
}

Test(stream, settings_out_of_range)
{
    lac_writer_settings good = mono(), s[8];
    for (int i = 0; i < 8; i++)
        s[i] = good;
    s[0].original_rate = 0;
    s[1].original_rate = 768001;
    s[2].channels = 0;
    s[3].channels = 9;
    s[4].codebooks = about.codebooks + 1;
    s[5].threads = 0;
    s[6].threads = 257;
    s[7].tag_count = 1;
    memfile f = {0};
    lac_io io = memfile_io(&f, false);
    lac_writer *w = NULL;
    for (int i = 0; i < 8; i++)
        cr_assert_eq(lac_writer_open(&w, model, &io, &s[i]), LAC_ERROR_ARGUMENT, "%d", i);
    cr_assert_eq(f.size, 0);
    cr_assert_eq(lac_writer_open(&w, model, &io, NULL), 0);
    cr_assert_eq(lac_writer_set_codebooks(w, 0), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_writer_set_codebooks(w, about.codebooks + 1), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_writer_finish(w, 1), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_writer_finish(w, 0), 0);
    cr_assert_eq(lac_writer_finish(w, 0), LAC_ERROR_STATE);
    cr_assert_eq(lac_writer_set_codebooks(w, 1), LAC_ERROR_STATE);
    lac_writer_close(&w);
    lac_writer_close(&w);
    memfile_free(&f);
}

Test(stream, verify_then_read)
{
    memfile f = write_mono(PAGE_SAMPLES, 1);
    decoded whole = memfile_decode(&f, model, true, 30000, ALL);
    for (int can_seek = 0; can_seek < 2; can_seek++) {
        lac_reader *r = NULL;
        lac_io io = memfile_io(&f, can_seek);
        float *pcm = test_alloc(PAGE_SAMPLES, sizeof *pcm);
        size_t got;
        cr_assert_eq(lac_reader_open(&r, &io), 0);
        cr_assert_eq(lac_reader_verify(r), 0);
        cr_assert_eq(lac_reader_start(r, model, 1), can_seek ? 0 : LAC_ERROR_STATE);
        if (can_seek) {
            cr_assert_eq(lac_reader_read(r, pcm, PAGE_SAMPLES, &got), 0);
            cr_assert(got == PAGE_SAMPLES && same_pcm(pcm, whole.pcm, got));
            cr_assert_eq(lac_reader_verify(r), LAC_ERROR_STATE);
        }
        lac_reader_close(&r);
        free(pcm);
    }
    free(whole.pcm);
    memfile_free(&f);
}

Test(stream, allocation_failures)
{
    memfile f = write_mono(3000, 1);
    int reader_status = LAC_ERROR_MEMORY, writer_status = LAC_ERROR_MEMORY;
    static const lac_tag tag = {"a", "b"};
    for (size_t n = 1; writer_status != 0; n++) {
        memfile g = {0};
        lac_writer *w = NULL;
        lac_io io = memfile_io(&g, false);
        lac_writer_settings s = mono();
        s.channels = 2;
        s.tags = &tag;
        s.tag_count = 1;
        lac_alloc_fail_at(n);
        writer_status = lac_writer_open(&w, model, &io, &s);
        lac_alloc_fail_at(0);
        cr_assert(writer_status == 0 ? w != NULL && n > 5 : writer_status == LAC_ERROR_MEMORY && !w);
        lac_writer_close(&w);
        memfile_free(&g);
    }
    for (size_t n = 1; reader_status != 0; n++) {
        lac_reader *r = NULL;
        lac_io io = memfile_io(&f, true);
        lac_alloc_fail_at(n);
        reader_status = lac_reader_open(&r, &io);
        if (reader_status == 0)
            reader_status = lac_reader_start(r, model, 1);
        lac_alloc_fail_at(0);
        cr_assert(reader_status == 0 ? n > 3 : reader_status == LAC_ERROR_MEMORY);
        lac_reader_close(&r);
    }
    memfile_free(&f);
}

Test(stream, write_errors)
{
    memfile whole = write_mono(PAGE_SAMPLES + 100, 1);
    float *pcm = make_sound(PAGE_SAMPLES + 100, 1);
    for (size_t n = 1; n <= whole.size; n += n < 30 ? 1 : 17) {
        memfile f = {.fail_at = n};
        lac_io io = memfile_io(&f, false);
        lac_writer *w = NULL;
        lac_writer_settings s = mono();
        s.codebooks = 1;
        int status = lac_writer_open(&w, model, &io, &s);
        if (status == 0)
            status = lac_writer_write(w, pcm, PAGE_SAMPLES + 100);
        if (status == 0)
            status = lac_writer_finish(w, PAGE_SAMPLES + 100);
        cr_assert_eq(status, LAC_ERROR_IO, "%zu", n);
        if (w)
            cr_assert_eq(lac_writer_write(w, pcm, 1), LAC_ERROR_STATE);
        lac_writer_close(&w);
        memfile_free(&f);
    }
    free(pcm);
    memfile_free(&whole);
}

Test(stream, read_errors)
{
    memfile f = write_mono(PAGE_SAMPLES + 100, 1);
    for (size_t n = 1; n <= f.size; n += 7)
        for (int can_seek = 0; can_seek < 2; can_seek++) {
            lac_stream_info info;
            f.fail_at = n;
            f.piece = 1 + n % 50;
            cr_assert_eq(memfile_verify(&f, can_seek, &info), LAC_ERROR_IO, "%zu", n);
            decoded d = memfile_decode(&f, model, can_seek, 500, ALL);
            cr_assert_eq(d.status, LAC_ERROR_IO, "%zu", n);
            free(d.pcm);
        }
    memfile_free(&f);
}
