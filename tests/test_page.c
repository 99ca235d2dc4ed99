/* The bytes of pages, headers and end pages, without any codec. */
#include <criterion/criterion.h>
#include <string.h>

#include "bytes.h"
#include "fixture.h"
#include "page.h"
#include "scan.h"
#include "window.h"

static lac_stream_format format_of(uint32_t channels, uint32_t token_bits)
{
    lac_stream_format f = {{1, 2, 3, 4, 5, 6, 7, 8}, 44100, channels, token_bits, false};
    return f;
}

Test(page, header_round_trip)
{
    uint8_t out[256], tags[] = "TITLE\0a \xc3\xa9\0X\0";
    lac_stream_format f = format_of(8, 16);
    lac_header h;
    size_t size = lac_header_build(out, &f, NULL, 0);
    cr_assert_eq(size, LAC_HEADER_MIN);
    cr_assert_eq(lac_header_parse(&h, out, size), LAC_OK);
    cr_assert(lac_stream_format_equal(&f, &h.format));
    f.tagged = true;
    size = lac_header_build(out, &f, tags, sizeof tags);
    for (size_t n = 0; n < size; n++)
        cr_assert_eq(lac_header_parse(&h, out, n), LAC_ERROR_TRUNCATED, "%zu", n);
    cr_assert_eq(lac_header_parse(&h, out, size), LAC_OK);
    cr_assert_eq(h.tag_bytes, sizeof tags);
    cr_assert_arr_eq(out + h.tag_offset, tags, sizeof tags);
}

Test(page, header_faults)
{
    uint8_t out[64];
    lac_stream_format f = format_of(2, 10);
    lac_header h;
    size_t size = lac_header_build(out, &f, NULL, 0);
    for (size_t i = 0; i < size; i++)
        for (int bit = 0; bit < 8; bit++) {
            out[i] ^= (uint8_t)(1 << bit);
            cr_assert_lt(lac_header_parse(&h, out, size), 0, "byte %zu bit %d", i, bit);
            out[i] ^= (uint8_t)(1 << bit);
        }
    out[3] = LAC_STREAM_VERSION + 1;
    cr_assert_eq(lac_header_parse(&h, out, size), LAC_ERROR_VERSION);
    cr_assert_eq(lac_header_parse(&h, (const uint8_t *)"hello world, this is text", 25), LAC_ERROR_FORMAT);
}

Test(page, tags)
{
    size_t n;
    cr_assert(lac_tags_valid(NULL, 0, &n) && n == 0);
    cr_assert(lac_tags_valid((const uint8_t *)"a\0", 3, &n) && n == 1);
    cr_assert(!lac_tags_valid((const uint8_t *)"\0v", 3, &n), "empty name");
    cr_assert(!lac_tags_valid((const uint8_t *)"a=b\0v", 6, &n));
    cr_assert(!lac_tags_valid((const uint8_t *)"a\0v", 3, &n), "unterminated");
    cr_assert(!lac_tags_valid((const uint8_t *)"a\0", 2, &n), "no value");
    static const char *const bad[] = {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char block[16] = "n";
        strcpy(block + 2, bad[i]);
        cr_assert(!lac_tags_valid((const uint8_t *)block, 2 + strlen(bad[i]) + 1, &n), "%zu", i);
    }
    uint8_t many[4 * (LAC_MAX_TAGS + 1)];
    for (size_t i = 0; i < sizeof many; i += 4)
        memcpy(many + i, "a\0b", 4);
    cr_assert(lac_tags_valid(many, sizeof many - 4, &n) && n == LAC_MAX_TAGS);
    cr_assert(!lac_tags_valid(many, sizeof many, &n));
}

/* Random page of the format; tokens [channel][frame][LAC_MAX_CODEBOOKS]. */
static lac_page random_page(random_source *r, const lac_stream_format *f, uint16_t *const *tokens)
{
    lac_page p = {.number = random_below(r, 2) ? random_below(r, 300) : lac_hash32(r->state++)};
    uint32_t steady = random_below(r, 20); /* of 20 frames, so many have as many codebooks as the one before */
    p.frames = random_below(r, 2) ? LAC_PAGE_FRAMES : 1 + random_below(r, LAC_PAGE_FRAMES);
    for (uint32_t i = 0; i < p.frames; i++) {
        uint32_t before = i > 0 ? p.codebooks[i - 1] : 0, any = random_below(r, LAC_MAX_CODEBOOKS + 1);
        uint32_t step = before < LAC_MAX_CODEBOOKS && random_below(r, 2) ? before + 1 : before - (before > 0);
        p.codebooks[i] = (uint8_t)(random_below(r, 20) > steady ? any : random_below(r, 3) > 0 ? before : step);
    }
    for (uint32_t c = 0; c < f->channels; c++) {
        p.phase[c] = (uint16_t)lac_hash32(r->state++);
        for (uint32_t i = 0; i < p.frames * LAC_MAX_CODEBOOKS; i++)
            tokens[c][i] = i % LAC_MAX_CODEBOOKS < p.codebooks[i / LAC_MAX_CODEBOOKS]
                               ? (uint16_t)random_below(r, UINT32_C(1) << f->token_bits) : 0;
    }
    return p;
}

Test(page, round_trip)
{
    random_source r = random_start();
    static uint16_t in[LAC_MAX_CHANNELS][LAC_PAGE_FRAMES * LAC_MAX_CODEBOOKS];
    static uint16_t out[LAC_MAX_CHANNELS][LAC_PAGE_FRAMES * LAC_MAX_CODEBOOKS];
    static uint8_t data[LAC_PAGE_MAX];
    uint16_t *in_rows[LAC_MAX_CHANNELS], *out_rows[LAC_MAX_CHANNELS];
    const uint16_t *const_rows[LAC_MAX_CHANNELS];
    for (int c = 0; c < LAC_MAX_CHANNELS; c++) {
        const_rows[c] = in_rows[c] = in[c];
        out_rows[c] = out[c];
    }
    for (int n = 0; n < rounds(300); n++) {
        lac_stream_format f = format_of(1 + random_below(&r, 8), 1 + random_below(&r, 16));
        lac_page p = random_page(&r, &f, in_rows), q;
        lac_page_build(data, &f, &p, const_rows, LAC_MAX_CODEBOOKS);
        cr_assert_leq(p.size, LAC_PAGE_MAX);
        cr_assert_geq(p.size, LAC_PAGE_MIN);
        for (size_t cut = 0; cut < p.head_size; cut++)
            cr_assert_eq(lac_page_parse(&q, &f, data, cut), LAC_ERROR_TRUNCATED);
        cr_assert_eq(lac_page_parse(&q, &f, data, p.head_size), LAC_OK);
        cr_assert(q.number == p.number && q.frames == p.frames && q.size == p.size && q.head_size == p.head_size);
        cr_assert_eq(lac_load32(data + q.size - 4), lac_crc32c(0, data, q.size - 4));
        cr_assert_arr_eq(q.codebooks, p.codebooks, p.frames);
        cr_assert(q.list_size == p.list_size && q.list_size <= p.frames);
        cr_assert(lac_page_padding_zero(&q, data));
        cr_assert_eq(lac_page_unpack(out_rows, LAC_MAX_CODEBOOKS, UINT32_C(1) << f.token_bits, &f, &q, data), LAC_OK);
        for (uint32_t c = 0; c < f.channels; c++) {
            cr_assert_eq(q.phase[c], p.phase[c]);
            cr_assert_arr_eq(out[c], in[c], p.frames * LAC_MAX_CODEBOOKS * sizeof(uint16_t));
        }
    }
}

Test(page, overhead)
{
    static const uint16_t zero[LAC_PAGE_FRAMES * 6];
    const uint16_t *rows[1] = {zero};
    static uint8_t data[LAC_PAGE_MAX];
    lac_stream_format f = format_of(1, 10);
    lac_page p = {.number = 100, .frames = LAC_PAGE_FRAMES};
    memset(p.codebooks, 6, sizeof p.codebooks);
    lac_page_build(data, &f, &p, rows, 6);
    cr_assert_eq(p.payload_size, 480);
    cr_assert_leq(p.size - p.payload_size, 10);
}

Test(page, bit_order)
{
    static const uint16_t tokens[] = {0x2a5, 0x15a};
    const uint16_t *rows[1] = {tokens};
    uint8_t data[64];
    lac_stream_format f = format_of(1, 10);
    lac_page p = {.number = 300, .frames = 1, .codebooks = {2}, .phase = {0xbeef}};
    lac_page_build(data, &f, &p, rows, 2);
    static const uint8_t expected[] = {0xac, 0x1d, 0x42, 0xac, 0x02, 1, 0xef, 0xbe, 0xa5, 0x6a, 0x05};
    cr_assert_eq(p.size, sizeof expected + 4);
    cr_assert_arr_eq(data, expected, sizeof expected);
}

Test(page, refusals)
{
    lac_stream_format f = format_of(1, 10);
    lac_page p;
    static const struct { uint8_t bytes[12]; } bad[] = {
        {{0xad, 0x1d, 1, 0, 0, 0}}, {{0xac, 0x1d, 35, 0, 0, 0}}, {{0xac, 0x1d, 63, 0, 0, 0}},
        {{0xac, 0x1d, 1, 0x80, 0, 0, 0}}, {{0xac, 0x1d, 1, 0xff, 0xff, 0xff, 0xff, 0x1f, 0, 0}},
        {{0xac, 0x1d, 0x41, 0, 0, 0, 0}}, {{0xac, 0x1d, 0x41, 0, 64, 0, 0}}, {{0xac, 0x1d, 0x61, 0, 1, 33, 0, 0}},
        {{0xac, 0x1d, 0x81, 0, 0, 1, 0, 0}}, {{0xac, 0x1d, 0x81, 0, 1, 0xff, 0xff, 0x03, 0, 0}},
        /* moves: 33 codebooks; a bit too many; one less than none; jumps by one and by none */
        {{0xac, 0x1d, 0x62, 0, 2, 33, 0, 0}}, {{0xac, 0x1d, 0x62, 0, 1, 0x41, 0, 0}},
        {{0xac, 0x1d, 0x62, 0, 2, 0x40, 1, 0, 0}}, {{0xac, 0x1d, 0x62, 0, 2, 0xc1, 2, 0, 0}},
        {{0xac, 0x1d, 0x62, 0, 2, 0xc1, 1, 0, 0}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(lac_page_parse(&p, &f, bad[i].bytes, 12), LAC_ERROR_FORMAT, "%zu", i);
}

Test(page, end_round_trip)
{
    random_source r = random_start();
    static uint8_t data[LAC_PAGE_MAX];
    static lac_run runs[LAC_END_MAX_RUNS], back[LAC_END_MAX_RUNS];
    for (int n = 0; n < rounds(60); n++) {
        lac_end e = {.format = format_of(1 + random_below(&r, 8), 10), .header_size = 20, .samples = 1, .position = 20};
        e.run_count = n == 0 ? LAC_END_MAX_RUNS : random_below(&r, 40);
        uint64_t pages = 1;
        for (uint32_t i = 0; i < e.run_count; i++) {
            runs[i] = (lac_run){1 + random_below(&r, 500), n ? 10 + random_below(&r, LAC_PAGE_MAX - 9) : LAC_PAGE_MAX};
            if (n > 0 && random_below(&r, 3) == 0) { /* pages of different sizes */
                runs[i].count %= 20;
                runs[i].count++;
                runs[i].size = LAC_PAGE_MAX + runs[i].count * (10 + random_below(&r, LAC_PAGE_MAX - 9));
            }
            pages += runs[i].count;
            e.position += lac_run_bytes(&runs[i]);
        }
        e.frames = pages * LAC_PAGE_FRAMES;
        e.samples = e.frames * 400;
        lac_end_build(data, &e, runs);
        cr_assert_leq(e.size, LAC_PAGE_MAX);
        lac_end b;
        cr_assert_eq(lac_end_size(data, 5), e.size);
        cr_assert_eq(lac_end_parse(&b, back, data, e.size), LAC_OK);
        cr_assert(b.samples == e.samples && b.frames == e.frames && b.position == e.position &&
                  b.run_count == e.run_count && b.header_size == 20);
        cr_assert_arr_eq(back, runs, e.run_count * sizeof *runs);
    }
}

Test(page, impossible_runs)
{
    static uint8_t data[LAC_PAGE_MAX];
    static const lac_run bad[] = {{0, 100}, {1, 9}, {2, 0}, {2, LAC_PAGE_MAX}, {2, LAC_PAGE_MAX + 19}, {3, LAC_PAGE_MAX + 20},
                                  {1, 2 * LAC_PAGE_MAX + 1}, {0, LAC_PAGE_MAX + 1}, {UINT32_MAX, UINT32_MAX}};
    lac_run back[LAC_END_MAX_RUNS], good = {2, LAC_PAGE_MAX + 20};
    lac_end e = {.format = format_of(1, 10), .header_size = 20, .samples = 240000, .frames = 501, .position = 3900,
                 .run_count = 1}, b;
    lac_end_build(data, &e, &good);
    cr_assert_eq(lac_end_parse(&b, back, data, e.size), LAC_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lac_end_build(data, &e, &bad[i]);
        cr_assert_eq(lac_end_parse(&b, back, data, e.size), LAC_ERROR_FORMAT, "%zu", i);
    }
}

Test(page, end_random_bytes)
{
    random_source r = random_start();
    static lac_run runs[LAC_END_MAX_RUNS];
    static uint8_t good[LAC_PAGE_MAX];
    lac_run one = {7, 490};
    lac_end e = {.format = format_of(1, 10), .header_size = 20, .samples = 240000, .frames = 501, .position = 3900,
                 .run_count = 1};
    lac_end_build(good, &e, &one);
    for (int n = 0; n < rounds(20000); n++) {
        uint8_t *exact = test_alloc(e.size, 1);
        memcpy(exact, good, e.size);
        for (uint32_t k = 1 + random_below(&r, 4); k > 0; k--)
            exact[5 + random_below(&r, (uint32_t)e.size - 5)] = (uint8_t)lac_hash32(r.state++);
        lac_end b;
        (void)lac_end_parse(&b, runs, exact, e.size);
        free(exact);
    }
}

Test(page, scale)
{
    cr_assert_eq(lac_scale_ceil(0, 24000, 44100), 0);
    cr_assert_eq(lac_scale_ceil(1, 24000, 768000), 1);
    cr_assert_eq(lac_scale_ceil(44100, 24000, 44100), 24000);
    cr_assert_eq(lac_scale_ceil(44101, 24000, 44100), 24001);
    cr_assert_eq(lac_scale_ceil(LAC_STREAM_MAX_SAMPLES, 24000, 1), LAC_STREAM_MAX_SAMPLES * 24000);
    cr_assert_eq(lac_scale_ceil(UINT64_MAX, 24000, 1), UINT64_MAX);
}

/* ---- window ---- */

typedef struct source {
    const uint8_t *data;
    size_t size, at, piece;
} source;

static int64_t source_read(void *user, void *data, size_t size)
{
    source *s = user;
    size_t n = s->size - s->at;
    n = n < size ? n : size;
    n = n < s->piece ? n : s->piece;
    memcpy(data, s->data + s->at, n);
    s->at += n;
    return (int64_t)n;
}

Test(window, crc_of_any_part)
{
    random_source r = random_start();
    size_t size = 5 * LAC_WINDOW_SIZE + 77;
    uint8_t *bytes = test_alloc(size, 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)lac_hash32(i);
    source s = {bytes, size, 0, 1000};
    lac_io io = {&s, source_read, NULL, NULL, NULL};
    lac_window w = {.data = test_alloc(LAC_WINDOW_SIZE, 1),
                    .checks = test_alloc(LAC_WINDOW_SIZE / LAC_WINDOW_STEP + 1, sizeof(uint32_t))};
    lac_window_init(&w, &io);
    while (lac_window_position(&w) < size) {
        cr_assert_eq(lac_window_need(&w, 1 + random_below(&r, LAC_PAGE_MAX)), 0);
        size_t at = (size_t)lac_window_position(&w), count = lac_window_count(&w);
        cr_assert_arr_eq(lac_window_at(&w), bytes + at, count);
        for (int k = 0; k < 4; k++) {
            size_t n = random_below(&r, (uint32_t)(count < LAC_PAGE_MAX ? count : LAC_PAGE_MAX) + 1);
            cr_assert_eq(lac_window_crc(&w, n), lac_crc32c(0, bytes + at, n), "at %zu, %zu bytes", at, n);
        }
        lac_window_advance(&w, random_below(&r, (uint32_t)(count < 9000 ? count : 9000)) + (count > 0));
    }
    free(w.data);
    free(w.checks);
    free(bytes);
}
