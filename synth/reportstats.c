#include "reportstats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"

const lac_report_quantity lac_report_quantities[LAC_REPORT_NUMBERS] = {
    [LAC_REPORT_DURATION] = {"Duration", "s", "", "", "duration_s", 0, 60, 0},
    [LAC_REPORT_COSINE] = {"Speaker: cosine to the voice that was wanted", "", "gates", "", "speaker_cosine", -1, 1,
                           NAN},
    [LAC_REPORT_DISTANCE] = {"Content: distance to the content's own", "", "gates", "", "content_distance", 0, 1,
                             NAN},
    [LAC_REPORT_SNR] = {"Speech to noise before the simulation", "dB", "gates", "", "snr_db", -20, 80, NAN},
    [LAC_REPORT_CLIPPED] = {"Clipped samples", "", "gates", "", "clipped_share", 0, 1, NAN},
    [LAC_REPORT_SILENT] = {"Silence", "", "gates", "", "silent_share", 0, 1, NAN},
    [LAC_REPORT_LEVEL] = {"Level", "dB", "gates", "", "level_db", -100, 0, NAN},
    [LAC_REPORT_F0] = {"Pitch of the voices, median", "Hz", "factors", "speaker", "f0_median_hz", 0, 600, NAN},
    [LAC_REPORT_NEAREST] = {"Cosine to the nearest real speaker", "", "factors", "speaker", "nearest_cosine", -1, 1,
                            NAN},
    [LAC_REPORT_PITCH] = {"Pitch moved by", "semitones", "factors", "style", "pitch_semitones", -24, 24, NAN},
    [LAC_REPORT_RANGE] = {"Range of the pitch", "times", "factors", "style", "range", 0, 4, NAN},
    [LAC_REPORT_RATE] = {"Rate of speech", "times", "factors", "style", "rate", 0, 3, NAN},
    [LAC_REPORT_T60] = {"Rooms: T60", "s", "simulation", "", "t60_s", 0, 2, 0},
    [LAC_REPORT_NOISE] = {"Speech to added noise", "dB", "simulation", "", "snr_db", -20, 80, 60},
    [LAC_REPORT_BANDWIDTH] = {"Bandwidth", "Hz", "simulation", "", "bandwidth_hz", 0, 24000, 0},
    [LAC_REPORT_ATTEMPTS] = {"Attempts", "", "", "", "attempts", 0, 100, NAN},
};

double lac_report_threshold(const lac_plan *plan, enum lac_report_number number)
{
    switch (number) {
    case LAC_REPORT_COSINE:
        return plan->gates.speaker_cosine_min;
    case LAC_REPORT_DISTANCE:
        return plan->gates.content_distance_max;
    case LAC_REPORT_SNR:
        return plan->gates.snr_db_min;
    case LAC_REPORT_CLIPPED:
        return plan->gates.clipped_share_max;
    case LAC_REPORT_SILENT:
        return plan->gates.silent_share_max;
    case LAC_REPORT_NEAREST:
        return plan->speaker.sampled > 0 ? plan->speaker.largest_cosine : NAN;
    default:
        return NAN;
    }
}

/* ---- reading records ---- */

static const cJSON *get(const cJSON *object, const char *name)
{
    return *name ? cJSON_GetObjectItemCaseSensitive(object, name) : object;
}

static double number_of(const cJSON *record, const lac_report_quantity *q)
{
    const cJSON *item = get(get(get(record, q->group), q->subgroup), q->name);

    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static void copy_text(char *out, size_t size, const cJSON *item)
{
    const char *text = cJSON_GetStringValue(item);
    size_t length = text ? strlen(text) : 0;

    if (length >= size)
        for (length = size - 1; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
            length--; /* no half of a character */
    memcpy(out, text ? text : "", length);
    out[length] = 0;
}

/* ---- histograms, names ---- */

static void count_number(lac_report_histogram *h, const lac_report_quantity *q, double value, bool accepted)
{
    double at = (value - q->low) / (q->high - q->low) * LAC_REPORT_BINS;
    size_t bin = at > 0 ? at < LAC_REPORT_BINS ? (size_t)at : LAC_REPORT_BINS - 1 : 0;

    /* What is rejected has not been simulated. */
    if (isnan(value) || value == q->none || (!accepted && strcmp(q->group, "simulation") == 0))
        return;
    (accepted ? h->accepted : h->rejected)[bin]++;
    h->least = h->count == 0 || value < h->least ? value : h->least;
    h->most = h->count == 0 || value > h->most ? value : h->most;
    h->sum += value;
    h->count++;
}

static void count_name(lac_report_tally *t, const char *name)
{
    uint32_t i = lac_names_find(&t->names, name);

    if (i == LAC_NAMES_NONE && t->names.count < LAC_REPORT_NAMES)
        i = lac_names_add(&t->names, name);
    if (i == LAC_NAMES_NONE)
        t->others++;
    else
        t->count[i]++;
}

static void count_text(lac_report_tally *t, const cJSON *item)
{
    char text[1024]; /* what is longer is cut, so that the page stays small */

    copy_text(text, sizeof text, item);
    if (*text)
        count_name(t, text);
}

static void count_texts(lac_report_tally *t, const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        count_text(t, item);
    }
}

static void count_kinds(lac_report_stats *s, const cJSON *record)
{
    const cJSON *factor;

    cJSON_ArrayForEach(factor, get(record, "factors"))
    {
        const char *kind = cJSON_GetStringValue(get(factor, "kind"));
        char name[64];

        snprintf(name, sizeof name, "%s: %s", factor->string, kind ? kind : "?");
        count_name(&s->kinds, name);
    }
}

/* What the simulation did, told by numbers that are not those of nothing done. */
static void count_effects(lac_report_stats *s, const cJSON *record)
{
    static const struct {
        const char *name, *title;
    } effects[] = {
        {"t60_s", "room"},      {"noise", "noise"},  {"babble_voices", "babble"}, {"microphone_db", "microphone"},
        {"low_hz", "band"},     {"mulaw", "mu-law"}, {"opus_bps", "Opus"},        {"opus_loss", "lost packets"},
        {"clip_db", "clipping"}};
    const cJSON *simulation = get(record, "simulation");

    if (cJSON_IsTrue(get(record, "untouched")))
        count_name(&s->effects, "sound of the source as it is");
    for (size_t i = 0; cJSON_IsObject(simulation) && i < sizeof effects / sizeof *effects; i++) {
        const cJSON *item = get(simulation, effects[i].name);

        if (cJSON_IsString(item) || cJSON_IsTrue(item) || (cJSON_IsNumber(item) && item->valuedouble > 0))
            count_name(&s->effects, effects[i].title);
    }
}

/* ---- outputs that are shown ---- */

static void keep(lac_report_list *list, const lac_report_clip *clip)
{
    size_t at = list->count;

    if (list->count == list->room && clip->order >= list->clip[list->count - 1].order)
        return;
    list->count += list->count < list->room;
    at = at < list->room ? at : list->room - 1;
    for (; at > 0 && list->clip[at - 1].order > clip->order; at--)
        list->clip[at] = list->clip[at - 1];
    list->clip[at] = *clip;
}

/* How far an accepted output is from what would have been rejected, in parts of the way there is. */
static double margin(const lac_plan *plan, const lac_report_clip *clip)
{
    static const struct {
        enum lac_report_number number;
        double best;
    } gates[] = {{LAC_REPORT_COSINE, 1}, {LAC_REPORT_DISTANCE, 0}, {LAC_REPORT_SNR, 60}, {LAC_REPORT_SILENT, 0}};
    double least = 1;

    for (size_t i = 0; i < sizeof gates / sizeof *gates; i++) {
        double limit = lac_report_threshold(plan, gates[i].number),
               part = (clip->number[gates[i].number] - limit) / (gates[i].best - limit);

        least = part < least ? part : least;
    }
    return least;
}

static void fill_clip(lac_report_clip *clip, const lac_report_stats *s, uint64_t shard,
                      const lac_journal_entry *entry)
{
    const cJSON *index = get(entry->record, "index"), *reason = get(entry->record, "reason");

    memset(clip, 0, sizeof *clip);
    clip->index = cJSON_IsNumber(index) && index->valuedouble >= 0 && index->valuedouble < 1e15
                      ? (uint64_t)index->valuedouble
                      : 0;
    clip->shard = shard;
    clip->from = s->end;
    clip->end = entry->end;
    snprintf(clip->key, sizeof clip->key, "%s", entry->key);
    snprintf(clip->ending, sizeof clip->ending, "%s", entry->member_count > 0 ? entry->members[0] : "");
    copy_text(clip->text, sizeof clip->text, get(entry->record, "text"));
    copy_text(clip->speaker, sizeof clip->speaker, get(entry->record, "speaker"));
    copy_text(clip->reason, sizeof clip->reason, reason);
    for (int i = 0; i < LAC_REPORT_NUMBERS; i++)
        clip->number[i] = number_of(entry->record, &lac_report_quantities[i]);
}

/* ---- */

static void count_accepted(lac_report_stats *s, const cJSON *record, lac_report_clip *clip)
{
    const cJSON *licence = get(record, "licence");

    s->accepted++;
    s->seconds += isnan(clip->number[LAC_REPORT_DURATION]) ? 0 : clip->number[LAC_REPORT_DURATION];
    count_text(&s->speakers, get(record, "speaker"));
    count_kinds(s, record);
    count_effects(s, record);
    count_text(&s->licences, get(licence, "name"));
    count_text(&s->terms, get(licence, "terms"));
    count_texts(&s->attributions, get(licence, "attribution"));
    clip->order = lac_hash32(clip->index);
    keep(&s->players, clip);
    clip->order = margin(s->plan, clip);
    keep(&s->worst, clip);
}

static void count_rejected(lac_report_stats *s, const cJSON *record, lac_report_clip *clip)
{
    const cJSON *failed = get(get(record, "gates"), "failed");

    s->rejected++;
    if (cJSON_GetArraySize(failed) > 0)
        count_texts(&s->gates, failed);
    else
        count_name(&s->gates, "other");
    clip->order = (double)clip->index;
    keep(&s->refused, clip);
}

void lac_report_stats_add(lac_report_stats *s, uint64_t shard, const lac_journal_entry *entry)
{
    lac_report_clip clip;

    if (shard != s->shard)
        s->end = 0;
    s->shard = shard;
    s->outputs++;
    fill_clip(&clip, s, shard, entry);
    s->end = entry->end;
    for (int i = 0; i < LAC_REPORT_NUMBERS; i++)
        count_number(&s->histogram[i], &lac_report_quantities[i], clip.number[i], entry->accepted);
    if (entry->accepted)
        count_accepted(s, entry->record, &clip);
    else
        count_rejected(s, entry->record, &clip);
}

static int make_list(lac_report_list *list, size_t room)
{
    list->clip = calloc(room, sizeof *list->clip);
    list->room = room;
    return list->clip ? 0 : -1;
}

lac_report_stats *lac_report_stats_open(const lac_plan *plan)
{
    lac_report_stats *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->plan = plan;
    if (make_list(&s->players, LAC_REPORT_PLAYERS) || make_list(&s->worst, LAC_REPORT_WORST) ||
        make_list(&s->refused, LAC_REPORT_REJECTED)) {
        lac_report_stats_close(s);
        return NULL;
    }
    return s;
}

void lac_report_stats_close(lac_report_stats *s)
{
    lac_report_tally *tallies[] = {&s->gates,    &s->speakers, &s->kinds,       &s->effects,
                                   &s->licences, &s->terms,    &s->attributions};

    for (size_t i = 0; i < sizeof tallies / sizeof *tallies; i++)
        lac_names_free(&tallies[i]->names);
    free(s->players.clip);
    free(s->worst.clip);
    free(s->refused.clip);
    free(s);
}
