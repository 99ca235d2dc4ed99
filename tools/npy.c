/* NumPy's format 1.0 (numpy.lib.format): magic, a header that is a Python dictionary, the array. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenset.h"

#define PREFIX 10      /* magic, version, size of the header */
#define HEADER_MAX 4096

/* ---- writing ---- */

static void add16(lac_token_bytes *out, uint32_t value)
{
    uint8_t b[2] = {(uint8_t)value, (uint8_t)(value >> 8)};

    lac_token_bytes_add(out, b, 2);
}

/* Filled up with spaces to a multiple of 64 bytes, the line's end included. */
static void write_header(lac_token_bytes *out, int bytes, const char *shape)
{
    char text[256];
    int length = snprintf(text, sizeof text, "{'descr': '<u%d', 'fortran_order': False, 'shape': (%s), }", bytes,
                          shape);
    int fill = 63 - (PREFIX + length) % 64;

    lac_token_bytes_add(out, "\x93NUMPY\x01\x00", 8);
    add16(out, (uint32_t)(length + fill + 1));
    lac_token_bytes_print(out, "%s%*s\n", text, fill, "");
}

static void write_symbols(lac_token_bytes *out, const lac_token_set *s)
{
    bool wide = s->vocabulary_size > 65536;
    char shape[32];

    snprintf(shape, sizeof shape, "%llu,", (unsigned long long)s->symbol_count[0]);
    write_header(out, wide ? 4 : 2, shape);
    for (uint64_t i = 0; i < s->symbol_count[0]; i++) {
        add16(out, s->symbols[i]);
        if (wide)
            add16(out, s->symbols[i] >> 16);
    }
}

void lac_npy_write(lac_token_bytes *out, const lac_token_set *s)
{
    unsigned width = lac_token_set_width(s);
    char shape[64];

    if (s->vocabulary) {
        write_symbols(out, s);
        return;
    }
    if (s->channels == 1)
        snprintf(shape, sizeof shape, "%llu, %u", (unsigned long long)s->frames, width);
    else
        snprintf(shape, sizeof shape, "%llu, %u, %u", (unsigned long long)s->frames, s->channels, width);
    write_header(out, 2, shape);
    for (uint64_t t = 0; t < s->frames; t++)
        for (uint32_t c = 0; c < s->channels; c++)
            for (uint32_t q = 0; q < width; q++)
                add16(out, q < s->counts[t] ? s->tokens[(t * s->channels + c) * s->codebooks + q] : LAC_TOKENS_PAD);
}

/* ---- reading ---- */

typedef struct array {
    size_t item;         /* bytes: 1, 2, 4, 8 */
    bool is_signed;
    uint64_t shape[3];
    unsigned dimensions;
    const uint8_t *data;
} array;

/* The text after `key` and its colon, or NULL. `header` ends in a zero. */
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);

    if (!at || at == header || (at[-1] != '\'' && at[-1] != '"') || at[strlen(key)] != at[-1])
        return NULL;
    at += strlen(key) + 1;
    at += strspn(at, " \t");
    if (*at++ != ':')
        return NULL;
    return at + strspn(at, " \t");
}

static int parse_descr(array *a, const char *text, char *reason)
{
    char quote = text ? *text : 0, order = 0, kind = 0, size = 0;

    if ((quote != '\'' && quote != '"') || sscanf(text + 1, "%c%c%c", &order, &kind, &size) != 3 ||
        text[4] != quote)
        return lac_token_reason(reason, "is an array of a type that can't be tokens; unsigned 16 bits are wanted");
    if (kind == 'f' || kind == 'c')
        return lac_token_reason(reason, "is an array of floats, not of tokens");
    if (order == '>')
        return lac_token_reason(reason, "is big-endian; little-endian is wanted");
    if ((kind != 'u' && kind != 'i') || (order != '<' && order != '|') || !strchr("1248", size))
        return lac_token_reason(reason, "is an array of a type that can't be tokens; unsigned 16 bits are wanted");
    a->is_signed = kind == 'i';
    a->item = (size_t)(size - '0');
    return 0;
}

static int parse_shape(array *a, const char *text, char *reason)
{
    if (!text || *text++ != '(')
        return lac_token_reason(reason, "its header has no shape");
    for (;;) {
        text += strspn(text, " \t");
        if (*text == ')')
            return 0;
        if (*text < '0' || *text > '9' || a->dimensions == 3)
            return lac_token_reason(reason,
                                    "its shape is not (frames, codebooks) or (frames, channels, codebooks)");
        char *end;
        unsigned long long value = strtoull(text, &end, 10);
        if (end - text > 18)
            return lac_token_reason(reason, "its shape is too large");
        a->shape[a->dimensions++] = value;
        text = end + strspn(end, " \t");
        if (*text == ',')
            text++;
        else if (*text != ')')
            return lac_token_reason(reason, "its header is damaged");
    }
}

/* Dimensions 1 and 2 must be small, and all of it must be there. */
static int check_size(const array *a, size_t bytes, char *reason)
{
    uint64_t items = 1, room = bytes / a->item;

    if (a->dimensions == 0)
        return lac_token_reason(reason, "is no array, but one value");
    if ((a->dimensions == 3 && (a->shape[1] < 1 || a->shape[1] > LAC_MAX_CHANNELS)) ||
        (a->dimensions > 1 && a->shape[a->dimensions - 1] > LAC_MAX_CODEBOOKS))
        return lac_token_reason(reason, "its shape has more than %d codebooks, or not 1 to %d channels",
                                LAC_MAX_CODEBOOKS, LAC_MAX_CHANNELS);
    for (unsigned i = 1; i < a->dimensions; i++)
        items *= a->shape[i];
    if (items == 0 && a->shape[0] > 0)
        return lac_token_reason(reason, "its shape has no codebooks");
    if (a->shape[0] > (items ? room / items : 0))
        return lac_token_reason(reason, "says %llu frames, but has room for %llu: cut off?",
                                (unsigned long long)a->shape[0], (unsigned long long)(items ? room / items : 0));
    if (a->shape[0] * items * a->item != bytes)
        return lac_token_reason(reason, "has %llu bytes more than its shape says",
                                (unsigned long long)(bytes - a->shape[0] * items * a->item));
    return 0;
}

static int parse_header(array *a, const uint8_t *data, size_t size, char *reason)
{
    char header[HEADER_MAX + 1];
    const char *order;

    if (size < PREFIX + 2 || memcmp(data, "\x93NUMPY", 6) != 0)
        return lac_token_reason(reason, "is cut off in its header");
    bool first = data[6] == 1;
    size_t prefix = first ? PREFIX : PREFIX + 2;
    size_t length = data[8] | (size_t)data[9] << 8 | (first ? 0 : (size_t)data[10] << 16 | (size_t)data[11] << 24);
    if (data[6] < 1 || data[6] > 3)
        return lac_token_reason(reason, "is of version %d of NumPy's format, which is not known", data[6]);
    if (length > HEADER_MAX)
        return lac_token_reason(reason, "its header is too long");
    if (length > size - prefix)
        return lac_token_reason(reason, "is cut off in its header");
    memcpy(header, data + prefix, length);
    header[length] = 0;
    if (strlen(header) != length)
        return lac_token_reason(reason, "its header is damaged");
    if (parse_descr(a, value_of(header, "descr"), reason) || parse_shape(a, value_of(header, "shape"), reason))
        return -1;
    order = value_of(header, "fortran_order");
    if (!order || (strncmp(order, "False", 5) != 0 && strncmp(order, "True", 4) != 0))
        return lac_token_reason(reason, "its header is damaged");
    if (*order == 'T')
        return lac_token_reason(reason, "is in Fortran order; C order is wanted (numpy.ascontiguousarray)");
    a->data = data + prefix + length;
    return check_size(a, size - prefix - length, reason);
}

/* What a value of a signed or wide type that can't be a symbol becomes is refused later. */
static uint32_t item_at(const array *a, uint64_t index)
{
    const uint8_t *at = a->data + index * a->item;
    uint64_t value = 0;

    for (size_t i = 0; i < a->item; i++)
        value |= (uint64_t)at[i] << 8 * i;
    if (a->is_signed && value >> (8 * a->item - 1))
        return UINT32_MAX;
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static int take_symbols(lac_token_set *s, const array *a, char *reason)
{
    lac_token_set_init(s, 1, 0);
    if (a->shape[0] > LAC_TOKENS_MAX_COUNT)
        return lac_token_reason(reason, "has too many symbols");
    s->vocabulary = UINT64_MAX;
    s->symbol_count[0] = a->shape[0];
    s->symbols = malloc((size_t)(a->shape[0] + 1) * sizeof *s->symbols);
    if (!s->symbols)
        return lac_token_reason(reason, "out of memory");
    for (uint64_t i = 0; i < a->shape[0]; i++)
        s->symbols[i] = item_at(a, i);
    return 0;
}

/* One frame's rows: as many codebooks as stand before the padding, the same in all channels. */
static int take_frame(lac_token_set *s, const array *a, char *reason)
{
    uint16_t rows[LAC_MAX_CHANNELS * LAC_MAX_CODEBOOKS];
    uint32_t width = s->codebooks, count = width;

    for (uint32_t i = 0; i < s->channels * width; i++) {
        uint32_t value = item_at(a, s->frames * s->channels * width + i), q = i % width;
        if (value > LAC_TOKENS_PAD)
            return lac_token_reason(reason, "frame %llu: a token that is negative or above 65535",
                                    (unsigned long long)s->frames);
        if (value == LAC_TOKENS_PAD && i < width && q < count)
            count = q;
        if ((value == LAC_TOKENS_PAD) != (q >= count))
            return lac_token_reason(reason, "frame %llu: a token after padding, or channels of different codebooks",
                                    (unsigned long long)s->frames);
        rows[i] = (uint16_t)value;
    }
    return lac_token_set_append(s, rows, count, reason);
}

int lac_npy_parse(lac_token_set *s, const uint8_t *data, size_t size, char *reason)
{
    array a = {0};

    lac_token_set_init(s, 1, 0);
    if (parse_header(&a, data, size, reason))
        return -1;
    if (a.dimensions == 1)
        return take_symbols(s, &a, reason);
    lac_token_set_init(s, a.dimensions == 3 ? (uint32_t)a.shape[1] : 1, (uint32_t)a.shape[a.dimensions - 1]);
    for (uint64_t t = 0; t < a.shape[0]; t++)
        if (take_frame(s, &a, reason))
            return -1;
    return 0;
}
