/* One line of JSON a file. The arrays, which are nearly all of it, are read without building a tree of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "tokenset.h"

#define FACTS_MAX (1u << 20) /* bytes of a line without its arrays */

/* ---- writing ---- */

static char *facts_text(const lac_token_set *s, const char *path)
{
    cJSON *facts = cJSON_CreateObject();
    char id[2 * LAC_MODEL_ID_SIZE + 1], vocabulary[17];

    cJSON_AddStringToObject(facts, "path", path);
    cJSON_AddStringToObject(facts, "model", s->model);
    cJSON_AddStringToObject(facts, "model_id", lac_token_id_text(s->model_id, id));
    cJSON_AddNumberToObject(facts, "rate", s->rate);
    cJSON_AddNumberToObject(facts, "frame_rate", s->frame_rate);
    cJSON_AddNumberToObject(facts, "channels", s->channels);
    cJSON_AddNumberToObject(facts, "codebooks", lac_token_set_width(s));
    if (s->samples == UINT64_MAX)
        cJSON_AddNullToObject(facts, "samples");
    else
        cJSON_AddNumberToObject(facts, "samples", (double)s->samples);
    cJSON_AddNumberToObject(facts, "frames", (double)s->frames);
    if (s->vocabulary) {
        snprintf(vocabulary, sizeof vocabulary, "%016llx", (unsigned long long)s->vocabulary);
        cJSON_AddStringToObject(facts, "vocabulary", vocabulary);
        cJSON_AddNumberToObject(facts, "vocabulary_size", s->vocabulary_size);
        cJSON_AddNumberToObject(facts, "symbol_codebook", s->symbol_codebook + 1.0);
    }
    char *text = cJSON_PrintUnformatted(facts);
    cJSON_Delete(facts);
    return text;
}

static void write_symbols(lac_token_bytes *out, const lac_token_set *s)
{
    const uint32_t *symbol = s->symbols;

    lac_token_bytes_print(out, ",\"symbols\":[");
    for (uint32_t c = 0; c < s->channels; c++) {
        lac_token_bytes_print(out, c ? ",[" : "[");
        for (uint64_t i = 0; i < s->symbol_count[c]; i++)
            lac_token_bytes_print(out, i ? ",%u" : "%u", *symbol++);
        lac_token_bytes_print(out, "]");
    }
    lac_token_bytes_print(out, "]");
}

static void write_row(lac_token_bytes *out, const uint16_t *row, uint32_t count)
{
    char text[8 * LAC_MAX_CODEBOOKS + 3];
    size_t at = 0;

    text[at++] = '[';
    for (uint32_t q = 0; q < count; q++)
        at += (size_t)snprintf(text + at, sizeof text - at, q ? ",%u" : "%u", row[q]);
    text[at++] = ']';
    lac_token_bytes_add(out, text, at);
}

void lac_tokenjson_write(lac_token_bytes *out, const lac_token_set *s, const char *path)
{
    char *text = facts_text(s, path);

    out->failed |= !text;
    if (text)
        lac_token_bytes_add(out, text, strlen(text) - 1);
    cJSON_free(text);
    if (s->vocabulary)
        write_symbols(out, s);
    lac_token_bytes_print(out, ",\"tokens\":[");
    for (uint64_t t = 0; t < s->frames; t++) {
        lac_token_bytes_print(out, "%s%s", t ? "," : "", s->channels > 1 ? "[" : "");
        for (uint32_t c = 0; c < s->channels; c++) {
            lac_token_bytes_print(out, c ? "," : "");
            write_row(out, s->tokens + (t * s->channels + c) * s->codebooks, s->counts[t]);
        }
        lac_token_bytes_print(out, s->channels > 1 ? "]" : "");
    }
    lac_token_bytes_print(out, "]}\n");
}

/* ---- reading ---- */

/* at == end: nothing is left. */
typedef struct span {
    const char *at, *end;
} span;

static void skip_space(span *p)
{
    while (p->at < p->end && strchr(" \t\r\n", *p->at) && *p->at)
        p->at++;
}

/* Takes `c`, and space before it. */
static bool take(span *p, char c)
{
    skip_space(p);
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

/* A string from its first quote on; false if it does not end. */
static bool take_string(span *p, span *text)
{
    text->at = ++p->at;
    for (; p->at < p->end && *p->at != '"'; p->at++)
        if (*p->at == '\\' && p->end - p->at > 1)
            p->at++;
    if (p->at >= p->end)
        return false;
    text->end = p->at++;
    return true;
}

/* Goes past an array of numbers and arrays. */
static bool take_array(span *p, span *array)
{
    size_t depth = 0;

    skip_space(p);
    array->at = p->at;
    for (; p->at < p->end; p->at++) {
        if (*p->at == '"' || *p->at == '{')
            return false;
        depth += *p->at == '[';
        if (depth == 0)
            return false;
        if (*p->at == ']' && --depth == 0) {
            array->end = ++p->at;
            return true;
        }
    }
    return false;
}

/* Moves the arrays of "tokens" and "symbols" out of the object; 0 stands in `rest` in their places. */
static int split(span line, lac_token_bytes *rest, span *tokens, span *symbols, char *reason)
{
    span p = line, text;
    const char *kept = line.at;
    size_t depth = 0;

    while (p.at < p.end) {
        char c = *p.at;
        depth += c == '{' || c == '[';
        depth -= (c == '}' || c == ']') && depth > 0;
        if (c != '"') {
            p.at++;
            continue;
        }
        if (!take_string(&p, &text))
            break;
        span *array = text.end - text.at == 6 && memcmp(text.at, "tokens", 6) == 0    ? tokens
                      : text.end - text.at == 7 && memcmp(text.at, "symbols", 7) == 0 ? symbols
                                                                                      : NULL;
        if (depth != 1 || !array || !take(&p, ':'))
            continue;
        lac_token_bytes_add(rest, kept, (size_t)(p.at - kept));
        if (array->at || !take_array(&p, array))
            return lac_token_reason(reason, "its \"%.*s\" are no array of numbers", (int)(text.end - text.at),
                                    text.at);
        lac_token_bytes_add(rest, "0", 1);
        kept = p.at;
    }
    lac_token_bytes_add(rest, kept, (size_t)(p.end - kept));
    if (rest->failed || rest->size > FACTS_MAX)
        return lac_token_reason(reason, "has too much beside its tokens");
    return tokens->at ? 0 : lac_token_reason(reason, "has no \"tokens\"");
}

static bool take_number(span *p, uint32_t *value)
{
    uint64_t sum = 0;

    skip_space(p);
    const char *first = p->at;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9' && p->at - first < 10; p->at++)
        sum = 10 * sum + (uint64_t)(*p->at - '0');
    *value = (uint32_t)sum;
    return p->at > first && sum <= UINT32_MAX;
}

/* How many, or -1. */
static int take_row(span *p, uint16_t *row, uint32_t room)
{
    uint32_t count = 0, value;

    if (!take(p, '['))
        return -1;
    if (take(p, ']'))
        return 0;
    do {
        if (count == room || !take_number(p, &value) || value >= LAC_TOKENS_PAD)
            return -1;
        row[count++] = (uint16_t)value;
    } while (take(p, ','));
    return take(p, ']') ? (int)count : -1;
}

static int take_frame(lac_token_set *s, span *p, char *reason)
{
    uint16_t rows[LAC_MAX_CHANNELS * LAC_MAX_CODEBOOKS] = {0};
    int count = -1;
    bool fine = s->channels == 1 || take(p, '[');

    for (uint32_t c = 0; c < s->channels && fine; c++) {
        int got = c == 0 || take(p, ',') ? take_row(p, rows + c * s->codebooks, s->codebooks) : -1;
        fine = got >= 0 && (c == 0 || got == count);
        count = got;
    }
    if (!fine || (s->channels > 1 && !take(p, ']')))
        return lac_token_reason(reason, "frame %llu is not %u lists of up to %u tokens",
                                (unsigned long long)s->frames,
                                s->channels, s->codebooks);
    return lac_token_set_append(s, rows, (uint32_t)count, reason);
}

static int take_tokens(lac_token_set *s, span p, char *reason)
{
    if (!take(&p, '['))
        return lac_token_reason(reason, "its tokens are no list");
    if (take(&p, ']'))
        return 0;
    do {
        if (take_frame(s, &p, reason))
            return -1;
    } while (take(&p, ','));
    return take(&p, ']') ? 0 : lac_token_reason(reason, "its tokens are no list of frames");
}

static int take_symbols(lac_token_set *s, span p, char *reason)
{
    size_t most = (size_t)(p.end - p.at) / 2 + 1, count = 0;
    bool fine = take(&p, '[');

    s->symbols = malloc(most * sizeof *s->symbols);
    if (!s->symbols)
        return lac_token_reason(reason, "out of memory");
    for (uint32_t c = 0; c < s->channels && fine; c++) {
        size_t first = count;
        fine = (c == 0 || take(&p, ',')) && take(&p, '[');
        if (!fine || take(&p, ']'))
            continue;
        do
            fine = count < most && take_number(&p, &s->symbols[count++]);
        while (fine && take(&p, ','));
        fine = fine && take(&p, ']');
        s->symbol_count[c] = count - first;
    }
    return fine && take(&p, ']') ? 0 : lac_token_reason(reason, "its symbols are not a list a channel");
}

/* A whole number of an object in first .. last; `missing` without it. NaN and the like are none. */
static bool number_of(const cJSON *facts, const char *name, double first, double last, double missing,
                      double *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(facts, name);

    *value = missing;
    if (!item || cJSON_IsNull(item))
        return true;
    *value = cJSON_IsNumber(item) ? cJSON_GetNumberValue(item) : -1;
    return *value >= first && *value <= last && *value == (double)(uint64_t)*value;
}

static bool vocabulary_of(lac_token_set *s, const cJSON *facts)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(facts, "vocabulary"));
    double codebook, size;
    char *end;

    if (!text)
        return false;
    s->vocabulary = strtoull(text, &end, 16);
    if (*end || !s->vocabulary || !number_of(facts, "symbol_codebook", 1, LAC_MAX_CODEBOOKS, 1, &codebook) ||
        !number_of(facts, "vocabulary_size", 0, 1 << 24, 0, &size))
        return false;
    s->symbol_codebook = (uint32_t)codebook - 1;
    s->vocabulary_size = (uint32_t)size;
    return true;
}

static int take_facts(lac_token_set *s, const cJSON *facts, bool has_symbols, char **path, char *reason)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(facts, "path"));
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(facts, "model_id"));
    double channels, codebooks, rate, samples;

    if (!number_of(facts, "channels", 1, LAC_MAX_CHANNELS, 1, &channels) ||
        !number_of(facts, "codebooks", 0, LAC_MAX_CODEBOOKS, LAC_MAX_CODEBOOKS, &codebooks) ||
        !number_of(facts, "rate", 1, 768000, 0, &rate) ||
        !number_of(facts, "samples", 0, 281474976710656.0, -1, &samples))
        return lac_token_reason(reason, "its channels, codebooks, rate or samples are out of range");
    lac_token_set_init(s, (uint32_t)channels, (uint32_t)codebooks);
    s->rate = (uint32_t)rate;
    s->samples = samples < 0 ? UINT64_MAX : (uint64_t)samples;
    if (id && !lac_token_id_parse(s->model_id, id))
        return lac_token_reason(reason, "its model_id is damaged");
    if (has_symbols && !vocabulary_of(s, facts))
        return lac_token_reason(reason, "has symbols, but says not of which vocabulary");
    *path = text ? strdup(text) : NULL;
    return 0;
}

int lac_tokenjson_parse(lac_token_set *s, const char *text, size_t size, char **path, char *reason)
{
    lac_token_bytes rest = {0};
    span line = {text, text + size}, tokens = {NULL, NULL}, symbols = {NULL, NULL};
    int failed;

    *path = NULL;
    lac_token_set_init(s, 1, 0);
    failed = split(line, &rest, &tokens, &symbols, reason);
    cJSON *facts = failed ? NULL : cJSON_ParseWithLength((const char *)rest.data, rest.size);
    if (!failed && !cJSON_IsObject(facts))
        failed = lac_token_reason(reason, "is not a line of JSON");
    if (!failed)
        failed = take_facts(s, facts, symbols.at != NULL, path, reason);
    cJSON_Delete(facts);
    lac_token_bytes_free(&rest);
    if (!failed && symbols.at)
        failed = take_symbols(s, symbols, reason);
    return failed ? failed : take_tokens(s, tokens, reason);
}
