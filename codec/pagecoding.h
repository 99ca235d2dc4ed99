/* Tokens of a page to bytes and back, in every coding of doc/bitstream.md. A page is coded alone: what the models of
 * tokens learn is forgotten at its start. */
#ifndef LAC_CODEC_PAGECODING_H
#define LAC_CODEC_PAGECODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"
#include "page.h"
#include "tokenmodel.h"
#include "workspace.h"

/* Models of the tokens, one a channel; for one thread at a time. */
typedef struct lac_pagecoding {
    uint32_t channels, codebooks, codewords;
    lac_tokenmodel adaptive[LAC_MAX_CHANNELS]; /* if has_adaptive */
    bool has_adaptive;
} lac_pagecoding;

/* The coding that is best for the model's tokens. */
uint32_t lac_pagecoding_best(const lac_model *model);

/* Whether tokens of the model can be coded so. */
bool lac_pagecoding_known(const lac_model *model, uint32_t coding);

/* Take from w what a coding needs; may be called for several. LAC_PAGE_PLAIN and what the model does not know need
 * nothing. */
void lac_pagecoding_init(lac_pagecoding *c, lac_workspace *w, const lac_model *model, uint32_t channels,
                         uint32_t coding);

/* Code the tokens of p (frames, codebooks; coding, which lac_pagecoding_init has had) to out [capacity]. tokens: per
 * channel [frames][codebooks of the model], each below codewords. Returns the bytes, 0 if they are more than capacity. */
size_t lac_pagecoding_encode(lac_pagecoding *c, const lac_page *p, const uint16_t *const *tokens, uint8_t *out,
                             size_t capacity);

/* The tokens of a page, whatever its coding. data: the whole page. tokens: per channel [frames][codebooks of the
 * model], zero where a frame has fewer. LAC_ERROR_FORMAT: they are damaged; LAC_ERROR_VERSION: of an unknown coding. */
int lac_pagecoding_decode(lac_pagecoding *c, uint16_t *const *tokens, const lac_stream_format *format,
                          const lac_page *p, const uint8_t *data);

#endif
