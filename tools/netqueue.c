#include "netqueue.h"

#include <stdlib.h>
#include <string.h>

static int is_before(const lac_net_datagram *a, const lac_net_datagram *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void swap(lac_net_datagram *a, lac_net_datagram *b)
{
    lac_net_datagram kept = *a;

    *a = *b;
    *b = kept;
}

static int grow(lac_net_queue *q)
{
    size_t capacity = q->capacity ? 2 * q->capacity : 64;
    lac_net_datagram *heap;

    if (q->count < q->capacity)
        return 0;
    heap = realloc(q->heap, capacity * sizeof *heap);
    if (!heap)
        return -1;
    q->heap = heap;
    q->capacity = capacity;
    return 0;
}

int lac_net_queue_put(lac_net_queue *q, uint64_t due_us, const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    size_t at = q->count;

    if (!copy || grow(q)) {
        free(copy);
        return -1;
    }
    memcpy(copy, bytes, size);
    q->heap[q->count++] = (lac_net_datagram){due_us, q->order++, size, copy};
    for (; at > 0 && is_before(&q->heap[at], &q->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&q->heap[at], &q->heap[(at - 1) / 2]);
    return 0;
}

const lac_net_datagram *lac_net_queue_first(const lac_net_queue *q)
{
    return q->count ? q->heap : NULL;
}

void lac_net_queue_drop(lac_net_queue *q)
{
    size_t at = 0;

    if (!q->count)
        return;
    free(q->heap[0].bytes);
    q->heap[0] = q->heap[--q->count];
    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < q->count && is_before(&q->heap[child + 1], &q->heap[child]))
            child++;
        if (child >= q->count || !is_before(&q->heap[child], &q->heap[at]))
            return;
        swap(&q->heap[at], &q->heap[child]);
        at = child;
    }
}

void lac_net_queue_free(lac_net_queue *q)
{
    while (q->count)
        lac_net_queue_drop(q);
    free(q->heap);
    memset(q, 0, sizeof *q);
}
