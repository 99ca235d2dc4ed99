#include "pagecoding.h"

#include <string.h>

#include "bytes.h"
#include "weights.h"

uint32_t lac_pagecoding_prior(const lac_model *model)
{
    if (model->prior_weights.sizes.stages == 0)
        return 0;
    return LAC_PAGE_PRIOR + lac_load16(model->info.prior_id) % (LAC_PAGE_CODINGS - LAC_PAGE_PRIOR);
}

bool lac_pagecoding_adaptive(const lac_model *model)
{
    return model->info.codewords <= LAC_TOKEN_MAX_CODEWORDS;
}

void lac_pagecoding_init(lac_pagecoding *c, lac_workspace *w, const lac_model *model, uint32_t channels,
                         bool adaptive)
{
    c->channels = channels;
    c->codebooks = model->info.codebooks;
    c->codewords = model->info.codewords;
    c->prior_coding = lac_pagecoding_prior(model);
    c->has_adaptive = adaptive && lac_pagecoding_adaptive(model);
    for (uint32_t i = 0; i < channels; i++) {
        if (c->prior_coding != 0)
            lac_prior_state_init(&c->prior[i], model->prior, &model->quantiser);
        if (c->has_adaptive)
            lac_tokenmodel_init(&c->adaptive[i], w, c->codebooks, c->codewords, NULL);
    }
}

/* A page knows nothing of those before it. */
static void reset(lac_pagecoding *c, uint32_t coding)
{
    for (uint32_t i = 0; i < c->channels; i++)
        if (coding == LAC_PAGE_ADAPTIVE)
            lac_tokenmodel_reset(&c->adaptive[i]);
        else
            lac_prior_reset(&c->prior[i]);
}

static void encode_row(lac_pagecoding *c, uint32_t coding, uint32_t channel, const uint16_t *row, uint32_t count,
                       lac_range_encoder *e)
{
    lac_prior_state *prior = &c->prior[channel];
    if (coding == LAC_PAGE_ADAPTIVE) {
        for (uint32_t q = 0; q < count; q++)
            lac_tokenmodel_encode(&c->adaptive[channel], e, q, row[q]);
        return;
    }
    lac_prior_frame(prior, count);
    for (uint32_t q = 0; q < count; q++)
        lac_prior_encode(prior, e, q, row[q]);
    lac_prior_done(prior);
}

static void decode_row(lac_pagecoding *c, uint32_t coding, uint32_t channel, uint16_t *row, uint32_t count,
                       lac_range_decoder *d)
{
    lac_prior_state *prior = &c->prior[channel];
    memset(row, 0, c->codebooks * sizeof *row);
    if (coding == LAC_PAGE_ADAPTIVE) {
        for (uint32_t q = 0; q < count; q++)
            row[q] = (uint16_t)lac_tokenmodel_decode(&c->adaptive[channel], d, q);
        return;
    }
    lac_prior_frame(prior, count);
    for (uint32_t q = 0; q < count; q++)
        row[q] = (uint16_t)lac_prior_decode(prior, d, q);
    lac_prior_done(prior);
}

size_t lac_pagecoding_encode(lac_pagecoding *c, const lac_page *p, const uint16_t *const *tokens, uint8_t *out,
                             size_t capacity)
{
    lac_range_encoder e;
    size_t size;
    lac_range_encoder_init(&e, out, capacity);
    reset(c, p->coding);
    for (uint32_t i = 0; i < p->frames; i++)
        for (uint32_t channel = 0; channel < c->channels; channel++)
            encode_row(c, p->coding, channel, tokens[channel] + i * c->codebooks, p->codebooks[i], &e);
    return lac_range_encoder_end(&e, &size) ? size : 0;
}

static int decode_coded(lac_pagecoding *c, uint16_t *const *tokens, const lac_page *p, const uint8_t *payload)
{
    lac_range_decoder d;
    lac_range_decoder_init(&d, payload, p->payload_size);
    reset(c, p->coding);
    for (uint32_t i = 0; i < p->frames; i++)
        for (uint32_t channel = 0; channel < c->channels; channel++)
            decode_row(c, p->coding, channel, tokens[channel] + i * c->codebooks, p->codebooks[i], &d);
    return lac_range_decoder_size(&d) == p->payload_size ? LAC_OK : LAC_ERROR_FORMAT;
}

int lac_pagecoding_decode(lac_pagecoding *c, uint16_t *const *tokens, const lac_stream_format *format,
                          const lac_page *p, const uint8_t *data)
{
    if (p->coding == LAC_PAGE_PLAIN)
        return lac_page_unpack(tokens, c->codebooks, c->codewords, format, p, data);
    if (p->coding >= LAC_PAGE_PRIOR && p->coding != c->prior_coding)
        return LAC_ERROR_MODEL_MISMATCH;
    if (p->coding > LAC_PAGE_ADAPTIVE && p->coding < LAC_PAGE_PRIOR)
        return LAC_ERROR_VERSION;
    if (p->coding == LAC_PAGE_ADAPTIVE && !c->has_adaptive)
        return LAC_ERROR_FORMAT;
    for (uint32_t i = 0; i < p->frames; i++)
        if (p->codebooks[i] > c->codebooks)
            return LAC_ERROR_FORMAT;
    return decode_coded(c, tokens, p, data + p->head_size);
}
