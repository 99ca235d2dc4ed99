/* Edit distance of what is said (Wagner, Fischer 1974), one row of it at a time. */
#include "lac/factors.h"
#include "lac/status.h"

#define MAX_PHONES 10000

/* Phones of frames: repetitions, then blanks dropped. They go to `phones` as long as they fit. */
static uint32_t read_phones(const lac_factor_frame *frames, size_t count, uint16_t *phones)
{
    uint32_t n = 0;
    for (size_t t = 0; t < count && n <= MAX_PHONES; t++) {
        uint16_t phone = frames[t].phone;
        if (phone == 0 || (t > 0 && phone == frames[t - 1].phone))
            continue;
        if (n < MAX_PHONES)
            phones[n] = phone;
        n++;
    }
    return n;
}

/* row [n + 1]: edits from what came before to the first 0 .. n of b; now with `phone` behind. */
static void next_row(uint16_t *row, uint16_t phone, const uint16_t *b, uint32_t n)
{
    uint16_t corner = row[0]++;
    for (uint32_t j = 1; j <= n; j++) {
        uint16_t best = (uint16_t)(corner + (b[j - 1] != phone));
        corner = row[j];
        if (row[j] + 1 < best)
            best = (uint16_t)(row[j] + 1);
        if (row[j - 1] + 1 < best)
            best = (uint16_t)(row[j - 1] + 1);
        row[j] = best;
    }
}

static uint32_t edits(const uint16_t *a, uint32_t n, const uint16_t *b, uint32_t m)
{
    uint16_t row[MAX_PHONES + 1];
    for (uint32_t j = 0; j <= m; j++)
        row[j] = (uint16_t)j;
    for (uint32_t i = 0; i < n; i++)
        next_row(row, a[i], b, m);
    return row[m];
}

int lac_content_distance(const lac_factor_frame *a, size_t frames_a, const lac_factor_frame *b, size_t frames_b,
                         float *distance, uint32_t *phones_a, uint32_t *phones_b)
{
    uint16_t of_a[MAX_PHONES], of_b[MAX_PHONES];
    if ((frames_a > 0 && !a) || (frames_b > 0 && !b) || !distance || !phones_a || !phones_b)
        return LAC_ERROR_ARGUMENT;
    uint32_t n = read_phones(a, frames_a, of_a), m = read_phones(b, frames_b, of_b), longer = n > m ? n : m;
    if (longer > MAX_PHONES)
        return LAC_ERROR_LIMIT;
    *phones_a = n;
    *phones_b = m;
    *distance = longer > 0 ? (float)edits(of_a, n, of_b, m) / (float)longer : 0;
    return LAC_OK;
}
