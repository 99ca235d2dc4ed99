#include "window.h"

#include <string.h>

#include "bytes.h"

#define POLYNOMIAL UINT32_C(0x82f63b78) /* CRC-32C, bits reversed */

/* a * b modulo the polynomial; bit 31 is x^0. As in zlib's crc32_combine. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (uint32_t bit = UINT32_C(1) << 31; bit; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = b & 1 ? b >> 1 ^ POLYNOMIAL : b >> 1;
    }
    return product;
}

void lac_window_init(lac_window *w, const lac_io *io)
{
    w->io = *io;
    w->power[0] = UINT32_C(1) << (31 - 8);
    for (size_t k = 1; k < sizeof w->power / sizeof *w->power; k++)
        w->power[k] = multiply(w->power[k - 1], w->power[k - 1]);
}

static void update_checks(lac_window *w)
{
    for (; (w->steps + 1) * LAC_WINDOW_STEP <= w->filled; w->steps++)
        w->checks[w->steps + 1] =
            lac_crc32c(w->checks[w->steps], w->data + w->steps * LAC_WINDOW_STEP, LAC_WINDOW_STEP);
}

static void compact(lac_window *w)
{
    size_t steps = w->start / LAC_WINDOW_STEP, bytes = steps * LAC_WINDOW_STEP;
    memmove(w->data, w->data + bytes, w->filled - bytes);
    memmove(w->checks, w->checks + steps, (w->steps - steps + 1) * sizeof *w->checks);
    w->start -= bytes;
    w->filled -= bytes;
    w->steps -= steps;
    w->base += bytes;
}

int lac_window_need(lac_window *w, size_t size)
{
    if (w->start + size > LAC_WINDOW_SIZE)
        compact(w);
    while (lac_window_count(w) < size && !w->ended) {
        size_t room = LAC_WINDOW_SIZE - w->filled;
        int64_t got = w->io.read(w->io.user, w->data + w->filled, room);
        if (got < 0 || (uint64_t)got > room)
            return LAC_ERROR_IO;
        w->ended = got == 0;
        w->filled += (size_t)got;
        update_checks(w);
    }
    return LAC_OK;
}

void lac_window_advance(lac_window *w, size_t size)
{
    w->start += size;
}

int lac_window_seek(lac_window *w, uint64_t position)
{
    if (position >= w->base && position - w->base <= w->filled) {
        w->start = (size_t)(position - w->base);
        return LAC_OK;
    }
    if (!w->io.seek || w->io.seek(w->io.user, position) < 0)
        return LAC_ERROR_NOT_SEEKABLE;
    w->base = position;
    w->start = w->filled = w->steps = 0;
    w->checks[0] = 0;
    w->ended = false;
    return LAC_OK;
}

static uint32_t crc_before(const lac_window *w, size_t offset)
{
    size_t step = offset / LAC_WINDOW_STEP, from = step * LAC_WINDOW_STEP;
    return lac_crc32c(w->checks[step], w->data + from, offset - from);
}

uint32_t lac_window_crc(const lac_window *w, size_t size)
{
    uint32_t before = crc_before(w, w->start), whole = crc_before(w, w->start + size);
    for (size_t k = 0; size >> k; k++)
        if (size >> k & 1)
            before = multiply(w->power[k], before);
    return before ^ whole;
}
