#include "names.h"

#include <stdlib.h>
#include <string.h>

#include "spread.h"

static uint32_t hash(const char *name)
{
    uint64_t key = 0;

    for (; *name; name++)
        key = (key ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return (uint32_t)lac_key(key, 0);
}

/* The slot that the name is in or belongs into. */
static uint32_t place(const lac_names *n, const char *name)
{
    uint32_t i = hash(name) & (n->room - 1);

    while (n->slot[i] && strcmp(n->item[n->slot[i] - 1], name) != 0)
        i = (i + 1) & (n->room - 1);
    return i;
}

/* Room for one more, half of the slots free. */
static int grow(lac_names *n)
{
    lac_names bigger = *n;

    if (n->count < n->room / 2)
        return 0;
    bigger.room = n->room ? n->room * 2 : 64;
    bigger.slot = calloc(bigger.room, sizeof *bigger.slot);
    bigger.item = bigger.slot ? realloc(n->item, bigger.room / 2 * sizeof *bigger.item) : NULL;
    if (!bigger.item) {
        free(bigger.slot);
        return -1;
    }
    for (uint32_t i = 0; i < n->count; i++)
        bigger.slot[place(&bigger, bigger.item[i])] = i + 1;
    free(n->slot);
    *n = bigger;
    return 0;
}

uint32_t lac_names_add(lac_names *n, const char *name)
{
    if (grow(n))
        return LAC_NAMES_NONE;
    uint32_t i = place(n, name);
    if (n->slot[i])
        return n->slot[i] - 1;
    n->item[n->count] = strdup(name);
    if (!n->item[n->count])
        return LAC_NAMES_NONE;
    n->slot[i] = ++n->count;
    return n->count - 1;
}

uint32_t lac_names_find(const lac_names *n, const char *name)
{
    uint32_t i = n->room ? place(n, name) : 0;

    return n->room && n->slot[i] ? n->slot[i] - 1 : LAC_NAMES_NONE;
}

void lac_names_free(lac_names *n)
{
    for (uint32_t i = 0; i < n->count; i++)
        free(n->item[i]);
    free(n->item);
    free(n->slot);
    *n = (lac_names){0};
}
