#include "tokenstats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EULER 0.57721566490153286061
#define EXACT 50 /* expected pairs up to which the Poisson sum is taken term by term */

static uint32_t place_of(const uint32_t *key, const uint32_t *count, uint32_t places, uint32_t wanted)
{
    uint32_t at = (wanted * 2654435769u >> 7) & (places - 1);

    while (count[at] && key[at] != wanted)
        at = (at + 1) & (places - 1);
    return at;
}

static bool grow(lac_pair_counts *p)
{
    uint32_t places = p->places ? 2 * p->places : 1024;
    uint32_t *key = malloc(places * sizeof *key), *count = calloc(places, sizeof *count);

    if (!key || !count) {
        free(key);
        free(count);
        return false;
    }
    for (uint32_t i = 0; i < p->places; i++)
        if (p->count[i]) {
            uint32_t at = place_of(key, count, places, p->key[i]);
            key[at] = p->key[i];
            count[at] = p->count[i];
        }
    free(p->key);
    free(p->count);
    p->key = key;
    p->count = count;
    p->places = places;
    return true;
}

bool lac_pair_counts_add(lac_pair_counts *p, uint32_t first, uint32_t second)
{
    uint32_t key = first << 16 | second;

    if (p->used >= p->places / 4 * 3 && p->places < LAC_PAIRS_MAX && !grow(p))
        return false;
    uint32_t at = place_of(p->key, p->count, p->places, key);
    if (!p->count[at] && p->used >= p->places / 4 * 3) {
        p->left_out++;
        return true;
    }
    p->used += !p->count[at];
    p->key[at] = key;
    p->count[at]++;
    p->pairs++;
    return true;
}

void lac_pair_counts_free(lac_pair_counts *p)
{
    free(p->key);
    free(p->count);
    memset(p, 0, sizeof *p);
}

/* Grassberger's G(n), nats: -EULER - ln 2 + 2 / 1 + 2 / 3 + ... + 2 / (n - 1) for even n, that of n - 1 for odd
 * n. */
static double digamma_like(uint32_t n)
{
    double sum = -EULER - log(2);

    if (n > 1000)
        return log(n);
    for (uint32_t k = 1; k < n; k += 2)
        sum += 2.0 / k;
    return sum;
}

/* Sums over counts that give entropies: as counted and corrected, nats. */
typedef struct sums {
    double plain, corrected, total;
} sums;

static void add_count(sums *s, uint32_t n)
{
    if (n == 0)
        return;
    s->plain += n * log(n);
    s->corrected += n * digamma_like(n);
    s->total += n;
}

static double entropy_of(double sum, double total)
{
    return total > 0 ? log(total) - sum / total : 0;
}

double lac_entropy(const uint32_t *counts, size_t n)
{
    sums s = {0, 0, 0};

    for (size_t i = 0; i < n; i++)
        add_count(&s, counts[i]);
    double bits = entropy_of(s.corrected, s.total) / log(2);
    return bits > 0 ? bits : 0;
}

/* Mean of n ln n for a Poisson n. */
static double mean_n_log_n(double expected, const double *n_log_n)
{
    double chance = exp(-expected), sum = 0;

    if (expected >= EXACT)
        return expected * log(expected) + 0.5 + 1 / (12 * expected);
    for (uint32_t n = 1; n < 4 * EXACT && (n < expected || chance > 1e-18); n++) {
        chance *= expected / n;
        sum += chance * n_log_n[n];
    }
    return sum;
}

/* The sum of n ln n over all pairs, were first and second independent. */
static double independent_sum(const uint32_t *first, const uint32_t *second, uint32_t values, double total)
{
    double n_log_n[4 * EXACT] = {0}, sum = 0;

    for (uint32_t n = 1; n < 4 * EXACT; n++)
        n_log_n[n] = n * log(n);
    for (uint32_t i = 0; i < values; i++)
        for (uint32_t j = 0; j < values && first[i]; j++)
            if (second[j])
                sum += mean_n_log_n((double)first[i] * second[j] / total, n_log_n);
    return sum;
}

static double bits(double nats)
{
    return nats > 0 ? nats / log(2) : 0;
}

bool lac_information_of(const lac_pair_counts *p, uint32_t values, lac_information *result)
{
    uint32_t *first = calloc(2 * (size_t)values, sizeof *first), *second = first ? first + values : NULL;
    sums joint = {0, 0, 0}, a = {0, 0, 0}, b = {0, 0, 0};

    if (!first)
        return false;
    for (uint32_t i = 0; i < p->places; i++) {
        add_count(&joint, p->count[i]);
        if (p->count[i]) {
            first[p->key[i] >> 16] += p->count[i];
            second[p->key[i] & 65535] += p->count[i];
        }
    }
    for (uint32_t i = 0; i < values; i++) {
        add_count(&a, first[i]);
        add_count(&b, second[i]);
    }
    double n = joint.total, apart = entropy_of(a.plain, n) + entropy_of(b.plain, n);
    double seeming = n > 0 ? apart - entropy_of(independent_sum(first, second, values, n), n) : 0;
    result->counted = bits(apart - entropy_of(joint.plain, n));
    result->low = bits(apart - entropy_of(joint.plain, n) - seeming);
    result->high = bits(entropy_of(a.corrected, n) + entropy_of(b.corrected, n) - entropy_of(joint.corrected, n));
    if (result->high < result->low)
        result->high = result->low;
    free(first);
    return true;
}
