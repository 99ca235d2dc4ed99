/* Factors as one line of JSON. The arrays, which are nearly all of it, are printed without building a tree of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "factorset.h"

/* The fewest digits that are this float again. */
static void print_real(lac_token_bytes *out, float value)
{
    char text[32];

    for (int digits = 5; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    lac_token_bytes_add(out, text, strlen(text));
}

static void print_field(lac_token_bytes *out, const lac_factor_field *f, const lac_factors *factors)
{
    lac_token_bytes_print(out, ",\"%s\":%s", f->name, f->count ? "[" : "");
    for (unsigned i = 0; i < (f->count ? f->count : 1); i++) {
        lac_token_bytes_add(out, ",", i > 0);
        print_real(out, lac_factor_field_get(f, factors, i));
    }
    lac_token_bytes_add(out, "]", f->count > 0);
}

static void print_tokens(lac_token_bytes *out, const lac_factor_set *s, const char *name, bool phones)
{
    uint64_t count = lac_factor_set_tokens(s);

    lac_token_bytes_print(out, ",\"%s\":[", name);
    for (uint64_t i = 0; i < count; i++) {
        const lac_factor_frame *frame = lac_factor_set_token(s, i);

        lac_token_bytes_print(out, i ? ",%u" : "%u", phones ? frame->phone : frame->content);
    }
    lac_token_bytes_print(out, "]");
}

static void print_frames(lac_token_bytes *out, const lac_factor_set *s)
{
    for (size_t i = 0; i < LAC_FACTOR_FRAME_FIELDS; i++) {
        lac_token_bytes_print(out, ",\"%s\":[", lac_factor_frame_fields[i].name);
        for (uint64_t t = 0; t < s->count; t++) {
            lac_token_bytes_add(out, ",", t > 0);
            print_real(out, lac_factor_field_get(&lac_factor_frame_fields[i], &s->frames[t], 0));
        }
        lac_token_bytes_print(out, "]");
    }
}

static void add_phones(cJSON *facts, const lac_factor_set *s)
{
    lac_token_bytes spelt = {0};

    if (!s->phones)
        return;
    lac_factor_set_spell(&spelt, s);
    if (!spelt.failed)
        cJSON_AddStringToObject(facts, "phone_text", (const char *)spelt.data);
    lac_token_bytes_free(&spelt);
    cJSON_AddItemToObject(facts, "phone_symbols", cJSON_CreateStringArray(s->phones, (int)s->model.phones));
}

static char *facts_text(const lac_factor_set *s, const char *path)
{
    cJSON *facts = cJSON_CreateObject();
    char id[2 * LAC_MODEL_ID_SIZE + 1];

    cJSON_AddStringToObject(facts, "path", path);
    cJSON_AddStringToObject(facts, "factor_model", s->model.name);
    cJSON_AddStringToObject(facts, "factor_model_id", lac_token_id_text(s->model.id, id));
    cJSON_AddStringToObject(facts, "latent_id", lac_token_id_text(s->model.latent_id, id));
    cJSON_AddStringToObject(facts, "source", lac_factor_way_name(s->way));
    cJSON_AddNumberToObject(facts, "sample_rate", s->rate);
    cJSON_AddNumberToObject(facts, "audio_channels", s->channels);
    cJSON_AddNumberToObject(facts, "audio_channel", s->channel);
    cJSON_AddNumberToObject(facts, "duration_s", s->duration_s);
    cJSON_AddNumberToObject(facts, "frames", (double)s->count);
    cJSON_AddNumberToObject(facts, "frame_rate_hz", LAC_FACTOR_RATE);
    cJSON_AddNumberToObject(facts, "content_rate_hz", (double)LAC_FACTOR_RATE / s->model.content_stride);
    add_phones(facts, s);
    char *text = cJSON_PrintUnformatted(facts);
    cJSON_Delete(facts);
    return text;
}

void lac_factor_json_write(lac_token_bytes *out, const lac_factor_set *s, const char *path)
{
    char *text = facts_text(s, path);

    out->failed |= !text;
    if (text)
        lac_token_bytes_add(out, text, strlen(text) - 1);
    cJSON_free(text);
    for (size_t i = 0; i < LAC_FACTOR_FIELDS; i++)
        print_field(out, &lac_factor_fields[i], &s->factors);
    print_tokens(out, s, "content", false);
    print_tokens(out, s, "phones", true);
    print_frames(out, s);
    lac_token_bytes_print(out, "}\n");
}
