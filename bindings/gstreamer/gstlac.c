#include "gstlac.h"

#include <string.h>

/* ---- models ---- */

static GMutex lock;
static GList *models; /* of GstLacModel, guarded by lock */

static int compare_name(gconstpointer model, gconstpointer name)
{
    return strcmp(((const GstLacModel *)model)->name, name);
}

static void write_id(char *text, const uint8_t *id)
{
    for (size_t i = 0; i < LAC_MODEL_ID_SIZE; i++)
        g_snprintf(text + 2 * i, 3, "%02x", id[i]);
}

static int open_locked(GstLacModel **model, const char *name)
{
    GList *found = g_list_find_custom(models, name, compare_name);
    lac_model *opened;
    int status;

    if (found) {
        *model = found->data;
        (*model)->users++;
        return LAC_OK;
    }
    status = lac_model_open(&opened, name);
    if (status)
        return status;
    *model = g_new0(GstLacModel, 1);
    (*model)->name = g_strdup(name);
    (*model)->users = 1;
    (*model)->model = opened;
    lac_model_get_info(opened, &(*model)->info);
    write_id((*model)->id, (*model)->info.id);
    models = g_list_prepend(models, *model);
    return LAC_OK;
}

int gst_lac_model_open(GstLacModel **model, const char *name)
{
    const char *standard = lac_model_embedded_name(0);
    int status;

    if (!name || !*name)
        name = standard ? standard : "";
    g_mutex_lock(&lock);
    status = open_locked(model, name);
    g_mutex_unlock(&lock);
    return status;
}

/* Not an embedded one. */
static int find_file(GstLacModel **model, const char *id)
{
    uint8_t bytes[LAC_MODEL_ID_SIZE];
    lac_model_info info;
    lac_model *found;
    int status;

    for (size_t i = 0; i < sizeof bytes; i++) {
        int high = g_ascii_xdigit_value(id[2 * i]), low = high < 0 ? -1 : g_ascii_xdigit_value(id[2 * i + 1]);

        if (low < 0)
            return LAC_ERROR_NOT_FOUND;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    status = lac_model_open_id(&found, bytes, sizeof bytes);
    if (status)
        return status;
    lac_model_get_info(found, &info);
    lac_model_close(&found);
    status = gst_lac_model_open(model, info.name);
    if (!status && g_ascii_strcasecmp((*model)->id, id) != 0) {
        gst_lac_model_close(model);
        status = LAC_ERROR_NOT_FOUND;
    }
    return status;
}

int gst_lac_model_find(GstLacModel **model, const char *id)
{
    const char *name;

    for (size_t i = 0; (name = lac_model_embedded_name(i)) != NULL; i++) {
        GstLacModel *opened;

        if (gst_lac_model_open(&opened, name))
            continue;
        if (g_ascii_strcasecmp(opened->id, id) == 0) {
            *model = opened;
            return LAC_OK;
        }
        gst_lac_model_close(&opened);
    }
    return find_file(model, id);
}

void gst_lac_model_close(GstLacModel **model)
{
    GstLacModel *m = *model;

    *model = NULL;
    if (!m)
        return;
    g_mutex_lock(&lock);
    if (--m->users == 0) {
        models = g_list_remove(models, m);
        lac_model_close(&m->model);
        g_free(m->name);
        g_free(m);
    }
    g_mutex_unlock(&lock);
}

GstCaps *gst_lac_model_caps(const GstLacModel *model)
{
    return gst_caps_new_simple("audio/x-lac", "rate", G_TYPE_INT, (int)model->info.sample_rate, "channels",
                               G_TYPE_INT, 1, "model", G_TYPE_STRING, model->id, "token-bits", G_TYPE_INT,
                               (int)model->info.token_bits, "frame", G_TYPE_INT, (int)model->info.frame_samples,
                               NULL);
}

/* ---- media time ---- */

static GstStaticCaps media_time_caps = GST_STATIC_CAPS("timestamp/x-lac-samples");

void gst_lac_buffer_set_media_time(GstBuffer *buffer, uint64_t samples)
{
    GstCaps *caps = gst_static_caps_get(&media_time_caps);

    gst_buffer_add_reference_timestamp_meta(buffer, caps, samples, GST_CLOCK_TIME_NONE);
    gst_caps_unref(caps);
}

gboolean gst_lac_buffer_get_media_time(GstBuffer *buffer, uint64_t *samples)
{
    GstCaps *caps = gst_static_caps_get(&media_time_caps);
    GstReferenceTimestampMeta *meta = gst_buffer_get_reference_timestamp_meta(buffer, caps);

    gst_caps_unref(caps);
    if (meta)
        *samples = meta->timestamp;
    return meta != NULL;
}

/* ---- plugin ---- */

static gboolean plugin_init(GstPlugin *plugin)
{
    gboolean made = GST_ELEMENT_REGISTER(lacenc, plugin);

    made |= GST_ELEMENT_REGISTER(lacdec, plugin);
    made |= GST_ELEMENT_REGISTER(rtplacpay, plugin);
    made |= GST_ELEMENT_REGISTER(rtplacdepay, plugin);
    return made;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, lac, "Lac, a neural codec for speech at 0.5 to 6 kbit/s",
                  plugin_init, PACKAGE_VERSION, "BSD", "Lac", "Unknown package origin")
