#include "npyarray.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX 10      /* magic, version, size of the header */
#define HEADER_MAX 4096

/* ---- writing ---- */

void lac_npy_put(lac_token_bytes *out, uint64_t value, size_t bytes)
{
    uint8_t b[8];

    for (size_t i = 0; i < bytes; i++)
        b[i] = (uint8_t)(value >> 8 * i);
    lac_token_bytes_add(out, b, bytes);
}

/* Filled up with spaces to a multiple of 64 bytes, the line's end included. */
void lac_npy_write_header(lac_token_bytes *out, const char *descr, const char *shape)
{
    char text[256];
    int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr,
                          shape);
    int fill = 63 - (PREFIX + length) % 64;

    lac_token_bytes_add(out, "\x93NUMPY\x01\x00", 8);
    lac_npy_put(out, (uint64_t)(length + fill + 1), 2);
    lac_token_bytes_print(out, "%s%*s\n", text, fill, "");
}

/* ---- reading ---- */

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

/* A type as "<u2": order, kind, bytes of an item (of 'U' characters of 4 bytes). */
static int parse_descr(lac_npy_array *a, const char *text, char *reason)
{
    char quote = text ? *text : 0, order = quote ? text[1] : 0;
    char *end = NULL;

    if ((quote == '\'' || quote == '"') && order && text[2] && text[3] >= '0' && text[3] <= '9') {
        a->kind = text[2];
        a->item = strtoul(text + 3, &end, 10) * (a->kind == 'U' ? 4 : 1);
    }
    if (!end || end - text > 12 || *end != quote || !strchr("uifcbUS", a->kind) || !strchr("<>|", order))
        return lac_token_reason(reason, "is an array of a type that is not known");
    if (order == '>')
        return lac_token_reason(reason, "is big-endian; little-endian is wanted");
    if (a->kind != 'U' && a->kind != 'S' && a->item != 1 && a->item != 2 && a->item != 4 && a->item != 8 &&
        a->item != 16)
        return lac_token_reason(reason, "is an array of a type that is not known");
    return 0;
}

static int parse_shape(lac_npy_array *a, const char *text, char *reason)
{
    if (!text || *text++ != '(')
        return lac_token_reason(reason, "its header has no shape");
    for (;;) {
        text += strspn(text, " \t");
        if (*text == ')')
            return 0;
        if (*text < '0' || *text > '9' || a->dimensions == LAC_NPY_DIMENSIONS)
            return lac_token_reason(reason, "its shape is not one of at most %d dimensions", LAC_NPY_DIMENSIONS);
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

/* All of it must be there. A row is what the first dimension counts. */
static int check_size(lac_npy_array *a, size_t bytes, char *reason)
{
    uint64_t rows = a->dimensions ? a->shape[0] : 1, row = a->item, room;

    for (unsigned i = 1; i < a->dimensions; i++) {
        if (a->shape[i] > 0 && row > SIZE_MAX / a->shape[i])
            return lac_token_reason(reason, "its shape is too large");
        row *= a->shape[i];
    }
    room = row ? bytes / row : 0;
    if (row && rows > room)
        return lac_token_reason(reason, "says %llu rows, but has room for %llu: cut off?", (unsigned long long)rows,
                                (unsigned long long)room);
    if (rows * row != bytes)
        return lac_token_reason(reason, "has %llu bytes more than its shape says",
                                (unsigned long long)(bytes - rows * row));
    a->count = a->item ? bytes / a->item : 0;
    return 0;
}

static int parse_header(lac_npy_array *a, const char *header, char *reason)
{
    const char *order = value_of(header, "fortran_order");

    if (parse_descr(a, value_of(header, "descr"), reason) || parse_shape(a, value_of(header, "shape"), reason))
        return -1;
    if (!order || (strncmp(order, "False", 5) != 0 && strncmp(order, "True", 4) != 0))
        return lac_token_reason(reason, "its header is damaged");
    if (*order == 'T' && a->dimensions > 1)
        return lac_token_reason(reason, "is in Fortran order; C order is wanted (numpy.ascontiguousarray)");
    return 0;
}

int lac_npy_open(lac_npy_array *a, const uint8_t *data, size_t size, char *reason)
{
    char header[HEADER_MAX + 1];

    memset(a, 0, sizeof *a);
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
    a->data = data + prefix + length;
    return parse_header(a, header, reason) ? -1 : check_size(a, size - prefix - length, reason);
}

uint64_t lac_npy_get(const lac_npy_array *a, uint64_t index)
{
    const uint8_t *at = a->data + index * a->item;
    uint64_t value = 0;

    for (size_t i = 0; i < a->item && i < 8; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}
