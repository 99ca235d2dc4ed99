#include "lac/batch.h"

#include <stdbool.h>

#include "fmath.h"
#include "parallel.h"
#include "streams.h"
#include "workspace.h"

#define MAX_STREAMS 65536
#define MAX_THREADS 256
#define SLICE 32 /* streams that go through the network together: more would push their rows out of the cache */

/* One thread's own. */
typedef struct slice {
    lac_encoder_net encoder;
    lac_decoder_net decoder;
    lac_encoder_lane **encoders; /* [lanes] */
    size_t *rest;                /* [lanes]: samples of each call that begin the next frame */
    lac_decoder_lane **decoders; /* [lanes] */
} slice;

struct lac_batch {
    lac_workspace memory;
    const lac_model *model;
    lac_batch_settings settings;
    size_t lanes;  /* most streams of a slice */
    slice *slices; /* [threads] */
};

void lac_batch_default_settings(lac_batch_settings *settings)
{
    *settings = (lac_batch_settings){.max_streams = 64, .threads = 1};
}

static void lay_out_slice(slice *s, lac_workspace *w, const lac_model *model, size_t lanes)
{
    s->encoders = lac_workspace_take(w, lanes, sizeof *s->encoders);
    s->rest = lac_workspace_take(w, lanes, sizeof *s->rest);
    s->decoders = lac_workspace_take(w, lanes, sizeof *s->decoders);
    lac_encoder_net_init(&s->encoder, w, model, lanes, 1, 1);
    lac_decoder_net_init(&s->decoder, w, model, lanes, 1, 1);
}

static int lay_out(void *object, lac_workspace *w)
{
    lac_batch *b = object;
    slice measured = {0};
    b->slices = lac_workspace_take(w, b->settings.threads, sizeof *b->slices);
    for (uint32_t i = 0; i < b->settings.threads; i++)
        lay_out_slice(b->slices ? &b->slices[i] : &measured, w, b->model, b->lanes);
    return LAC_OK;
}

int lac_batch_open(lac_batch **batch, const lac_model *model, const lac_batch_settings *settings)
{
    lac_batch draft = {.model = model};
    lac_batch_settings *s = &draft.settings;
    void *opened;
    if (!batch || !model)
        return LAC_ERROR_ARGUMENT;
    lac_batch_default_settings(s);
    if (settings)
        *s = *settings;
    if (s->max_streams < 1 || s->max_streams > MAX_STREAMS || s->threads < 1 || s->threads > MAX_THREADS)
        return LAC_ERROR_ARGUMENT;
    size_t share = (s->max_streams + s->threads - 1) / s->threads;
    draft.lanes = share < SLICE ? share : SLICE;
    int status = lac_object_open(&opened, &draft, sizeof draft, lay_out);
    if (!status)
        *batch = opened;
    return status;
}

void lac_batch_close(lac_batch **batch)
{
    if (!batch)
        return;
    lac_object_close(*batch);
    *batch = NULL;
}

size_t lac_batch_bytes(const lac_batch *batch)
{
    return batch->memory.size;
}

/* A call: `work` runs streams [first, first + count) in a slice. */
typedef struct batch_job {
    const lac_batch *batch;
    void (*work)(const struct batch_job *job, slice *s, size_t first, size_t count);
    lac_encoder *const *encoders;
    const float *const *pcm_in;
    uint16_t *tokens_out;
    lac_decoder *const *decoders;
    const lac_frames *frames;
    float *const *pcm_out;
} batch_job;

static void run_share(void *user, size_t part, size_t first, size_t end)
{
    const batch_job *job = user;
    const lac_batch *b = job->batch;
    for (size_t count; first < end; first += count) {
        count = end - first < b->lanes ? end - first : b->lanes;
        job->work(job, &b->slices[part], first, count);
    }
}

static void run(batch_job job, size_t n)
{
    lac_float_mode mode = lac_float_enter();
    lac_parallel(n, job.batch->settings.threads, run_share, &job);
    lac_float_leave(mode);
}

/* ---- encoders ---- */

static int mark_encoder(const lac_batch *b, lac_encoder *encoder)
{
    lac_encoder_lane *lane = encoder ? lac_encoder_get_lane(encoder) : NULL;
    if (!lane || lane->model != b->model || lane->marked)
        return LAC_ERROR_ARGUMENT;
    if (lane->flushed)
        return LAC_ERROR_STATE;
    lane->marked = true;
    return LAC_OK;
}

/* A mark finds the encoder that is there twice. */
static int check_encoders(const lac_batch *b, lac_encoder *const *encoders, const float *const *pcm, size_t n)
{
    int status = LAC_OK;
    size_t marked = 0;
    while (marked < n && !status) {
        status = pcm[marked] ? mark_encoder(b, encoders[marked]) : LAC_ERROR_ARGUMENT;
        if (!status)
            marked++;
    }
    while (marked > 0)
        lac_encoder_get_lane(encoders[--marked])->marked = false;
    return status;
}

/* An encoder in the middle of a frame completes it and begins the next. */
static void encode_slice(const batch_job *job, slice *s, size_t first, size_t count)
{
    const lac_model *model = job->batch->model;
    const float *const *pcm = job->pcm_in + first;
    for (size_t i = 0; i < count; i++) {
        s->encoders[i] = lac_encoder_get_lane(job->encoders[first + i]);
        s->rest[i] = s->encoders[i]->pending;
        lac_encoder_lane_take(s->encoders[i], pcm[i], LAC_FRAME - s->rest[i]);
    }
    lac_encoder_net_run(&s->encoder, s->encoders, count, 1, job->tokens_out + first * model->arch.codebooks, NULL);
    for (size_t i = 0; i < count; i++)
        lac_encoder_lane_take(s->encoders[i], pcm[i] + LAC_FRAME - s->rest[i], s->rest[i]);
}

int lac_batch_encode(lac_batch *batch, lac_encoder *const *encoders, const float *const *pcm, size_t n,
                     uint16_t *tokens)
{
    if (!batch || n > batch->settings.max_streams || (n > 0 && (!encoders || !pcm || !tokens)))
        return LAC_ERROR_ARGUMENT;
    int status = check_encoders(batch, encoders, pcm, n);
    if (!status)
        run((batch_job){.batch = batch, .work = encode_slice, .encoders = encoders, .pcm_in = pcm,
                        .tokens_out = tokens}, n);
    return status;
}

/* ---- decoders ---- */

static int mark_decoder(const lac_batch *b, lac_decoder *decoder)
{
    lac_decoder_lane *lane = decoder ? lac_decoder_get_lane(decoder) : NULL;
    if (!lane || lane->model != b->model || lane->marked)
        return LAC_ERROR_ARGUMENT;
    lane->marked = true;
    return LAC_OK;
}

static int check_decoders(const lac_batch *b, lac_decoder *const *decoders, float *const *pcm, size_t n)
{
    int status = LAC_OK;
    size_t marked = 0;
    while (marked < n && !status) {
        status = pcm[marked] ? mark_decoder(b, decoders[marked]) : LAC_ERROR_ARGUMENT;
        if (!status)
            marked++;
    }
    while (marked > 0)
        lac_decoder_get_lane(decoders[--marked])->marked = false;
    return status;
}

static void decode_slice(const batch_job *job, slice *s, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        s->decoders[i] = lac_decoder_get_lane(job->decoders[first + i]);
    lac_decoder_net_read(&s->decoder, s->decoders, count, job->frames, first, 1, job->pcm_out + first);
}

int lac_batch_decode(lac_batch *batch, lac_decoder *const *decoders, const uint16_t *tokens, const uint8_t *codebooks,
                     size_t n, float *const *pcm)
{
    lac_frames frames = {.tokens = tokens, .codebooks = codebooks};
    if (!batch || n > batch->settings.max_streams || (n > 0 && (!decoders || !tokens || !codebooks || !pcm)) ||
        !lac_frames_valid(&frames, batch->model, n))
        return LAC_ERROR_ARGUMENT;
    int status = check_decoders(batch, decoders, pcm, n);
    if (!status)
        run((batch_job){.batch = batch, .work = decode_slice, .decoders = decoders, .frames = &frames,
                        .pcm_out = pcm}, n);
    return status;
}
