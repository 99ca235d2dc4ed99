/* Inside views of analyser and generator, for tests. */
#ifndef LAC_LATENT_LATENTTAP_H
#define LAC_LATENT_LATENTTAP_H

#include "lac/generator.h"
#include "network.h"

/* Called with each block's output from now on, named as in the model's file: content.blocks, content.late,
 * phones.blocks, speaker.blocks, surroundings.blocks, style.blocks; generator.blocks, step after step. */
void lac_analyser_set_tap(lac_analyser *analyser, const lac_tap *tap);
void lac_generator_set_tap(lac_generator *generator, const lac_tap *tap);

#endif
