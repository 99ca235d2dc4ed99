#include "factorset.h"

#include <stdlib.h>
#include <string.h>

#define FACTOR(name, count, low, high) {#name, offsetof(lac_factors, name), count, low, high}
#define FRAME(name, low, high) {#name, offsetof(lac_factor_frame, name), 0, low, high}

/* The limits refuse what no analyser gives; they are not exactly its ranges. */
const lac_factor_field lac_factor_fields[LAC_FACTOR_FIELDS] = {
    FACTOR(speech_s, 0, 0, 1e6f),
    FACTOR(confidence, 0, 0, 1),
    FACTOR(f0_median_hz, 0, 0, 1e5f),
    FACTOR(snr_db, 0, -200, 200),
    FACTOR(t60_s, 0, 0, 100),
    FACTOR(bandwidth_hz, 0, 0, 1e5f),
    FACTOR(codec, LAC_CODEC_CLASSES, 0, 1.001f),
    FACTOR(style, LAC_STYLE_SIZE, -1e6f, 1e6f),
    FACTOR(speaker, LAC_SPEAKER_SIZE, -1.001f, 1.001f),
    FACTOR(environment, LAC_ENVIRONMENT_SIZE, -1e6f, 1e6f),
    FACTOR(channel, LAC_CHANNEL_SIZE, -1e6f, 1e6f),
};

const lac_factor_field lac_factor_frame_fields[LAC_FACTOR_FRAME_FIELDS] = {
    FRAME(f0_hz, 0, 1e5f), FRAME(voicing, 0, 1), FRAME(energy_db, -1000, 200)};

float lac_factor_field_get(const lac_factor_field *field, const void *of, unsigned index)
{
    float value;

    memcpy(&value, (const char *)of + field->offset + index * sizeof value, sizeof value);
    return value;
}

void lac_factor_field_set(const lac_factor_field *field, void *of, unsigned index, float value)
{
    memcpy((char *)of + field->offset + index * sizeof value, &value, sizeof value);
}

static bool grow(lac_factor_set *s, size_t more)
{
    uint64_t capacity = s->capacity + s->capacity / 2 + more;
    lac_factor_frame *frames;

    if (s->capacity - s->count >= more)
        return true;
    frames = realloc(s->frames, (size_t)capacity * sizeof *frames);
    if (!frames)
        return false;
    s->frames = frames;
    s->capacity = capacity;
    return true;
}

int lac_factor_set_append(lac_factor_set *s, const lac_factor_frame *frames, size_t count, char *reason)
{
    if (count > LAC_FACTOR_MAX_FRAMES - s->count)
        return lac_token_reason(reason, "is longer than %llu hours",
                                (unsigned long long)LAC_FACTOR_MAX_FRAMES / LAC_FACTOR_RATE / 3600);
    if (!grow(s, count))
        return lac_token_reason(reason, "out of memory");
    if (count > 0)
        memcpy(s->frames + s->count, frames, count * sizeof *frames);
    s->count += count;
    return 0;
}

void lac_factor_set_free(lac_factor_set *s)
{
    free(s->frames);
    memset(s, 0, sizeof *s);
}

uint64_t lac_factor_set_tokens(const lac_factor_set *s)
{
    uint32_t stride = s->model.content_stride ? s->model.content_stride : 1;

    return (s->count + stride - 1) / stride;
}

const lac_factor_frame *lac_factor_set_token(const lac_factor_set *s, uint64_t index)
{
    return &s->frames[index * (s->model.content_stride ? s->model.content_stride : 1)];
}

bool lac_factor_set_begins(const lac_factor_set *s, uint64_t index)
{
    uint32_t phone = lac_factor_set_token(s, index)->phone;

    return phone != 0 && (index == 0 || lac_factor_set_token(s, index - 1)->phone != phone);
}

void lac_factor_set_spell(lac_token_bytes *out, const lac_factor_set *s)
{
    uint64_t tokens = lac_factor_set_tokens(s);

    for (uint64_t i = 0; i < tokens; i++)
        if (lac_factor_set_begins(s, i))
            lac_token_bytes_print(out, "%s", s->phones[lac_factor_set_token(s, i)->phone]);
    lac_token_bytes_add(out, "", 1);
}

const char *lac_factor_way_name(enum lac_factor_way way)
{
    static const char *const names[] = {"audio", "tokens", "decoded", "recombined"};

    return names[way];
}

const char *lac_factor_codec_name(unsigned codec)
{
    static const char *const names[LAC_CODEC_CLASSES] = {"none", "opus", "mulaw", "clipped"};

    return names[codec];
}

unsigned lac_factor_set_codec(const lac_factor_set *s)
{
    unsigned best = 0;

    for (unsigned i = 1; i < LAC_CODEC_CLASSES; i++)
        if (s->factors.codec[i] > s->factors.codec[best])
            best = i;
    return best;
}
