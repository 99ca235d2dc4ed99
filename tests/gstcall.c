/* A call between two webrtcbins in one process, for gst.sh: offer, answer, ICE, DTLS-SRTP, Lac.
 *
 *     gstcall SAMPLES SOURCE...    until SAMPLES samples came out of lacdec; exit 1 if there is an error before
 *
 * It prints the answer's lines about Lac and the statistics of lacdec. */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct call {
    GMainLoop *loop;
    GstElement *pipeline, *a, *b, *decoder;
    guint64 wanted, samples; /* samples is written by the streaming thread of b's output alone */
    int status;
} call;

static void end(call *c, int status)
{
    c->status = status;
    g_main_loop_quit(c->loop);
}

/* ---- signalling ---- */

static void describe(GstElement *peer, const char *what, gpointer description)
{
    g_signal_emit_by_name(peer, what, description, NULL);
}

/* What "offer" or "answer" of a promise's reply tells. */
static gpointer description_of(GstPromise *promise, const char *name)
{
    const GValue *value = gst_structure_get_value(gst_promise_get_reply(promise), name);

    return value ? g_value_get_boxed(value) : NULL;
}

static void answered(GstPromise *promise, gpointer data)
{
    call *c = data;
    gpointer answer = description_of(promise, "answer");

    if (answer) {
        describe(c->b, "set-local-description", answer);
        describe(c->a, "set-remote-description", answer);
    }
    gst_promise_unref(promise);
}

static void offer_taken(GstPromise *promise, gpointer data)
{
    call *c = data;

    gst_promise_unref(promise);
    g_signal_emit_by_name(c->b, "create-answer", NULL, gst_promise_new_with_change_func(answered, c, NULL));
}

static void offered(GstPromise *promise, gpointer data)
{
    call *c = data;
    gpointer offer = description_of(promise, "offer");

    if (offer) {
        describe(c->a, "set-local-description", offer);
        g_signal_emit_by_name(c->b, "set-remote-description", offer,
                              gst_promise_new_with_change_func(offer_taken, c, NULL));
    }
    gst_promise_unref(promise);
}

static void negotiation_needed(GstElement *a, gpointer data)
{
    g_signal_emit_by_name(a, "create-offer", NULL, gst_promise_new_with_change_func(offered, data, NULL));
}

static void candidate_found(GstElement *from, guint line, char *candidate, gpointer data)
{
    call *c = data;

    g_signal_emit_by_name(from == c->a ? c->b : c->a, "add-ice-candidate", line, candidate);
}

/* ---- media ---- */

static GstPadProbeReturn count(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    call *c = data;

    (void)pad;
    c->samples += gst_buffer_get_size(GST_PAD_PROBE_INFO_BUFFER(info)) / sizeof(float);
    if (c->samples >= c->wanted)
        end(c, 0);
    return GST_PAD_PROBE_OK;
}

static void media_came(GstElement *b, GstPad *pad, gpointer data)
{
    call *c = data;
    GstElement *bin =
        gst_parse_bin_from_description("rtplacdepay ! lacdec name=decoder ! fakesink name=sink", TRUE, NULL);
    GstElement *sink = gst_bin_get_by_name(GST_BIN(bin), "sink");
    GstPad *in = gst_element_get_static_pad(bin, "sink"), *out = gst_element_get_static_pad(sink, "sink");

    (void)b;
    c->decoder = gst_bin_get_by_name(GST_BIN(bin), "decoder");
    gst_pad_add_probe(out, GST_PAD_PROBE_TYPE_BUFFER, count, c, NULL);
    gst_bin_add(GST_BIN(c->pipeline), bin);
    gst_element_sync_state_with_parent(bin);
    gst_pad_link(pad, in);
    gst_object_unref(in);
    gst_object_unref(out);
    gst_object_unref(sink);
}

static gboolean hear(GstBus *bus, GstMessage *message, gpointer data)
{
    GError *error;

    (void)bus;
    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR)
        return TRUE;
    gst_message_parse_error(message, &error, NULL);
    fprintf(stderr, "%s: %s\n", GST_MESSAGE_SRC_NAME(message), error->message);
    g_error_free(error);
    end(data, 1);
    return TRUE;
}

/* ---- main ---- */

static void tell(const call *c)
{
    GstStructure *stats;
    char *text;

    printf("samples=%" G_GUINT64_FORMAT "\n", c->samples);
    if (!c->decoder)
        return;
    g_object_get(c->decoder, "stats", &stats, NULL);
    text = gst_structure_to_string(stats);
    printf("%s\n", text);
    g_free(text);
    gst_structure_free(stats);
}

static int run(call *c)
{
    GstBus *bus = gst_element_get_bus(c->pipeline);
    guint watch = gst_bus_add_watch(bus, hear, c);

    g_signal_connect(c->a, "on-negotiation-needed", G_CALLBACK(negotiation_needed), c);
    g_signal_connect(c->a, "on-ice-candidate", G_CALLBACK(candidate_found), c);
    g_signal_connect(c->b, "on-ice-candidate", G_CALLBACK(candidate_found), c);
    g_signal_connect(c->b, "pad-added", G_CALLBACK(media_came), c);
    gst_element_set_state(c->pipeline, GST_STATE_PLAYING);
    g_main_loop_run(c->loop);
    tell(c);
    gst_element_set_state(c->pipeline, GST_STATE_NULL);
    g_source_remove(watch);
    gst_object_unref(bus);
    return c->status;
}

int main(int argc, char **argv)
{
    call c = {.loop = NULL};
    GError *error = NULL;
    char *source, *text;

    if (argc < 3)
        return 2;
    gst_init(NULL, NULL);
    source = g_strjoinv(" ", argv + 2);
    text = g_strdup_printf("%s ! rtplacpay ! webrtcbin name=a bundle-policy=max-bundle webrtcbin name=b "
                           "bundle-policy=max-bundle",
                           source);
    c.wanted = strtoull(argv[1], NULL, 10);
    c.pipeline = gst_parse_launch(text, &error);
    g_free(text);
    g_free(source);
    if (!c.pipeline || error) {
        fprintf(stderr, "gstcall: %s\n", error->message);
        return 1;
    }
    c.a = gst_bin_get_by_name(GST_BIN(c.pipeline), "a");
    c.b = gst_bin_get_by_name(GST_BIN(c.pipeline), "b");
    c.loop = g_main_loop_new(NULL, FALSE);
    c.status = run(&c);
    g_clear_object(&c.decoder);
    gst_object_unref(c.a);
    gst_object_unref(c.b);
    gst_object_unref(c.pipeline);
    g_main_loop_unref(c.loop);
    gst_deinit();
    return c.status;
}
