/* Datagrams on their way, in the order in which they arrive; of those with the same time, the first put first. */
#ifndef LAC_TOOLS_NETQUEUE_H
#define LAC_TOOLS_NETQUEUE_H

#include <stddef.h>
#include <stdint.h>

typedef struct lac_net_datagram {
    uint64_t due_us;
    uint64_t order;
    size_t size;
    uint8_t *bytes;
} lac_net_datagram;

typedef struct lac_net_queue {
    lac_net_datagram *heap;
    size_t count, capacity;
    uint64_t order;
} lac_net_queue;

/* Copies the bytes. 0, or -1 if out of memory. */
int lac_net_queue_put(lac_net_queue *queue, uint64_t due_us, const void *bytes, size_t size);

/* The first to arrive, or NULL; it stays valid until the queue changes. */
const lac_net_datagram *lac_net_queue_first(const lac_net_queue *queue);

/* Remove the first, if there is one. */
void lac_net_queue_drop(lac_net_queue *queue);

void lac_net_queue_free(lac_net_queue *queue);

#endif
