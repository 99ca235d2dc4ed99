/* Tokens of a page to bytes and back, in every coding of doc/bitstream.md. A page is coded alone: what the models of
 * tokens learn is forgotten at its start. */
#ifndef LAC_CODEC_PAGECODING_H
#define LAC_CODEC_PAGECODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"
#include "page.h"
#include "prior.h"
#include "tokenmodel.h"
#include "workspace.h"

/* Models of the tokens, one a channel; for one thread at a time. */
typedef struct lac_pagecoding {
    uint32_t channels, codebooks, codewords;
    uint32_t prior_coding;                     /* LAC_PAGE_PRIOR or above; 0: there is no prior */
    lac_prior_state prior[LAC_MAX_CHANNELS];   /* if there is one */
    bool has_adaptive;
    lac_tokenmodel adaptive[LAC_MAX_CHANNELS]; /* if has_adaptive */
} lac_pagecoding;

/* The coding by the model's prior: its id tells it from others. 0 if it has none. */
uint32_t lac_pagecoding_prior(const lac_model *model);

/* Whether there can be adaptive counts of the model's tokens. */
bool lac_pagecoding_adaptive(const lac_model *model);

/* For the model's tokens; memory comes from w.
 *   adaptive  LAC_PAGE_ADAPTIVE will be asked for, by a reader or writer, if the model can have it */
void lac_pagecoding_init(lac_pagecoding *c, lac_workspace *w, const lac_model *model, uint32_t channels,
                         bool adaptive);

/* Code the tokens of p (frames, codebooks; coding: LAC_PAGE_ADAPTIVE or the prior's) to out [capacity]. tokens: per
 * channel [frames][codebooks of the model], each below codewords. Returns the bytes, 0 if they are more than capacity. */
size_t lac_pagecoding_encode(lac_pagecoding *c, const lac_page *p, const uint16_t *const *tokens, uint8_t *out,
                             size_t capacity);

/* The tokens of a page, whatever its coding. data: the whole page. tokens: per channel [frames][codebooks of the
 * model], zero where a frame has fewer. LAC_ERROR_FORMAT: they are damaged; LAC_ERROR_VERSION: of an unknown coding;
 * LAC_ERROR_MODEL_MISMATCH: coded by another prior. */
int lac_pagecoding_decode(lac_pagecoding *c, uint16_t *const *tokens, const lac_stream_format *format,
                          const lac_page *p, const uint8_t *data);

#endif
