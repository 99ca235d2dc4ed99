/* Learning a byte-pair vocabulary: each pair keeps a list of its places in the sequence, which merges keep
 * right. */
#include <string.h>

#include "bpe.h"
#include "bpeheap.h"
#include "lac/status.h"

#define NONE UINT32_MAX

/* Two neighbouring symbols and where they stand. */
typedef struct pair {
    uint32_t left, right, count, first;
} pair;

/* Places of the sequence are numbered; one that is merged into its left neighbour is not reached any more. */
typedef struct trainer {
    uint32_t codewords, n;
    uint32_t *symbol, *prev, *next;      /* [n] */
    uint32_t *pair_of;                   /* [n]: of the place and the next, NONE: no pair */
    uint32_t *place_prev, *place_next;   /* [n]: in the list of that pair */
    uint16_t *length;                    /* of each symbol, tokens */
    pair *pairs;
    uint32_t pair_count, pair_capacity;
    uint32_t *table, mask;               /* pairs by their hash, NONE: a free place */
    lac_bpe_heap heap;                   /* pairs by how frequent they were when last looked at */
    bool failed;                         /* memory ran out */
} trainer;

static uint32_t *table_place(const trainer *t, uint32_t left, uint32_t right)
{
    uint32_t at = lac_bpe_hash(left, right) & t->mask;
    while (t->table[at] != NONE && (t->pairs[t->table[at]].left != left || t->pairs[t->table[at]].right != right))
        at = (at + 1) & t->mask;
    return &t->table[at];
}

/* Room for one more pair; the table is twice as large as the list. */
static bool grow(trainer *t)
{
    if (t->pair_count < t->pair_capacity)
        return true;
    uint32_t capacity = t->pair_capacity ? 2 * t->pair_capacity : 1024;
    pair *bigger = realloc(t->pairs, capacity * sizeof *bigger);
    if (bigger)
        t->pairs = bigger;
    uint32_t *table = bigger ? malloc(2 * (size_t)capacity * sizeof *table) : NULL;
    if (!table)
        return false;
    free(t->table);
    t->table = table;
    t->mask = 2 * capacity - 1;
    t->pair_capacity = capacity;
    memset(table, 0xff, 2 * (size_t)capacity * sizeof *table);
    for (uint32_t i = 0; i < t->pair_count; i++)
        *table_place(t, t->pairs[i].left, t->pairs[i].right) = i;
    return true;
}

/* The pair's number, or NONE if memory ran out. */
static uint32_t find_pair(trainer *t, uint32_t left, uint32_t right)
{
    if (!grow(t))
        return NONE;
    uint32_t *place = table_place(t, left, right);
    if (*place == NONE) {
        *place = t->pair_count;
        t->pairs[t->pair_count++] = (pair){left, right, 0, NONE};
    }
    return *place;
}

static bool mergeable(const trainer *t, uint32_t left, uint32_t right)
{
    return left != t->codewords && right != t->codewords &&
        t->length[left] + t->length[right] <= LAC_BPE_MAX_LENGTH;
}

/* Enter the pair that starts at a place. */
static void enter(trainer *t, uint32_t at)
{
    uint32_t next = t->next[at];
    t->pair_of[at] = NONE;
    if (next == NONE || !mergeable(t, t->symbol[at], t->symbol[next]))
        return;
    uint32_t number = find_pair(t, t->symbol[at], t->symbol[next]);
    if (number == NONE) {
        t->failed = true;
        return;
    }
    pair *p = &t->pairs[number];
    t->pair_of[at] = number;
    t->place_prev[at] = NONE;
    t->place_next[at] = p->first;
    if (p->first != NONE)
        t->place_prev[p->first] = at;
    p->first = at;
    p->count++;
}

static void leave(trainer *t, uint32_t at)
{
    if (t->pair_of[at] == NONE)
        return;
    pair *p = &t->pairs[t->pair_of[at]];
    uint32_t before = t->place_prev[at], after = t->place_next[at];
    if (before == NONE)
        p->first = after;
    else
        t->place_next[before] = after;
    if (after != NONE)
        t->place_prev[after] = before;
    p->count--;
    t->pair_of[at] = NONE;
}

static void merge_at(trainer *t, uint32_t at, uint32_t symbol)
{
    uint32_t gone = t->next[at], before = t->prev[at];
    if (before != NONE)
        leave(t, before);
    leave(t, at);
    leave(t, gone);
    t->symbol[at] = symbol;
    t->next[at] = t->next[gone];
    if (t->next[at] != NONE)
        t->prev[t->next[at]] = at;
    if (before != NONE)
        enter(t, before);
    enter(t, at);
}

/* A list is in no order, which matters in a run of one symbol only: it is merged from its start. */
static void merge_all(trainer *t, uint32_t number, uint32_t symbol)
{
    uint32_t at;
    while (!t->failed && (at = t->pairs[number].first) != NONE) {
        while (t->prev[at] != NONE && t->pair_of[t->prev[at]] == number)
            at = t->prev[at];
        for (; !t->failed && at != NONE && t->pair_of[at] == number; at = t->next[at])
            merge_at(t, at, symbol);
    }
}

static bool push(trainer *t, const pair *p)
{
    return lac_bpe_heap_push(&t->heap, (lac_bpe_item){UINT32_MAX - p->count, (uint64_t)p->left << 32 | p->right});
}

/* A merge makes only pairs more frequent that it brings up: those from `first` on. */
static void push_new(trainer *t, uint32_t first)
{
    for (uint32_t i = first; i < t->pair_count && !t->failed; i++)
        if (t->pairs[i].count > 1)
            t->failed = !push(t, &t->pairs[i]);
}

/* The most frequent pair, or NONE if none occurs twice. What became rarer goes back to its place. */
static uint32_t most_frequent(trainer *t)
{
    while (t->heap.count > 0 && !t->failed) {
        lac_bpe_item item = lac_bpe_heap_pop(&t->heap);
        uint32_t number = *table_place(t, (uint32_t)(item.place >> 32), (uint32_t)item.place);
        const pair *p = &t->pairs[number];
        if (p->count == UINT32_MAX - item.key)
            return number;
        if (p->count > 1)
            t->failed = !push(t, p);
    }
    return NONE;
}

static int start(trainer *t, const uint32_t *symbols, uint32_t merges)
{
    uint32_t **arrays[] = {&t->symbol, &t->prev, &t->next, &t->pair_of, &t->place_prev, &t->place_next};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (!(*arrays[i] = malloc(((size_t)t->n + 1) * sizeof **arrays[i])))
            return LAC_ERROR_MEMORY;
    t->length = malloc(((size_t)t->codewords + 1 + merges) * sizeof *t->length);
    if (!t->length)
        return LAC_ERROR_MEMORY;
    for (uint32_t i = 0; i <= t->codewords; i++)
        t->length[i] = 1;
    for (uint32_t i = 0; i < t->n; i++) {
        t->symbol[i] = symbols[i];
        t->prev[i] = i > 0 ? i - 1 : NONE;
        t->next[i] = i + 1 < t->n ? i + 1 : NONE;
    }
    for (uint32_t i = 0; i < t->n && !t->failed; i++)
        enter(t, i);
    push_new(t, 0);
    return t->failed ? LAC_ERROR_MEMORY : LAC_OK;
}

static void learn(trainer *t, lac_bpe_merge *merges, uint32_t most, uint32_t *count)
{
    uint32_t number;
    *count = 0;
    while (*count < most && (number = most_frequent(t)) != NONE) {
        uint32_t symbol = t->codewords + 1 + *count, first_new = t->pair_count;
        pair p = t->pairs[number];
        merges[(*count)++] = (lac_bpe_merge){p.left, p.right};
        t->length[symbol] = (uint16_t)(t->length[p.left] + t->length[p.right]);
        merge_all(t, number, symbol);
        push_new(t, first_new);
    }
}

static void stop(trainer *t)
{
    free(t->symbol);
    free(t->prev);
    free(t->next);
    free(t->pair_of);
    free(t->place_prev);
    free(t->place_next);
    free(t->length);
    free(t->pairs);
    free(t->table);
    free(t->heap.item);
}

int lac_bpe_train(lac_bpe_merge *merges, uint32_t *count, uint32_t codewords, const uint32_t *symbols, size_t n)
{
    if (codewords < 1 || codewords > LAC_BPE_MAX_CODEWORDS || *count > LAC_BPE_MAX_MERGES ||
        n > LAC_BPE_MAX_SYMBOLS)
        return LAC_ERROR_ARGUMENT;
    for (size_t i = 0; i < n; i++)
        if (symbols[i] > codewords)
            return LAC_ERROR_ARGUMENT;
    trainer t = {.codewords = codewords, .n = (uint32_t)n};
    int status = start(&t, symbols, *count);
    if (status == LAC_OK)
        learn(&t, merges, *count, count);
    if (t.failed)
        status = LAC_ERROR_MEMORY;
    stop(&t);
    return status;
}
