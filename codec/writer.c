/* Writing .lac files: PCM is staged to blocks of a page's length, encoded, and packed as soon as a page is full. */
#include "writer.h"

#include <string.h>

#include "bytes.h"
#include "weights.h"

#define GROUP 16 /* pages that differ in size, as coded ones do, that share an entry of the seek table: 20 s */

void lac_writer_default_settings(lac_writer_settings *settings)
{
    *settings = (lac_writer_settings){.original_rate = 24000, .channels = 1, .threads = 1};
}

static int settings_check(const lac_writer_settings *s, const lac_model_info *model)
{
    if (s->original_rate < 1 || s->original_rate > LAC_STREAM_MAX_RATE || s->channels < 1 ||
        s->channels > LAC_MAX_CHANNELS || s->codebooks > model->codebooks || s->threads < 1 || s->threads > 256 ||
        s->beam > LAC_MAX_BEAM || s->coding > LAC_CODING_PRIOR || s->bitrate > LAC_MAX_BITRATE ||
        (s->tag_count > 0 && !s->tags))
        return LAC_ERROR_ARGUMENT;
    if (model->receptive_frames > LAC_PAGE_MAX_RECEPTIVE || model->token_bits < 1 || model->token_bits > 16 ||
        s->tag_count > LAC_MAX_TAGS)
        return LAC_ERROR_LIMIT;
    return LAC_OK;
}

/* Bytes of the tag block. */
static int tags_measure(const lac_writer_settings *s, size_t *bytes)
{
    *bytes = 0;
    for (size_t i = 0; i < s->tag_count; i++) {
        if (!s->tags[i].name || !s->tags[i].value)
            return LAC_ERROR_ARGUMENT;
        size_t name = strlen(s->tags[i].name), value = strlen(s->tags[i].value);
        if (name > LAC_MAX_TAG_BYTES || value > LAC_MAX_TAG_BYTES)
            return LAC_ERROR_LIMIT;
        *bytes += name + value + 2;
        if (*bytes > LAC_MAX_TAG_BYTES)
            return LAC_ERROR_LIMIT;
    }
    return LAC_OK;
}

static void tags_copy(uint8_t *out, const lac_writer_settings *s)
{
    for (size_t i = 0; i < s->tag_count; i++) {
        size_t name = strlen(s->tags[i].name) + 1, value = strlen(s->tags[i].value) + 1;
        memcpy(out, s->tags[i].name, name);
        memcpy(out + name, s->tags[i].value, value);
        out += name + value;
    }
}

static int put(lac_writer *w, const uint8_t *data, size_t size)
{
    if (w->io.write(w->io.user, data, size) < 0)
        return LAC_ERROR_IO;
    w->bytes += size;
    return LAC_OK;
}

static int write_header(lac_writer *w, const lac_writer_settings *s)
{
    size_t tag_bytes, tags;
    int status = tags_measure(s, &tag_bytes);
    if (status != LAC_OK)
        return status;
    uint8_t *out = lac_alloc(LAC_HEADER_FIXED + 6 + 2 * tag_bytes);
    if (!out)
        return LAC_ERROR_MEMORY;
    uint8_t *block = out + LAC_HEADER_FIXED + 6 + tag_bytes;
    tags_copy(block, s);
    status = LAC_ERROR_ARGUMENT;
    if (lac_tags_valid(block, tag_bytes, &tags)) {
        w->header_size = (uint32_t)lac_header_build(out, &w->format, block, tag_bytes);
        status = put(w, out, w->header_size);
    }
    lac_free(out);
    return status;
}

static void lay_out(lac_workspace *m, lac_writer *w, const lac_model *model)
{
    for (uint32_t c = 0; c < w->format.channels; c++) {
        w->staging[c] = lac_workspace_take(m, (size_t)LAC_PAGE_FRAMES * w->model.frame_samples, sizeof(float));
        w->tokens[c] = lac_workspace_take(m, w->room * w->model.codebooks, sizeof(uint16_t));
    }
    w->codebooks = lac_workspace_take(m, w->room, 1);
    if (w->bitrate > 0)
        lac_average_init(&w->average, m, &model->quantiser, w->format.channels, w->current_codebooks,
                         w->threads, w->beam);
    w->runs = lac_workspace_take(m, LAC_END_MAX_RUNS, sizeof(lac_run));
    w->page = lac_workspace_take(m, LAC_PAGE_MAX, 1);
    if (w->page_coding != LAC_PAGE_PLAIN)
        w->coded = lac_workspace_take(m, LAC_PAGE_MAX, 1);
    lac_pagecoding_init(&w->coding, m, model, w->format.channels, w->page_coding == LAC_PAGE_ADAPTIVE);
}

static int open_memory(lac_writer *w, const lac_model *model)
{
    lac_workspace measure = lac_workspace_measure();
    lay_out(&measure, w, model);
    int status = measure.failed ? LAC_ERROR_LIMIT : lac_workspace_open(&w->memory, measure.used);
    if (status == LAC_OK)
        lay_out(&w->memory, w, model);
    return status;
}

static int open_codecs(lac_writer *w, const lac_model *model, const lac_writer_settings *s)
{
    lac_encoder_settings e = {w->current_codebooks, LAC_PAGE_FRAMES, s->threads, 0, s->beam};
    if (w->bitrate > 0) /* another search comes later */
        e.codebooks = e.beam = 1;
    lac_decoder_settings d = {LAC_PAGE_FRAMES, s->threads, 0};
    for (uint32_t c = 0; c < w->format.channels; c++) {
        int status = lac_encoder_open(&w->encoder[c], model, &e);
        if (status == LAC_OK)
            status = lac_decoder_open(&w->tracker[c], model, &d);
        if (status != LAC_OK)
            return status;
    }
    return LAC_OK;
}

/* false: the model has not what the coding takes. */
static bool choose_coding(lac_writer *w, const lac_model *model, uint32_t coding)
{
    uint32_t prior = lac_pagecoding_prior(model), adaptive = lac_pagecoding_adaptive(model) ? LAC_PAGE_ADAPTIVE : 0;
    w->page_coding = LAC_PAGE_PLAIN;
    if (coding == LAC_CODING_BEST || coding == LAC_CODING_PRIOR)
        w->page_coding = prior;
    if (coding == LAC_CODING_ADAPTIVE || (coding == LAC_CODING_BEST && prior == 0))
        w->page_coding = adaptive;
    return w->page_coding != LAC_PAGE_PLAIN || coding == LAC_CODING_BEST || coding == LAC_CODING_PLAIN;
}

static void set_up(lac_writer *w, const lac_model_info *model, const lac_io *io, const lac_writer_settings *s)
{
    w->io = *io;
    w->model = *model;
    w->current_codebooks = s->codebooks ? s->codebooks : model->codebooks;
    w->bitrate = s->bitrate;
    w->room = s->bitrate > 0 ? LAC_AVERAGE_ROOM : LAC_WRITER_PENDING;
    w->threads = s->threads;
    w->beam = s->beam;
    w->min_codebooks = UINT32_MAX;
    w->finished_samples = UINT64_MAX;
    memcpy(w->format.model_id, model->id, LAC_STREAM_ID_SIZE);
    w->format.original_rate = s->original_rate;
    w->format.channels = s->channels;
    w->format.token_bits = model->token_bits;
    w->format.tagged = s->tag_count > 0;
}

int lac_writer_open(lac_writer **writer, const lac_model *model, const lac_io *io, const lac_writer_settings *settings)
{
    lac_writer_settings defaults;
    lac_model_info info;
    lac_writer_default_settings(&defaults);
    if (!settings)
        settings = &defaults;
    if (!writer || !model || !io || !io->write)
        return LAC_ERROR_ARGUMENT;
    lac_model_get_info(model, &info);
    int status = settings_check(settings, &info);
    if (status != LAC_OK)
        return status;
    lac_writer *w = lac_alloc(sizeof *w);
    if (!w)
        return LAC_ERROR_MEMORY;
    set_up(w, &info, io, settings);
    status = choose_coding(w, model, settings->coding) ? open_memory(w, model) : LAC_ERROR_ARGUMENT;
    lac_writer_begin_average(w);
    if (status == LAC_OK)
        status = open_codecs(w, model, settings);
    if (status == LAC_OK)
        status = write_header(w, settings);
    if (status != LAC_OK)
        lac_writer_close(&w);
    else
        *writer = w;
    return status;
}

/* The last page's size enters the table only once another page follows: the end page's position tells the last. */
static void note_size(lac_writer *w)
{
    lac_run *last = w->run_count > 0 ? &w->runs[w->run_count - 1] : NULL;
    bool coded = w->page_coding != LAC_PAGE_PLAIN;
    if (w->last_size == 0 || w->runs_full)
        return;
    bool grouped = last && last->size > LAC_PAGE_MAX;
    if (last && (grouped ? last->count < GROUP : last->size == w->last_size)) {
        last->count++;
        last->size += grouped ? w->last_size : 0;
    } else if (last && !grouped && last->count == 1) /* pages of several sizes */
        *last = (lac_run){2, last->size + w->last_size + LAC_PAGE_MAX};
    else if (w->run_count < LAC_END_MAX_RUNS)
        w->runs[w->run_count++] = (lac_run){1, w->last_size + (coded ? LAC_PAGE_MAX : 0)};
    else
        w->runs_full = true;
}

static void note_page(lac_writer *w, const lac_page *p)
{
    note_size(w);
    w->last_size = (uint32_t)p->size;
    w->pages++;
    w->frames += p->frames;
    w->payload_bits += p->payload_bits + 8 * p->list_size;
    w->plain_bits += p->plain_bits;
    w->adaptive_pages += p->coding == LAC_PAGE_ADAPTIVE;
    w->prior_pages += p->coding >= LAC_PAGE_PRIOR;
    for (uint32_t i = 0; i < p->frames; i++) {
        if (p->codebooks[i] < w->min_codebooks)
            w->min_codebooks = p->codebooks[i];
        if (p->codebooks[i] > w->max_codebooks)
            w->max_codebooks = p->codebooks[i];
    }
}

/* Follow `frames` frames of channel c and learn the phase to put into their page: that of frame R, which a decoder
 * that comes from damage or a seek reaches with its memory right again. */
static int track(lac_writer *w, uint32_t c, size_t frames, uint16_t *phase)
{
    size_t before = w->model.receptive_frames;
    const uint16_t *tokens = w->tokens[c];
    lac_decoder_sync sync;
    if (frames <= before)
        return lac_decoder_skip(w->tracker[c], tokens, w->codebooks, frames);
    int status = lac_decoder_skip(w->tracker[c], tokens, w->codebooks, before);
    if (status != LAC_OK)
        return status;
    lac_decoder_get_sync(w->tracker[c], &sync);
    *phase = (uint16_t)(sync.pulse_phase >> 16);
    return lac_decoder_skip(w->tracker[c], tokens + before * w->model.codebooks, w->codebooks + before,
                            frames - before);
}

/* The bytes of page p: coded, or plain if that is not larger. */
static const uint8_t *build_page(lac_writer *w, lac_page *p)
{
    const uint16_t *rows[LAC_MAX_CHANNELS];
    for (uint32_t c = 0; c < LAC_MAX_CHANNELS; c++)
        rows[c] = w->tokens[c];
    lac_page_build(w->page, &w->format, p, rows, w->model.codebooks);
    if (w->page_coding == LAC_PAGE_PLAIN)
        return w->page;
    lac_page coded = *p;
    coded.coding = w->page_coding;
    size_t bytes = lac_pagecoding_encode(&w->coding, &coded, rows, w->coded + LAC_PAGE_HEAD_MAX, p->payload_size);
    if (bytes > 0)
        lac_page_build_coded(w->coded, &w->format, &coded, bytes);
    if (bytes == 0 || coded.size >= p->size)
        return w->page;
    *p = coded;
    return w->coded;
}

int lac_writer_put_page(lac_writer *w, size_t frames)
{
    lac_page p = {.number = w->pages, .frames = (uint32_t)frames};
    size_t q = w->model.codebooks, left = w->pending - frames;
    if (w->pages == UINT32_MAX)
        return LAC_ERROR_LIMIT;
    memcpy(p.codebooks, w->codebooks, frames);
    for (uint32_t c = 0; c < w->format.channels; c++) {
        int status = track(w, c, frames, &p.phase[c]);
        if (status != LAC_OK)
            return status;
    }
    const uint8_t *page = build_page(w, &p);
    int status = put(w, page, p.size);
    if (status != LAC_OK)
        return status;
    note_page(w, &p);
    for (uint32_t c = 0; c < w->format.channels; c++)
        memmove(w->tokens[c], w->tokens[c] + frames * q, left * q * sizeof(uint16_t));
    memmove(w->codebooks, w->codebooks + frames, left);
    w->pending = left;
    return LAC_OK;
}

/* Levels of the frames that begin in what is staged, and of those that flushing may add. */
static void note_levels(lac_writer *w, uint32_t c)
{
    size_t frame = w->model.frame_samples, t = w->pending;
    for (size_t at = 0; at < w->staged; at += frame, t++)
        w->average.levels[c][t] = lac_average_level(w->staging[c] + at,
                                                    w->staged - at < frame ? w->staged - at : frame);
    for (; t < w->room && t < w->pending + LAC_PAGE_FRAMES + LAC_AVERAGE_SLACK; t++)
        w->average.levels[c][t] = 0;
}

/* Encode channel c of what is staged, or the rest if `flush`, behind what is pending. */
static int encode_channel(lac_writer *w, uint32_t c, bool flush, size_t *got)
{
    size_t room = w->room - w->pending;
    uint16_t *out = w->tokens[c] + w->pending * w->model.codebooks;
    int16_t *latents = w->bitrate > 0 ? w->average.latents[c] + w->pending * w->model.latent_size : NULL;
    if (flush)
        return lac_encoder_flush_latents(w->encoder[c], out, latents, room, got);
    if (latents)
        note_levels(w, c);
    return lac_encoder_write_latents(w->encoder[c], w->staging[c], w->staged, out, latents, room, got);
}

/* Encode what is staged, or the rest if `flush`, and write the pages that are full. */
static int encode(lac_writer *w, bool flush)
{
    size_t got = 0;
    for (uint32_t c = 0; c < w->format.channels; c++) {
        int status = encode_channel(w, c, flush, &got);
        if (status != LAC_OK)
            return status;
    }
    memset(w->codebooks + w->pending, (int)w->current_codebooks, got);
    w->pending += got;
    if (!flush)
        w->staged = 0;
    if (w->bitrate > 0)
        return w->pending >= LAC_AVERAGE_FRAMES || flush ? lac_writer_settle(w) : LAC_OK;
    while (w->pending >= LAC_PAGE_FRAMES) {
        int status = lac_writer_put_page(w, LAC_PAGE_FRAMES);
        if (status != LAC_OK)
            return status;
    }
    return LAC_OK;
}

static int fail(lac_writer *w, int status)
{
    if (status != LAC_OK)
        w->state = LAC_WRITER_FAILED;
    return status;
}

int lac_writer_set_codebooks(lac_writer *w, uint32_t codebooks)
{
    if (w->state != LAC_WRITER_OPEN || w->bitrate > 0)
        return LAC_ERROR_STATE;
    if (codebooks < 1 || codebooks > w->model.codebooks)
        return LAC_ERROR_ARGUMENT;
    int status = w->staged > 0 ? encode(w, false) : LAC_OK; /* those frames still have the old count */
    for (uint32_t c = 0; c < w->format.channels && status == LAC_OK; c++)
        status = lac_encoder_set_codebooks(w->encoder[c], codebooks);
    w->current_codebooks = codebooks;
    return fail(w, status);
}

static void stage(lac_writer *w, const float *pcm, size_t frames)
{
    size_t channels = w->format.channels;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < frames; i++)
            w->staging[c][w->staged + i] = pcm[i * channels + c];
    w->staged += frames;
}

int lac_writer_write(lac_writer *w, const float *pcm, size_t frames)
{
    size_t block = (size_t)LAC_PAGE_FRAMES * w->model.frame_samples;
    if (w->state != LAC_WRITER_OPEN || w->takes_tokens)
        return LAC_ERROR_STATE;
    while (frames > 0) {
        size_t n = block - w->staged < frames ? block - w->staged : frames;
        stage(w, pcm, n);
        pcm += n * w->format.channels;
        frames -= n;
        w->samples += n;
        int status = w->staged == block ? encode(w, false) : LAC_OK;
        if (status != LAC_OK)
            return fail(w, status);
    }
    return LAC_OK;
}

static int write_end(lac_writer *w, uint64_t samples)
{
    if (w->page_coding != LAC_PAGE_PLAIN && w->run_count > 0 && w->runs[w->run_count - 1].count < GROUP)
        w->run_count--; /* as soon read as looked up */
    lac_end end = {.format = w->format, .header_size = w->header_size, .samples = samples, .frames = w->frames,
                   .position = w->bytes, .run_count = w->run_count};
    lac_end_build(w->page, &end, w->runs);
    return put(w, w->page, end.size);
}

uint64_t lac_writer_frames(const lac_writer *w, uint64_t samples)
{
    uint64_t frame = w->model.frame_samples;
    return samples == 0 ? 0 : (samples + w->model.decoder_delay_samples + frame - 1) / frame;
}

/* Does a count of `samples` at the model's rate fit what was written? Tokens say it to a frame only. */
static bool samples_fit(const lac_writer *w, uint64_t samples)
{
    if (w->takes_tokens)
        return samples <= LAC_STREAM_MAX_SAMPLES && lac_writer_frames(w, samples) == w->frames + w->pending;
    return samples == w->samples;
}

static int write_rest(lac_writer *w)
{
    int status = w->staged > 0 ? encode(w, false) : LAC_OK;
    if (status == LAC_OK && !w->takes_tokens)
        status = encode(w, true);
    if (status == LAC_OK && w->pending > 0)
        status = lac_writer_put_page(w, w->pending);
    return status;
}

int lac_writer_finish(lac_writer *w, uint64_t samples)
{
    uint64_t model_samples = lac_scale_ceil(samples, w->model.sample_rate, w->format.original_rate);
    if (w->state != LAC_WRITER_OPEN)
        return LAC_ERROR_STATE;
    if (samples > LAC_STREAM_MAX_SAMPLES || !samples_fit(w, model_samples))
        return LAC_ERROR_ARGUMENT;
    w->samples = model_samples;
    int status = write_rest(w);
    if (status == LAC_OK && w->frames != lac_writer_frames(w, w->samples))
        status = LAC_ERROR_STATE;
    if (status == LAC_OK)
        status = write_end(w, samples);
    if (status == LAC_OK) {
        w->state = LAC_WRITER_FINISHED;
        w->finished_samples = samples;
    }
    return fail(w, status);
}

void lac_writer_get_info(const lac_writer *w, lac_stream_info *info)
{
    bool done = w->state == LAC_WRITER_FINISHED;
    *info = (lac_stream_info){
        .format_version = LAC_STREAM_VERSION, .original_rate = w->format.original_rate,
        .channels = w->format.channels, .samples = w->finished_samples, .model_samples = done ? w->samples : UINT64_MAX,
        .frames = done ? w->frames : UINT64_MAX, .pages = w->pages, .payload_bits = w->payload_bits,
        .bytes = w->bytes, .min_codebooks = w->pages > 0 ? w->min_codebooks : 0, .max_codebooks = w->max_codebooks,
        .plain_bits = w->plain_bits, .adaptive_pages = w->adaptive_pages, .prior_pages = w->prior_pages};
    memcpy(info->model_id, w->format.model_id, LAC_STREAM_ID_SIZE);
}

void lac_writer_close(lac_writer **writer)
{
    if (!writer || !*writer)
        return;
    lac_writer *w = *writer;
    for (uint32_t c = 0; c < LAC_MAX_CHANNELS; c++) {
        lac_encoder_close(&w->encoder[c]);
        lac_decoder_close(&w->tracker[c]);
    }
    lac_workspace_close(&w->memory);
    lac_free(w);
    *writer = NULL;
}
