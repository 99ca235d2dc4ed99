#include "allocate.h"

#include <string.h>

#include "page.h"

#define OCTAVE 32              /* prices an octave that are tried */
#define PRICES (40 * OCTAVE)

/* Error that an eighth of a bit must be worth, from nothing up. In finer units sums would not fit. */
static uint64_t price_of(uint32_t k)
{
    return ((uint64_t)(OCTAVE + k % OCTAVE) << k / OCTAVE) / OCTAVE - 1;
}

/* The state of a page's search, by codebooks less one. */
typedef struct trellis {
    uint64_t cost[LAC_MAX_CODEBOOKS];                    /* of the best way there */
    uint8_t from[LAC_PAGE_FRAMES][LAC_MAX_CODEBOOKS];
} trellis;

/* The cheapest way from the frame before to n: as many, one more or less, or from the cheapest of all. */
static uint8_t best_before(const uint64_t *cost, uint32_t stages, uint32_t cheapest, uint32_t n, uint64_t price,
                           uint64_t *least)
{
    uint32_t first = n > 0 ? n - 1 : 0, last = n + 1 < stages ? n + 1 : n, best = n;
    *least = cost[n] + price * 8 * lac_page_move_bits(n, n);
    for (uint32_t m = first; m <= last; m++)
        if (cost[m] + price * 8 * lac_page_move_bits(m, n) < *least) {
            *least = cost[m] + price * 8 * lac_page_move_bits(m, n);
            best = m;
        }
    if (cost[cheapest] + price * 8 * lac_page_move_bits(cheapest, n) < *least) {
        *least = cost[cheapest] + price * 8 * lac_page_move_bits(cheapest, n);
        best = cheapest;
    }
    return (uint8_t)best;
}

static uint32_t cheapest_of(const uint64_t *cost, uint32_t stages)
{
    uint32_t best = 0;
    for (uint32_t n = 1; n < stages; n++)
        if (cost[n] < cost[best])
            best = n;
    return best;
}

static uint64_t own_cost(const lac_allocation *a, size_t frame, uint32_t n, uint64_t price)
{
    uint64_t eighths = (8 * a->token_cost + LAC_ALLOCATION_BIT / 2) / LAC_ALLOCATION_BIT;
    return a->errors[frame * a->stages + n] + price * (eighths > 0 ? eighths : 1) * (n + 1);
}

/* Viterbi's algorithm over a page's frames. */
static void allocate_page(const lac_allocation *a, size_t first, size_t frames, uint64_t price, uint8_t *codebooks)
{
    trellis t;
    for (uint32_t n = 0; n < a->stages; n++)
        t.cost[n] = own_cost(a, first, n, price);
    for (size_t i = 1; i < frames; i++) {
        uint64_t next[LAC_MAX_CODEBOOKS];
        uint32_t cheapest = cheapest_of(t.cost, a->stages);
        for (uint32_t n = 0; n < a->stages; n++) {
            t.from[i][n] = best_before(t.cost, a->stages, cheapest, n, price, &next[n]);
            next[n] += own_cost(a, first + i, n, price);
        }
        for (uint32_t n = 0; n < a->stages; n++)
            t.cost[n] = next[n];
    }
    uint32_t n = cheapest_of(t.cost, a->stages);
    for (size_t i = frames; i-- > 0;) {
        codebooks[first + i] = (uint8_t)(n + 1);
        n = i > 0 ? t.from[i][n] : n;
    }
}

static void allocate(const lac_allocation *a, uint64_t price, uint8_t *codebooks)
{
    for (size_t first = 0, n; first < a->frames; first += n) {
        n = a->frames - first < LAC_PAGE_FRAMES ? a->frames - first : LAC_PAGE_FRAMES;
        allocate_page(a, first, n, price, codebooks);
    }
}

uint64_t lac_allocation_bits(const lac_allocation *a, const uint8_t *codebooks)
{
    uint64_t bits = 0, tokens = 0;
    for (size_t first = 0, n; first < a->frames; first += n) {
        n = a->frames - first < LAC_PAGE_FRAMES ? a->frames - first : LAC_PAGE_FRAMES;
        bits += 8 * lac_page_list_size(codebooks + first, n);
        for (size_t i = 0; i < n; i++)
            tokens += codebooks[first + i];
    }
    return bits + (tokens * a->token_cost + LAC_ALLOCATION_BIT - 1) / LAC_ALLOCATION_BIT;
}

/* Pages at a lower price, as long as that fits. */
static void spend_rest(const lac_allocation *a, uint64_t bits, uint64_t price, uint8_t *codebooks)
{
    for (size_t first = 0, n; first < a->frames; first += n) {
        uint8_t before[LAC_PAGE_FRAMES];
        n = a->frames - first < LAC_PAGE_FRAMES ? a->frames - first : LAC_PAGE_FRAMES;
        memcpy(before, codebooks + first, n);
        allocate_page(a, first, n, price, codebooks);
        if (lac_allocation_bits(a, codebooks) > bits)
            memcpy(codebooks + first, before, n);
    }
}

void lac_allocate(const lac_allocation *a, uint64_t bits, uint8_t *codebooks)
{
    uint32_t low = 0, high = PRICES; /* the least price that will do is not below low, and `high` has to do */
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        allocate(a, price_of(middle), codebooks);
        if (lac_allocation_bits(a, codebooks) <= bits)
            high = middle;
        else
            low = middle + 1;
    }
    allocate(a, price_of(high), codebooks);
    if (lac_allocation_bits(a, codebooks) > bits)
        memset(codebooks, 1, a->frames);
    else if (high > 0)
        spend_rest(a, bits, price_of(high - 1), codebooks);
}
