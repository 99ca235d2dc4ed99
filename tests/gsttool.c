/* Runs GStreamer pipelines for gst.sh, where gst-launch-1.0 tells too little.
 *
 *     gsttool run PIPELINE...            until the element named "out" has the end of the stream
 *     gsttool seek PIPELINE...           from half a second on, after a flushing seek
 *     gsttool cycle PIPELINE...          after it went through all states, three times
 *     gsttool rate PIPELINE...           with the bitrate of the element "enc" raised from 500 to 6000 on the way
 *     gsttool lose PIPELINE...           without buffers 2, 3, 10, 11, 18, 19, ... of the element "net"
 *     gsttool guess PIPELINE...          as lose, with events that tell of gaps of half a second each
 *     gsttool outage PIPELINE...         without buffers 50 to 349 of the element "net"
 *     gsttool reference CODEBOOKS IN OUT what lacenc and lacdec give, by the library alone; raw F32LE files
 *
 * Each prints what came to "out" (samples of F32LE mono, breaks in timestamps, the first timestamp in ms, sizes of
 * the first and last buffer, caps), the latency of all before it in ms, and the statistics of every lacdec. */
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

#include "lac/lac.h"

/* ---- what arrives ---- */

typedef struct arrivals {
    guint64 samples, breaks, bytes_first, bytes_last;
    GstClockTime first, end;
    GstElement *pipeline;
} arrivals;

static void forget(arrivals *a)
{
    *a = (arrivals){.first = GST_CLOCK_TIME_NONE, .pipeline = a->pipeline};
}

static void count_buffer(arrivals *a, GstBuffer *buffer)
{
    gsize bytes = gst_buffer_get_size(buffer);

    if (!GST_CLOCK_TIME_IS_VALID(a->first)) {
        a->first = GST_BUFFER_PTS(buffer);
        a->bytes_first = bytes;
    } else if (ABS(GST_CLOCK_DIFF(a->end, GST_BUFFER_PTS(buffer))) > 1) {
        a->breaks++;
    }
    a->samples += bytes / sizeof(float);
    a->bytes_last = bytes;
    a->end = GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer);
}

static void watch_event(arrivals *a, GstEventType type)
{
    if (type == GST_EVENT_FLUSH_STOP || type == GST_EVENT_STREAM_START)
        forget(a);
    else if (type == GST_EVENT_EOS)
        gst_element_post_message(
            a->pipeline, gst_message_new_application(GST_OBJECT(a->pipeline), gst_structure_new_empty("end")));
}

static GstPadProbeReturn watch(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    (void)pad;
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
        count_buffer(data, GST_PAD_PROBE_INFO_BUFFER(info));
    else
        watch_event(data, GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)));
    return GST_PAD_PROBE_OK;
}

static GstPad *find_pad(GstElement *pipeline, const char *element, const char *pad)
{
    GstElement *found = gst_bin_get_by_name(GST_BIN(pipeline), element);
    GstPad *result = gst_element_get_static_pad(found, pad);

    gst_object_unref(found);
    return result;
}

static void add_probe(GstElement *pipeline, const char *element, const char *pad, GstPadProbeType type,
                      GstPadProbeCallback callback, gpointer data)
{
    GstPad *found = find_pad(pipeline, element, pad);

    gst_pad_add_probe(found, type, callback, data, NULL);
    gst_object_unref(found);
}

/* ---- running ---- */

static void tell_trouble(GstMessage *message)
{
    GError *error = NULL;

    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, NULL);
    else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING)
        gst_message_parse_warning(message, &error, NULL);
    if (error)
        fprintf(stderr, "%s: %s\n", GST_MESSAGE_SRC_NAME(message), error->message);
    g_clear_error(&error);
}

/* 0 at the end of the stream, 1 after an error. */
static int wait_for_end(GstElement *pipeline)
{
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessageType type = GST_MESSAGE_WARNING;

    while (type == GST_MESSAGE_WARNING) {
        GstMessage *message = gst_bus_timed_pop_filtered(
            bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_APPLICATION | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);

        tell_trouble(message);
        type = GST_MESSAGE_TYPE(message);
        gst_message_unref(message);
    }
    gst_object_unref(bus);
    return type == GST_MESSAGE_ERROR;
}

static void drop_messages(GstElement *pipeline)
{
    GstBus *bus = gst_element_get_bus(pipeline);

    gst_bus_set_flushing(bus, TRUE);
    gst_bus_set_flushing(bus, FALSE);
    gst_object_unref(bus);
}

static int reach(GstElement *pipeline, GstState state)
{
    gst_element_set_state(pipeline, state);
    return gst_element_get_state(pipeline, NULL, NULL, 30 * GST_SECOND) == GST_STATE_CHANGE_FAILURE;
}

static int cycle(GstElement *pipeline)
{
    int failed = 0;

    for (int i = 0; i < 3 && !failed; i++) {
        failed = reach(pipeline, GST_STATE_READY) || reach(pipeline, GST_STATE_PAUSED) ||
                 reach(pipeline, GST_STATE_PLAYING) || reach(pipeline, GST_STATE_PAUSED) ||
                 reach(pipeline, GST_STATE_READY) || reach(pipeline, GST_STATE_NULL);
        drop_messages(pipeline);
    }
    return failed;
}

static int seek(GstElement *pipeline)
{
    return reach(pipeline, GST_STATE_PAUSED) ||
           !gst_element_seek_simple(pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
                                    GST_SECOND / 2);
}

static GstPadProbeReturn raise_rate(GstPad *pad, GstPadProbeInfo *info, gpointer encoder)
{
    (void)pad;
    if (GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)) > GST_SECOND)
        g_object_set(encoder, "bitrate", 6000, NULL);
    return GST_PAD_PROBE_OK;
}

static int prepare_rate(GstElement *pipeline)
{
    GstElement *encoder = gst_bin_get_by_name(GST_BIN(pipeline), "enc");

    g_object_set(encoder, "bitrate", 500, NULL);
    add_probe(pipeline, "enc", "sink", GST_PAD_PROBE_TYPE_BUFFER, raise_rate, encoder);
    gst_object_unref(encoder);
    return 0;
}

static gboolean lost(void)
{
    static unsigned count;
    unsigned i = count++ % 8;

    return i == 2 || i == 3;
}

static GstPadProbeReturn lose(GstPad *pad, GstPadProbeInfo *info, gpointer guess)
{
    if (!lost())
        return GST_PAD_PROBE_OK;
    if (guess)
        gst_pad_push_event(pad, gst_event_new_gap(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)), GST_SECOND / 2));
    return GST_PAD_PROBE_DROP;
}

static int prepare_loss(GstElement *pipeline)
{
    add_probe(pipeline, "net", "src", GST_PAD_PROBE_TYPE_BUFFER, lose, NULL);
    return 0;
}

static GstPadProbeReturn cut_off(GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
    static unsigned count;
    unsigned i = count++;

    (void)pad, (void)info, (void)unused;
    return i >= 50 && i < 350 ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

static int prepare_outage(GstElement *pipeline)
{
    add_probe(pipeline, "net", "src", GST_PAD_PROBE_TYPE_BUFFER, cut_off, NULL);
    return 0;
}

static int prepare_guess(GstElement *pipeline)
{
    add_probe(pipeline, "net", "src", GST_PAD_PROBE_TYPE_BUFFER, lose, pipeline);
    return 0;
}

/* ---- what to tell ---- */

static void tell_stats(const GValue *item, gpointer unused)
{
    GstElement *decoder = g_value_get_object(item);
    GstStructure *stats;
    char *text;

    (void)unused;
    g_object_get(decoder, "stats", &stats, NULL);
    text = gst_structure_to_string(stats);
    printf("%s\n", text);
    g_free(text);
    gst_structure_free(stats);
}

static void tell_caps_and_latency(GstElement *pipeline)
{
    GstPad *pad = find_pad(pipeline, "out", "sink");
    GstCaps *caps = gst_pad_get_current_caps(pad);
    char *text = caps ? gst_caps_to_string(caps) : g_strdup("");
    GstQuery *query = gst_query_new_latency();
    GstClockTime least = 0;

    if (gst_pad_peer_query(pad, query))
        gst_query_parse_latency(query, NULL, &least, NULL);
    printf("caps=%s\nlatency=%u\n", text, (unsigned)(least / GST_MSECOND));
    g_free(text);
    gst_clear_caps(&caps);
    gst_query_unref(query);
    gst_object_unref(pad);
}

static void tell(GstElement *pipeline, const arrivals *a)
{
    GstIterator *decoders = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "lacdec");

    printf("samples=%" G_GUINT64_FORMAT " breaks=%" G_GUINT64_FORMAT " first=%d bytes=%" G_GUINT64_FORMAT
           "-%" G_GUINT64_FORMAT "\n",
           a->samples, a->breaks, GST_CLOCK_TIME_IS_VALID(a->first) ? (int)(a->first / GST_MSECOND) : -1,
           a->bytes_first, a->bytes_last);
    tell_caps_and_latency(pipeline);
    gst_iterator_foreach(decoders, tell_stats, NULL);
    gst_iterator_free(decoders);
}

static int run(const char *how, char **words)
{
    static const struct {
        const char *name;
        int (*prepare)(GstElement *pipeline);
    } ways[] = {{"run", NULL},          {"seek", seek},         {"cycle", cycle},
                {"rate", prepare_rate}, {"lose", prepare_loss}, {"guess", prepare_guess},
                {"outage", prepare_outage}};
    GError *error = NULL;
    char *text = g_strjoinv(" ", words);
    GstElement *pipeline = gst_parse_launch(text, &error);
    arrivals a;
    int status = pipeline && !error ? 0 : 1;

    g_free(text);
    if (status) {
        fprintf(stderr, "gsttool: %s\n", error->message);
        g_clear_error(&error);
        g_clear_pointer(&pipeline, gst_object_unref);
        return status;
    }
    a.pipeline = pipeline;
    forget(&a);
    add_probe(pipeline, "out", "sink",
              GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_FLUSH | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
              watch, &a);
    for (size_t i = 0; i < G_N_ELEMENTS(ways) && !status; i++)
        if (ways[i].prepare && strcmp(ways[i].name, how) == 0)
            status = ways[i].prepare(pipeline);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    status |= wait_for_end(pipeline);
    tell(pipeline, &a);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    return status;
}

/* ---- the reference ---- */

static int decode(lac_decoder *decoder, const lac_model_info *info, const uint16_t *tokens, size_t frames,
                  uint8_t codebooks, size_t wanted, FILE *out)
{
    float *pcm = g_new(float, info->frame_samples);
    size_t skip = info->decoder_delay_samples;

    for (size_t i = 0; i < frames; i++) {
        size_t n;

        lac_decoder_read(decoder, tokens + i * info->codebooks, &codebooks, 1, pcm);
        n = MIN(info->frame_samples - skip, wanted);
        fwrite(pcm + skip, sizeof *pcm, n, out);
        wanted -= n;
        skip = 0;
    }
    g_free(pcm);
    return 0;
}

static int reference(unsigned codebooks, const char *in, const char *out)
{
    lac_model *model;
    lac_encoder *encoder;
    lac_encoder_settings settings;
    lac_decoder *decoder;
    lac_model_info info;
    char *data;
    gsize bytes;
    FILE *file = fopen(out, "wb");

    if (!file || !g_file_get_contents(in, &data, &bytes, NULL) || lac_model_open(&model, NULL))
        return 1;
    lac_model_get_info(model, &info);
    lac_encoder_default_settings(&settings);
    settings.beam = 4; /* lacenc's own default */
    lac_encoder_open(&encoder, model, &settings);
    lac_encoder_set_codebooks(encoder, codebooks);
    lac_decoder_open(&decoder, model, NULL);

    size_t samples = bytes / sizeof(float), most = lac_encoder_max_frames(encoder, samples) + 4, frames, rest;
    uint16_t *tokens = g_new(uint16_t, most * info.codebooks);

    lac_encoder_write(encoder, (float *)(void *)data, samples, tokens, most, &frames);
    lac_encoder_flush(encoder, tokens + frames * info.codebooks, most - frames, &rest);
    decode(decoder, &info, tokens, frames + rest, (uint8_t)codebooks, samples, file);
    g_free(tokens);
    g_free(data);
    lac_decoder_close(&decoder);
    lac_encoder_close(&encoder);
    lac_model_close(&model);
    return fclose(file) ? 1 : 0;
}

int main(int argc, char **argv)
{
    int status;

    if (argc == 5 && strcmp(argv[1], "reference") == 0)
        return reference((unsigned)g_ascii_strtoull(argv[2], NULL, 10), argv[3], argv[4]);
    if (argc < 3)
        return 2;
    gst_init(NULL, NULL);
    status = run(argv[1], argv + 2);
    gst_deinit();
    return status;
}
