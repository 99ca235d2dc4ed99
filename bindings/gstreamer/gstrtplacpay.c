/**
 * SECTION:element-rtplacpay
 *
 * Payloads of lacenc to RTP packets, one to one (doc/rtp-payload.md). */
#include "gstlac.h"

#include <gst/rtp/rtp.h>

GST_DEBUG_CATEGORY_STATIC(rtplacpay_debug);
#define GST_CAT_DEFAULT rtplacpay_debug

struct _GstRtpLacPay {
    GstRTPBasePayload parent;
    uint32_t token_bits;
};

#define GST_TYPE_RTP_LAC_PAY gst_rtp_lac_pay_get_type()
G_DECLARE_FINAL_TYPE(GstRtpLacPay, gst_rtp_lac_pay, GST, RTP_LAC_PAY, GstRTPBasePayload)
G_DEFINE_TYPE(GstRtpLacPay, gst_rtp_lac_pay, GST_TYPE_RTP_BASE_PAYLOAD)
GST_ELEMENT_REGISTER_DEFINE(rtplacpay, "rtplacpay", GST_RANK_PRIMARY, GST_TYPE_RTP_LAC_PAY)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_LAC_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(
        "application/x-rtp, media = (string) audio, payload = (int) [ 96, 127 ], clock-rate = (int) 24000, "
        "encoding-name = (string) LAC"));

static gboolean set_caps(GstRTPBasePayload *payload, GstCaps *caps)
{
    GstRtpLacPay *self = GST_RTP_LAC_PAY(payload);
    const GstStructure *s = gst_caps_get_structure(caps, 0);
    const char *model = gst_structure_get_string(s, "model");
    char bits[16], samples[16];
    gint token_bits, frame;

    if (!model || !gst_structure_get_int(s, "token-bits", &token_bits) ||
        !gst_structure_get_int(s, "frame", &frame)) {
        GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                          ("rtplacpay needs caps with model, token-bits and frame, as lacenc "
                           "makes them."),
                          ("%" GST_PTR_FORMAT, (void *)caps));
        return FALSE;
    }
    self->token_bits = (uint32_t)token_bits;
    g_snprintf(bits, sizeof bits, "%d", token_bits);
    g_snprintf(samples, sizeof samples, "%d", frame);
    gst_rtp_base_payload_set_options(payload, "audio", TRUE, "LAC", GST_LAC_RATE);
    return gst_rtp_base_payload_set_outcaps(payload, "model", G_TYPE_STRING, model, "token-bits", G_TYPE_STRING,
                                            bits, "frame", G_TYPE_STRING, samples, NULL);
}

/* Bytes of the payload that fit the MTU: layers that don't are left out, as a router may do too. */
static gsize bytes_to_send(GstRtpLacPay *self, GstBuffer *buffer)
{
    gsize room = GST_RTP_BASE_PAYLOAD_MTU(self), header = gst_rtp_buffer_calc_header_len(0);
    size_t kept = gst_buffer_get_size(buffer);
    GstMapInfo map;
    int status = LAC_OK;

    room = room > header ? room - header : 0;
    if (kept <= room)
        return kept;
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        return 0;
    status = lac_packet_cut(map.data, map.size, self->token_bits, room, &kept);
    gst_buffer_unmap(buffer, &map);
    return status ? 0 : kept;
}

static GstFlowReturn handle_buffer(GstRTPBasePayload *payload, GstBuffer *buffer)
{
    GstRtpLacPay *self = GST_RTP_LAC_PAY(payload);
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    gsize bytes = bytes_to_send(self, buffer);
    GstBuffer *out;

    if (bytes == 0) {
        GST_ELEMENT_ERROR(self, STREAM, MUX,
                          ("A payload can't be cut to the MTU of %u bytes.", GST_RTP_BASE_PAYLOAD_MTU(self)),
                          (NULL));
        gst_buffer_unref(buffer);
        return GST_FLOW_ERROR;
    }
    out = gst_rtp_base_payload_allocate_output_buffer(payload, 0, 0, 0);
    gst_rtp_buffer_map(out, GST_MAP_WRITE, &rtp);
    gst_rtp_buffer_set_marker(&rtp, GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_MARKER));
    gst_rtp_buffer_unmap(&rtp);
    GST_BUFFER_PTS(out) = GST_BUFFER_PTS(buffer);
    GST_BUFFER_DURATION(out) = GST_BUFFER_DURATION(buffer);
    out = gst_buffer_append(out, gst_buffer_copy_region(buffer, GST_BUFFER_COPY_MEMORY, 0, bytes));
    gst_buffer_unref(buffer);
    return gst_rtp_base_payload_push(payload, out);
}

static void gst_rtp_lac_pay_class_init(GstRtpLacPayClass *class)
{
    GstElementClass *element = GST_ELEMENT_CLASS(class);
    GstRTPBasePayloadClass *payload = GST_RTP_BASE_PAYLOAD_CLASS(class);

    GST_DEBUG_CATEGORY_INIT(rtplacpay_debug, "rtplacpay", 0, "Lac RTP payloader");
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(
        element, "RTP Lac payloader", "Codec/Payloader/Network/RTP",
        "Puts each payload of lacenc into an RTP packet; cuts its upper layers if "
        "the MTU is smaller",
        "The Lac authors");
    payload->set_caps = set_caps;
    payload->handle_buffer = handle_buffer;
}

static void gst_rtp_lac_pay_init(GstRtpLacPay *self)
{
    GST_RTP_BASE_PAYLOAD_PT(self) = 96;
}
