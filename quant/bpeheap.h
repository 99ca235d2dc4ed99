/* A heap whose first item is the least, by key, then by place. */
#ifndef LAC_QUANT_BPEHEAP_H
#define LAC_QUANT_BPEHEAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct lac_bpe_item {
    uint64_t key, place;
} lac_bpe_item;

typedef struct lac_bpe_heap {
    lac_bpe_item *item;
    size_t count, capacity;
} lac_bpe_heap;

static inline bool lac_bpe_before(lac_bpe_item a, lac_bpe_item b)
{
    return a.key != b.key ? a.key < b.key : a.place < b.place;
}

/* false if memory ran out. */
static inline bool lac_bpe_heap_push(lac_bpe_heap *h, lac_bpe_item item)
{
    if (h->count == h->capacity) {
        size_t capacity = h->capacity ? 2 * h->capacity : 1024;
        lac_bpe_item *bigger = realloc(h->item, capacity * sizeof *bigger);
        if (!bigger)
            return false;
        h->item = bigger;
        h->capacity = capacity;
    }
    size_t at = h->count++;
    for (; at > 0 && lac_bpe_before(item, h->item[(at - 1) / 2]); at = (at - 1) / 2)
        h->item[at] = h->item[(at - 1) / 2];
    h->item[at] = item;
    return true;
}

/* Takes the first item; there is one. */
static inline lac_bpe_item lac_bpe_heap_pop(lac_bpe_heap *h)
{
    lac_bpe_item first = h->item[0], last = h->item[--h->count];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < h->count) {
        if (child + 1 < h->count && lac_bpe_before(h->item[child + 1], h->item[child]))
            child++;
        if (!lac_bpe_before(h->item[child], last))
            break;
        h->item[at] = h->item[child];
        at = child;
    }
    h->item[at] = last;
    return first;
}

/* Where to look for a pair first in a table. */
static inline uint32_t lac_bpe_hash(uint32_t left, uint32_t right)
{
    uint64_t x = ((uint64_t)left << 32 | right) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(x >> 32);
}

#endif
