/* Factors as an archive of arrays, which numpy.load opens. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "factorset.h"
#include "npz.h"

#define HEADER_ROOM 8192  /* bytes before an array's data, at most */
#define TEXT_MAX 64       /* characters of a name or an id */

/* ---- writing ---- */

static void put_float(lac_token_bytes *out, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    lac_npy_put(out, bits, sizeof bits);
}

static void add_number(lac_npz_writer *zip, const char *name, double value)
{
    lac_token_bytes b = {0};
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    lac_npy_write_header(&b, "<f8", "");
    lac_npy_put(&b, bits, sizeof bits);
    lac_npz_add(zip, name, &b);
}

static void add_count(lac_npz_writer *zip, const char *name, uint32_t value)
{
    lac_token_bytes b = {0};

    lac_npy_write_header(&b, "<u4", "");
    lac_npy_put(&b, value, 4);
    lac_npz_add(zip, name, &b);
}

/* One character of UTF-8, '?' for what is none; moves on. */
static uint32_t next_character(const char **text)
{
    const unsigned char *s = (const unsigned char *)*text;
    unsigned more = *s < 0x80 ? 0 : *s >= 0xf0 ? 3 : *s >= 0xe0 ? 2 : 1;
    uint32_t value = more ? *s & (0x3fu >> more) : *s;

    for (unsigned i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            *text += i;
            return '?';
        }
        value = value << 6 | (s[i] & 0x3f);
    }
    *text += more + 1;
    return value > 0x10ffff || (more && value < 0x80) ? '?' : value;
}

static unsigned characters(const char *text)
{
    unsigned n = 0;

    for (; *text; n++)
        next_character(&text);
    return n;
}

/* NumPy's text: all strings as long as the longest, filled up with zeros. */
static void add_texts(lac_npz_writer *zip, const char *name, const char *const *text, uint32_t count,
                      const char *shape)
{
    lac_token_bytes b = {0};
    unsigned longest = 1;
    char descr[16];

    for (uint32_t i = 0; i < count; i++)
        longest = characters(text[i]) > longest ? characters(text[i]) : longest;
    snprintf(descr, sizeof descr, "<U%u", longest);
    lac_npy_write_header(&b, descr, shape);
    for (uint32_t i = 0; i < count; i++) {
        const char *at = text[i];

        for (unsigned k = 0; k < longest; k++)
            lac_npy_put(&b, *at ? next_character(&at) : 0, 4);
    }
    lac_npz_add(zip, name, &b);
}

static void add_text(lac_npz_writer *zip, const char *name, const char *text)
{
    add_texts(zip, name, &text, 1, "");
}

static void add_about(lac_npz_writer *zip, const lac_factor_set *s)
{
    char id[2 * LAC_MODEL_ID_SIZE + 1], shape[16];

    add_text(zip, "factor_model", s->model.name);
    add_text(zip, "factor_model_id", lac_token_id_text(s->model.id, id));
    add_text(zip, "latent_id", lac_token_id_text(s->model.latent_id, id));
    add_text(zip, "source", lac_factor_way_name(s->way));
    add_count(zip, "sample_rate", s->rate);
    add_count(zip, "audio_channels", s->channels);
    add_count(zip, "audio_channel", s->channel);
    add_number(zip, "duration_s", s->duration_s);
    add_number(zip, "frame_rate_hz", LAC_FACTOR_RATE);
    add_number(zip, "content_rate_hz", (double)LAC_FACTOR_RATE / s->model.content_stride);
    if (s->phones) {
        snprintf(shape, sizeof shape, "%u,", s->model.phones);
        add_texts(zip, "phone_symbols", s->phones, s->model.phones, shape);
    }
}

static void add_factors(lac_npz_writer *zip, const lac_factors *factors)
{
    for (size_t i = 0; i < LAC_FACTOR_FIELDS; i++) {
        const lac_factor_field *f = &lac_factor_fields[i];
        lac_token_bytes b = {0};
        char shape[16] = "";

        if (f->count > 0)
            snprintf(shape, sizeof shape, "%u,", f->count);
        lac_npy_write_header(&b, "<f4", shape);
        for (unsigned k = 0; k < (f->count ? f->count : 1); k++)
            put_float(&b, lac_factor_field_get(f, factors, k));
        lac_npz_add(zip, f->name, &b);
    }
}

static void add_tokens(lac_npz_writer *zip, const lac_factor_set *s, const char *name, bool phones)
{
    uint64_t count = lac_factor_set_tokens(s);
    lac_token_bytes b = {0};
    char shape[32];

    snprintf(shape, sizeof shape, "%llu,", (unsigned long long)count);
    lac_npy_write_header(&b, "<u2", shape);
    for (uint64_t i = 0; i < count; i++) {
        const lac_factor_frame *frame = lac_factor_set_token(s, i);

        lac_npy_put(&b, phones ? frame->phone : frame->content, 2);
    }
    lac_npz_add(zip, name, &b);
}

static void add_frames(lac_npz_writer *zip, const lac_factor_set *s)
{
    char shape[32];

    snprintf(shape, sizeof shape, "%llu,", (unsigned long long)s->count);
    for (size_t i = 0; i < LAC_FACTOR_FRAME_FIELDS; i++) {
        const lac_factor_field *f = &lac_factor_frame_fields[i];
        lac_token_bytes b = {0};

        lac_npy_write_header(&b, "<f4", shape);
        for (uint64_t t = 0; t < s->count; t++)
            put_float(&b, lac_factor_field_get(f, &s->frames[t], 0));
        lac_npz_add(zip, f->name, &b);
    }
}

int lac_factor_npz_write(lac_token_bytes *out, const lac_factor_set *s, char *reason)
{
    lac_npz_writer *zip = lac_npz_create();

    if (zip) {
        add_about(zip, s);
        add_factors(zip, &s->factors);
        add_tokens(zip, s, "content", false);
        add_tokens(zip, s, "phones", true);
        add_frames(zip, s);
    }
    return lac_npz_finish(zip, out, reason);
}

/* ---- reading ---- */

typedef struct member {
    const char *name;
    lac_token_bytes bytes;
    lac_npy_array array;
} member;

/* An array of `kind` ('f' 4 or 8 bytes, 'u' or 'U') with `dimensions` of at most `most` items. */
static int load(member *m, lac_npz_reader *zip, const char *name, char kind, unsigned dimensions, uint64_t most,
                char *reason)
{
    *m = (member){.name = name};
    if (lac_npz_read(zip, name, (size_t)most * (kind == 'U' ? 4 * TEXT_MAX : 8) + HEADER_ROOM, &m->bytes, &m->array,
                     reason))
        return -1;
    if (m->array.kind != kind || m->array.dimensions != dimensions || m->array.count > most ||
        (kind == 'f' && m->array.item != 4 && m->array.item != 8) || (kind == 'u' && m->array.item > 8))
        return lac_token_reason(reason, "%s.npy is not of the type or shape that it should have", name);
    return 0;
}

static double real_at(const member *m, uint64_t index)
{
    uint64_t bits = lac_npy_get(&m->array, index);
    uint32_t low = (uint32_t)bits;
    double wide;
    float narrow;

    memcpy(&wide, &bits, sizeof wide);
    memcpy(&narrow, &low, sizeof narrow);
    return m->array.item == 8 ? wide : narrow;
}

/* Value `index` of a field into *of. */
static int take_value(const member *m, uint64_t index, const lac_factor_field *f, void *of, unsigned slot,
                      char *reason)
{
    double value = real_at(m, index);

    if (!(value >= f->low && value <= f->high))
        return lac_token_reason(reason, "%s.npy holds %g at %llu", m->name, value, (unsigned long long)index);
    lac_factor_field_set(f, of, slot, (float)value);
    return 0;
}

static int read_factors(lac_factor_set *s, lac_npz_reader *zip, char *reason)
{
    for (size_t i = 0; i < LAC_FACTOR_FIELDS; i++) {
        const lac_factor_field *f = &lac_factor_fields[i];
        unsigned count = f->count ? f->count : 1;
        member m;
        int failed = load(&m, zip, f->name, 'f', f->count > 0, count, reason);

        if (!failed && m.array.count != count)
            failed = lac_token_reason(reason, "%s.npy has %llu values, not %u", f->name,
                                      (unsigned long long)m.array.count, count);
        for (unsigned k = 0; k < count && !failed; k++)
            failed = take_value(&m, k, f, &s->factors, k, reason);
        lac_token_bytes_free(&m.bytes);
        if (failed)
            return failed;
    }
    return 0;
}

/* A unit vector, or zeros. */
static int check_speaker(const lac_factors *factors, char *reason)
{
    double sum = 0;

    for (unsigned i = 0; i < LAC_SPEAKER_SIZE; i++)
        sum += (double)factors->speaker[i] * factors->speaker[i];
    return sum == 0 || fabs(sum - 1) < 1e-3 ? 0 : lac_token_reason(reason, "speaker.npy is not a unit vector");
}

static int read_frames(lac_factor_set *s, lac_npz_reader *zip, char *reason)
{
    for (size_t i = 0; i < LAC_FACTOR_FRAME_FIELDS; i++) {
        const lac_factor_field *f = &lac_factor_frame_fields[i];
        member m;
        int failed = load(&m, zip, f->name, 'f', 1, LAC_FACTOR_MAX_FRAMES, reason);

        if (!failed && i == 0) {
            s->count = s->capacity = s->factors.frames = m.array.count;
            s->frames = calloc((size_t)s->count + 1, sizeof *s->frames);
            failed = s->frames ? 0 : lac_token_reason(reason, "out of memory");
        }
        if (!failed && m.array.count != s->count)
            failed = lac_token_reason(reason, "%s.npy has %llu frames, f0_hz.npy %llu", f->name,
                                      (unsigned long long)m.array.count, (unsigned long long)s->count);
        for (uint64_t t = 0; t < s->count && !failed; t++)
            failed = take_value(&m, t, f, &s->frames[t], 0, reason);
        lac_token_bytes_free(&m.bytes);
        if (failed)
            return failed;
    }
    return 0;
}

static int read_tokens(lac_factor_set *s, lac_npz_reader *zip, const char *name, bool phones, char *reason)
{
    member m;
    int failed = load(&m, zip, name, 'u', 1, LAC_FACTOR_MAX_FRAMES, reason);

    if (!failed && m.array.count != lac_factor_set_tokens(s))
        failed = lac_token_reason(reason, "%s.npy has %llu tokens, not %llu", name,
                                  (unsigned long long)m.array.count, (unsigned long long)lac_factor_set_tokens(s));
    for (uint64_t t = 0; t < s->count && !failed; t++) {
        uint64_t value = lac_npy_get(&m.array, t / s->model.content_stride);

        if (value > UINT16_MAX)
            failed = lac_token_reason(reason, "%s.npy holds %llu", name, (unsigned long long)value);
        *(phones ? &s->frames[t].phone : &s->frames[t].content) = (uint16_t)value;
    }
    lac_token_bytes_free(&m.bytes);
    return failed;
}

/* ASCII of less than `room` characters. */
static int read_text(lac_npz_reader *zip, const char *name, char *text, size_t room, char *reason)
{
    member m;
    int failed = load(&m, zip, name, 'U', 0, 1, reason);
    size_t length = failed ? 0 : m.array.item / 4;

    if (!failed && length >= room)
        failed = lac_token_reason(reason, "%s.npy is too long", name);
    memset(text, 0, room);
    for (size_t i = 0; i < length && !failed; i++) {
        const uint8_t *c = m.array.data + 4 * i;

        text[i] = c[1] || c[2] || c[3] || c[0] > 0x7f ? '?' : (char)c[0];
    }
    lac_token_bytes_free(&m.bytes);
    return failed;
}

static int read_number(lac_npz_reader *zip, const char *name, char kind, double *value, char *reason)
{
    member m;
    int failed = load(&m, zip, name, kind, 0, 1, reason);

    if (!failed)
        *value = kind == 'f' ? real_at(&m, 0) : (double)lac_npy_get(&m.array, 0);
    lac_token_bytes_free(&m.bytes);
    return failed;
}

static int read_id(lac_npz_reader *zip, const char *name, uint8_t *id, char *reason)
{
    char text[2 * LAC_MODEL_ID_SIZE + 1];

    if (read_text(zip, name, text, sizeof text, reason))
        return -1;
    return lac_token_id_parse(id, text) ? 0 : lac_token_reason(reason, "%s.npy is not an id", name);
}

static int read_about(lac_factor_set *s, lac_npz_reader *zip, char *reason)
{
    double rate, content_rate, duration;

    if (read_text(zip, "factor_model", s->model.name, sizeof s->model.name, reason) ||
        read_id(zip, "factor_model_id", s->model.id, reason) ||
        read_id(zip, "latent_id", s->model.latent_id, reason) ||
        read_number(zip, "sample_rate", 'u', &rate, reason) ||
        read_number(zip, "duration_s", 'f', &duration, reason) ||
        read_number(zip, "content_rate_hz", 'f', &content_rate, reason))
        return -1;
    if (!(duration >= 0 && duration < 1e9) || rate > LAC_FACTOR_MAX_RATE)
        return lac_token_reason(reason, "duration_s.npy or sample_rate.npy is out of range");
    if (content_rate != LAC_FACTOR_RATE && content_rate != LAC_FACTOR_RATE / 2)
        return lac_token_reason(reason, "content_rate_hz.npy holds %g", content_rate);
    s->model.content_stride = content_rate == LAC_FACTOR_RATE ? 1 : 2;
    s->rate = (uint32_t)rate;
    s->duration_s = duration;
    return 0;
}

int lac_factor_npz_parse(lac_factor_set *s, const uint8_t *data, size_t size, char *reason)
{
    lac_npz_reader *zip = NULL;

    memset(s, 0, sizeof *s);
    int failed = lac_npz_open(&zip, data, size, reason);
    if (!failed)
        failed = read_about(s, zip, reason);
    if (!failed)
        failed = read_factors(s, zip, reason);
    if (!failed)
        failed = check_speaker(&s->factors, reason);
    if (!failed)
        failed = read_frames(s, zip, reason);
    if (!failed)
        failed = read_tokens(s, zip, "content", false, reason);
    if (!failed)
        failed = read_tokens(s, zip, "phones", true, reason);
    lac_npz_close(zip);
    return failed;
}
