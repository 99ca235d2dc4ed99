/* Entropy and mutual information of tokens, from counts.
 *
 * Tables of pairs are never full: 1024 x 1024 cells want many hours. What is counted of them says too much
 * information, and so do the usual corrections (Miller, Madow). So there are two: `high` from entropies as in
 * Grassberger, arXiv physics/0307138, which nears the truth from above; and `low`, the counted information less
 * what independent tokens of the same frequencies would seem to have (adjusted mutual information, Vinh et al.
 * 2010, with a Poisson number of each pair), which nears it from below and is 0 for independent ones. */
#ifndef LAC_TOOLS_TOKENSTATS_H
#define LAC_TOOLS_TOKENSTATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAC_PAIRS_MAX (1u << 21) /* places of a table: 16 MB; pairs of 1024 x 1024 tokens all fit */

/* How often each pair came, in a table that grows. */
typedef struct lac_pair_counts {
    uint32_t *key, *count;  /* [places]; a count of 0 is free */
    uint32_t places, used;  /* places: 0 or a power of 2 */
    uint64_t pairs;         /* counted */
    uint64_t left_out;      /* of pairs that found no place */
} lac_pair_counts;

/* first, second < 65536. false if memory ran out. */
bool lac_pair_counts_add(lac_pair_counts *p, uint32_t first, uint32_t second);
void lac_pair_counts_free(lac_pair_counts *p);

typedef struct lac_information {
    double low, high; /* bits, 0 <= low <= high */
    double counted;   /* without a correction */
} lac_information;

/* Entropy in bits of what came counts[n] times. */
double lac_entropy(const uint32_t *counts, size_t n);

/* Between first and second, both below `values`. false if memory ran out. */
bool lac_information_of(const lac_pair_counts *p, uint32_t values, lac_information *result);

#endif
