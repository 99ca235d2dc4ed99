#include "trainerrows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sound as the record tells it. */
typedef struct sound {
    double samples, rate, seconds;
} sound;

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static int read_sound(sound *s, const cJSON *record)
{
    const cJSON *samples = get(record, "samples"), *rate = get(record, "rate_hz");

    if (!cJSON_IsNumber(samples) || !cJSON_IsNumber(rate) || !(rate->valuedouble > 0))
        return -1;
    *s = (sound){samples->valuedouble, rate->valuedouble, samples->valuedouble / rate->valuedouble};
    return 0;
}

/* Numbers in the form %.9g: the same on every machine. */
static void add_number(cJSON *object, const char *name, double value)
{
    char text[32];

    snprintf(text, sizeof text, "%.9g", value);
    cJSON_AddRawToObject(object, name, text);
}

/* What is null is left out. */
static void add_copy(cJSON *object, const char *name, const cJSON *value)
{
    if (value && !cJSON_IsNull(value))
        cJSON_AddItemToObject(object, name, cJSON_Duplicate(value, 1));
}

static char *print(cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);

    cJSON_Delete(object);
    return text;
}

char *lac_nemo_row(const lac_journal_entry *entry, int64_t shard)
{
    static const char *const own[] = {"text", "lang", "speaker", "synthetic"};
    const cJSON *label;
    sound s;
    cJSON *row = cJSON_CreateObject();

    if (!row || read_sound(&s, entry->record)) {
        cJSON_Delete(row);
        return NULL;
    }
    cJSON_AddStringToObject(row, "audio_filepath", entry->file);
    add_number(row, "duration", s.seconds);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        add_copy(row, own[i], get(entry->record, own[i]));
    if (!get(row, "text"))
        cJSON_AddStringToObject(row, "text", "");
    add_number(row, "sampling_rate", s.rate);
    if (shard >= 0)
        add_number(row, "shard_id", (double)shard);
    add_copy(row, "licence", get(get(entry->record, "licence"), "name"));
    cJSON_ArrayForEach(label, get(entry->record, "labels"))
    {
        if (!get(row, label->string) && strcmp(label->string, "offset") != 0) /* NeMo would read from there */
            add_copy(row, label->string, label);
    }
    return print(row);
}

static cJSON *make_recording(const lac_journal_entry *entry, const char *tar, const sound *s)
{
    cJSON *recording = cJSON_CreateObject(), *source = cJSON_CreateObject();
    char path[512];

    snprintf(path, sizeof path, "%s%s%s", tar ? tar : "", tar ? "/" : "", entry->file);
    cJSON_AddStringToObject(source, "type", "file");
    cJSON_AddRawToObject(source, "channels", "[0]");
    cJSON_AddStringToObject(source, "source", path);
    cJSON_AddStringToObject(recording, "id", entry->key);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(recording, "sources"), source);
    add_number(recording, "sampling_rate", s->rate);
    add_number(recording, "num_samples", s->samples);
    add_number(recording, "duration", s->seconds);
    cJSON_AddRawToObject(recording, "channel_ids", "[0]");
    return recording;
}

static cJSON *make_supervision(const lac_journal_entry *entry, const sound *s)
{
    cJSON *supervision = cJSON_CreateObject();

    cJSON_AddStringToObject(supervision, "id", entry->key);
    cJSON_AddStringToObject(supervision, "recording_id", entry->key);
    cJSON_AddNumberToObject(supervision, "start", 0);
    add_number(supervision, "duration", s->seconds);
    cJSON_AddNumberToObject(supervision, "channel", 0);
    add_copy(supervision, "text", get(entry->record, "text"));
    add_copy(supervision, "language", get(entry->record, "lang"));
    add_copy(supervision, "speaker", get(entry->record, "speaker"));
    add_copy(supervision, "custom", get(entry->record, "labels"));
    return supervision;
}

/* What the cut does not say elsewhere. */
static cJSON *make_custom(const lac_journal_entry *entry)
{
    static const char *const said[] = {"key",     "accepted", "duration_s", "rate_hz", "samples", "text", "lang",
                                       "speaker", "labels",   "file",       "members", "sha256",  "end"};
    cJSON *custom = cJSON_Duplicate(entry->record, 1);

    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(custom, said[i]);
    return custom;
}

char *lac_lhotse_row(const lac_journal_entry *entry, const char *tar)
{
    cJSON *cut = cJSON_CreateObject();
    sound s;

    if (!cut || read_sound(&s, entry->record)) {
        cJSON_Delete(cut);
        return NULL;
    }
    cJSON_AddStringToObject(cut, "id", entry->key);
    cJSON_AddNumberToObject(cut, "start", 0);
    add_number(cut, "duration", s.seconds);
    cJSON_AddNumberToObject(cut, "channel", 0);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(cut, "supervisions"), make_supervision(entry, &s));
    cJSON_AddItemToObject(cut, "recording", make_recording(entry, tar, &s));
    cJSON_AddItemToObject(cut, "custom", make_custom(entry));
    cJSON_AddStringToObject(cut, "type", "MonoCut");
    return print(cut);
}
