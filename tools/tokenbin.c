/* The packed binary format of tokens: doc/tokens.md. */
#include <stdlib.h>
#include <string.h>

#include "tokenset.h"

#define FIXED 48      /* bytes of the header before its runs */
#define RUN 5         /* bytes of a run */
#define SYMBOLS 10    /* bytes about symbols, beside 8 a channel */
#define HAS_SYMBOLS 1

/* CRC-32C, a quarter of a byte at a time needs no table to speak of. */
static uint32_t checksum(const uint8_t *data, size_t size)
{
    static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                       0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                       0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    uint32_t crc = ~(uint32_t)0;

    for (size_t i = 0; i < size; i++) {
        crc = table[(crc ^ data[i]) & 15] ^ crc >> 4;
        crc = table[(crc ^ data[i] >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

static uint32_t bits_for(uint32_t values)
{
    uint32_t bits = 1;

    while (bits < 32 && (values - 1) >> bits)
        bits++;
    return bits;
}

/* ---- writing ---- */

static void add(lac_token_bytes *out, uint64_t value, size_t bytes)
{
    uint8_t b[8];

    for (size_t i = 0; i < bytes; i++)
        b[i] = (uint8_t)(value >> 8 * i);
    lac_token_bytes_add(out, b, bytes);
}

/* Frames in a row with the same number of codebooks, from `first` on. */
static uint64_t run_length(const lac_token_set *s, uint64_t first)
{
    uint64_t t = first;

    while (t < s->frames && s->counts[t] == s->counts[first])
        t++;
    return t - first;
}

static void write_runs(lac_token_bytes *out, const lac_token_set *s)
{
    uint32_t runs = 0;

    for (uint64_t t = 0; t < s->frames; t += run_length(s, t))
        runs++;
    add(out, runs, 4);
    for (uint64_t t = 0, n; t < s->frames; t += n) {
        n = run_length(s, t);
        add(out, n, 4);
        add(out, s->counts[t], 1);
    }
}

/* Bits on their way to whole bytes, the lowest first. */
typedef struct packer {
    lac_token_bytes *out;
    uint64_t held;
    uint32_t bits;
} packer;

static void pack(packer *p, uint32_t value, uint32_t bits)
{
    p->held |= (uint64_t)value << p->bits;
    for (p->bits += bits; p->bits >= 8; p->bits -= 8, p->held >>= 8)
        add(p->out, p->held & 255, 1);
}

static void write_payload(lac_token_bytes *out, const lac_token_set *s)
{
    packer p = {out, 0, 0};
    uint64_t symbols = lac_token_set_symbols(s);

    for (uint64_t i = 0; i < symbols; i++)
        pack(&p, s->symbols[i], bits_for(s->vocabulary_size));
    for (uint64_t t = 0; t < s->frames; t++)
        for (uint32_t c = 0; c < s->channels; c++)
            for (uint32_t q = 0; q < s->counts[t]; q++)
                pack(&p, s->tokens[(t * s->channels + c) * s->codebooks + q], s->token_bits);
    if (p.bits > 0)
        add(out, p.held, 1);
}

void lac_tokenbin_write(lac_token_bytes *out, const lac_token_set *s)
{
    size_t start = out->size;

    lac_token_bytes_add(out, "LACT\x01", 5);
    add(out, s->channels, 1);
    add(out, s->token_bits, 1);
    add(out, s->vocabulary ? HAS_SYMBOLS : 0, 1);
    lac_token_bytes_add(out, s->model_id, LAC_MODEL_ID_SIZE);
    add(out, s->rate, 4);
    add(out, s->samples, 8);
    add(out, s->frames, 8);
    write_runs(out, s);
    if (s->vocabulary) {
        add(out, s->vocabulary, 8);
        add(out, s->symbol_codebook, 1);
        add(out, bits_for(s->vocabulary_size), 1);
        for (uint32_t c = 0; c < s->channels; c++)
            add(out, s->symbol_count[c], 8);
    }
    write_payload(out, s);
    if (!out->failed)
        add(out, checksum(out->data + start, out->size - start), 4);
}

/* ---- reading ---- */

typedef struct cursor {
    const uint8_t *data;
    size_t size, at;     /* at <= size */
    size_t bit;          /* of the payload, from `at` */
} cursor;

/* The caller knows that they are there. */
static uint64_t take(cursor *c, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)c->data[c->at++] << 8 * i;
    return value;
}

static uint32_t unpack(cursor *c, uint32_t bits)
{
    uint32_t value = 0;

    for (uint32_t got = 0, n; got < bits; got += n, c->bit += n) {
        uint32_t offset = (uint32_t)(c->bit % 8);
        n = bits - got < 8 - offset ? bits - got : 8 - offset;
        value |= ((uint32_t)c->data[c->at + c->bit / 8] >> offset & ((1u << n) - 1)) << got;
    }
    return value;
}

/* What the fixed part says beside what goes into the set. */
typedef struct facts {
    uint64_t frames;
    uint32_t runs, symbol_bits;
    bool has_symbols;
    const uint8_t *run;
} facts;

static int parse_fixed(lac_token_set *s, facts *f, cursor *c, char *reason)
{
    if (c->size < FIXED + 4)
        return lac_token_reason(reason, "is cut off in its header");
    c->at = 4;
    if (take(c, 1) != 1)
        return lac_token_reason(reason, "is of a newer version of the packed format");
    uint32_t channels = (uint32_t)take(c, 1), bits = (uint32_t)take(c, 1), flags = (uint32_t)take(c, 1);
    if (channels < 1 || channels > LAC_MAX_CHANNELS || bits < 1 || bits > 16 || flags > HAS_SYMBOLS)
        return lac_token_reason(reason, "its header is damaged");
    s->channels = channels;
    s->token_bits = bits;
    f->has_symbols = flags == HAS_SYMBOLS;
    memcpy(s->model_id, c->data + c->at, LAC_MODEL_ID_SIZE);
    c->at += LAC_MODEL_ID_SIZE;
    s->rate = (uint32_t)take(c, 4);
    s->samples = take(c, 8);
    f->frames = take(c, 8);
    f->runs = (uint32_t)take(c, 4);
    if (f->frames > LAC_TOKENS_MAX_FRAMES)
        return lac_token_reason(reason, "says %llu frames; %llu are possible", (unsigned long long)f->frames,
                                (unsigned long long)LAC_TOKENS_MAX_FRAMES);
    if (f->runs > (c->size - c->at) / RUN)
        return lac_token_reason(reason, "is cut off in its header");
    f->run = c->data + c->at;
    c->at += (size_t)f->runs * RUN;
    return 0;
}

/* Adds up the runs: tokens of the rows, and the widest. */
static int measure_runs(lac_token_set *s, const facts *f, uint64_t *tokens, char *reason)
{
    cursor c = {f->run, (size_t)f->runs * RUN, 0, 0};
    uint64_t frames = 0;

    *tokens = 0;
    for (uint32_t i = 0; i < f->runs; i++) {
        uint64_t n = take(&c, 4);
        uint32_t count = (uint32_t)take(&c, 1);
        if (n == 0 || count > LAC_MAX_CODEBOOKS)
            return lac_token_reason(reason, "its header is damaged");
        s->codebooks = count > s->codebooks ? count : s->codebooks;
        frames += n;
        *tokens += n * count * s->channels;
    }
    return frames == f->frames ? 0 : lac_token_reason(reason, "its header is damaged");
}

static int parse_symbol_facts(lac_token_set *s, facts *f, cursor *c, char *reason)
{
    if (c->size - c->at < SYMBOLS + 8 * (size_t)s->channels)
        return lac_token_reason(reason, "is cut off in its header");
    s->vocabulary = take(c, 8);
    s->symbol_codebook = (uint32_t)take(c, 1);
    f->symbol_bits = (uint32_t)take(c, 1);
    for (uint32_t i = 0; i < s->channels; i++)
        if ((s->symbol_count[i] = take(c, 8)) > LAC_TOKENS_MAX_COUNT)
            return lac_token_reason(reason, "says it has too many symbols");
    if (s->vocabulary == 0 || s->symbol_codebook >= LAC_MAX_CODEBOOKS || f->symbol_bits < 1 || f->symbol_bits > 24)
        return lac_token_reason(reason, "its header is damaged");
    return 0;
}

static int take_payload(lac_token_set *s, const facts *f, cursor *c, char *reason)
{
    uint16_t rows[LAC_MAX_CHANNELS * LAC_MAX_CODEBOOKS] = {0};
    cursor run = {f->run, (size_t)f->runs * RUN, 0, 0};
    uint64_t symbols = lac_token_set_symbols(s);

    s->symbols = f->has_symbols ? malloc((size_t)(symbols + 1) * sizeof *s->symbols) : NULL;
    if (f->has_symbols && !s->symbols)
        return lac_token_reason(reason, "out of memory");
    for (uint64_t i = 0; i < symbols; i++)
        s->symbols[i] = unpack(c, f->symbol_bits);
    for (uint32_t i = 0; i < f->runs; i++) {
        uint64_t n = take(&run, 4);
        uint32_t count = (uint32_t)take(&run, 1);
        for (uint64_t t = 0; t < n; t++) {
            for (uint32_t k = 0; k < s->channels; k++)
                for (uint32_t q = 0; q < count; q++)
                    rows[k * s->codebooks + q] = (uint16_t)unpack(c, s->token_bits);
            if (lac_token_set_append(s, rows, count, reason))
                return -1;
        }
    }
    return 0;
}

int lac_tokenbin_parse(lac_token_set *s, const uint8_t *data, size_t size, char *reason)
{
    cursor c = {data, size, 0, 0};
    facts f = {0};
    uint64_t tokens;

    lac_token_set_init(s, 1, 0);
    if (parse_fixed(s, &f, &c, reason) || measure_runs(s, &f, &tokens, reason) ||
        (f.has_symbols && parse_symbol_facts(s, &f, &c, reason)))
        return -1;
    uint64_t bits = tokens * s->token_bits + lac_token_set_symbols(s) * f.symbol_bits, wanted = (bits + 7) / 8 + 4;
    if (wanted > size - c.at)
        return lac_token_reason(reason, "says %llu frames, but lacks %llu bytes of them: cut off?",
                                (unsigned long long)f.frames, (unsigned long long)(wanted - (size - c.at)));
    if (wanted < size - c.at)
        return lac_token_reason(reason, "has bytes after its end");
    cursor end = {data, size, size - 4, 0};
    if (take(&end, 4) != checksum(data, size - 4))
        return lac_token_reason(reason, "is damaged: checksum mismatch");
    return take_payload(s, &f, &c, reason);
}
