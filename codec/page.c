#include "page.h"

#include <string.h>

#include "bytes.h"

#define KIND_LIST 33     /* codebooks of each frame: a byte each */
#define KIND_MOVES 34    /* bits: of the first frame, then how each differs from the one before */
#define KIND_MASK 0x3f
#define FLAG_SHORT 0x40
#define FLAG_CODED 0x80
#define SAVED_MORE 255 /* of one byte that says what coding has saved: more follows */
#define MODEL_LETTER 'M' /* "LACM" begins a model file: no version of the format will have this number */

/* A cursor over bytes that goes bad, and stays so, instead of passing the end. */
typedef struct cursor {
    const uint8_t *data;
    size_t size, at;
    bool short_of, bad;
} cursor;

static uint32_t take8(cursor *c)
{
    if (c->at >= c->size) {
        c->short_of = true;
        return 0;
    }
    return c->data[c->at++];
}

static uint32_t take16(cursor *c)
{
    uint32_t low = take8(c);
    return low | take8(c) << 8;
}

static uint64_t take_varint(cursor *c, unsigned bits)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        uint64_t byte = take8(c);
        value |= (byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if ((byte == 0 && shift > 0 && !c->short_of) || value >> bits)
            c->bad = true;
        return value;
    }
    c->bad = true;
    return 0;
}

static int cursor_status(const cursor *c)
{
    return c->short_of ? LAC_ERROR_TRUNCATED : c->bad ? LAC_ERROR_FORMAT : LAC_OK;
}

static uint8_t *put_varint(uint8_t *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *out++ = (uint8_t)(value | 0x80);
    *out++ = (uint8_t)value;
    return out;
}

uint64_t lac_scale_ceil(uint64_t samples, uint32_t to, uint32_t from)
{
    uint64_t whole = samples / from, rest = ((samples % from) * to + (from - 1)) / from;
    if (to > 0 && whole > (UINT64_MAX - rest) / to)
        return UINT64_MAX;
    return whole * to + rest;
}

/* ---- header ---- */

bool lac_stream_format_equal(const lac_stream_format *a, const lac_stream_format *b)
{
    return memcmp(a->model_id, b->model_id, LAC_STREAM_ID_SIZE) == 0 && a->original_rate == b->original_rate &&
           a->channels == b->channels && a->token_bits == b->token_bits && a->tagged == b->tagged;
}

static bool utf8_tail(const uint8_t *s, size_t size, size_t tail)
{
    if (size <= tail)
        return false;
    for (size_t i = 1; i <= tail; i++)
        if ((s[i] & 0xc0) != 0x80)
            return false;
    return true;
}

/* Bytes of the well-formed sequence at s (Unicode, table 3-7), or 0. */
static size_t utf8_length(const uint8_t *s, size_t size)
{
    uint8_t a = s[0];
    if (a < 0x80)
        return 1;
    if (a >= 0xc2 && a <= 0xdf)
        return utf8_tail(s, size, 1) ? 2 : 0;
    if (a >= 0xe0 && a <= 0xef) {
        bool ok = utf8_tail(s, size, 2) && !(a == 0xe0 && s[1] < 0xa0) && !(a == 0xed && s[1] > 0x9f);
        return ok ? 3 : 0;
    }
    if (a >= 0xf0 && a <= 0xf4) {
        bool ok = utf8_tail(s, size, 3) && !(a == 0xf0 && s[1] < 0x90) && !(a == 0xf4 && s[1] > 0x8f);
        return ok ? 4 : 0;
    }
    return 0;
}

static bool value_valid(const uint8_t *s, size_t size)
{
    for (size_t i = 0, n; i < size; i += n)
        if ((n = utf8_length(s + i, size - i)) == 0)
            return false;
    return true;
}

static bool name_valid(const uint8_t *s, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (s[i] < 0x20 || s[i] > 0x7e || s[i] == '=')
            return false;
    return size > 0;
}

bool lac_tags_valid(const uint8_t *data, size_t size, size_t *count)
{
    size_t tags = 0, at = 0;
    while (at < size) {
        const uint8_t *name_end = memchr(data + at, 0, size - at);
        if (!name_end || !name_valid(data + at, (size_t)(name_end - data) - at))
            return false;
        at = (size_t)(name_end - data) + 1;
        const uint8_t *value_end = at < size ? memchr(data + at, 0, size - at) : NULL;
        if (!value_end || !value_valid(data + at, (size_t)(value_end - data) - at))
            return false;
        at = (size_t)(value_end - data) + 1;
        tags++;
    }
    *count = tags;
    return tags <= LAC_MAX_TAGS && size <= LAC_MAX_TAG_BYTES;
}

/* Version, model id, rate, and one byte of channels, token bits and tag flag: 13 bytes in header and end page. */
static void put_format(uint8_t *out, const lac_stream_format *f)
{
    out[0] = LAC_STREAM_VERSION;
    memcpy(out + 1, f->model_id, LAC_STREAM_ID_SIZE);
    out[9] = (uint8_t)f->original_rate;
    out[10] = (uint8_t)(f->original_rate >> 8);
    out[11] = (uint8_t)(f->original_rate >> 16);
    out[12] = (uint8_t)((f->channels - 1) | (f->token_bits - 1) << 3 | (f->tagged ? 0x80u : 0));
}

/* version apart: false if a field is out of range. */
static bool get_format(lac_stream_format *f, const uint8_t *in)
{
    memcpy(f->model_id, in + 1, LAC_STREAM_ID_SIZE);
    f->original_rate = lac_load16(in + 9) | (uint32_t)in[11] << 16;
    f->channels = (in[12] & 7u) + 1;
    f->token_bits = (in[12] >> 3 & 15u) + 1;
    f->tagged = in[12] >> 7 != 0;
    return f->original_rate >= 1 && f->original_rate <= LAC_STREAM_MAX_RATE;
}

size_t lac_header_build(uint8_t *out, const lac_stream_format *format, const uint8_t *tags, size_t tag_bytes)
{
    size_t size = LAC_HEADER_FIXED;
    memcpy(out, "LAC", 3);
    put_format(out + 3, format);
    if (format->tagged) {
        lac_store16(out + size, (uint16_t)tag_bytes);
        if (tag_bytes > 0)
            memcpy(out + size + 2, tags, tag_bytes);
        size += 2 + tag_bytes;
    }
    lac_store32(out + size, lac_crc32c(0, out, size));
    return size + 4;
}

/* Where the tags stand and how large the header is; false if `size` bytes do not reach to tell. */
static bool header_extent(lac_header *h, const uint8_t *data, size_t size)
{
    h->tag_offset = h->tag_bytes = 0;
    h->size = LAC_HEADER_MIN;
    if (size < LAC_HEADER_MIN)
        return false;
    if (!(data[LAC_HEADER_FIXED - 1] & 0x80))
        return true;
    h->tag_offset = LAC_HEADER_FIXED + 2;
    h->tag_bytes = lac_load16(data + LAC_HEADER_FIXED);
    h->size = h->tag_offset + h->tag_bytes + 4;
    return size >= h->size;
}

int lac_header_parse(lac_header *h, const uint8_t *data, size_t size)
{
    size_t tags;
    h->size = LAC_HEADER_MIN;
    if (memcmp(data, "LAC", size < 3 ? size : 3) != 0)
        return LAC_ERROR_FORMAT;
    if (size < 4)
        return LAC_ERROR_TRUNCATED;
    if (data[3] > LAC_STREAM_VERSION)
        return data[3] == MODEL_LETTER ? LAC_ERROR_FORMAT : LAC_ERROR_VERSION;
    if (!header_extent(h, data, size))
        return LAC_ERROR_TRUNCATED;
    if (lac_load32(data + h->size - 4) != lac_crc32c(0, data, h->size - 4))
        return LAC_ERROR_CHECKSUM;
    if (data[3] != LAC_STREAM_VERSION || !get_format(&h->format, data + 3) ||
        !lac_tags_valid(data + h->tag_offset, h->tag_bytes, &tags))
        return LAC_ERROR_FORMAT;
    return LAC_OK;
}

/* ---- audio pages ---- */

static bool uniform(const uint8_t *codebooks, size_t frames)
{
    for (size_t i = 1; i < frames; i++)
        if (codebooks[i] != codebooks[0])
            return false;
    return true;
}

/* Codings that need no more bytes than plain bits say how many less they need. */
static bool says_saved(uint32_t coding)
{
    return coding == LAC_PAGE_ADAPTIVE || coding >= LAC_PAGE_PRIOR;
}

/* Bytes of the tokens in plain bits. */
static size_t measure(lac_page *p, const lac_stream_format *f)
{
    uint32_t tokens = 0;
    for (uint32_t i = 0; i < p->frames; i++)
        tokens += p->codebooks[i];
    p->plain_bits = tokens * f->channels * f->token_bits;
    return (p->plain_bits + 7) / 8;
}

static void set_sizes(lac_page *p, size_t head_size, size_t payload_size)
{
    p->head_size = head_size;
    p->payload_size = payload_size;
    p->payload_bits = p->coding == LAC_PAGE_PLAIN ? p->plain_bits : 8 * (uint32_t)payload_size;
    p->size = head_size + payload_size + 4;
}

static uint8_t *put_coding(uint8_t *out, uint32_t coding, size_t saved)
{
    *out++ = (uint8_t)coding;
    *out++ = (uint8_t)(saved < SAVED_MORE ? saved : SAVED_MORE);
    return saved < SAVED_MORE ? out : put_varint(out, saved - SAVED_MORE);
}

/* Bytes of the moves. */
static size_t moves_size(const uint8_t *codebooks, size_t frames)
{
    uint32_t bits = LAC_PAGE_FIRST_BITS;
    for (size_t i = 1; i < frames; i++)
        bits += lac_page_move_bits(codebooks[i - 1], codebooks[i]);
    return (bits + 7) / 8;
}

size_t lac_page_list_size(const uint8_t *codebooks, size_t frames)
{
    size_t moves = moves_size(codebooks, frames);
    return uniform(codebooks, frames) ? 0 : moves < frames ? moves : frames;
}

/* Bits into bytes from the lowest up. */
typedef struct bit_sink {
    uint8_t *at;
    uint32_t held, bits;
} bit_sink;

static void put_bits(bit_sink *s, uint32_t value, uint32_t bits)
{
    s->held |= value << s->bits;
    for (s->bits += bits; s->bits >= 8; s->bits -= 8, s->held >>= 8)
        *s->at++ = (uint8_t)s->held;
}

static uint8_t *end_bits(bit_sink *s)
{
    if (s->bits > 0)
        *s->at++ = (uint8_t)s->held;
    return s->at;
}

static uint8_t *put_moves(uint8_t *out, const lac_page *p)
{
    bit_sink s = {.at = out};
    put_bits(&s, p->codebooks[0], LAC_PAGE_FIRST_BITS);
    for (uint32_t i = 1; i < p->frames; i++) {
        uint32_t before = p->codebooks[i - 1], now = p->codebooks[i], bits = lac_page_move_bits(before, now);
        if (bits == LAC_PAGE_SAME_BITS)
            put_bits(&s, 0, bits);
        else if (bits == LAC_PAGE_STEP_BITS)
            put_bits(&s, now > before ? 1 : 5, bits);
        else
            put_bits(&s, 3 | now << 2, bits);
    }
    return end_bits(&s);
}

/* How the page says its frames' codebooks: the shortest. */
static uint32_t kind_of(const lac_page *p)
{
    size_t list = lac_page_list_size(p->codebooks, p->frames);
    return list == 0 ? p->codebooks[0] : list < p->frames ? KIND_MOVES : KIND_LIST;
}

static uint8_t *put_codebooks(uint8_t *out, const lac_page *p, uint32_t kind)
{
    if (kind == KIND_MOVES)
        return put_moves(out, p);
    if (kind < KIND_LIST)
        return out;
    memcpy(out, p->codebooks, p->frames);
    return out + p->frames;
}

/* saved: bytes less than in plain bits; of a coded page. Sets p->list_size. */
static uint8_t *put_page_head(uint8_t *out, const lac_stream_format *f, lac_page *p, size_t saved)
{
    uint32_t flags = (p->frames < LAC_PAGE_FRAMES ? FLAG_SHORT : 0) | (p->coding != LAC_PAGE_PLAIN ? FLAG_CODED : 0);
    uint32_t kind = kind_of(p);
    *out++ = LAC_PAGE_SYNC_0;
    *out++ = LAC_PAGE_SYNC_1;
    *out++ = (uint8_t)(kind | flags);
    out = put_varint(out, p->number);
    if (flags & FLAG_SHORT)
        *out++ = (uint8_t)p->frames;
    if (flags & FLAG_CODED)
        out = put_coding(out, p->coding, saved);
    uint8_t *list = out;
    out = put_codebooks(out, p, kind);
    p->list_size = (size_t)(out - list);
    for (uint32_t c = 0; c < f->channels; c++, out += 2)
        lac_store16(out, p->phase[c]);
    return out;
}

void lac_page_build(uint8_t *out, const lac_stream_format *f, lac_page *p, const uint16_t *const *tokens,
                    size_t stride)
{
    p->coding = LAC_PAGE_PLAIN;
    bit_sink s = {.at = put_page_head(out, f, p, 0)};
    set_sizes(p, (size_t)(s.at - out), measure(p, f));
    for (uint32_t i = 0; i < p->frames; i++)
        for (uint32_t c = 0; c < f->channels; c++)
            for (uint32_t q = 0; q < p->codebooks[i]; q++)
                put_bits(&s, tokens[c][i * stride + q], f->token_bits);
    uint8_t *end = end_bits(&s);
    lac_store32(end, lac_crc32c(0, out, p->size - 4));
}

void lac_page_build_coded(uint8_t *out, const lac_stream_format *f, lac_page *p, size_t payload_size)
{
    uint8_t *at = put_page_head(out, f, p, measure(p, f) - payload_size);
    memmove(at, out + LAC_PAGE_HEAD_MAX, payload_size);
    set_sizes(p, (size_t)(at - out), payload_size);
    lac_store32(at + payload_size, lac_crc32c(0, out, p->size - 4));
}

/* The coding, and what a page says of its payload's size: what it has saved, or how large it is. */
static uint64_t take_coding(lac_page *p, cursor *c)
{
    p->coding = take8(c);
    if (!says_saved(p->coding)) {
        uint64_t bytes = take_varint(c, 16);
        c->bad |= p->coding == LAC_PAGE_PLAIN || bytes > LAC_PAGE_MAX_PAYLOAD;
        return bytes;
    }
    uint32_t saved = take8(c);
    return saved < SAVED_MORE ? saved : saved + take_varint(c, 16);
}

/* The payload's size, given what the page says of it. */
static size_t payload_size(const lac_page *p, size_t plain, uint64_t said, cursor *c)
{
    if (p->coding == LAC_PAGE_PLAIN)
        return plain;
    if (!says_saved(p->coding))
        return (size_t)said;
    c->bad |= said >= plain;
    return plain - (size_t)said;
}

/* Bits of a cursor's bytes, from the lowest up. */
typedef struct bit_source {
    cursor *c;
    uint32_t held, bits;
} bit_source;

static uint32_t take_bits(bit_source *s, uint32_t bits)
{
    for (; s->bits < bits; s->bits += 8)
        s->held |= take8(s->c) << s->bits;
    uint32_t value = s->held & ((UINT32_C(1) << bits) - 1);
    s->held >>= bits;
    s->bits -= bits;
    return value;
}

static uint32_t take_move(bit_source *s, uint32_t before)
{
    if (take_bits(s, 1) == 0)
        return before;
    if (take_bits(s, 1) == 0)
        return take_bits(s, 1) == 0 ? before + 1 : before - 1;
    uint32_t now = take_bits(s, LAC_PAGE_FIRST_BITS);
    return lac_page_move_bits(before, now) == LAC_PAGE_JUMP_BITS ? now : UINT32_MAX;
}

/* Only what put_moves writes is taken: a jump must be one, and the bits that are left over zero. */
static void take_moves(lac_page *p, cursor *c)
{
    bit_source s = {.c = c};
    uint32_t now = take_bits(&s, LAC_PAGE_FIRST_BITS);
    for (uint32_t i = 0; i < p->frames && !c->bad; i++) {
        if (i > 0)
            now = take_move(&s, now);
        c->bad |= now > LAC_MAX_CODEBOOKS;
        p->codebooks[i] = (uint8_t)now;
    }
    c->bad |= s.held != 0;
}

static void take_codebooks(lac_page *p, cursor *c, uint32_t kind)
{
    size_t first = c->at;
    if (kind == KIND_MOVES)
        take_moves(p, c);
    else
        for (uint32_t i = 0; i < p->frames && !c->bad; i++) {
            uint32_t n = kind == KIND_LIST ? take8(c) : kind;
            c->bad |= n > LAC_MAX_CODEBOOKS;
            p->codebooks[i] = (uint8_t)n;
        }
    p->list_size = c->at - first;
}

int lac_page_parse(lac_page *p, const lac_stream_format *f, const uint8_t *data, size_t size)
{
    cursor c = {data, size, 0, false, false};
    uint32_t sync = take16(&c), flags = take8(&c), kind = flags & KIND_MASK;
    uint64_t said = 0;
    if (c.short_of)
        return LAC_ERROR_TRUNCATED;
    if (sync != (LAC_PAGE_SYNC_0 | LAC_PAGE_SYNC_1 << 8) || kind > KIND_MOVES)
        return LAC_ERROR_FORMAT;
    p->number = (uint32_t)take_varint(&c, 32);
    p->frames = flags & FLAG_SHORT ? take8(&c) : LAC_PAGE_FRAMES;
    p->coding = LAC_PAGE_PLAIN;
    if (flags & FLAG_CODED)
        said = take_coding(p, &c);
    if (p->frames < 1 || p->frames > LAC_PAGE_FRAMES || (flags & FLAG_SHORT && p->frames == LAC_PAGE_FRAMES))
        return c.short_of ? LAC_ERROR_TRUNCATED : LAC_ERROR_FORMAT;
    take_codebooks(p, &c, kind);
    for (uint32_t i = 0; i < f->channels; i++)
        p->phase[i] = (uint16_t)take16(&c);
    if (cursor_status(&c) != LAC_OK)
        return cursor_status(&c);
    size_t bytes = payload_size(p, measure(p, f), said, &c);
    if (c.bad)
        return LAC_ERROR_FORMAT;
    set_sizes(p, c.at, bytes);
    return LAC_OK;
}

bool lac_page_padding_zero(const lac_page *p, const uint8_t *data)
{
    unsigned used = p->payload_bits % 8;
    return used == 0 || data[p->head_size + p->payload_size - 1] >> used == 0;
}

/* Takes `count` tokens of `bits` bits into row; `at` counts bits from the payload's start. */
static bool unpack_row(uint16_t *row, uint32_t count, uint32_t bits, uint32_t codewords, const uint8_t *payload,
                       size_t *at)
{
    bool ok = true;
    for (uint32_t q = 0; q < count; q++) {
        uint32_t value = 0;
        for (uint32_t got = 0, n; got < bits; got += n, *at += n) {
            uint32_t offset = (uint32_t)(*at % 8);
            n = bits - got < 8 - offset ? bits - got : 8 - offset;
            value |= ((uint32_t)payload[*at / 8] >> offset & ((1u << n) - 1)) << got;
        }
        row[q] = (uint16_t)value;
        ok &= value < codewords;
    }
    return ok;
}

int lac_page_unpack(uint16_t *const *tokens, size_t stride, uint32_t codewords, const lac_stream_format *f,
                    const lac_page *p, const uint8_t *data)
{
    size_t at = 0;
    bool ok = true;
    for (uint32_t i = 0; i < p->frames; i++)
        for (uint32_t c = 0; c < f->channels; c++) {
            uint16_t *row = tokens[c] + i * stride;
            if (p->codebooks[i] > stride)
                return LAC_ERROR_FORMAT;
            memset(row, 0, stride * sizeof *row);
            ok &= unpack_row(row, p->codebooks[i], f->token_bits, codewords, data + p->head_size, &at);
        }
    return ok ? LAC_OK : LAC_ERROR_FORMAT;
}

/* ---- end page ---- */

void lac_end_build(uint8_t *out, lac_end *end, const lac_run *runs)
{
    uint8_t *at = out;
    *at++ = LAC_PAGE_SYNC_0;
    *at++ = LAC_PAGE_SYNC_1;
    *at++ = LAC_PAGE_KIND_END;
    at += 2;
    put_format(at, &end->format);
    at = put_varint(at + 13, end->header_size);
    at = put_varint(at, end->samples);
    at = put_varint(at, end->frames);
    at = put_varint(at, end->position);
    at = put_varint(at, end->run_count);
    for (uint32_t i = 0; i < end->run_count; i++) {
        at = put_varint(at, runs[i].count);
        at = put_varint(at, runs[i].size);
    }
    end->size = (size_t)(at - out) + 6;
    lac_store16(out + 3, (uint16_t)end->size);
    lac_store16(at, (uint16_t)end->size);
    lac_store32(at + 2, lac_crc32c(0, out, end->size - 4));
}

size_t lac_end_size(const uint8_t *data, size_t size)
{
    if (size < 5 || data[0] != LAC_PAGE_SYNC_0 || data[1] != LAC_PAGE_SYNC_1 || data[2] != LAC_PAGE_KIND_END)
        return 0;
    size_t stated = lac_load16(data + 3);
    return stated >= LAC_END_MIN && stated <= LAC_PAGE_MAX ? stated : 0;
}

uint64_t lac_run_bytes(const lac_run *run)
{
    return run->size > LAC_PAGE_MAX ? run->size - LAC_PAGE_MAX : (uint64_t)run->count * run->size;
}

/* The runs must be possible: pages of legal sizes, no more of them than the frames need, all before the end page. */
static bool take_runs(cursor *c, const lac_end *end, lac_run *runs)
{
    uint64_t pages = 0, offset = end->header_size;
    for (uint32_t i = 0; i < end->run_count; i++) {
        runs[i].count = (uint32_t)take_varint(c, 32);
        runs[i].size = (uint32_t)take_varint(c, 32);
        uint64_t count = runs[i].count, bytes = lac_run_bytes(&runs[i]);
        if (count == 0 || bytes < count * LAC_PAGE_MIN || bytes > count * LAC_PAGE_MAX)
            return false;
        pages += count;
        offset += bytes;
    }
    return pages <= (end->frames + LAC_PAGE_FRAMES - 1) / LAC_PAGE_FRAMES && offset <= end->position;
}

static bool totals_valid(const lac_end *e)
{
    return e->header_size >= LAC_HEADER_MIN && e->header_size <= LAC_HEADER_MAX && e->position >= e->header_size &&
           e->samples <= LAC_STREAM_MAX_SAMPLES && e->frames <= LAC_STREAM_MAX_PAGES * LAC_PAGE_FRAMES &&
           e->run_count <= LAC_END_MAX_RUNS && (e->samples == 0) == (e->frames == 0);
}

int lac_end_parse(lac_end *end, lac_run *runs, const uint8_t *data, size_t size)
{
    if (lac_end_size(data, size) != size || data[5] != LAC_STREAM_VERSION || !get_format(&end->format, data + 5))
        return LAC_ERROR_FORMAT;
    cursor c = {data, size - 6, 18, false, false};
    end->size = size;
    end->header_size = (uint32_t)take_varint(&c, 32);
    end->samples = take_varint(&c, 63);
    end->frames = take_varint(&c, 63);
    end->position = take_varint(&c, 63);
    end->run_count = (uint32_t)take_varint(&c, 32);
    if (cursor_status(&c) != LAC_OK || !totals_valid(end) || !take_runs(&c, end, runs))
        return LAC_ERROR_FORMAT;
    if (cursor_status(&c) != LAC_OK || c.at != size - 6 || lac_load16(data + size - 6) != size)
        return LAC_ERROR_FORMAT;
    return LAC_OK;
}
