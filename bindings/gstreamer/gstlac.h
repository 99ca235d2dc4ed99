/* What the elements of the plugin share: models, caps, and the media time that a depayloader tells the decoder. */
#ifndef LAC_GSTLAC_H
#define LAC_GSTLAC_H

#include <gst/gst.h>

#include "lac/lac.h"

G_BEGIN_DECLS

#define GST_LAC_RATE 24000
#define GST_LAC_CAPS "audio/x-lac, rate = (int) 24000, channels = (int) 1"
#define GST_LAC_RAW_CAPS(formats)                                                                                  \
    "audio/x-raw, format = (string) " formats                                                                      \
    ", rate = (int) 24000, channels = (int) 1, layout = (string) interleaved"

GST_ELEMENT_REGISTER_DECLARE(lacenc)
GST_ELEMENT_REGISTER_DECLARE(lacdec)
GST_ELEMENT_REGISTER_DECLARE(rtplacpay)
GST_ELEMENT_REGISTER_DECLARE(rtplacdepay)

/* ---- models ---- */

/* An open model, one in the process for all elements that name it. */
typedef struct GstLacModel {
    char *name;
    unsigned users;
    lac_model *model;
    lac_model_info info;
    char id[2 * LAC_MODEL_ID_SIZE + 1]; /* hexadecimal, as in caps and SDP */
} GstLacModel;

/* Open as lac_model_open; NULL and "" name the default model. Any thread. */
int gst_lac_model_open(GstLacModel **model, const char *name);

/* The model with this id, built in or a file where models are looked for. LAC_ERROR_NOT_FOUND if there is none. */
int gst_lac_model_find(GstLacModel **model, const char *id);

/* Close and set *model to NULL; pointers to NULL are accepted. */
void gst_lac_model_close(GstLacModel **model);

/* audio/x-lac as this model makes it. */
GstCaps *gst_lac_model_caps(const GstLacModel *model);

/* ---- media time ---- */

/* Payloads from RTP carry their timestamp, extended to 64 bits: what the jitter of a network does to a buffer's PTS
 * doesn't matter then. */
void gst_lac_buffer_set_media_time(GstBuffer *buffer, uint64_t samples);
gboolean gst_lac_buffer_get_media_time(GstBuffer *buffer, uint64_t *samples);

G_END_DECLS

#endif
