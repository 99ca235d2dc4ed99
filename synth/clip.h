/* One output's sound as the bytes of a file. */
#ifndef LAC_SYNTH_CLIP_H
#define LAC_SYNTH_CLIP_H

#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"
#include "lac/stream.h"

enum lac_clip_format { LAC_CLIP_WAV, LAC_CLIP_FLAC, LAC_CLIP_OPUS, LAC_CLIP_LAC };

typedef struct lac_clip {
    const float *pcm; /* [samples], mono, full scale 1.0; clipped and rounded to 16 bits */
    size_t samples;
    uint32_t rate;       /* Hz */
    const lac_tag *tags; /* go into the file as far as its format has them (title, artist, comment, ...) */
    size_t tag_count;
    const lac_model *model; /* of LAC_CLIP_LAC: pcm is encoded, or, with tokens, those are written */
    const uint16_t *tokens; /* [frames][Q], frames as lac_writer_finish wants them for `samples`; NULL: encode */
    uint32_t codebooks;     /* of LAC_CLIP_LAC; 0: all */
} lac_clip;

/* "wav", "flac", "opus", "lac": also the ending of the file. */
const char *lac_clip_format_name(enum lac_clip_format format);

/* 0, or -1 if there is none of this name. */
int lac_clip_format_parse(const char *name, enum lac_clip_format *format);

/* *bytes [*size] is the caller's to free. The same arguments give the same bytes. 0 or a negative status. */
int lac_clip_write(const lac_clip *clip, enum lac_clip_format format, uint8_t **bytes, size_t *size);

#endif
