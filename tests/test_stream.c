/* .lac files written and read with the tiny model: exactness, tags, seeking, states, failures. */
#include "lacfile.h"
#include "lac/decoder.h"
#include "lac/encoder.h"
#include "workspace.h"

TestSuite(stream, .init = set_up, .fini = tear_down, .timeout = 3000);

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
            cr_assert_eq(info.plain_bits, frames * 2 * about.token_bits);
            cr_assert(info.payload_bits <= info.plain_bits && info.adaptive_pages <= info.pages);
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
    memfile f = write_coded(n, 1, LAC_CODING_PLAIN);
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

/* Every coding gives the same sound, whatever the channels and however rates change. */
Test(stream, codings)
{
    size_t n = 3 * PAGE_SAMPLES + 4321;
    float *pcm = make_sound(n, 3);
    for (int changing = 0; changing < 2; changing++) {
        decoded plain = {0};
        for (uint32_t coding = LAC_CODING_PLAIN; coding <= LAC_CODING_ADAPTIVE; coding++) {
            random_source r = random_start();
            lac_writer_settings s = mono();
            s.channels = 3;
            s.codebooks = 2;
            s.coding = coding;
            memfile f = write_file(pcm, n, n, &s, 700, changing ? &r : NULL);
            decoded d = memfile_decode(&f, model, coding % 2, 10000, ALL);
            cr_assert(d.status == 0 && d.frames == n && d.info.damaged_pages == 0);
            memfile_free(&f);
            cr_assert_eq(d.info.adaptive_pages > 0, coding == LAC_CODING_ADAPTIVE);
            if (coding == LAC_CODING_PLAIN) {
                plain = d;
                continue;
            }
            cr_assert(same_pcm(d.pcm, plain.pcm, 3 * n));
            cr_assert_eq(d.info.plain_bits, plain.info.plain_bits);
            cr_assert_lt(d.info.payload_bits, plain.info.payload_bits);
            free(d.pcm);
        }
        free(plain.pcm);
    }
    free(pcm);
}

/* ---- seeking ---- */

static void check_seeks(memfile *f, int count)
{
    random_source r = random_start();
    decoded whole = memfile_decode(f, model, true, 10000, ALL);
    lac_reader *reader = NULL;
    lac_io io = memfile_io(f, true);
    cr_assert_eq(lac_reader_open(&reader, &io), 0);
    cr_assert_eq(lac_reader_start(reader, model, 1), 0);
    for (uint64_t edge = PAGE_SAMPLES; edge <= whole.frames + PAGE_SAMPLES; edge += PAGE_SAMPLES)
        for (uint64_t d = 0; d < 3; d++) {
            check_seek(reader, &whole, edge - 1 + d);
            check_seek(reader, &whole, edge - DELAY - 1 + d);
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

Test(stream, seek_in_long_coded_files)
{
    memfile f = write_likely(40 * LAC_PAGE_FRAMES + 5, 2, LAC_CODING_ADAPTIVE);
    size_t ends[64];
    cr_assert_eq(page_ends(&f, ends), 41);
    cr_assert_leq(f.size - ends[41], 50, "a table of %zu bytes", f.size - ends[41]);
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

/* What a prior has coded needs that prior; seeking is as ever. */
Test(stream, prior)
{
    float part[100];
    size_t got;
    lac_model *without = open_vector("tiny.lacm");
    lac_reader *r = NULL;
    lac_writer *w = NULL;
    tear_down();
    set_up_prior();
    memfile f = write_likely(300, 3, LAC_CODING_PRIOR), g = write_coded(30000, 3, LAC_CODING_ADAPTIVE);
    decoded d = memfile_decode(&f, model, true, 10000, ALL);
    cr_assert(d.status == 0 && d.info.prior_pages >= 4 && d.info.adaptive_pages == 0 && d.info.pages == 5);
    check_seeks(&f, rounds(20));
    free(d.pcm);
    d = memfile_decode(&g, without, false, 10000, ALL);
    cr_assert(d.status == 0 && d.info.adaptive_pages == 1);
    free(d.pcm);
    lac_io io = memfile_io(&f, true);
    cr_assert_eq(lac_reader_open(&r, &io), 0);
    cr_assert_eq(lac_reader_start(r, without, 1), 0);
    for (int again = 0; again < 2; again++)
        cr_assert_eq(lac_reader_read(r, part, 100, &got), LAC_ERROR_MODEL_MISMATCH);
    lac_reader_close(&r);
    lac_writer_settings s = mono();
    s.coding = LAC_CODING_PRIOR;
    cr_assert_eq(lac_writer_open(&w, without, &io, &s), LAC_ERROR_ARGUMENT);
    memfile_free(&f);
    memfile_free(&g);
    lac_model_close(&without);
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

/* ---- statuses, states, failures ---- */

Test(stream, what_is_not_lac)
{
    static const struct { const char *bytes; size_t size; int status; } cases[] = {
        {"", 0, LAC_ERROR_TRUNCATED}, {"L", 1, LAC_ERROR_TRUNCATED}, {"LAC", 3, LAC_ERROR_TRUNCATED},
        {"T", 1, LAC_ERROR_FORMAT}, {"LAC\x02zzz", 7, LAC_ERROR_VERSION}, {"LAC\x01zzz", 7, LAC_ERROR_TRUNCATED},
        {"LACM\x01\0\0\0 a model", 16, LAC_ERROR_FORMAT},
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
    lac_writer_settings good = mono(), s[10];
    for (int i = 0; i < 10; i++)
        s[i] = good;
    s[0].original_rate = 0;
    s[1].original_rate = 768001;
    s[2].channels = 0;
    s[3].channels = 9;
    s[4].codebooks = about.codebooks + 1;
    s[5].threads = 0;
    s[6].threads = 257;
    s[7].tag_count = 1;
    s[8].beam = LAC_MAX_BEAM + 1;
    s[9].coding = LAC_CODING_PRIOR + 1;
    memfile f = {0};
    lac_io io = memfile_io(&f, false);
    lac_writer *w = NULL;
    for (int i = 0; i < 10; i++)
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
    int reader_status = LAC_ERROR_MEMORY;
    static const lac_tag tag = {"a", "b"};
    lac_writer_settings s = mono();
    s.channels = 2;
    s.tags = &tag;
    s.tag_count = 1;
    check_writer_memory(&s);
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
    lac_writer_settings s = mono();
    s.codebooks = 1;
    check_write_errors(&s, PAGE_SAMPLES + 100, 30, 17);
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
