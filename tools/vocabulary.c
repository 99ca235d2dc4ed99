#include "vocabulary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lac/status.h"

#define LINE_MAX_BYTES 128

/* FNV-1a, 64 bits. */
static uint64_t add_to_id(uint64_t id, const void *data, size_t size)
{
    const uint8_t *byte = data;

    for (size_t i = 0; i < size; i++)
        id = (id ^ byte[i]) * UINT64_C(0x100000001b3);
    return id;
}

static uint64_t add_number(uint64_t id, uint32_t value)
{
    uint8_t b[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};

    return add_to_id(id, b, 4);
}

int lac_vocabulary_finish(lac_vocabulary *v)
{
    uint64_t id = add_to_id(UINT64_C(0xcbf29ce484222325), v->model_id, 8);

    id = add_number(add_number(id, v->codebook), v->codewords);
    for (uint32_t i = 0; i < v->count; i++)
        id = add_number(add_number(id, v->merges[i].left), v->merges[i].right);
    v->id = id ? id : 1;
    return lac_bpe_open(&v->bpe, v->codewords, v->merges, v->count);
}

void lac_vocabulary_write(lac_token_bytes *out, const lac_vocabulary *v)
{
    char id[2 * LAC_MODEL_ID_SIZE + 1];

    lac_token_bytes_print(out, "lac-bpe 1\nmodel %s\nmodel_id %s\n", v->model, lac_token_id_text(v->model_id, id));
    lac_token_bytes_print(out, "codebook %u\ncodewords %u\nmerges %u\n", v->codebook + 1, v->codewords, v->count);
    for (uint32_t i = 0; i < v->count; i++)
        lac_token_bytes_print(out, "%u %u\n", v->merges[i].left, v->merges[i].right);
}

/* The next line, without its end, as a string: false if there is none, or it is too long or holds a zero. */
static bool next_line(const uint8_t **at, const uint8_t *end, char *line)
{
    size_t left = (size_t)(end - *at);
    const uint8_t *stop = left ? memchr(*at, '\n', left) : NULL;
    size_t length = stop ? (size_t)(stop - *at) : left;

    if (!stop || length >= LINE_MAX_BYTES || memchr(*at, 0, length + 1))
        return false;
    memcpy(line, *at, length);
    line[length] = 0;
    *at = stop + 1;
    return true;
}

/* Decimal digits and nothing else up to the end of the text or a space, where *rest is then. */
static bool number(const char *text, uint32_t *value, const char **rest)
{
    size_t digits = strspn(text, "0123456789");

    *rest = text + digits;
    *value = digits >= 1 && digits <= 9 ? (uint32_t)strtoul(text, NULL, 10) : 0;
    return digits >= 1 && digits <= 9;
}

static bool field(const uint8_t **at, const uint8_t *end, const char *name, char *line)
{
    size_t length = strlen(name);

    if (!next_line(at, end, line) || strncmp(line, name, length) != 0 || line[length] != ' ')
        return false;
    memmove(line, line + length + 1, strlen(line + length + 1) + 1);
    return true;
}

static bool count_field(const uint8_t **at, const uint8_t *end, const char *name, uint32_t *value)
{
    char line[LINE_MAX_BYTES];
    const char *rest;

    return field(at, end, name, line) && number(line, value, &rest) && !*rest;
}

static int parse_merges(lac_vocabulary *v, const uint8_t *at, const uint8_t *end, char *reason)
{
    char line[LINE_MAX_BYTES];
    const char *rest;

    v->merges = malloc((v->count + (size_t)1) * sizeof *v->merges);
    if (!v->merges)
        return lac_token_reason(reason, "out of memory");
    for (uint32_t i = 0; i < v->count; i++) {
        lac_bpe_merge *m = &v->merges[i];
        if (!next_line(&at, end, line) || !number(line, &m->left, &rest) || *rest != ' ' ||
            !number(rest + 1, &m->right, &rest) || *rest)
            return lac_token_reason(reason, "merge %u is missing or damaged", i + 1);
    }
    if (at != end)
        return lac_token_reason(reason, "has lines after its merges");
    return 0;
}

int lac_vocabulary_parse(lac_vocabulary *v, const uint8_t *data, size_t size, char *reason)
{
    const uint8_t *at = data, *end = data + size;
    char line[LINE_MAX_BYTES];

    memset(v, 0, sizeof *v);
    if (!field(&at, end, "lac-bpe", line))
        return lac_token_reason(reason, "is not a vocabulary");
    if (strcmp(line, "1") != 0)
        return lac_token_reason(reason, "is a vocabulary of a newer version");
    if (!field(&at, end, "model", line))
        return lac_token_reason(reason, "its model is missing");
    snprintf(v->model, sizeof v->model, "%.*s", LAC_MODEL_NAME_SIZE - 1, line);
    if (!field(&at, end, "model_id", line) || !lac_token_id_parse(v->model_id, line))
        return lac_token_reason(reason, "its model_id is missing or damaged");
    if (!count_field(&at, end, "codebook", &v->codebook) || v->codebook < 1 || v->codebook > LAC_MAX_CODEBOOKS ||
        !count_field(&at, end, "codewords", &v->codewords) || v->codewords < 1 ||
        v->codewords > LAC_BPE_MAX_CODEWORDS)
        return lac_token_reason(reason, "its codebook or codewords are missing or out of range");
    v->codebook--;
    if (!count_field(&at, end, "merges", &v->count) || v->count > LAC_BPE_MAX_MERGES ||
        v->count > (size_t)(end - at) / 4)
        return lac_token_reason(reason, "says more merges than it has");
    if (parse_merges(v, at, end, reason))
        return -1;
    if (lac_vocabulary_finish(v) != LAC_OK)
        return lac_token_reason(reason, "has a merge that can't be");
    return 0;
}

void lac_vocabulary_free(lac_vocabulary *v)
{
    lac_bpe_close(&v->bpe);
    free(v->merges);
    memset(v, 0, sizeof *v);
}

/* ---- tokens ---- */

static uint16_t *row_of(const lac_token_set *s, uint64_t frame, uint32_t channel)
{
    return s->tokens + (frame * s->channels + channel) * s->codebooks;
}

void lac_vocabulary_sequence(const lac_vocabulary *v, const lac_token_set *s, uint32_t channel, uint32_t *out)
{
    for (uint64_t t = 0; t < s->frames; t++)
        out[t] = s->counts[t] > v->codebook ? row_of(s, t, channel)[v->codebook] : v->codewords;
}

/* Close the gap that the codebook leaves in the rows. */
static void remove_column(lac_token_set *s, uint32_t codebook)
{
    for (uint64_t t = 0; t < s->frames; t++) {
        if (s->counts[t] <= codebook)
            continue;
        s->counts[t]--;
        for (uint32_t c = 0; c < s->channels; c++)
            memmove(row_of(s, t, c) + codebook, row_of(s, t, c) + codebook + 1,
                    (s->counts[t] - codebook) * sizeof *s->tokens);
    }
}

int lac_vocabulary_apply(const lac_vocabulary *v, lac_token_set *s, char *reason)
{
    size_t used = 0;

    s->symbols = malloc((size_t)(s->frames * s->channels + 1) * sizeof *s->symbols);
    if (!s->symbols)
        return lac_token_reason(reason, "out of memory");
    for (uint32_t c = 0; c < s->channels; c++) {
        size_t count = (size_t)s->frames;
        lac_vocabulary_sequence(v, s, c, s->symbols + used);
        int status = lac_bpe_apply(v->bpe, s->symbols + used, &count);
        if (status != LAC_OK)
            return lac_token_reason(reason, status == LAC_ERROR_MEMORY ? "out of memory"
                                                                       : "has tokens that the vocabulary has not");
        s->symbol_count[c] = count;
        used += count;
    }
    remove_column(s, v->codebook);
    s->vocabulary = v->id;
    s->vocabulary_size = lac_bpe_size(v->bpe);
    s->symbol_codebook = v->codebook;
    return 0;
}

/* Tokens that the symbols of each channel stand for: the same number, that of the frames. */
static int expanded_length(const lac_vocabulary *v, const lac_token_set *s, uint64_t *frames, char *reason)
{
    const uint32_t *symbol = s->symbols;

    for (uint32_t c = 0; c < s->channels; c++) {
        uint64_t length = 0;
        for (uint64_t i = 0; i < s->symbol_count[c]; i++, symbol++) {
            if (*symbol >= lac_bpe_size(v->bpe))
                return lac_token_reason(reason, "symbol %u is none of the vocabulary", *symbol);
            length += lac_bpe_length(v->bpe, *symbol);
        }
        if (c > 0 && length != *frames)
            return lac_token_reason(reason, "its channels have symbols for different lengths");
        *frames = length;
    }
    if (*frames > LAC_TOKENS_MAX_FRAMES)
        return lac_token_reason(reason, "has symbols for too many frames");
    return 0;
}

/* Frame t of all channels, each with its token in its place, or as it is where there is a gap. */
static int insert(const lac_vocabulary *v, lac_token_set *out, const lac_token_set *s, const uint32_t *tokens,
                  uint64_t frames, uint64_t t, char *reason)
{
    uint16_t rows[LAC_MAX_CHANNELS * LAC_MAX_CODEBOOKS] = {0};
    uint32_t count = s->frames ? s->counts[t] : 0, at = v->codebook;
    bool gap = tokens[t] == v->codewords;

    if (gap ? count > at : count < at || count >= LAC_MAX_CODEBOOKS)
        return lac_token_reason(reason, "frame %llu: its symbols don't fit its other tokens",
                                (unsigned long long)t);
    for (uint32_t c = 0; c < s->channels; c++) {
        uint16_t *row = rows + c * out->codebooks;
        const uint16_t *from = s->frames ? row_of(s, t, c) : NULL;
        uint32_t token = tokens[c * frames + t];
        if ((token == v->codewords) != gap)
            return lac_token_reason(reason, "frame %llu: a gap in one channel only", (unsigned long long)t);
        for (uint32_t q = 0; q < count + !gap; q++)
            row[q] = gap || q < at ? from[q] : q == at ? (uint16_t)token : from[q - 1];
    }
    return lac_token_set_append(out, rows, count + !gap, reason);
}

static int expand(const lac_vocabulary *v, const lac_token_set *s, uint32_t *tokens, uint64_t frames)
{
    const uint32_t *symbol = s->symbols;
    size_t count;

    for (uint32_t c = 0; c < s->channels; c++) {
        int status = lac_bpe_expand(v->bpe, symbol, (size_t)s->symbol_count[c], tokens + c * frames, (size_t)frames,
                                    &count);
        if (status != LAC_OK)
            return status;
        symbol += s->symbol_count[c];
    }
    return LAC_OK;
}

int lac_vocabulary_invert(const lac_vocabulary *v, lac_token_set *s, char *reason)
{
    lac_token_set out = *s;
    uint64_t frames = s->frames;
    bool rows = s->codebooks > 0 || s->frames > 0;
    int failed = expanded_length(v, s, &frames, reason);

    if (!failed && rows && frames != s->frames)
        failed = lac_token_reason(reason, "its symbols are of %llu frames, its other tokens of %llu",
                                  (unsigned long long)frames, (unsigned long long)s->frames);
    if (failed)
        return failed;
    uint32_t *tokens = malloc((size_t)(frames * s->channels + 1) * sizeof *tokens);
    if (!tokens)
        return lac_token_reason(reason, "out of memory");
    out.codebooks = s->codebooks < LAC_MAX_CODEBOOKS ? s->codebooks + 1 : LAC_MAX_CODEBOOKS;
    out.frames = out.vocabulary = 0;
    out.counts = NULL;
    out.tokens = NULL;
    out.symbols = NULL;
    out.capacity = 0;
    failed = expand(v, s, tokens, frames) ? lac_token_reason(reason, "its symbols can't be expanded") : 0;
    for (uint64_t t = 0; t < frames && !failed; t++)
        failed = insert(v, &out, s, tokens, frames, t, reason);
    free(tokens);
    lac_token_set_free(s);
    *s = out;
    return failed;
}
