/* Pages of coded tokens: exact both ways, never larger than said, and damage in them that no checksum tells. */
#include "bytes.h"
#include "lacfile.h"

#define ROWS ((size_t)LAC_PAGE_FRAMES * LAC_MAX_CODEBOOKS)

TestSuite(pagecoding, .init = set_up_prior, .fini = tear_down);

/* A coder with its memory, and tokens of a page by channel, as two sides have them. */
typedef struct bench {
    lac_workspace memory;
    lac_pagecoding coder;
    lac_stream_format format;
    uint32_t coding;
    uint16_t in[LAC_MAX_CHANNELS][ROWS], out[LAC_MAX_CHANNELS][ROWS];
    const uint16_t *given[LAC_MAX_CHANNELS];
    uint16_t *taken[LAC_MAX_CHANNELS];
    uint8_t data[LAC_PAGE_MAX];
} bench;

static bench *bench_open(uint32_t channels, uint32_t coding)
{
    bench *b = test_alloc(1, sizeof *b);
    b->memory = open_coder(&b->coder, channels);
    b->format = (lac_stream_format){{0}, 24000, channels, about.token_bits, false};
    b->coding = coding;
    for (uint32_t c = 0; c < LAC_MAX_CHANNELS; c++) {
        b->given[c] = b->in[c];
        b->taken[c] = b->out[c];
    }
    return b;
}

static void bench_close(bench *b)
{
    lac_workspace_close(&b->memory);
    free(b);
}

static uint32_t coding_of(uint32_t n)
{
    return n % 2 ? LAC_PAGE_ADAPTIVE : lac_pagecoding_prior(model);
}

/* Tokens likely by the coding, some of them changed; rows are of about.codebooks. */
static lac_page random_page(random_source *r, bench *b)
{
    lac_page p = {.number = random_below(r, 40000), .coding = b->coding};
    uint32_t q = about.codebooks, steady = random_below(r, 8), same = 1 + random_below(r, q);
    p.frames = random_below(r, 2) ? LAC_PAGE_FRAMES : 1 + random_below(r, LAC_PAGE_FRAMES - 1);
    for (uint32_t i = 0; i < p.frames; i++)
        p.codebooks[i] = (uint8_t)(steady < 4 ? same : random_below(r, q + 1));
    likely_tokens(&b->coder, &p, b->taken, r);
    memcpy(b->in, b->out, sizeof b->in);
    for (uint32_t c = 0; c < b->format.channels; c++) {
        p.phase[c] = (uint16_t)lac_hash32(r->state++);
        for (uint32_t i = 0; i < p.frames * q; i++)
            if (i % q < p.codebooks[i / q] && random_below(r, 50) == 0)
                b->in[c][i] = (uint16_t)random_below(r, about.codewords);
    }
    return p;
}

/* Code p to b->data; false if plain bits would be smaller. */
static bool build(bench *b, lac_page *p)
{
    lac_page plain = *p;
    lac_page_build(b->data, &b->format, &plain, b->given, about.codebooks);
    size_t size = lac_pagecoding_encode(&b->coder, p, b->given, b->data + LAC_PAGE_HEAD_MAX, plain.payload_size);
    if (size == 0)
        return false;
    cr_assert_eq(lac_pagecoding_encode(&b->coder, p, b->given, b->data + LAC_PAGE_HEAD_MAX, size - 1), 0);
    cr_assert_eq(lac_pagecoding_encode(&b->coder, p, b->given, b->data + LAC_PAGE_HEAD_MAX, size), size);
    lac_page_build_coded(b->data, &b->format, p, size);
    cr_assert_eq(p->plain_bits, plain.plain_bits);
    return true;
}

static bool same_tokens(const bench *b, const lac_page *p)
{
    for (uint32_t c = 0; c < b->format.channels; c++)
        if (memcmp(b->in[c], b->out[c], p->frames * about.codebooks * sizeof(uint16_t)) != 0)
            return false;
    return true;
}

static bool tokens_in_range(const bench *b, const lac_page *p)
{
    for (uint32_t c = 0; c < b->format.channels; c++)
        for (uint32_t i = 0; i < p->frames * about.codebooks; i++)
            if (b->out[c][i] >= about.codewords)
                return false;
    return true;
}

static int decode(bench *b, const lac_page *p)
{
    memset(b->out, 0xff, sizeof b->out);
    return lac_pagecoding_decode(&b->coder, b->taken, &b->format, p, b->data);
}

Test(pagecoding, round_trip)
{
    random_source r = random_start();
    for (uint32_t n = 0; n < (uint32_t)rounds(60); n++) {
        bench *b = bench_open(1 + n / 2 % LAC_MAX_CHANNELS, coding_of(n));
        lac_page p = random_page(&r, b), q;
        if (build(b, &p)) {
            for (size_t cut = 0; cut < p.head_size; cut++)
                cr_assert_eq(lac_page_parse(&q, &b->format, b->data, cut), LAC_ERROR_TRUNCATED);
            cr_assert_eq(lac_page_parse(&q, &b->format, b->data, p.head_size), LAC_OK);
            cr_assert(q.number == p.number && q.frames == p.frames && q.coding == p.coding && q.size == p.size);
            cr_assert(q.payload_size == p.payload_size && q.payload_bits == 8 * p.payload_size);
            cr_assert(q.plain_bits == p.plain_bits && lac_page_padding_zero(&q, b->data));
            cr_assert_arr_eq(q.codebooks, p.codebooks, p.frames);
            cr_assert_arr_eq(q.phase, p.phase, b->format.channels * sizeof *q.phase);
            cr_assert_eq(lac_load32(b->data + q.size - 4), lac_crc32c(0, b->data, q.size - 4));
            cr_assert_eq(decode(b, &q), LAC_OK);
            cr_assert(same_tokens(b, &q));
        }
        bench_close(b);
    }
}

Test(pagecoding, every_size)
{
    static uint8_t data[LAC_PAGE_MAX];
    lac_stream_format f = {{0}, 24000, LAC_MAX_CHANNELS, 16, false};
    lac_page p = {.number = UINT32_MAX, .frames = LAC_PAGE_FRAMES, .coding = LAC_PAGE_CODINGS - 1}, q;
    memset(p.codebooks, LAC_MAX_CODEBOOKS, sizeof p.codebooks);
    p.codebooks[0]--;
    for (size_t size = 32768 - 16; size > 0; size--) {
        lac_page_build_coded(data, &f, &p, size);
        cr_assert_leq(p.head_size, LAC_PAGE_HEAD_MAX);
        cr_assert_eq(lac_page_parse(&q, &f, data, p.head_size), LAC_OK, "%zu", size);
        cr_assert(q.payload_size == size && q.size == p.size && q.size <= LAC_PAGE_MAX);
    }
    p.frames--;
    for (uint32_t i = 0; i < p.frames; i += 2)
        p.codebooks[i] -= 2; /* a list in bytes: as moves it would be no shorter */
    lac_page_build_coded(data, &f, &p, 1);
    cr_assert_eq(p.head_size, LAC_PAGE_HEAD_MAX);
}

/* Whatever a payload says, tokens are in range, and other bytes give other tokens or end elsewhere. */
static void change_bytes(uint32_t coding)
{
    random_source r = random_start();
    bench *b = bench_open(2, coding);
    uint32_t found = 0, tried = 0;
    for (int n = 0; n < rounds(40); n++) {
        lac_page p = random_page(&r, b);
        if (!build(b, &p))
            continue;
        uint8_t *payload = b->data + p.head_size;
        for (size_t i = 0; i < p.payload_size; i++) {
            uint8_t flip = (uint8_t)(1 << random_below(&r, 8));
            payload[i] ^= flip;
            int status = decode(b, &p);
            cr_assert(status == LAC_OK || status == LAC_ERROR_FORMAT);
            cr_assert(tokens_in_range(b, &p));
            /* the last byte names one of the numbers in an interval */
            cr_assert(status == LAC_ERROR_FORMAT || !same_tokens(b, &p) || i + 1 == p.payload_size);
            found += status == LAC_ERROR_FORMAT;
            tried++;
            payload[i] ^= flip;
        }
        p.payload_size++;
        cr_assert(decode(b, &p) == LAC_ERROR_FORMAT || !same_tokens(b, &p), "a byte more");
        p.payload_size -= 2;
        cr_assert(decode(b, &p) == LAC_ERROR_FORMAT || !same_tokens(b, &p), "a byte less");
    }
    cr_assert_gt(tried, 1000);
    cr_assert_gt(found, tried / 2);
    bench_close(b);
}

Test(pagecoding, wrong_bytes)
{
    change_bytes(coding_of(0));
    change_bytes(coding_of(1));
}

Test(pagecoding, hostile_pages)
{
    random_source r = random_start();
    bench *b = bench_open(LAC_MAX_CHANNELS, LAC_PAGE_ADAPTIVE);
    for (int n = 0; n < rounds(20); n++) {
        lac_page p = {.frames = LAC_PAGE_FRAMES, .coding = coding_of((uint32_t)n), .payload_size = 1 + random_below(&r, 3000)};
        memset(p.codebooks, (int)about.codebooks, sizeof p.codebooks);
        for (size_t i = 0; i < p.payload_size; i++)
            b->data[i] = (uint8_t)(n / 2 == 0 ? 0xff : n / 2 == 1 ? 0 : lac_hash32(r.state++));
        int status = decode(b, &p);
        cr_assert((status == LAC_OK || status == LAC_ERROR_FORMAT) && tokens_in_range(b, &p));
        p.codebooks[random_below(&r, LAC_PAGE_FRAMES)] = (uint8_t)(about.codebooks + 1);
        cr_assert_eq(decode(b, &p), LAC_ERROR_FORMAT);
    }
    bench_close(b);
}

Test(pagecoding, unknown_codings)
{
    bench *b = bench_open(1, LAC_PAGE_ADAPTIVE);
    lac_page p = {.frames = 1, .codebooks = {1}, .payload_size = 1};
    uint32_t own = lac_pagecoding_prior(model);
    cr_assert(own >= LAC_PAGE_PRIOR && own < LAC_PAGE_CODINGS);
    for (p.coding = LAC_PAGE_ADAPTIVE + 1; p.coding < LAC_PAGE_CODINGS; p.coding++)
        if (p.coding != own)
            cr_assert_eq(decode(b, &p), p.coding < LAC_PAGE_PRIOR ? LAC_ERROR_VERSION : LAC_ERROR_MODEL_MISMATCH);
    bench_close(b);
}
