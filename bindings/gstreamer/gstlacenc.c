/**
 * SECTION:element-lacenc
 *
 * Raw audio to payloads of doc/rtp-payload.md, one a buffer. */
#include "gstlac.h"

#include <gst/audio/audio.h>
#include <string.h>

#define DEFAULT_BITRATE 3000
#define DEFAULT_BEAM    4 /* that of lac send */
#define MAX_FRAMES      4 /* that one call of the encoder gives: one, and what flush adds */

GST_DEBUG_CATEGORY_STATIC(lacenc_debug);
#define GST_CAT_DEFAULT lacenc_debug

/* What the properties say. */
typedef struct settings {
    char *model;
    guint codebooks, beam, bitrate, frames, layer, redundancy, redundancy_packets, comfort_interval;
    gboolean dtx, coded;
} settings;

struct _GstLacEnc {
    GstAudioEncoder parent;
    settings wanted; /* guarded by the object lock */
    gboolean changed;

    GstLacModel *model;
    lac_encoder *encoder;
    lac_packetizer *packetizer;
    lac_activity *activity;
    GstAudioFormat format;
    gboolean dtx;
    int active; /* of the last frame */
    guint codebooks;
    guint64 samples;       /* taken since the stream's start */
    guint64 sent;          /* frames that buffers or silence stand for */
    GstClockTime position; /* where the last buffer or silence ended */
    float *pcm;            /* [frame_samples] */
    uint16_t *tokens;      /* [MAX_FRAMES][Q] */
};

#define GST_TYPE_LAC_ENC gst_lac_enc_get_type()
G_DECLARE_FINAL_TYPE(GstLacEnc, gst_lac_enc, GST, LAC_ENC, GstAudioEncoder)
G_DEFINE_TYPE(GstLacEnc, gst_lac_enc, GST_TYPE_AUDIO_ENCODER)
GST_ELEMENT_REGISTER_DEFINE(lacenc, "lacenc", GST_RANK_PRIMARY, GST_TYPE_LAC_ENC)

enum {
    PROP_MODEL = 1,
    PROP_CODEBOOKS,
    PROP_BEAM,
    PROP_BITRATE,
    PROP_FRAMES,
    PROP_LAYER,
    PROP_REDUNDANCY,
    PROP_REDUNDANCY_PACKETS,
    PROP_DTX,
    PROP_CODED,
    PROP_COMFORT_INTERVAL
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_LAC_RAW_CAPS("{ F32LE, S16LE }")));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_LAC_CAPS));

/* ---- settings ---- */

static guint wanted_codebooks(const settings *s, const lac_model_info *info)
{
    guint step = info->token_bits * info->sample_rate / info->frame_samples;
    guint codebooks = s->codebooks ? s->codebooks : (s->bitrate + step / 2) / step;

    return CLAMP(codebooks, 1, info->codebooks);
}

static void plan_packets(lac_packetizer_settings *plan, const settings *s, const GstLacModel *model)
{
    lac_packetizer_default_settings(plan);
    plan->frames = s->frames;
    plan->layer = s->layer;
    plan->dtx = s->dtx;
    plan->coded = s->coded;
    plan->comfort_frames = s->comfort_interval;
    if (s->redundancy > 0)
        lac_packetizer_plan(plan, model->info.token_bits, wanted_codebooks(s, &model->info), s->redundancy_packets,
                            s->redundancy);
}

static void tell_tags(GstLacEnc *self)
{
    const lac_model_info *info = &self->model->info;
    guint bitrate = self->codebooks * info->token_bits * info->sample_rate / info->frame_samples;
    GstTagList *tags = gst_tag_list_new(GST_TAG_AUDIO_CODEC, "Lac", GST_TAG_ENCODER, "liblac", GST_TAG_BITRATE,
                                        bitrate, GST_TAG_NOMINAL_BITRATE, bitrate, NULL);

    gst_audio_encoder_merge_tags(GST_AUDIO_ENCODER(self), tags, GST_TAG_MERGE_REPLACE);
    gst_tag_list_unref(tags);
}

/* Take over what the properties say by now. */
static int apply(GstLacEnc *self)
{
    lac_packetizer_settings plan;
    guint codebooks;
    int status;

    GST_OBJECT_LOCK(self);
    self->changed = FALSE;
    plan_packets(&plan, &self->wanted, self->model);
    codebooks = wanted_codebooks(&self->wanted, &self->model->info);
    GST_OBJECT_UNLOCK(self);
    status = lac_packetizer_set(self->packetizer, &plan);
    if (status)
        return status;
    self->dtx = plan.dtx;
    status = lac_encoder_set_codebooks(self->encoder, codebooks);
    if (!status && codebooks != self->codebooks) {
        self->codebooks = codebooks;
        tell_tags(self);
    }
    return status;
}

static void apply_if_changed(GstLacEnc *self)
{
    gboolean changed;
    int status;

    GST_OBJECT_LOCK(self);
    changed = self->changed;
    GST_OBJECT_UNLOCK(self);
    if (!changed)
        return;
    status = apply(self);
    if (status)
        GST_ELEMENT_WARNING(self, LIBRARY, SETTINGS, ("The new settings of lacenc are not possible together."),
                            ("%s", lac_status_string(status)));
}

/* ---- start, format, stop ---- */

static gboolean stop(GstAudioEncoder *encoder)
{
    GstLacEnc *self = GST_LAC_ENC(encoder);

    lac_encoder_close(&self->encoder);
    lac_packetizer_close(&self->packetizer);
    lac_activity_close(&self->activity);
    gst_lac_model_close(&self->model);
    g_clear_pointer(&self->pcm, g_free);
    g_clear_pointer(&self->tokens, g_free);
    return TRUE;
}

/* As at the stream's start. */
static int restart(GstLacEnc *self)
{
    int status;

    lac_encoder_reset(self->encoder);
    lac_activity_reset(self->activity);
    lac_packetizer_close(&self->packetizer);
    status = lac_packetizer_open(&self->packetizer, self->model->model, NULL);
    self->samples = self->sent = 0;
    self->active = 1;
    self->position = GST_CLOCK_TIME_NONE;
    return status ? status : apply(self);
}

static gboolean start(GstAudioEncoder *encoder)
{
    GstLacEnc *self = GST_LAC_ENC(encoder);
    lac_encoder_settings coding;
    char *name;
    int status;

    lac_encoder_default_settings(&coding);
    GST_OBJECT_LOCK(self);
    name = g_strdup(self->wanted.model);
    coding.beam = self->wanted.beam;
    GST_OBJECT_UNLOCK(self);
    status = gst_lac_model_open(&self->model, name);
    if (!status)
        status = lac_encoder_open(&self->encoder, self->model->model, &coding);
    if (!status)
        status = lac_activity_open(&self->activity, self->model->model);
    if (!status) {
        self->codebooks = 0;
        self->pcm = g_new(float, self->model->info.frame_samples);
        self->tokens = g_new(uint16_t, MAX_FRAMES * self->model->info.codebooks);
        status = restart(self);
    }
    if (status) {
        GST_ELEMENT_ERROR(self, LIBRARY, INIT,
                          ("lacenc can't use the model '%s' with these settings: %s.",
                           name && *name ? name : "(default)", lac_status_string(status)),
                          (NULL));
        stop(encoder);
    }
    g_free(name);
    return !status;
}

static gboolean set_format(GstAudioEncoder *encoder, GstAudioInfo *info)
{
    GstLacEnc *self = GST_LAC_ENC(encoder);
    gint frame = (gint)self->model->info.frame_samples;
    GstCaps *caps = gst_lac_model_caps(self->model);
    GstClockTime latency;
    gboolean done;

    GST_OBJECT_LOCK(self);
    latency = gst_util_uint64_scale(self->wanted.frames * frame, GST_SECOND, GST_LAC_RATE);
    GST_OBJECT_UNLOCK(self);
    self->format = GST_AUDIO_INFO_FORMAT(info);
    gst_audio_encoder_set_frame_samples_min(encoder, frame);
    gst_audio_encoder_set_frame_samples_max(encoder, frame);
    gst_audio_encoder_set_frame_max(encoder, 1);
    gst_audio_encoder_set_latency(encoder, latency, latency);
    done = gst_audio_encoder_set_output_format(encoder, caps);
    gst_caps_unref(caps);
    return done;
}

/* ---- packets ---- */

static GstFlowReturn send_silence(GstLacEnc *self, guint64 frames)
{
    guint64 samples = frames * self->model->info.frame_samples;
    GstFlowReturn flow = gst_audio_encoder_finish_frame(GST_AUDIO_ENCODER(self), NULL, (gint)samples);
    GstClockTime duration = gst_util_uint64_scale(samples, GST_SECOND, GST_LAC_RATE);

    self->sent += frames;
    if (flow != GST_FLOW_OK || !GST_CLOCK_TIME_IS_VALID(self->position))
        return flow;
    gst_pad_push_event(GST_AUDIO_ENCODER_SRC_PAD(self), gst_event_new_gap(self->position, duration));
    self->position += duration;
    return GST_FLOW_OK;
}

/* `last`: the stream ends with it. What the decoder then gives beyond the stream's length is to be cut. */
static GstFlowReturn send_packet(GstLacEnc *self, const lac_packet *packet, gboolean last)
{
    const lac_model_info *info = &self->model->info;
    gsize samples = packet->frames * info->frame_samples;
    GstFlowReturn flow = packet->frame > self->sent ? send_silence(self, packet->frame - self->sent) : GST_FLOW_OK;
    GstBuffer *buffer;

    if (flow != GST_FLOW_OK)
        return flow;
    buffer = gst_buffer_new_memdup(packet->data, packet->size);
    if (packet->marker)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
    self->sent += packet->frames;
    if (last)
        gst_buffer_add_audio_clipping_meta(buffer, GST_FORMAT_DEFAULT, 0,
                                           self->sent * info->frame_samples - info->decoder_delay_samples -
                                               self->samples);
    return gst_audio_encoder_finish_frame(GST_AUDIO_ENCODER(self), buffer, (gint)samples);
}

static GstFlowReturn fail(GstLacEnc *self, int status)
{
    GST_ELEMENT_ERROR(self, STREAM, ENCODE, ("Encoding failed: %s.", lac_status_string(status)), (NULL));
    return GST_FLOW_ERROR;
}

/* `frames` frames of self->tokens; `last`: no more come. */
static GstFlowReturn packetize(GstLacEnc *self, size_t frames, gboolean last)
{
    GstFlowReturn flow = GST_FLOW_OK;
    lac_packet packet;
    int ready;

    for (size_t i = 0; i < frames && flow == GST_FLOW_OK; i++) {
        int status = lac_packetizer_write(self->packetizer, self->tokens + i * self->model->info.codebooks,
                                          self->codebooks, self->active, &packet, &ready);

        if (status)
            return fail(self, status);
        if (ready)
            flow = send_packet(self, &packet, last && i + 1 == frames);
        else if (self->dtx && !self->active)
            flow = send_silence(self, 1);
    }
    if (!last || flow != GST_FLOW_OK)
        return flow;
    lac_packetizer_flush(self->packetizer, &packet, &ready);
    return ready ? send_packet(self, &packet, TRUE) : GST_FLOW_OK;
}

/* ---- input ---- */

static void read_samples(GstLacEnc *self, const GstMapInfo *map, gsize samples)
{
    if (self->format == GST_AUDIO_FORMAT_F32LE) {
        memcpy(self->pcm, map->data, samples * sizeof *self->pcm);
    } else {
        for (gsize i = 0; i < samples; i++)
            self->pcm[i] = (float)(gint16)GST_READ_UINT16_LE(map->data + 2 * i) / 32768.0f;
    }
    memset(self->pcm + samples, 0, (self->model->info.frame_samples - samples) * sizeof *self->pcm);
}

static GstFlowReturn end(GstLacEnc *self)
{
    GstFlowReturn flow = GST_FLOW_OK;
    size_t frames;
    int status = lac_encoder_flush(self->encoder, self->tokens, MAX_FRAMES, &frames);

    if (status)
        return fail(self, status);
    if (self->samples > 0)
        flow = packetize(self, frames, TRUE);
    status = restart(self);
    return status ? fail(self, status) : flow;
}

static GstFlowReturn handle_frame(GstAudioEncoder *encoder, GstBuffer *buffer)
{
    GstLacEnc *self = GST_LAC_ENC(encoder);
    GstMapInfo map;
    size_t frames;
    gsize samples;
    int status;

    if (!buffer)
        return end(self);
    apply_if_changed(self);
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        return fail(self, LAC_ERROR_IO);
    samples = map.size / (self->format == GST_AUDIO_FORMAT_F32LE ? 4 : 2);
    read_samples(self, &map, samples);
    gst_buffer_unmap(buffer, &map);
    self->samples += samples;
    if (self->dtx)
        self->active = lac_activity_frame(self->activity, self->pcm);
    else
        self->active = 1;
    status = lac_encoder_write(self->encoder, self->pcm, samples, self->tokens, MAX_FRAMES, &frames);
    return status ? fail(self, status) : packetize(self, frames, FALSE);
}

static void flush(GstAudioEncoder *encoder)
{
    GstLacEnc *self = GST_LAC_ENC(encoder);

    if (self->model)
        restart(self);
}

static GstFlowReturn pre_push(GstAudioEncoder *encoder, GstBuffer **buffer)
{
    GstLacEnc *self = GST_LAC_ENC(encoder);

    if (GST_BUFFER_PTS_IS_VALID(*buffer))
        self->position = GST_BUFFER_PTS(*buffer) + GST_BUFFER_DURATION(*buffer);
    return GST_FLOW_OK;
}

/* Of the input's samples, not of the payload: nothing goes along. */
static gboolean transform_meta(GstAudioEncoder *encoder, GstBuffer *out, GstMeta *meta, GstBuffer *in)
{
    if (meta->info->api == GST_AUDIO_CLIPPING_META_API_TYPE)
        return FALSE;
    return GST_AUDIO_ENCODER_CLASS(gst_lac_enc_parent_class)->transform_meta(encoder, out, meta, in);
}

/* ---- properties ---- */

static guint *number(GstLacEnc *self, guint id)
{
    switch (id) {
    case PROP_CODEBOOKS:
        return &self->wanted.codebooks;
    case PROP_BEAM:
        return &self->wanted.beam;
    case PROP_BITRATE:
        return &self->wanted.bitrate;
    case PROP_FRAMES:
        return &self->wanted.frames;
    case PROP_LAYER:
        return &self->wanted.layer;
    case PROP_REDUNDANCY:
        return &self->wanted.redundancy;
    case PROP_REDUNDANCY_PACKETS:
        return &self->wanted.redundancy_packets;
    case PROP_COMFORT_INTERVAL:
        return &self->wanted.comfort_interval;
    default:
        return NULL;
    }
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    GstLacEnc *self = GST_LAC_ENC(object);

    GST_OBJECT_LOCK(self);
    if (number(self, id)) {
        *number(self, id) = g_value_get_uint(value);
    } else if (id == PROP_DTX) {
        self->wanted.dtx = g_value_get_boolean(value);
    } else if (id == PROP_CODED) {
        self->wanted.coded = g_value_get_boolean(value);
    } else if (id == PROP_MODEL) {
        g_free(self->wanted.model);
        self->wanted.model = g_value_dup_string(value);
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    self->changed = TRUE;
    GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    GstLacEnc *self = GST_LAC_ENC(object);

    GST_OBJECT_LOCK(self);
    if (number(self, id))
        g_value_set_uint(value, *number(self, id));
    else if (id == PROP_DTX)
        g_value_set_boolean(value, self->wanted.dtx);
    else if (id == PROP_CODED)
        g_value_set_boolean(value, self->wanted.coded);
    else if (id == PROP_MODEL)
        g_value_set_string(value, self->wanted.model);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    GST_OBJECT_UNLOCK(self);
}

/* ---- class ---- */

static void install_number(GObjectClass *class, guint id, const char *name, const char *nick, const char *blurb,
                           guint least, guint most, guint standard, GParamFlags mutable)
{
    g_object_class_install_property(class, id,
                                    g_param_spec_uint(name, nick, blurb, least, most, standard,
                                                      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | mutable));
}

static void install_properties(GObjectClass *class)
{
    g_object_class_install_property(
        class, PROP_MODEL,
        g_param_spec_string("model", "Model", "Name or path of the model; empty: the built-in one", NULL,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    install_number(class, PROP_BITRATE, "bitrate", "Bit rate",
                   "Of the tokens, in bit/s, rounded to whole codebooks", 1, 100000, DEFAULT_BITRATE,
                   GST_PARAM_MUTABLE_PLAYING);
    install_number(class, PROP_CODEBOOKS, "codebooks", "Codebooks", "Tokens a frame; 0: what bitrate gives", 0,
                   LAC_MAX_CODEBOOKS, 0, GST_PARAM_MUTABLE_PLAYING);
    install_number(class, PROP_BEAM, "beam", "Beam", "Choices of tokens followed at once; 1 is fastest", 1,
                   LAC_MAX_BEAM, DEFAULT_BEAM, GST_PARAM_MUTABLE_READY);
    install_number(class, PROP_FRAMES, "frames-per-packet", "Frames per packet", "Frames of 20 ms in each payload",
                   1, LAC_PACKET_MAX_FRAMES, 1, GST_PARAM_MUTABLE_READY);
    install_number(class, PROP_LAYER, "layer", "Layer",
                   "Codebooks of a layer: payloads may be cut after any layer on their way", 1,
                   LAC_PACKET_MAX_LAYER, 2, GST_PARAM_MUTABLE_PLAYING);
    install_number(class, PROP_REDUNDANCY, "redundancy", "Redundancy",
                   "Bytes of each payload for coarser copies of earlier frames", 0, LAC_PACKET_MAX_BYTES, 0,
                   GST_PARAM_MUTABLE_PLAYING);
    install_number(class, PROP_REDUNDANCY_PACKETS, "redundancy-packets", "Redundant packets",
                   "How many earlier packets' frames are copied, at most", 1, LAC_PACKET_MAX_REDUNDANCY, 2,
                   GST_PARAM_MUTABLE_PLAYING);
    g_object_class_install_property(
        class, PROP_DTX,
        g_param_spec_boolean("dtx", "DTX", "Send a description of the noise instead of frames without speech",
                             FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
    g_object_class_install_property(
        class, PROP_CODED,
        g_param_spec_boolean("coded", "Coded",
                             "Code tokens by the model's prior where that is shorter; the receiver must have "
                             "stated it (SDP: prior)",
                             FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
    install_number(class, PROP_COMFORT_INTERVAL, "comfort-interval", "Comfort interval",
                   "Frames from one description of noise to the next", 1, 500, 20, GST_PARAM_MUTABLE_PLAYING);
}

static void finalize(GObject *object)
{
    g_free(GST_LAC_ENC(object)->wanted.model);
    G_OBJECT_CLASS(gst_lac_enc_parent_class)->finalize(object);
}

static void gst_lac_enc_class_init(GstLacEncClass *class)
{
    GObjectClass *object = G_OBJECT_CLASS(class);
    GstElementClass *element = GST_ELEMENT_CLASS(class);
    GstAudioEncoderClass *encoder = GST_AUDIO_ENCODER_CLASS(class);

    GST_DEBUG_CATEGORY_INIT(lacenc_debug, "lacenc", 0, "Lac encoder");
    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    install_properties(object);
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(
        element, "Lac audio encoder", "Codec/Encoder/Audio",
        "Encodes speech at 0.5 to 6 kbit/s with a neural codec; each buffer is a payload for one RTP packet",
        "The Lac authors");
    encoder->start = start;
    encoder->stop = stop;
    encoder->set_format = set_format;
    encoder->handle_frame = handle_frame;
    encoder->flush = flush;
    encoder->pre_push = pre_push;
    encoder->transform_meta = transform_meta;
}

static void gst_lac_enc_init(GstLacEnc *self)
{
    lac_packetizer_settings standard;

    lac_packetizer_default_settings(&standard);
    self->wanted = (settings){.bitrate = DEFAULT_BITRATE, .beam = DEFAULT_BEAM,
                              .frames = standard.frames,
                              .layer = standard.layer,
                              .redundancy_packets = 2,
                              .comfort_interval = standard.comfort_frames};
    GST_PAD_SET_ACCEPT_TEMPLATE(GST_AUDIO_ENCODER_SINK_PAD(self));
}
