/* Fuzz target of what `lac tokens import` and --bpe parse: arrays, packed bits, lines of JSON, vocabularies. What is read
 * must be written and read alike. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tokenset.h"
#include "vocabulary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const lac_token_set *a, const lac_token_set *b)
{
    if (a->frames != b->frames || a->channels != b->channels || a->samples != b->samples ||
        (a->frames > 0 && memcmp(a->counts, b->counts, (size_t)a->frames) != 0))
        abort();
    for (uint64_t t = 0; t < a->frames; t++)
        for (uint32_t c = 0; c < a->channels; c++)
            for (uint32_t q = 0; q < a->counts[t]; q++)
                if (a->tokens[(t * a->channels + c) * a->codebooks + q] !=
                    b->tokens[(t * b->channels + c) * b->codebooks + q])
                    abort();
}

/* As lines of JSON, which hold everything that the others do. */
static void write_again(lac_token_set *s)
{
    lac_token_set back;
    lac_token_bytes text = {0};
    char reason[LAC_TOKENS_REASON], *path;

    if (s->vocabulary == UINT64_MAX || s->rate > 768000 || (s->samples >> 48 && s->samples != UINT64_MAX) ||
        s->frames > 100000 || (s->rate == 0))
        return;
    for (uint64_t i = 0; i < s->frames * s->channels * s->codebooks; i++)
        if (s->tokens[i] == LAC_TOKENS_PAD)
            return;
    lac_tokenjson_write(&text, s, "path");
    if (text.failed || lac_tokenjson_parse(&back, (const char *)text.data, text.size, &path, reason) ||
        strcmp(path, "path") != 0)
        abort();
    check_same(s, &back);
    free(path);
    lac_token_set_free(&back);
    lac_token_bytes_free(&text);
}

static void check_vocabulary(const uint8_t *data, size_t size)
{
    lac_vocabulary v, back;
    char reason[LAC_TOKENS_REASON];
    lac_token_bytes text = {0};

    if (lac_vocabulary_parse(&v, data, size, reason) == 0) {
        lac_vocabulary_write(&text, &v);
        if (lac_vocabulary_parse(&back, text.data, text.size, reason) || back.id != v.id)
            abort();
        lac_vocabulary_free(&back);
        lac_token_bytes_free(&text);
    }
    lac_vocabulary_free(&v);
}

/* Symbols of any kind against a small vocabulary. */
static void invert(lac_token_set *s)
{
    static lac_bpe_merge merges[] = {{1, 2}, {5, 3}, {6, 6}, {7, 0}};
    lac_vocabulary v = {.codewords = 4, .codebook = s->symbol_codebook, .merges = merges, .count = 4};
    char reason[LAC_TOKENS_REASON];

    if (lac_vocabulary_finish(&v))
        abort();
    if (s->vocabulary && lac_vocabulary_invert(&v, s, reason) == 0 && s->vocabulary)
        abort();
    lac_bpe_close(&v.bpe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lac_token_set s;
    char reason[LAC_TOKENS_REASON], *path = NULL;
    int failed;

    if (size < 1)
        return 0;
    if (data[0] == 'l')
        check_vocabulary(data, size);
    if (data[0] == 'l')
        return 0;
    if (data[0] == '{')
        failed = lac_tokenjson_parse(&s, (const char *)data, size, &path, reason);
    else if (data[0] == 'L')
        failed = lac_tokenbin_parse(&s, data, size, reason);
    else
        failed = lac_npy_parse(&s, data, size, reason);
    if (!failed)
        write_again(&s);
    if (!failed)
        invert(&s);
    free(path);
    lac_token_set_free(&s);
    return 0;
}
