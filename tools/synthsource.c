#include "synthsource.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filein.h"
#include "hashfile.h"
#include "report.h"
#include "wholefile.h"

int lac_synth_reader_open(lac_synth_reader *r, const lac_factor_source *source, const lac_manifest *manifest,
                          const char *cache)
{
    *r = (lac_synth_reader){.source = source, .manifest = manifest, .cache = cache};
    return lac_factor_worker_open(&r->worker, source);
}

void lac_synth_reader_close(lac_synth_reader *r)
{
    lac_factor_worker_close(&r->worker);
}

/* ---- messages as reasons ---- */

typedef struct listener {
    FILE *file, *before;
    char *text;
    size_t size;
} listener;

static void listen_start(listener *l)
{
    *l = (listener){0};
    l->file = open_memstream(&l->text, &l->size);
    l->before = lac_report_to(l->file);
}

/* The first message, without what it is about: "lac: PATH: reason". */
static void listen_end(listener *l, const char *path, char *reason)
{
    lac_report_to(l->before);
    if (l->file)
        fclose(l->file);
    char *text = l->text ? l->text : "", *line = strchr(text, '\n');
    size_t size = strlen(path);

    if (line)
        *line = 0;
    if (strncmp(text, "lac: ", 5) == 0)
        text += 5;
    if (strncmp(text, path, size) == 0 && strncmp(text + size, ": ", 2) == 0)
        text += size + 2;
    snprintf(reason, LAC_SOURCE_REASON, "%s", *text ? text : "can't be read");
    free(l->text);
}

/* ---- factors ---- */

/* CACHE/HASH.npz of a file and the models; NULL with a reason. */
static char *cache_name(const lac_synth_reader *r, const char *path, char *reason)
{
    const uint8_t *ids[] = {r->source->codec_about.id, r->source->about.id};
    size_t size = strlen(r->cache) + 80;
    char *name = malloc(size), hash[65];

    if (!name || lac_hash_file(path, ids, LAC_MODEL_ID_SIZE, 2, hash)) {
        snprintf(reason, LAC_SOURCE_REASON, "%s", name ? strerror(errno) : "out of memory");
        free(name);
        return NULL;
    }
    snprintf(name, size, "%s/%s.npz", r->cache, hash);
    return name;
}

/* A cache that can't be written is none. */
static void store(const char *name, const lac_factor_set *set)
{
    lac_token_bytes bytes = {0};
    char reason[LAC_TOKENS_REASON];

    if (lac_factor_npz_write(&bytes, set, reason) == 0)
        lac_whole_file_write(name, bytes.data, bytes.size);
    lac_token_bytes_free(&bytes);
}

/* Factors of a recording, or those that a .npz file holds. */
static int load(lac_synth_reader *r, const char *path, lac_factor_set *set, char *reason)
{
    listener l;

    listen_start(&l);
    int failed = lac_factor_worker_load(r->worker, path, NULL, set);
    listen_end(&l, path, reason);
    if (failed)
        lac_factor_set_free(set);
    return failed ? -1 : 0;
}

static int load_cached(lac_synth_reader *r, const char *path, lac_factor_set *set, char *reason)
{
    if (lac_file_in_is_npz(path))
        return load(r, path, set, reason);

    char *name = cache_name(r, path, reason);
    if (!name)
        return -1;
    int failed = access(name, R_OK) == 0 ? load(r, name, set, reason) : -1;
    if (failed) {
        failed = load(r, path, set, reason);
        if (!failed)
            store(name, set);
    }
    free(name);
    return failed;
}

int lac_synth_reader_factors(lac_synth_reader *r, uint32_t row, lac_manifest_row *about, lac_factor_set *set,
                             char *reason)
{
    char why[LAC_MANIFEST_REASON];
    int failed;

    memset(set, 0, sizeof *set);
    memset(about, 0, sizeof *about);
    if (lac_manifest_read(r->manifest, row, about, why)) {
        snprintf(reason, LAC_SOURCE_REASON, "%.*s", LAC_SOURCE_REASON - 1, why);
        return -1;
    }
    char *path = lac_manifest_path(r->manifest, about->path);
    if (!path) {
        snprintf(reason, LAC_SOURCE_REASON, "out of memory");
        return -1;
    }
    failed = load_cached(r, path, set, reason);
    free(path);
    if (!failed && set->count == 0) {
        snprintf(reason, LAC_SOURCE_REASON, "holds no sound");
        failed = -1;
    }
    return failed;
}

/* ---- sound ---- */

typedef struct taker {
    lac_sound *sound;
    size_t most;
} taker;

static int take(void *user, const float *pcm, size_t frames)
{
    taker *t = user;
    size_t room = t->most - t->sound->count, count = frames < room ? frames : room;

    t->sound->cut = frames > room;
    if (lac_sound_add(t->sound, pcm, count))
        return LAC_ERROR_MEMORY;
    return t->sound->cut ? LAC_ERROR_LIMIT : 0;
}

int lac_synth_reader_sound(const lac_synth_reader *r, const char *path, lac_sound *sound, char *reason)
{
    uint32_t rate = r->source->codec_about.sample_rate;
    taker t = {sound, sound->count + (size_t)rate * LAC_SOURCE_LONGEST};
    lac_mono_in in = {
        .path = path, .raw = &r->source->raw, .codec = r->source->codec, .rate = rate, .sink = take, .user = &t};
    listener l;

    sound->cut = false;
    listen_start(&l);
    int failed = lac_mono_in_run(&in);
    listen_end(&l, path, reason);
    if (failed && !sound->cut)
        return -1;
    if (sound->count == 0)
        snprintf(reason, LAC_SOURCE_REASON, "holds no sound");
    return sound->count == 0 ? -1 : 0;
}
