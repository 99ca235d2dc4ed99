#include "convert.h"

#include <soxr.h>
#include <string.h>

#include "lac/status.h"

size_t lac_convert_count(size_t count, uint32_t from, uint32_t to)
{
    return (size_t)(((uint64_t)count * to + from - 1) / from);
}

int lac_convert(const float *in, size_t count, uint32_t from, float *out, size_t out_count, uint32_t to)
{
    size_t made = 0;
    if (from == to) {
        made = count < out_count ? count : out_count;
        memcpy(out, in, made * sizeof *out);
    } else if (soxr_oneshot(from, to, 1, in, count, NULL, out, out_count, &made, NULL, NULL, NULL)) {
        return LAC_ERROR_MEMORY;
    }
    memset(out + made, 0, (out_count - made) * sizeof *out);
    return LAC_OK;
}
