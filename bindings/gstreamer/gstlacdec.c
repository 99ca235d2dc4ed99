/**
 * SECTION:element-lacdec
 *
 * Payloads of doc/rtp-payload.md to raw audio. Its output has no holes: what is missing is recovered from later
 * payloads, concealed, or filled with comfort noise. */
#include "gstlac.h"

#include <gst/audio/audio.h>

#define MAX_HOLD  1000 /* ms */
#define FAR_AHEAD 1500 /* frames: beyond these a stream begins anew */
#define FAR_BACK  250
#define TOLERANCE (100 * GST_MSECOND)
#define AT_ONCE   (LAC_DEPACKETIZER_FRAMES - LAC_PACKET_MAX_FRAMES)

GST_DEBUG_CATEGORY_STATIC(lacdec_debug);
#define GST_CAT_DEFAULT lacdec_debug

struct _GstLacDec {
    GstAudioDecoder parent;
    char *wanted;                         /* model; this, hold and the counts are guarded by the object lock */
    guint hold;                           /* ms */
    guint64 count[LAC_FRAME_COMFORT + 1]; /* of frames by source */
    guint64 late, malformed;              /* payloads */

    GstLacModel *model;
    lac_decoder *decoder;
    lac_depacketizer *depacketizer;
    uint16_t *tokens; /* [Q] */
    gboolean synced;  /* a payload came; what follows is set */
    gint64 frame;     /* of the last payload, and its timestamps */
    GstClockTime pts;
    guint64 media;
    gboolean has_media;    /* it is from RTP */
    guint frames;          /* in the last payload */
    guint64 heard;         /* up to this frame time has passed */
    GstClockTimeDiff base; /* PTS of the first sample */
    guint64 samples;       /* put out */
    guint skip;            /* samples to drop yet: the decoder's delay */
    guint64 limit;         /* samples of the stream */
};

#define GST_TYPE_LAC_DEC gst_lac_dec_get_type()
G_DECLARE_FINAL_TYPE(GstLacDec, gst_lac_dec, GST, LAC_DEC, GstAudioDecoder)
G_DEFINE_TYPE(GstLacDec, gst_lac_dec, GST_TYPE_AUDIO_DECODER)
GST_ELEMENT_REGISTER_DEFINE(lacdec, "lacdec", GST_RANK_PRIMARY, GST_TYPE_LAC_DEC)

enum { PROP_MODEL = 1, PROP_HOLD, PROP_STATS };

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_LAC_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_LAC_RAW_CAPS("F32LE")));

/* ---- model ---- */

static GstClockTime frame_time(const GstLacDec *self)
{
    return gst_util_uint64_scale(self->model->info.frame_samples, GST_SECOND, GST_LAC_RATE);
}

static void tell_latency(GstLacDec *self)
{
    GstClockTime delay = gst_util_uint64_scale(self->model->info.decoder_delay_samples, GST_SECOND, GST_LAC_RATE);

    GST_OBJECT_LOCK(self);
    delay += self->hold * GST_MSECOND;
    GST_OBJECT_UNLOCK(self);
    gst_audio_decoder_set_latency(GST_AUDIO_DECODER(self), delay, delay);
}

static gboolean stop(GstAudioDecoder *decoder)
{
    GstLacDec *self = GST_LAC_DEC(decoder);

    lac_decoder_close(&self->decoder);
    lac_depacketizer_close(&self->depacketizer);
    gst_lac_model_close(&self->model);
    g_clear_pointer(&self->tokens, g_free);
    self->synced = FALSE;
    return TRUE;
}

static gboolean start(GstAudioDecoder *decoder)
{
    GstLacDec *self = GST_LAC_DEC(decoder);

    GST_OBJECT_LOCK(self);
    self->late = self->malformed = 0;
    for (guint i = 0; i < G_N_ELEMENTS(self->count); i++)
        self->count[i] = 0;
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

/* The model `name` if there is one, else the one with the id, else the default. */
static int find_model(GstLacDec *self, GstLacModel **model, const char *name, const char *id)
{
    int status = id && !name ? gst_lac_model_find(model, id) : gst_lac_model_open(model, name);

    if (status && id && !name) {
        GST_ELEMENT_ERROR(self, STREAM, DECODE,
                          ("The stream needs the model with id %s, which is not built in; name "
                           "its file with lacdec's property 'model'.",
                           id),
                          (NULL));
    } else if (status) {
        GST_ELEMENT_ERROR(
            self, LIBRARY, INIT,
            ("lacdec can't open the model '%s': %s.", name ? name : "(default)", lac_status_string(status)),
            (NULL));
    } else if (id && g_ascii_strcasecmp(id, (*model)->id) != 0) {
        GST_ELEMENT_ERROR(self, STREAM, DECODE,
                          ("The stream needs the model with id %s, but '%s' has id %s.", id, name, (*model)->id),
                          (NULL));
        gst_lac_model_close(model);
        status = LAC_ERROR_MODEL_MISMATCH;
    }
    return status;
}

static gboolean open_model(GstLacDec *self, const char *id)
{
    char *name = NULL;
    int status;

    GST_OBJECT_LOCK(self);
    if (self->wanted && *self->wanted)
        name = g_strdup(self->wanted);
    GST_OBJECT_UNLOCK(self);
    status = find_model(self, &self->model, name, id);
    g_free(name);
    if (status)
        return FALSE;
    status = lac_decoder_open(&self->decoder, self->model->model, NULL);
    if (!status)
        status = lac_depacketizer_open(&self->depacketizer, self->model->model);
    if (status) {
        GST_ELEMENT_ERROR(self, LIBRARY, INIT, ("lacdec can't start: %s.", lac_status_string(status)), (NULL));
        return FALSE;
    }
    self->tokens = g_new(uint16_t, self->model->info.codebooks);
    return TRUE;
}

static gboolean set_format(GstAudioDecoder *decoder, GstCaps *caps)
{
    GstLacDec *self = GST_LAC_DEC(decoder);
    const char *id = gst_structure_get_string(gst_caps_get_structure(caps, 0), "model");
    GstAudioInfo info;

    if (self->model && id && g_ascii_strcasecmp(id, self->model->id) != 0)
        stop(decoder);
    if (!self->model && !open_model(self, id)) {
        stop(decoder);
        return FALSE;
    }
    tell_latency(self);
    gst_audio_decoder_set_plc_aware(decoder, TRUE); /* the base class forgets it with each format */
    gst_audio_info_init(&info);
    gst_audio_info_set_format(&info, GST_AUDIO_FORMAT_F32LE, GST_LAC_RATE, 1, NULL);
    return gst_audio_decoder_set_output_format(decoder, &info);
}

/* ---- output ---- */

static void restart(GstLacDec *self)
{
    self->synced = FALSE;
    if (!self->model)
        return;
    lac_decoder_reset(self->decoder);
    lac_depacketizer_seek(self->depacketizer, 0);
    self->frame = 0;
    self->heard = self->samples = 0;
    self->skip = self->model->info.decoder_delay_samples;
    self->limit = G_MAXUINT64;
}

/* Frames to give now: all that time has passed, but for lost ones that `hold` leaves a chance to be recovered. */
static guint64 frames_due(GstLacDec *self, gboolean all)
{
    guint64 next = lac_depacketizer_next(self->depacketizer), due = next, hold;

    GST_OBJECT_LOCK(self);
    hold = all ? 0 : (self->hold * GST_MSECOND + frame_time(self) - 1) / frame_time(self);
    GST_OBJECT_UNLOCK(self);
    while (due < self->heard &&
           (self->heard - due > hold || lac_depacketizer_peek(self->depacketizer, due) != LAC_FRAME_LOST))
        due++;
    return due - next;
}

static int decode(GstLacDec *self, float *pcm, guint64 frames)
{
    int status = LAC_OK;

    for (guint64 i = 0; i < frames && !status; i++) {
        uint8_t codebooks;
        enum lac_frame_source source = lac_depacketizer_take(self->depacketizer, self->tokens, &codebooks);

        status =
            lac_decoder_read(self->decoder, self->tokens, &codebooks, 1, pcm + i * self->model->info.frame_samples);
        GST_OBJECT_LOCK(self);
        self->count[source]++;
        GST_OBJECT_UNLOCK(self);
    }
    return status;
}

/* Cut what is before the stream's first sample and after its last. NULL if nothing is left. */
static GstBuffer *trim(GstLacDec *self, GstBuffer *buffer, guint64 samples)
{
    guint64 skipped = MIN(self->skip, samples), left = MIN(samples - skipped, self->limit - self->samples);

    self->skip -= (guint)skipped;
    self->samples += left;
    if (left == 0)
        gst_clear_buffer(&buffer);
    else
        gst_buffer_resize(buffer, (gssize)(skipped * sizeof(float)), left * sizeof(float));
    return buffer;
}

/* What is due as one buffer, with the PTS of its first sample set in `input`, from where the base class takes it.
 * input may be NULL, or what was passed in before: then the PTS is where the last buffer ended. */
static GstFlowReturn output(GstLacDec *self, GstBuffer *input, gboolean all)
{
    GstAudioDecoder *decoder = GST_AUDIO_DECODER(self);
    guint64 frames = frames_due(self, all), samples = frames * self->model->info.frame_samples;
    GstClockTimeDiff pts =
        self->base + (GstClockTimeDiff)gst_util_uint64_scale(self->samples, GST_SECOND, GST_LAC_RATE);
    GstBuffer *buffer = NULL;
    GstMapInfo map;

    if (frames > 0) {
        int status;

        buffer = gst_audio_decoder_allocate_output_buffer(decoder, samples * sizeof(float));
        if (!buffer || !gst_buffer_map(buffer, &map, GST_MAP_WRITE)) {
            gst_clear_buffer(&buffer);
            return GST_FLOW_ERROR;
        }
        status = decode(self, (float *)map.data, frames);
        gst_buffer_unmap(buffer, &map);
        if (status) {
            gst_clear_buffer(&buffer);
            GST_ELEMENT_ERROR(self, STREAM, DECODE, ("Decoding failed: %s.", lac_status_string(status)), (NULL));
            return GST_FLOW_ERROR;
        }
        buffer = trim(self, buffer, samples);
    }
    if (input)
        GST_BUFFER_PTS(input) = (GstClockTime)MAX(pts, 0);
    return buffer || input ? gst_audio_decoder_finish_frame(decoder, buffer, -1) : GST_FLOW_OK;
}

/* ---- input ---- */

static gint64 round_quotient(gint64 a, gint64 b)
{
    return (a >= 0 ? a + b / 2 : a - b / 2) / b;
}

static gint64 frame_at(const GstLacDec *self, GstClockTime pts)
{
    return self->frame + round_quotient(GST_CLOCK_DIFF(self->pts, pts), (gint64)frame_time(self));
}

/* Time passes without a payload. What a jitter buffer says of it is a guess: with media time the next payload knows
 * better, so that each event stands for one payload at most. */
static GstFlowReturn handle_gap(GstLacDec *self, GstBuffer *buffer)
{
    if (self->synced && GST_BUFFER_PTS_IS_VALID(buffer) && GST_BUFFER_DURATION_IS_VALID(buffer)) {
        gint64 heard = (gint64)self->heard, most = heard + (self->has_media ? self->frames : FAR_AHEAD);
        gint64 end = frame_at(self, GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer));

        self->heard = (guint64)CLAMP(end, heard, most);
        return output(self, buffer, FALSE);
    }
    return gst_audio_decoder_finish_frame(GST_AUDIO_DECODER(self), NULL, -1);
}

/* Which frame a payload begins with, by its timestamps and those of the one before. A stream that jumps begins
 * anew. */
static gint64 place(GstLacDec *self, GstBuffer *buffer, gint64 after)
{
    GstClockTime pts = GST_BUFFER_PTS(buffer);
    guint64 media = 0;
    gint64 frame = after, next;

    self->has_media = gst_lac_buffer_get_media_time(buffer, &media);
    if (self->synced && self->has_media)
        frame = self->frame + round_quotient((gint64)(media - self->media), self->model->info.frame_samples);
    else if (self->synced && GST_CLOCK_TIME_IS_VALID(pts) && GST_CLOCK_TIME_IS_VALID(self->pts))
        frame = frame_at(self, pts);
    next = self->synced ? (gint64)lac_depacketizer_next(self->depacketizer) : 0;
    if (!self->synced || frame < next - FAR_BACK || frame > (gint64)self->heard + FAR_AHEAD) {
        restart(self);
        self->synced = TRUE;
        self->base = GST_CLOCK_TIME_IS_VALID(pts) ? (GstClockTimeDiff)pts : 0;
        frame = 0;
    }
    self->frame = frame;
    self->media = media;
    self->pts = pts;
    return frame;
}

/* Output is as long as its samples; only if the payloads' timestamps drift away from that by more than the property
 * tolerance of the base class do those of the output jump. */
static void follow_clock(GstLacDec *self)
{
    GstClockTimeDiff tolerance = (GstClockTimeDiff)gst_audio_decoder_get_tolerance(GST_AUDIO_DECODER(self)), base;

    if (!GST_CLOCK_TIME_IS_VALID(self->pts))
        return;
    base = (GstClockTimeDiff)self->pts - self->frame * (GstClockTimeDiff)frame_time(self);
    if (ABS(base - self->base) > tolerance) {
        GST_INFO_OBJECT(self, "timestamps moved by %" GST_STIME_FORMAT, GST_STIME_ARGS(base - self->base));
        self->base = base;
    }
}

static GstFlowReturn refuse(GstLacDec *self, int status)
{
    GST_OBJECT_LOCK(self);
    self->malformed++;
    GST_OBJECT_UNLOCK(self);
    GST_WARNING_OBJECT(self, "dropped a payload: %s", lac_status_string(status));
    return gst_audio_decoder_finish_frame(GST_AUDIO_DECODER(self), NULL, -1);
}

/* Of the stream, if it ends with frame `end` less the last `cut` samples that decoding gives. */
static guint64 samples_until(const GstLacDec *self, gint64 end, guint64 cut)
{
    guint64 samples = (guint64)MAX(end, 0) * self->model->info.frame_samples;
    guint64 dropped = self->model->info.decoder_delay_samples + cut;

    return samples > dropped ? MAX(samples - dropped, self->samples) : self->samples;
}

static GstFlowReturn take_payload(GstLacDec *self, GstBuffer *buffer, const GstMapInfo *map)
{
    GstAudioClippingMeta *clip = gst_buffer_get_audio_clipping_meta(buffer);
    const lac_model_info *info = &self->model->info;
    lac_packet_info packet;
    uint32_t fresh = 0;
    gint64 frame, end;
    int status = lac_packet_parse(map->data, map->size, info->token_bits, &packet);

    if (status)
        return refuse(self, status);
    frame = place(self, buffer, (gint64)self->heard);
    end = frame + packet.frames;
    self->frames = packet.frames;
    if (frame >= (gint64)lac_depacketizer_next(self->depacketizer) + AT_ONCE) {
        GstFlowReturn flow;

        self->heard = (guint64)frame;
        flow = output(self, buffer, TRUE);
        if (flow != GST_FLOW_OK)
            return flow;
    }
    if (frame >= 0)
        status = lac_depacketizer_put(self->depacketizer, (guint64)frame, map->data, map->size, &fresh);
    if (status)
        return refuse(self, status);
    if (fresh == 0) {
        GST_OBJECT_LOCK(self);
        self->late++;
        GST_OBJECT_UNLOCK(self);
    }
    if (end > (gint64)self->heard)
        self->heard = (guint64)end;
    if (clip && clip->format == GST_FORMAT_DEFAULT)
        self->limit = samples_until(self, end, clip->end);
    follow_clock(self);
    return output(self, buffer, FALSE);
}

static GstFlowReturn handle_frame(GstAudioDecoder *decoder, GstBuffer *buffer)
{
    GstLacDec *self = GST_LAC_DEC(decoder);
    GstFlowReturn flow;
    GstMapInfo map;

    if (!buffer)
        return GST_FLOW_OK; /* a discontinuity; sink_event knows of ends */
    if (!self->model)
        return gst_audio_decoder_finish_frame(decoder, NULL, -1);
    if (gst_buffer_get_size(buffer) == 0)
        return handle_gap(self, buffer);
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        return GST_FLOW_ERROR;
    gst_buffer_ref(buffer);
    flow = take_payload(self, buffer, &map);
    gst_buffer_unmap(buffer, &map);
    gst_buffer_unref(buffer);
    return flow;
}

static gboolean sink_event(GstAudioDecoder *decoder, GstEvent *event)
{
    GstLacDec *self = GST_LAC_DEC(decoder);
    GstEventType type = GST_EVENT_TYPE(event);

    if (type == GST_EVENT_EOS || type == GST_EVENT_SEGMENT || type == GST_EVENT_SEGMENT_DONE) {
        GST_AUDIO_DECODER_STREAM_LOCK(self);
        if (self->synced)
            output(self, NULL, TRUE);
        GST_AUDIO_DECODER_STREAM_UNLOCK(self);
    }
    if (type == GST_EVENT_SEGMENT || type == GST_EVENT_FLUSH_STOP) {
        GST_AUDIO_DECODER_STREAM_LOCK(self);
        restart(self);
        GST_AUDIO_DECODER_STREAM_UNLOCK(self);
    }
    return GST_AUDIO_DECODER_CLASS(gst_lac_dec_parent_class)->sink_event(decoder, event);
}

/* Clipping and media time are of the payload. */
static gboolean transform_meta(GstAudioDecoder *decoder, GstBuffer *out, GstMeta *meta, GstBuffer *in)
{
    if (meta->info->api == GST_AUDIO_CLIPPING_META_API_TYPE ||
        meta->info->api == GST_REFERENCE_TIMESTAMP_META_API_TYPE)
        return FALSE;
    return GST_AUDIO_DECODER_CLASS(gst_lac_dec_parent_class)->transform_meta(decoder, out, meta, in);
}

/* ---- properties ---- */

static GstStructure *statistics(GstLacDec *self)
{
    guint64 frames = 0;

    for (guint i = 0; i < G_N_ELEMENTS(self->count); i++)
        frames += self->count[i];
    return gst_structure_new("application/x-lac-decoder-stats", "frames", G_TYPE_UINT64, frames, "received",
                             G_TYPE_UINT64, self->count[LAC_FRAME_RECEIVED], "recovered", G_TYPE_UINT64,
                             self->count[LAC_FRAME_RECOVERED], "concealed", G_TYPE_UINT64,
                             self->count[LAC_FRAME_LOST], "comfort", G_TYPE_UINT64, self->count[LAC_FRAME_COMFORT],
                             "late", G_TYPE_UINT64, self->late, "malformed", G_TYPE_UINT64, self->malformed, NULL);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    GstLacDec *self = GST_LAC_DEC(object);

    switch (id) {
    case PROP_MODEL:
        GST_OBJECT_LOCK(self);
        g_free(self->wanted);
        self->wanted = g_value_dup_string(value);
        GST_OBJECT_UNLOCK(self);
        break;
    case PROP_HOLD:
        GST_AUDIO_DECODER_STREAM_LOCK(self);
        GST_OBJECT_LOCK(self);
        self->hold = g_value_get_uint(value);
        GST_OBJECT_UNLOCK(self);
        if (self->model)
            tell_latency(self);
        GST_AUDIO_DECODER_STREAM_UNLOCK(self);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    GstLacDec *self = GST_LAC_DEC(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MODEL:
        g_value_set_string(value, self->wanted);
        break;
    case PROP_HOLD:
        g_value_set_uint(value, self->hold);
        break;
    case PROP_STATS:
        g_value_take_boxed(value, statistics(self));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void finalize(GObject *object)
{
    g_free(GST_LAC_DEC(object)->wanted);
    G_OBJECT_CLASS(gst_lac_dec_parent_class)->finalize(object);
}

static void install_properties(GObjectClass *class)
{
    g_object_class_install_property(
        class, PROP_MODEL,
        g_param_spec_string("model", "Model",
                            "Name or path of the model; empty: the built-in one that the caps name", NULL,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        class, PROP_HOLD,
        g_param_spec_uint("hold", "Hold",
                          "Milliseconds that a missing frame waits for the redundancy of later "
                          "payloads before it is concealed; part of the latency",
                          0, MAX_HOLD, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
    g_object_class_install_property(
        class, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics",
                           "Frames put out: all, received, recovered from redundancy, "
                           "concealed, of comfort noise; payloads that were late or malformed",
                           GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void gst_lac_dec_class_init(GstLacDecClass *class)
{
    GObjectClass *object = G_OBJECT_CLASS(class);
    GstElementClass *element = GST_ELEMENT_CLASS(class);
    GstAudioDecoderClass *decoder = GST_AUDIO_DECODER_CLASS(class);

    GST_DEBUG_CATEGORY_INIT(lacdec_debug, "lacdec", 0, "Lac decoder");
    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    install_properties(object);
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(element, "Lac audio decoder", "Codec/Decoder/Audio",
                                          "Decodes Lac; recovers lost payloads from the redundancy of later ones, "
                                          "conceals the rest, makes comfort noise",
                                          "The Lac authors");
    decoder->start = start;
    decoder->stop = stop;
    decoder->set_format = set_format;
    decoder->handle_frame = handle_frame;
    decoder->sink_event = sink_event;
    decoder->transform_meta = transform_meta;
}

static void gst_lac_dec_init(GstLacDec *self)
{
    GstAudioDecoder *decoder = GST_AUDIO_DECODER(self);

    gst_audio_decoder_set_needs_format(decoder, TRUE);
    gst_audio_decoder_set_plc(decoder, TRUE);
    gst_audio_decoder_set_tolerance(decoder, TOLERANCE);
    gst_audio_decoder_set_use_default_pad_acceptcaps(decoder, TRUE);
    GST_PAD_SET_ACCEPT_TEMPLATE(GST_AUDIO_DECODER_SINK_PAD(self));
}
