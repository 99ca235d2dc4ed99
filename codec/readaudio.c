/* Reading .lac files: from pages to sound, concealment, seeking. */
#include <string.h>

#include "reader.h"

/* ---- start ---- */

static void lay_out(lac_workspace *m, lac_reader_audio *a, const lac_model *model, uint32_t channels)
{
    for (uint32_t c = 0; c < channels; c++) {
        a->pcm[c] = lac_workspace_take(m, (size_t)LAC_PAGE_FRAMES * a->model.frame_samples, sizeof(float));
        a->tokens[c] = lac_workspace_take(m, (size_t)LAC_PAGE_FRAMES * a->model.codebooks, sizeof(uint16_t));
    }
    lac_pagecoding_init(&a->coding, m, model, channels, true);
}

static int open_audio(lac_reader *r, const lac_model *model, uint32_t threads)
{
    lac_reader_audio *a = &r->audio;
    lac_decoder_settings settings = {LAC_PAGE_FRAMES, threads, 0};
    lac_workspace measure = lac_workspace_measure();
    lay_out(&measure, a, model, r->format.channels);
    int status = measure.failed ? LAC_ERROR_LIMIT : lac_workspace_open(&a->memory, measure.used);
    if (status != LAC_OK)
        return status;
    lay_out(&a->memory, a, model, r->format.channels);
    for (uint32_t c = 0; c < r->format.channels && status == LAC_OK; c++)
        status = lac_decoder_open(&a->decoder[c], model, &settings);
    return status;
}

void lac_reader_audio_close(lac_reader_audio *a)
{
    for (uint32_t c = 0; c < LAC_MAX_CHANNELS; c++)
        lac_decoder_close(&a->decoder[c]);
    lac_workspace_close(&a->memory);
    memset(a, 0, sizeof *a);
}

/* Take the totals once they are known. They must agree with each other by the model's measures. */
static void take_totals(lac_reader *r)
{
    lac_reader_audio *a = &r->audio;
    const lac_end *end = &r->scan.end;
    uint64_t frame = a->model.frame_samples;
    if (!r->scan.end_known || a->limit != UINT64_MAX)
        return;
    uint64_t samples = lac_scale_ceil(end->samples, a->model.sample_rate, r->format.original_rate);
    uint64_t frames = samples == 0 ? 0 : (samples + a->model.decoder_delay_samples + frame - 1) / frame;
    if (samples > LAC_STREAM_MAX_SAMPLES || frames != end->frames) {
        lac_reader_reject_end(r);
        return;
    }
    a->limit = r->info.model_samples = samples;
}

int lac_reader_start(lac_reader *r, const lac_model *model, uint32_t threads)
{
    lac_reader_audio *a = &r->audio;
    if (!model || threads < 1 || threads > 256)
        return LAC_ERROR_ARGUMENT;
    if (r->started || r->has_read)
        return LAC_ERROR_STATE;
    lac_model_get_info(model, &a->model);
    if (a->model.receptive_frames > LAC_PAGE_MAX_RECEPTIVE)
        return LAC_ERROR_LIMIT;
    if (memcmp(a->model.id, r->format.model_id, LAC_STREAM_ID_SIZE) != 0 ||
        a->model.token_bits != r->format.token_bits)
        return LAC_ERROR_MODEL_MISMATCH;
    int status = open_audio(r, model, threads);
    if (status != LAC_OK) {
        lac_reader_audio_close(a);
        return status;
    }
    a->limit = UINT64_MAX;
    a->drop = a->model.decoder_delay_samples;
    r->started = true;
    take_totals(r);
    return LAC_OK;
}

/* ---- decoding ---- */

/* Decode frames first .. past of channel c from a->tokens to their place in a->pcm, or for the state only. */
static int decode_part(lac_reader_audio *a, uint32_t c, const uint8_t *codebooks, size_t first, size_t past)
{
    const uint16_t *tokens = a->tokens[c] + first * a->model.codebooks;
    if (a->frame < a->audible)
        return lac_decoder_skip(a->decoder[c], tokens, codebooks + first, past - first);
    return lac_decoder_read(a->decoder[c], tokens, codebooks + first, past - first,
                            a->pcm[c] + first * a->model.frame_samples);
}

static void end_decode(lac_reader_audio *a, size_t frames)
{
    a->pcm_used = 0;
    a->pcm_count = a->frame >= a->audible ? frames * a->model.frame_samples : 0;
    a->frame += frames;
}

/* Conceal from a->frame to `until`, but at most to the end of the page. */
static int conceal(lac_reader *r, uint64_t until)
{
    static const uint8_t lost[LAC_PAGE_FRAMES] = {0};
    lac_reader_audio *a = &r->audio;
    uint64_t page_left = LAC_PAGE_FRAMES - a->frame % LAC_PAGE_FRAMES, frames = until - a->frame;
    for (uint32_t c = 0; c < r->format.channels; c++)
        memset(a->tokens[c], 0, (size_t)LAC_PAGE_FRAMES * a->model.codebooks * sizeof(uint16_t));
    if (frames > page_left)
        frames = page_left;
    for (uint32_t c = 0; c < r->format.channels; c++) {
        int status = decode_part(a, c, lost, 0, (size_t)frames);
        if (status != LAC_OK)
            return status;
    }
    end_decode(a, (size_t)frames);
    return LAC_OK;
}

/* The phase of frame R is the page's: by then the decoder's memory is right, whatever was before the page. */
static int decode_channel(lac_reader_audio *a, const lac_page *p, uint32_t c)
{
    size_t before = a->model.receptive_frames;
    if (p->frames <= before)
        return decode_part(a, c, p->codebooks, 0, p->frames);
    lac_decoder_sync sync = {a->frame + before, (uint32_t)p->phase[c] << 16};
    int status = decode_part(a, c, p->codebooks, 0, before);
    if (status != LAC_OK)
        return status;
    lac_decoder_set_sync(a->decoder[c], &sync);
    return decode_part(a, c, p->codebooks, before, p->frames);
}

int lac_reader_unpack(lac_reader *r, lac_page *page)
{
    lac_reader_audio *a = &r->audio;
    *page = r->ahead.page;
    int status = lac_pagecoding_decode(&a->coding, a->tokens, &r->format, page, lac_window_at(&r->window));
    if (status != LAC_OK && status != LAC_ERROR_FORMAT)
        return status;
    if (status != LAC_OK)
        lac_reader_reject_page(r);
    lac_reader_consume(r);
    return status;
}

static int decode_page(lac_reader *r)
{
    lac_reader_audio *a = &r->audio;
    lac_page p;
    int status = lac_reader_unpack(r, &p);
    if (status == LAC_ERROR_FORMAT)
        return conceal(r, a->frame + p.frames);
    if (status != LAC_OK)
        return status;
    for (uint32_t c = 0; c < r->format.channels; c++)
        if ((status = decode_channel(a, &p, c)) != LAC_OK)
            return status;
    end_decode(a, p.frames);
    return LAC_OK;
}

int lac_reader_fetch_audio(lac_reader *r)
{
    int status = lac_reader_fetch(r);
    if (status == LAC_OK)
        take_totals(r);
    return status;
}

uint64_t lac_reader_ahead(const lac_reader *r)
{
    switch (r->ahead.kind) {
    case LAC_ITEM_PAGE: return (uint64_t)r->ahead.page.number * LAC_PAGE_FRAMES;
    case LAC_ITEM_END: return r->scan.end.frames;
    default: return r->audio.frame;
    }
}

/* Decode the next piece of sound to a->pcm; pcm_count stays 0 at the end. */
static int refill(lac_reader *r)
{
    lac_reader_audio *a = &r->audio;
    a->pcm_count = a->pcm_used = 0;
    while (a->pcm_count == 0) {
        int status = lac_reader_fetch_audio(r);
        if (status != LAC_OK)
            return status;
        uint64_t there = lac_reader_ahead(r);
        if (a->frame < there)
            status = conceal(r, there);
        else if (r->ahead.kind != LAC_ITEM_PAGE)
            return LAC_OK;
        else if (a->frame > there)
            lac_reader_consume(r); /* on the way to where a seek wants to start */
        else
            status = decode_page(r);
        if (status != LAC_OK)
            return status;
    }
    return LAC_OK;
}

/* How many samples of a->pcm may be delivered, after dropping what is to drop. */
static size_t deliverable(lac_reader_audio *a)
{
    size_t count = a->pcm_count - a->pcm_used, drop = a->drop < count ? (size_t)a->drop : count;
    a->pcm_used += drop;
    a->drop -= drop;
    count -= drop;
    uint64_t left = a->position < a->limit ? a->limit - a->position : 0;
    return count < left ? count : (size_t)left;
}

static void deliver(lac_reader *r, float *pcm, size_t frames)
{
    lac_reader_audio *a = &r->audio;
    size_t channels = r->format.channels;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < frames; i++)
            pcm[i * channels + c] = a->pcm[c][a->pcm_used + i];
    a->pcm_used += frames;
    a->position += frames;
}

int lac_reader_read(lac_reader *r, float *pcm, size_t capacity, size_t *frames)
{
    lac_reader_audio *a = &r->audio;
    size_t done = 0;
    int status = LAC_OK;
    if (!r->started || a->gives == LAC_READER_GIVES_TOKENS)
        return LAC_ERROR_STATE;
    a->gives = LAC_READER_GIVES_SOUND;
    r->has_read = true;
    *frames = 0;
    while (done < capacity && a->position < a->limit) {
        if (a->pcm_used == a->pcm_count) {
            status = refill(r);
            if (status != LAC_OK || a->pcm_count == 0)
                break;
        }
        status = lac_reader_fetch_audio(r); /* only what follows tells whether this is the last page, which is cut */
        if (status != LAC_OK)
            break;
        size_t n = deliverable(a);
        if (n > capacity - done)
            n = capacity - done;
        deliver(r, pcm + done * r->format.channels, n);
        done += n;
    }
    *frames = done;
    return done > 0 ? LAC_OK : status;
}

/* ---- seeking ---- */

uint64_t lac_reader_look_up(const lac_reader *r, uint64_t page, uint64_t *found)
{
    uint64_t offset = r->first_page, number = 0;
    for (uint32_t i = 0; r->located && i < r->scan.end.run_count && number < page; i++) {
        const lac_run *run = &r->scan.runs[i];
        uint64_t n = run->count < page - number ? run->count : page - number;
        if (n < run->count && run->size > LAC_PAGE_MAX)
            break; /* it says nothing of pages within it */
        number += n;
        offset += n == run->count ? lac_run_bytes(run) : n * run->size;
    }
    *found = number;
    return offset;
}

static int jump(lac_reader *r, uint64_t position)
{
    lac_reader_audio *a = &r->audio;
    uint64_t sample = position + a->model.decoder_delay_samples;
    uint64_t page = sample / a->model.frame_samples / LAC_PAGE_FRAMES, number;
    uint64_t from = page > 0 ? page - 1 : 0; /* its frame R puts everything right */
    uint64_t offset = lac_reader_look_up(r, from, &number);
    int status = lac_reader_jump(r, offset, number * LAC_PAGE_FRAMES);
    if (status != LAC_OK)
        return status;
    a->frame = from * LAC_PAGE_FRAMES;
    a->audible = page * LAC_PAGE_FRAMES;
    a->drop = sample - page * LAC_PAGE_FRAMES * a->model.frame_samples;
    a->position = position;
    for (uint32_t c = 0; c < r->format.channels; c++) {
        lac_decoder_sync sync = {a->frame, 0};
        lac_decoder_reset(a->decoder[c]);
        lac_decoder_set_sync(a->decoder[c], &sync);
    }
    return LAC_OK;
}

int lac_reader_seek(lac_reader *r, uint64_t position)
{
    lac_reader_audio *a = &r->audio;
    if (!r->started || a->gives == LAC_READER_GIVES_TOKENS)
        return LAC_ERROR_STATE;
    if (position > LAC_STREAM_MAX_SAMPLES)
        position = LAC_STREAM_MAX_SAMPLES;
    if (!r->can_seek && position < a->position)
        return LAC_ERROR_NOT_SEEKABLE;
    a->gives = LAC_READER_GIVES_SOUND;
    r->has_read = true;
    if (position >= a->position && position - a->position <= a->pcm_count - a->pcm_used) {
        a->drop += position - a->position;
        a->position = position;
        return LAC_OK;
    }
    if (position >= a->limit || !r->can_seek) {
        a->drop += position - a->position; /* never used past the end: another seek sets it anew */
        a->position = position;
        return LAC_OK;
    }
    a->pcm_count = a->pcm_used = 0;
    return jump(r, position);
}
