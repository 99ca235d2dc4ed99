/**
 * SECTION:element-rtplacdepay
 *
 * RTP packets to payloads for lacdec (doc/rtp-payload.md). */
#include "gstlac.h"

#include <gst/rtp/rtp.h>

GST_DEBUG_CATEGORY_STATIC(rtplacdepay_debug);
#define GST_CAT_DEFAULT rtplacdepay_debug

struct _GstRtpLacDepay {
    GstRTPBaseDepayload parent;
    uint32_t token_bits;
    guint64 media;      /* timestamp of the last packet, extended */
    gboolean malformed; /* one was already */
};

#define GST_TYPE_RTP_LAC_DEPAY gst_rtp_lac_depay_get_type()
G_DECLARE_FINAL_TYPE(GstRtpLacDepay, gst_rtp_lac_depay, GST, RTP_LAC_DEPAY, GstRTPBaseDepayload)
G_DEFINE_TYPE(GstRtpLacDepay, gst_rtp_lac_depay, GST_TYPE_RTP_BASE_DEPAYLOAD)
GST_ELEMENT_REGISTER_DEFINE(rtplacdepay, "rtplacdepay", GST_RANK_PRIMARY, GST_TYPE_RTP_LAC_DEPAY)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("application/x-rtp, media = (string) audio, clock-rate = (int) 24000, "
                                            "encoding-name = (string) LAC"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_LAC_CAPS));

/* A parameter of the session description: a number that stands there as text; in caps written by hand it may be
 * one. */
static gboolean parameter(const GstStructure *s, const char *name, guint64 most, guint64 *value)
{
    const char *text = gst_structure_get_string(s, name);
    gint number;

    if (text)
        return g_ascii_string_to_unsigned(text, 10, 1, most, value, NULL);
    if (!gst_structure_get_int(s, name, &number) || number < 1 || (guint64)number > most)
        return FALSE;
    *value = (guint64)number;
    return TRUE;
}

static gboolean set_caps(GstRTPBaseDepayload *depayload, GstCaps *caps)
{
    GstRtpLacDepay *self = GST_RTP_LAC_DEPAY(depayload);
    const GstStructure *s = gst_caps_get_structure(caps, 0);
    const char *model = gst_structure_get_string(s, "model");
    guint64 token_bits, frame;
    GstCaps *out;
    gboolean done;

    if (!parameter(s, "token-bits", 16, &token_bits) || !parameter(s, "frame", G_MAXINT, &frame)) {
        GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                          ("rtplacdepay needs caps with token-bits and frame, from the SDP's "
                           "fmtp line."),
                          ("%" GST_PTR_FORMAT, (void *)caps));
        return FALSE;
    }
    self->token_bits = (uint32_t)token_bits;
    depayload->clock_rate = GST_LAC_RATE;
    out = gst_caps_new_simple("audio/x-lac", "rate", G_TYPE_INT, GST_LAC_RATE, "channels", G_TYPE_INT, 1,
                              "token-bits", G_TYPE_INT, (gint)token_bits, "frame", G_TYPE_INT, (gint)frame, NULL);
    if (model)
        gst_caps_set_simple(out, "model", G_TYPE_STRING, model, NULL);
    done = gst_pad_set_caps(GST_RTP_BASE_DEPAYLOAD_SRCPAD(depayload), out);
    gst_caps_unref(out);
    return done;
}

static gboolean well_formed(GstRtpLacDepay *self, GstBuffer *payload)
{
    lac_packet_info info;
    GstMapInfo map;
    int status;

    if (!gst_buffer_map(payload, &map, GST_MAP_READ))
        return FALSE;
    status = lac_packet_parse(map.data, map.size, self->token_bits, &info);
    gst_buffer_unmap(payload, &map);
    if (!status)
        return TRUE;
    GST_WARNING_OBJECT(self, "dropped a packet: %s", lac_status_string(status));
    if (!self->malformed)
        GST_ELEMENT_WARNING(self, STREAM, DECODE,
                            ("Packets that are not Lac's are dropped: %s.", lac_status_string(status)), (NULL));
    self->malformed = TRUE;
    return FALSE;
}

static GstBuffer *process(GstRTPBaseDepayload *depayload, GstRTPBuffer *rtp)
{
    GstRtpLacDepay *self = GST_RTP_LAC_DEPAY(depayload);
    GstBuffer *payload = gst_rtp_buffer_get_payload_buffer(rtp);

    if (!payload)
        return NULL;
    if (!well_formed(self, payload)) {
        gst_buffer_unref(payload);
        return NULL;
    }
    payload = gst_buffer_make_writable(payload);
    gst_rtp_buffer_ext_timestamp(&self->media, gst_rtp_buffer_get_timestamp(rtp));
    gst_lac_buffer_set_media_time(payload, self->media);
    if (gst_rtp_buffer_get_marker(rtp))
        GST_BUFFER_FLAG_SET(payload, GST_BUFFER_FLAG_MARKER);
    return payload;
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition)
{
    GstRtpLacDepay *self = GST_RTP_LAC_DEPAY(element);

    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
        self->media = G_MAXUINT64; /* gst_rtp_buffer_ext_timestamp starts anew */
        self->malformed = FALSE;
    }
    return GST_ELEMENT_CLASS(gst_rtp_lac_depay_parent_class)->change_state(element, transition);
}

static void gst_rtp_lac_depay_class_init(GstRtpLacDepayClass *class)
{
    GstElementClass *element = GST_ELEMENT_CLASS(class);
    GstRTPBaseDepayloadClass *depayload = GST_RTP_BASE_DEPAYLOAD_CLASS(class);

    GST_DEBUG_CATEGORY_INIT(rtplacdepay_debug, "rtplacdepay", 0, "Lac RTP depayloader");
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(element, "RTP Lac depayloader", "Codec/Depayloader/Network/RTP",
                                          "Takes payloads for lacdec out of RTP packets and drops malformed ones",
                                          "The Lac authors");
    element->change_state = change_state;
    depayload->set_caps = set_caps;
    depayload->process_rtp_packet = process;
}

static void gst_rtp_lac_depay_init(GstRtpLacDepay *self)
{
    self->media = G_MAXUINT64;
}
