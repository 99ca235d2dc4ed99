#include "pagecoding.h"

#include <string.h>

uint32_t lac_pagecoding_best(const lac_model *model)
{
    return lac_pagecoding_known(model, LAC_PAGE_ADAPTIVE) ? LAC_PAGE_ADAPTIVE : LAC_PAGE_PLAIN;
}

bool lac_pagecoding_known(const lac_model *model, uint32_t coding)
{
    lac_model_info info;
    lac_model_get_info(model, &info);
    return coding == LAC_PAGE_PLAIN || (coding == LAC_PAGE_ADAPTIVE && info.codewords <= LAC_TOKEN_MAX_CODEWORDS);
}

void lac_pagecoding_init(lac_pagecoding *c, lac_workspace *w, const lac_model *model, uint32_t channels,
                         uint32_t coding)
{
    lac_model_info info;
    lac_model_get_info(model, &info);
    c->channels = channels;
    c->codebooks = info.codebooks;
    c->codewords = info.codewords;
    if (coding != LAC_PAGE_ADAPTIVE || !lac_pagecoding_known(model, coding))
        return;
    c->has_adaptive = true;
    for (uint32_t i = 0; i < channels; i++)
        lac_tokenmodel_init(&c->adaptive[i], w, info.codebooks, info.codewords, NULL);
}

static void reset(lac_pagecoding *c)
{
    for (uint32_t i = 0; i < c->channels; i++)
        lac_tokenmodel_reset(&c->adaptive[i]);
}

size_t lac_pagecoding_encode(lac_pagecoding *c, const lac_page *p, const uint16_t *const *tokens, uint8_t *out,
                             size_t capacity)
{
    lac_range_encoder e;
    size_t size;
    lac_range_encoder_init(&e, out, capacity);
    reset(c);
    for (uint32_t i = 0; i < p->frames; i++)
        for (uint32_t channel = 0; channel < c->channels; channel++)
            for (uint32_t q = 0; q < p->codebooks[i]; q++)
                lac_tokenmodel_encode(&c->adaptive[channel], &e, q, tokens[channel][i * c->codebooks + q], NULL);
    return lac_range_encoder_end(&e, &size) ? size : 0;
}

static int decode_coded(lac_pagecoding *c, uint16_t *const *tokens, const lac_page *p, const uint8_t *payload)
{
    lac_range_decoder d;
    lac_range_decoder_init(&d, payload, p->payload_size);
    reset(c);
    for (uint32_t i = 0; i < p->frames; i++)
        for (uint32_t channel = 0; channel < c->channels; channel++) {
            uint16_t *row = tokens[channel] + i * c->codebooks;
            memset(row, 0, c->codebooks * sizeof *row);
            for (uint32_t q = 0; q < p->codebooks[i]; q++)
                row[q] = (uint16_t)lac_tokenmodel_decode(&c->adaptive[channel], &d, q, NULL);
        }
    return lac_range_decoder_size(&d) == p->payload_size ? LAC_OK : LAC_ERROR_FORMAT;
}

int lac_pagecoding_decode(lac_pagecoding *c, uint16_t *const *tokens, const lac_stream_format *format,
                          const lac_page *p, const uint8_t *data)
{
    if (p->coding == LAC_PAGE_PLAIN)
        return lac_page_unpack(tokens, c->codebooks, c->codewords, format, p, data);
    if (p->coding >= LAC_PAGE_PRIOR)
        return LAC_ERROR_MODEL_MISMATCH;
    if (p->coding != LAC_PAGE_ADAPTIVE)
        return LAC_ERROR_VERSION;
    if (!c->has_adaptive)
        return LAC_ERROR_FORMAT;
    for (uint32_t i = 0; i < p->frames; i++)
        if (p->codebooks[i] > c->codebooks)
            return LAC_ERROR_FORMAT;
    return decode_coded(c, tokens, p, data + p->head_size);
}
