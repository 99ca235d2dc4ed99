#include "tokenset.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int lac_token_reason(char *reason, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reason, LAC_TOKENS_REASON, format, args);
    va_end(args);
    return -1;
}

const char *lac_token_id_text(const uint8_t *id, char *text)
{
    for (size_t i = 0; i < LAC_MODEL_ID_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", id[i]);
    return text;
}

bool lac_token_id_parse(uint8_t *id, const char *text)
{
    size_t length = strlen(text);

    if (length < 16 || length > 2 * LAC_MODEL_ID_SIZE || length % 2 || strspn(text, "0123456789abcdef") != length)
        return false;
    memset(id, 0, LAC_MODEL_ID_SIZE);
    for (size_t i = 0; i < length / 2; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], 0};

        id[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

/* Room for `more` bytes. */
static bool make_room(lac_token_bytes *b, size_t more)
{
    if (!b->failed && b->capacity - b->size < more) {
        size_t capacity = b->capacity + b->capacity / 2 + more + 4096;
        uint8_t *bigger = realloc(b->data, capacity);

        b->failed = !bigger;
        if (bigger) {
            b->data = bigger;
            b->capacity = capacity;
        }
    }
    return !b->failed;
}

void lac_token_bytes_add(lac_token_bytes *b, const void *data, size_t size)
{
    if (size == 0 || !make_room(b, size))
        return;
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

void lac_token_bytes_print(lac_token_bytes *b, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lac_token_bytes_add(b, text, strlen(text));
}

void lac_token_bytes_free(lac_token_bytes *b)
{
    free(b->data);
    memset(b, 0, sizeof *b);
}

void lac_token_set_init(lac_token_set *s, uint32_t channels, uint32_t codebooks)
{
    memset(s, 0, sizeof *s);
    s->channels = channels;
    s->codebooks = codebooks;
    s->samples = UINT64_MAX;
}

static bool grow(lac_token_set *s)
{
    uint64_t capacity = s->capacity + s->capacity / 2 + 1024;
    size_t row = (size_t)s->channels * s->codebooks * sizeof *s->tokens;
    uint8_t *counts = realloc(s->counts, (size_t)capacity);

    if (counts)
        s->counts = counts;
    uint16_t *tokens = counts ? realloc(s->tokens, (size_t)capacity * row + 1) : NULL;
    if (!tokens)
        return false;
    s->tokens = tokens;
    s->capacity = capacity;
    return true;
}

int lac_token_set_append(lac_token_set *s, const uint16_t *rows, uint32_t count, char *reason)
{
    size_t row = (size_t)s->channels * s->codebooks;

    if (s->frames >= LAC_TOKENS_MAX_FRAMES || s->frames * row >= LAC_TOKENS_MAX_COUNT)
        return lac_token_reason(reason, "has more than %llu frames or %llu tokens",
                                (unsigned long long)LAC_TOKENS_MAX_FRAMES,
                                    (unsigned long long)LAC_TOKENS_MAX_COUNT);
    if (s->frames == s->capacity && !grow(s))
        return lac_token_reason(reason, "out of memory");
    uint16_t *out = s->tokens + (size_t)s->frames * row;
    for (uint32_t c = 0; c < s->channels; c++, out += s->codebooks)
        for (uint32_t q = 0; q < s->codebooks; q++)
            out[q] = q < count ? rows[c * s->codebooks + q] : 0;
    s->counts[s->frames++] = (uint8_t)count;
    return 0;
}

uint32_t lac_token_set_width(const lac_token_set *s)
{
    uint32_t width = 0;

    for (uint64_t t = 0; t < s->frames; t++)
        if (s->counts[t] > width)
            width = s->counts[t];
    return width;
}

uint64_t lac_token_set_symbols(const lac_token_set *s)
{
    uint64_t sum = 0;

    for (uint32_t c = 0; c < s->channels; c++)
        sum += s->symbol_count[c];
    return sum;
}

void lac_token_set_free(lac_token_set *s)
{
    free(s->counts);
    free(s->tokens);
    free(s->symbols);
    memset(s, 0, sizeof *s);
}
