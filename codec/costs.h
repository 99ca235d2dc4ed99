/* What a layer costs, told to a profile. */
#ifndef LAC_CODEC_COSTS_H
#define LAC_CODEC_COSTS_H

#include <stddef.h>

#include "lac/profile.h"
#include "network.h"
#include "quantiser.h"

/* Multiply-accumulates of the search for a latent's first `stages` tokens. */
uint64_t lac_search_macs(const lac_quantiser *q, size_t stages, size_t beam);

void lac_profile_plain(const lac_profile *profile, const char *layer);
void lac_profile_linear(const lac_profile *profile, const char *layer, const lac_linear *l, size_t rows);
void lac_profile_stack(const lac_profile *profile, const char *layer, const lac_stack *s, size_t rows);
void lac_profile_search(const lac_profile *profile, const lac_quantiser *q, size_t stages, size_t beam, size_t rows);

#endif
