/* Inside view of an analyser, for tests. */
#ifndef LAC_LATENT_ANALYSER_H
#define LAC_LATENT_ANALYSER_H

#include "lac/factors.h"
#include "network.h"

/* Called with each block's output from now on: `content`, `late`, `phones`, `speaker`, `surroundings`, `style`. */
void lac_analyser_set_tap(lac_analyser *analyser, const lac_tap *tap);

#endif
