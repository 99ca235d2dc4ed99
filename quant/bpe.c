#include "bpe.h"

#include <string.h>

#include "bpeheap.h"
#include "lac/status.h"

#define NONE UINT32_MAX

struct lac_bpe {
    uint32_t codewords, count;
    lac_bpe_merge *merge;  /* [count] */
    uint16_t *length;      /* [count], of the merges' symbols */
    uint32_t *table, mask; /* merges by the hash of their pairs, NONE: a free place */
};

/* Where the merge of a pair stands in the table, or the free place where it would. */
static uint32_t *place_of(const lac_bpe *b, uint32_t left, uint32_t right)
{
    uint32_t at = lac_bpe_hash(left, right) & b->mask;
    while (b->table[at] != NONE &&
           (b->merge[b->table[at]].left != left || b->merge[b->table[at]].right != right))
        at = (at + 1) & b->mask;
    return &b->table[at];
}

static int add_merge(lac_bpe *b, uint32_t i)
{
    lac_bpe_merge m = b->merge[i];
    uint32_t known = b->codewords + 1 + i, gap = b->codewords;
    if (m.left >= known || m.right >= known || m.left == gap || m.right == gap)
        return LAC_ERROR_FORMAT;
    uint32_t length = lac_bpe_length(b, m.left) + lac_bpe_length(b, m.right), *place = place_of(b, m.left, m.right);
    if (length > LAC_BPE_MAX_LENGTH || *place != NONE)
        return LAC_ERROR_FORMAT;
    b->length[i] = (uint16_t)length;
    *place = i;
    return LAC_OK;
}

static int fill(lac_bpe *b, const lac_bpe_merge *merges)
{
    uint32_t places = 16;
    while (places < 2 * b->count)
        places *= 2;
    b->mask = places - 1;
    b->merge = malloc((b->count + (size_t)1) * sizeof *b->merge);
    b->length = malloc((b->count + (size_t)1) * sizeof *b->length);
    b->table = malloc(places * sizeof *b->table);
    if (!b->merge || !b->length || !b->table)
        return LAC_ERROR_MEMORY;
    memset(b->table, 0xff, places * sizeof *b->table);
    int status = LAC_OK;
    for (uint32_t i = 0; i < b->count && status == LAC_OK; i++) {
        b->merge[i] = merges[i];
        status = add_merge(b, i);
    }
    return status;
}

int lac_bpe_open(lac_bpe **bpe, uint32_t codewords, const lac_bpe_merge *merges, uint32_t count)
{
    if (codewords < 1 || codewords > LAC_BPE_MAX_CODEWORDS || count > LAC_BPE_MAX_MERGES)
        return LAC_ERROR_ARGUMENT;
    lac_bpe *b = calloc(1, sizeof *b);
    if (!b)
        return LAC_ERROR_MEMORY;
    b->codewords = codewords;
    b->count = count;
    int status = fill(b, merges);
    if (status != LAC_OK)
        lac_bpe_close(&b);
    else
        *bpe = b;
    return status;
}

void lac_bpe_close(lac_bpe **bpe)
{
    if (!bpe || !*bpe)
        return;
    free((*bpe)->merge);
    free((*bpe)->length);
    free((*bpe)->table);
    free(*bpe);
    *bpe = NULL;
}

uint32_t lac_bpe_size(const lac_bpe *b)
{
    return b->codewords + 1 + b->count;
}

uint32_t lac_bpe_length(const lac_bpe *b, uint32_t symbol)
{
    return symbol <= b->codewords ? 1 : b->length[symbol - b->codewords - 1];
}

/* ---- apply ---- */

typedef struct sequence {
    uint32_t *symbol;      /* [n], NONE where one was merged into its left neighbour */
    uint32_t *prev, *next; /* [n] */
    lac_bpe_heap heap;     /* merges that may be possible: which, where */
} sequence;

/* Note the merge that may start at `at`, if any. */
static bool note(const lac_bpe *b, sequence *s, uint32_t at)
{
    if (at == NONE || s->next[at] == NONE)
        return true;
    uint32_t merge = *place_of(b, s->symbol[at], s->symbol[s->next[at]]);
    return merge == NONE || lac_bpe_heap_push(&s->heap, (lac_bpe_item){merge, at});
}

/* Is it still there? Else another one took a part of it. */
static bool possible(const lac_bpe *b, const sequence *s, uint32_t merge, uint32_t at)
{
    return s->symbol[at] == b->merge[merge].left && s->next[at] != NONE &&
           s->symbol[s->next[at]] == b->merge[merge].right;
}

static void join(sequence *s, uint32_t at, uint32_t symbol)
{
    uint32_t gone = s->next[at];
    s->symbol[at] = symbol;
    s->symbol[gone] = NONE;
    s->next[at] = s->next[gone];
    if (s->next[at] != NONE)
        s->prev[s->next[at]] = at;
}

/* A merge makes no other of its own rank or an earlier one possible: by rank, then place, each is met in its
 * turn. */
static bool merge_all(const lac_bpe *b, sequence *s, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        s->prev[i] = i > 0 ? i - 1 : NONE;
        s->next[i] = i + 1 < n ? i + 1 : NONE;
    }
    for (uint32_t i = 0; i < n; i++)
        if (!note(b, s, i))
            return false;
    while (s->heap.count > 0) {
        lac_bpe_item item = lac_bpe_heap_pop(&s->heap);
        uint32_t merge = (uint32_t)item.key, at = (uint32_t)item.place;
        if (!possible(b, s, merge, at))
            continue;
        join(s, at, b->codewords + 1 + merge);
        if (!note(b, s, s->prev[at]) || !note(b, s, at))
            return false;
    }
    return true;
}

int lac_bpe_apply(const lac_bpe *b, uint32_t *symbols, size_t *n)
{
    sequence s = {.symbol = symbols};
    size_t left = 0;
    if (*n > LAC_BPE_MAX_SYMBOLS)
        return LAC_ERROR_ARGUMENT;
    for (size_t i = 0; i < *n; i++)
        if (symbols[i] > b->codewords)
            return LAC_ERROR_ARGUMENT;
    if (*n == 0)
        return LAC_OK;
    s.prev = malloc(2 * *n * sizeof *s.prev);
    s.next = s.prev ? s.prev + *n : NULL;
    bool merged = s.prev && merge_all(b, &s, (uint32_t)*n);
    free(s.prev);
    free(s.heap.item);
    if (!merged)
        return LAC_ERROR_MEMORY;
    for (size_t i = 0; i < *n; i++)
        if (symbols[i] != NONE)
            symbols[left++] = symbols[i];
    *n = left;
    return LAC_OK;
}

/* ---- expand ---- */

/* What is to the right waits on a stack; it is never longer than what the symbol stands for. */
static size_t expand_one(const lac_bpe *b, uint32_t symbol, uint32_t *tokens)
{
    uint32_t waiting[LAC_BPE_MAX_LENGTH + 1];
    size_t depth = 0, count = 0;
    waiting[depth++] = symbol;
    while (depth > 0) {
        symbol = waiting[--depth];
        for (; symbol > b->codewords; symbol = b->merge[symbol - b->codewords - 1].left)
            waiting[depth++] = b->merge[symbol - b->codewords - 1].right;
        tokens[count++] = symbol;
    }
    return count;
}

int lac_bpe_expand(const lac_bpe *b, const uint32_t *symbols, size_t n, uint32_t *tokens, size_t capacity,
                   size_t *count)
{
    size_t done = 0;
    for (size_t i = 0; i < n; i++) {
        if (symbols[i] >= lac_bpe_size(b))
            return LAC_ERROR_ARGUMENT;
        if (lac_bpe_length(b, symbols[i]) > capacity - done)
            return LAC_ERROR_SPACE;
        done += expand_one(b, symbols[i], tokens + done);
    }
    *count = done;
    return LAC_OK;
}
