#include "setinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "wholefile.h"

#define LARGEST 65536

static const char *const kinds[] = {"tar", "files"};
static const char *const audios[] = {"wav", "flac", "opus", "lac"};

const char *lac_set_info_kind_name(int kind)
{
    return kinds[kind];
}

const char *lac_set_info_audio_name(int audio)
{
    return audios[audio];
}

/* All, if the plan names none. */
static bool wants(const lac_plan *plan, const char *manifest)
{
    if (plan->output.manifests.count == 0)
        return true;
    for (size_t i = 0; i < plan->output.manifests.count; i++)
        if (strcmp(plan->output.manifests.item[i], manifest) == 0)
            return true;
    return false;
}

void lac_set_info_init(lac_set_info *set, const lac_plan *plan, const lac_manifest *manifest, const lac_cast *cast)
{
    uint8_t digest[32];
    lac_sha256 sum;

    *set = (lac_set_info){.count = cast->count,
                          .shard_outputs = plan->output.shard_outputs,
                          .kind = plan->output.kind,
                          .audio = plan->output.audio,
                          .rate_hz = (uint32_t)plan->output.rate_hz,
                          .nemo = wants(plan, "nemo"),
                          .lhotse = wants(plan, "lhotse")};
    snprintf(set->name, sizeof set->name, "%s", plan->name);
    lac_sha256_init(&sum);
    lac_sha256_update(&sum, plan->hash, sizeof plan->hash);
    lac_sha256_update(&sum, manifest->hash, sizeof manifest->hash);
    lac_sha256_update(&sum, &plan->seed, sizeof plan->seed);
    lac_sha256_final(&sum, digest);
    for (size_t i = 0; i < 8; i++)
        snprintf(set->plan_id + 2 * i, 3, "%02x", digest[i]);
}

uint64_t lac_set_info_shards(const lac_set_info *set)
{
    return (set->count + set->shard_outputs - 1) / set->shard_outputs;
}

void lac_set_info_shard_name(const lac_set_info *set, uint64_t shard, char *name)
{
    snprintf(name, LAC_PLAN_NAME + 20, "%s-%06llu", set->name, (unsigned long long)shard);
}

/* ---- the file ---- */

static int fail(char *reason, const char *path, const char *why)
{
    snprintf(reason, LAC_PLAN_REASON, "%s: %s", path, why);
    return -1;
}

static char *print(const lac_set_info *set)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "name", set->name);
    cJSON_AddStringToObject(json, "plan_id", set->plan_id);
    cJSON_AddStringToObject(json, "codec", set->codec);
    cJSON_AddStringToObject(json, "factors", set->factors);
    cJSON_AddStringToObject(json, "version", set->version);
    cJSON_AddNumberToObject(json, "count", (double)set->count);
    cJSON_AddNumberToObject(json, "shard_outputs", (double)set->shard_outputs);
    cJSON_AddStringToObject(json, "kind", kinds[set->kind]);
    cJSON_AddStringToObject(json, "audio", audios[set->audio]);
    cJSON_AddNumberToObject(json, "rate_hz", set->rate_hz);
    cJSON_AddBoolToObject(json, "nemo", set->nemo);
    cJSON_AddBoolToObject(json, "lhotse", set->lhotse);
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    return text;
}

int lac_set_info_write(const lac_set_info *set, const char *folder, char *reason)
{
    size_t room = strlen(folder) + 32;
    char *path = malloc(room), *text = print(set);
    int failed = path && text ? 0 : fail(reason, folder, "out of memory");

    if (!failed) {
        snprintf(path, room, "%s/synth.json", folder);
        failed = lac_whole_file_write(path, text, strlen(text)) ? fail(reason, path, strerror(errno)) : 0;
    }
    free(path);
    free(text);
    return failed;
}

static bool take_text(const cJSON *json, const char *name, char *out, size_t size)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!cJSON_IsString(item) || strlen(item->valuestring) >= size)
        return false;
    memcpy(out, item->valuestring, strlen(item->valuestring) + 1);
    return true;
}

static bool take_count(const cJSON *json, const char *name, uint64_t most, uint64_t *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!cJSON_IsNumber(item) || item->valuedouble < 1 || item->valuedouble > (double)most)
        return false;
    *out = (uint64_t)item->valuedouble;
    return true;
}

static bool take_word(const cJSON *json, const char *name, const char *const *words, int count, int *out)
{
    char text[16];

    if (!take_text(json, name, text, sizeof text))
        return false;
    for (*out = 0; *out < count; ++*out)
        if (strcmp(text, words[*out]) == 0)
            return true;
    return false;
}

/* A name becomes part of file names. */
static bool is_name(const char *name)
{
    const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

    return *name && name[strspn(name, allowed)] == 0;
}

static bool parse(lac_set_info *set, const cJSON *json)
{
    uint64_t rate = 0;
    bool good = take_text(json, "name", set->name, sizeof set->name) && is_name(set->name) &&
                take_text(json, "plan_id", set->plan_id, sizeof set->plan_id) &&
                take_text(json, "codec", set->codec, sizeof set->codec) &&
                take_text(json, "factors", set->factors, sizeof set->factors) &&
                take_text(json, "version", set->version, sizeof set->version) &&
                take_count(json, "count", LAC_PLAN_MAX_OUTPUTS, &set->count) &&
                take_count(json, "shard_outputs", 1000000, &set->shard_outputs) &&
                take_word(json, "kind", kinds, 2, &set->kind) && take_word(json, "audio", audios, 4, &set->audio) &&
                take_count(json, "rate_hz", 48000, &rate);

    set->rate_hz = (uint32_t)rate;
    set->nemo = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "nemo"));
    set->lhotse = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "lhotse"));
    return good;
}

int lac_set_info_read(lac_set_info *set, const char *folder, char *reason)
{
    size_t room = strlen(folder) + 32, size = 0;
    char *path = malloc(room), *text = malloc(LARGEST);
    int failed = path && text ? 0 : fail(reason, folder, "out of memory");

    *set = (lac_set_info){0};
    if (!failed) {
        snprintf(path, room, "%s/synth.json", folder);
        FILE *file = fopen(path, "rb");
        if (!file && errno == ENOENT)
            failed = 1;
        else if (!file)
            failed = fail(reason, path, strerror(errno));
        size = file ? fread(text, 1, LARGEST, file) : 0;
        if (file)
            fclose(file);
    }
    if (!failed) {
        cJSON *json = cJSON_ParseWithLength(text, size);
        failed = parse(set, json) ? 0 : fail(reason, path, "is not what lac synth wrote");
        cJSON_Delete(json);
    }
    free(path);
    free(text);
    return failed;
}

const char *lac_set_info_differs(const lac_set_info *a, const lac_set_info *b)
{
    if (strcmp(a->name, b->name) != 0 || strcmp(a->plan_id, b->plan_id) != 0 || a->count != b->count)
        return "holds the results of another plan or manifest";
    if (strcmp(a->codec, b->codec) != 0 || strcmp(a->factors, b->factors) != 0)
        return "holds results of other models";
    if (strcmp(a->version, b->version) != 0)
        return "holds results of another version of Lac";
    return NULL;
}
