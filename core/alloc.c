#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "fmath.h"
#include "lac/status.h"
#include "workspace.h"

/* Calls left until the injected failure; 0 is off. */
static atomic_size_t fail_countdown;

void lac_alloc_fail_at(size_t n)
{
    atomic_store(&fail_countdown, n);
}

static bool must_fail(void)
{
    size_t n = atomic_load(&fail_countdown);
    while (n != 0)
        if (atomic_compare_exchange_weak(&fail_countdown, &n, n - 1))
            return n == 1;
    return false;
}

/* size rounded up to LAC_ALIGN; false if that overflows. */
static bool round_up(size_t size, size_t *out)
{
    if (!lac_size_add(size, LAC_ALIGN - 1, out))
        return false;
    *out &= ~(size_t)(LAC_ALIGN - 1);
    return true;
}

void *lac_alloc(size_t size)
{
    size_t rounded;
    if (must_fail() || !round_up(size ? size : 1, &rounded) || rounded > PTRDIFF_MAX)
        return NULL;
    void *p = aligned_alloc(LAC_ALIGN, rounded);
    if (p)
        memset(p, 0, rounded);
    return p;
}

void lac_free(void *p)
{
    free(p);
}

lac_workspace lac_workspace_measure(void)
{
    return (lac_workspace){NULL, SIZE_MAX, 0, false};
}

int lac_workspace_open(lac_workspace *w, size_t size)
{
    *w = (lac_workspace){lac_alloc(size), size, 0, false};
    if (w->base)
        return LAC_OK;
    w->size = 0;
    w->failed = true;
    return LAC_ERROR_MEMORY;
}

void lac_workspace_close(lac_workspace *w)
{
    lac_free(w->base);
    *w = (lac_workspace){NULL, 0, 0, false};
}

void *lac_workspace_take(lac_workspace *w, size_t count, size_t item_size)
{
    size_t bytes, end;
    if (w->failed || !lac_size_mul(count, item_size, &bytes) || !round_up(bytes, &bytes) ||
        !lac_size_add(w->used, bytes, &end) || end > w->size) {
        w->failed = true;
        return NULL;
    }
    unsigned char *p = w->base ? w->base + w->used : NULL;
    w->used = end;
    return p;
}

static int open_laid_out(void **object, void *draft, size_t size, lac_lay_out *lay_out)
{
    lac_workspace measure = lac_workspace_measure(), *memory = draft;
    lac_workspace_take(&measure, 1, size);
    int status = lay_out(draft, &measure);
    if (!status)
        status = measure.failed ? LAC_ERROR_MEMORY : lac_workspace_open(memory, measure.used);
    if (status)
        return status;
    void *o = lac_workspace_take(memory, 1, size);
    status = lay_out(draft, memory);
    if (status) {
        lac_workspace_close(memory);
        return status;
    }
    memcpy(o, draft, size);
    *object = o;
    return LAC_OK;
}

int lac_object_open(void **object, void *draft, size_t size, lac_lay_out *lay_out)
{
    lac_float_mode mode = lac_float_enter();
    int status = open_laid_out(object, draft, size, lay_out);
    lac_float_leave(mode);
    return status;
}

void lac_object_close(void *object)
{
    if (!object)
        return;
    lac_workspace memory;
    memcpy(&memory, object, sizeof memory);
    lac_workspace_close(&memory);
}

size_t lac_object_bytes(const void *object)
{
    lac_workspace memory;
    memcpy(&memory, object, sizeof memory);
    return memory.size;
}
