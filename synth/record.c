#include "record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "licence.h"

/* ---- numbers, each value the same bytes ---- */

static void add_number(cJSON *json, const char *name, double value)
{
    char text[32];

    snprintf(text, sizeof text, "%.6g", value == 0 ? 0 : value);
    if (isfinite(value))
        cJSON_AddRawToObject(json, name, text);
    else
        cJSON_AddNullToObject(json, name);
}

static void add_count(cJSON *json, const char *name, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    cJSON_AddRawToObject(json, name, text);
}

static void add_hex(cJSON *json, const char *name, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    cJSON_AddStringToObject(json, name, text);
}

static void add_text(cJSON *json, const char *name, const char *text)
{
    if (text && *text)
        cJSON_AddStringToObject(json, name, text);
    else
        cJSON_AddNullToObject(json, name);
}

/* Reasons quote texts that were cut, and names of files: what is no UTF-8 becomes '?'. */
static cJSON *clean_text(const char *text)
{
    cJSON *item = cJSON_CreateString(text);
    unsigned char *at = item ? (unsigned char *)item->valuestring : NULL;

    while (at && *at) {
        size_t size = lac_manifest_character(at, strlen((const char *)at));

        if (size == 0)
            *at = '?';
        at += size ? size : 1;
    }
    return item;
}

/* ---- sources ---- */

void lac_record_key(char *key, const lac_plan *plan, uint64_t index)
{
    snprintf(key, LAC_PLAN_NAME + 20, "%s-%09llu", plan->name, (unsigned long long)index);
}

static int copy(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return text && !*out ? -1 : 0;
}

int lac_record_add_source(lac_record *r, const char *factor, const lac_manifest_row *row, double weight)
{
    lac_record_source *s = &r->source[r->sources];

    if (r->sources == LAC_RECORD_SOURCES)
        return -1;
    *s = (lac_record_source){.factor = factor, .weight = weight};
    r->sources++;
    return copy(&s->path, row->path) || copy(&s->speaker, row->speaker) || copy(&s->licence, row->licence) ? -1 : 0;
}

static void free_sources(lac_record *r, size_t from)
{
    for (size_t i = from; i < r->sources; i++) {
        free(r->source[i].path);
        free(r->source[i].speaker);
        free(r->source[i].licence);
    }
    r->sources = r->sources < from ? r->sources : from;
}

void lac_record_clear_sources(lac_record *r)
{
    free_sources(r, 1);
}

int lac_record_add_failure(lac_record *r)
{
    if (!r->failures)
        r->failures = cJSON_CreateArray();
    return cJSON_AddItemToArray(r->failures, clean_text(r->reason)) ? 0 : -1;
}

void lac_record_free(lac_record *r)
{
    free_sources(r, 0);
    cJSON_Delete(r->failures);
    lac_manifest_row_free(&r->content);
}

static cJSON *list_sources(const lac_record *r)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < r->sources; i++) {
        cJSON *item = cJSON_CreateObject();

        cJSON_AddStringToObject(item, "factor", r->source[i].factor);
        add_text(item, "path", r->source[i].path);
        add_text(item, "speaker", r->source[i].speaker);
        add_text(item, "licence", r->source[i].licence);
        add_number(item, "weight", r->source[i].weight);
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

/* ---- parts ---- */

/* The content's fields that have no place of their own. */
static cJSON *list_labels(const lac_record *r)
{
    static const char *const taken[] = {"path", "audio_filepath", "seconds", "duration", "speaker",
                                        "text", "lang",           "licence", "license"};
    cJSON *labels = cJSON_CreateObject();
    const cJSON *item;

    cJSON_ArrayForEach(item, r->content.json)
    {
        bool own = false;

        for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
            own = own || strcmp(item->string, taken[i]) == 0;
        if (!own)
            cJSON_AddItemToObject(labels, item->string, cJSON_Duplicate(item, 1));
    }
    return labels;
}

static cJSON *add_factor(cJSON *factors, const char *name, const lac_draw_factor *factor)
{
    cJSON *item = cJSON_AddObjectToObject(factors, name);

    cJSON_AddStringToObject(item, "kind", lac_draw_kind_name(factor->kind));
    return item;
}

static cJSON *list_factors(const lac_record *r)
{
    cJSON *factors = cJSON_CreateObject(), *item = add_factor(factors, "speaker", &r->draw.speaker);

    add_number(item, "f0_median_hz", r->f0_median_hz);
    add_number(item, "nearest_cosine", r->nearest_cosine);
    item = add_factor(factors, "style", &r->draw.style);
    if (r->draw.style.kind == LAC_DRAW_SEED)
        add_number(item, "weight", r->draw.style.weight);
    add_number(item, "pitch_semitones", r->draw.pitch_semitones);
    add_number(item, "range", r->draw.range);
    add_number(item, "rate", r->draw.rate);
    add_number(item, "energy_db", r->draw.energy_db);
    add_factor(factors, "environment", &r->draw.environment);
    add_factor(factors, "channel", &r->draw.channel);
    return factors;
}

/* Path of the noise, as told among the sources. */
static const char *noise_path(const lac_record *r)
{
    for (size_t i = 0; i < r->sources; i++)
        if (strcmp(r->source[i].factor, "noise") == 0)
            return r->source[i].path;
    return NULL;
}

static cJSON *list_simulation(const lac_record *r)
{
    const lac_draw_simulation *s = &r->draw.simulation;
    cJSON *item = cJSON_CreateObject();

    add_number(item, "t60_s", (double)r->simulated.t60_s);
    add_number(item, "distance_m", (double)r->simulated.distance_m);
    add_number(item, "snr_db", (double)r->simulated.snr_db);
    add_text(item, "noise", noise_path(r));
    add_count(item, "babble_voices", s->voices);
    add_number(item, "microphone_db", s->microphone_db);
    add_number(item, "low_hz", s->low_hz);
    add_number(item, "high_hz", s->high_hz);
    cJSON_AddBoolToObject(item, "mulaw", s->mulaw);
    add_number(item, "opus_bps", s->opus_bps);
    add_number(item, "opus_loss", (double)r->simulated.opus_loss);
    add_number(item, "clip_db", s->clip_db);
    add_number(item, "bandwidth_hz", (double)r->simulated.bandwidth_hz);
    return item;
}

static cJSON *list_gates(const lac_record *r)
{
    const lac_gate_scores *s = &r->scores;
    cJSON *item = cJSON_CreateObject(), *failed;

    add_number(item, "speaker_cosine", s->measured ? s->speaker_cosine : NAN);
    add_number(item, "content_distance", s->measured ? s->content_distance : NAN);
    add_number(item, "snr_db", s->measured ? s->snr_db : NAN);
    add_number(item, "clipped_share", s->clipped_share);
    add_number(item, "silent_share", s->silent_share);
    add_number(item, "level_db", s->level_db);
    failed = cJSON_AddArrayToObject(item, "failed");
    for (unsigned i = 0; i < LAC_GATES; i++)
        if (s->failed >> i & 1)
            cJSON_AddItemToArray(failed, cJSON_CreateString(lac_gate_name(i)));
    return item;
}

/* PATH, SPEAKER, LICENCE */
static cJSON *name_source(const lac_record_source *s)
{
    const char *path = s->path ? s->path : "?", *speaker = s->speaker ? s->speaker : "";
    size_t size = strlen(path) + strlen(speaker) + strlen(s->licence) + 5;
    char *text = malloc(size);
    cJSON *item;

    if (!text)
        return NULL;
    snprintf(text, size, "%s, %s%s%s", path, speaker, s->speaker ? ", " : "", s->licence);
    item = cJSON_CreateString(text);
    free(text);
    return item;
}

/* Who is to be named: sources whose licence asks for it, each once. */
static cJSON *list_attribution(const lac_record *r)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < r->sources; i++) {
        const lac_record_source *s = &r->source[i];
        bool told = false;

        if (!(lac_licence_find(s->licence)->duties & LAC_LICENCE_ATTRIBUTION))
            continue;
        for (size_t k = 0; k < i; k++)
            told = told || (s->path && r->source[k].path && strcmp(r->source[k].path, s->path) == 0);
        if (!told)
            cJSON_AddItemToArray(list, name_source(s));
    }
    return list;
}

static cJSON *list_licence(const lac_record *r)
{
    const char *texts[LAC_RECORD_SOURCES];
    cJSON *item = cJSON_CreateObject();
    lac_licence_sum sum;

    for (size_t i = 0; i < r->sources; i++)
        texts[i] = r->source[i].licence;
    lac_licence_add_up(&sum, texts, r->sources);
    cJSON_AddStringToObject(item, "name", sum.name);
    cJSON_AddItemToObject(item, "attribution", list_attribution(r));
    cJSON_AddStringToObject(item, "terms", sum.terms);
    return item;
}

/* ---- the whole ---- */

static void add_sound(cJSON *json, const lac_record *r)
{
    add_number(json, "duration_s", r->rate ? (double)r->samples / r->rate : 0);
    add_count(json, "rate_hz", r->rate);
    add_count(json, "samples", r->samples);
}

static void add_about(cJSON *json, const lac_record *r)
{
    cJSON *models;

    add_hex(json, "seed", r->draw.seed);
    cJSON_AddStringToObject(json, "plan", r->plan->name);
    cJSON_AddStringToObject(json, "plan_id", r->set->plan_id);
    models = cJSON_AddObjectToObject(json, "models");
    cJSON_AddStringToObject(models, "codec", r->set->codec);
    cJSON_AddStringToObject(models, "factors", r->set->factors);
    cJSON_AddStringToObject(json, "version", r->set->version);
}

static void add_made(cJSON *json, const lac_record *r)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < sizeof r->token_hash; i++)
        hash = hash << 8 | r->token_hash[i];
    cJSON_AddItemToObject(json, "gates", list_gates(r));
    add_hex(json, "token_hash", hash);
    cJSON_AddItemToObject(json, "licence", list_licence(r));
}

char *lac_record_print(const lac_record *r)
{
    cJSON *json = cJSON_CreateObject();

    add_count(json, "index", r->draw.index);
    cJSON_AddStringToObject(json, "key", r->key);
    cJSON_AddBoolToObject(json, "accepted", !*r->reason);
    if (*r->reason)
        cJSON_AddItemToObject(json, "reason", clean_text(r->reason));
    add_count(json, "attempts", r->attempts);
    if (r->failures)
        cJSON_AddItemToObject(json, "failures", cJSON_Duplicate(r->failures, 1));
    cJSON_AddBoolToObject(json, "synthetic", 1);
    cJSON_AddBoolToObject(json, "untouched", r->draw.untouched);
    add_sound(json, r);
    add_text(json, "text", r->content.text);
    add_text(json, "lang", r->content.lang);
    add_text(json, "speaker", r->speaker);
    cJSON_AddItemToObject(json, "labels", list_labels(r));
    cJSON_AddItemToObject(json, "sources", list_sources(r));
    cJSON_AddItemToObject(json, "factors", list_factors(r));
    if (r->draw.simulation.any)
        cJSON_AddItemToObject(json, "simulation", list_simulation(r));
    else
        cJSON_AddNullToObject(json, "simulation");
    add_about(json, r);
    add_made(json, r);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}
