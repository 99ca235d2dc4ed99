#include "evalinput.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sndfile.h>

#include "lac/status.h"
#include "paths.h"
#include "polyphase.h"
#include "report.h"

#define RATE_MIN 1000
#define RATE_MAX 768000
#define VALUE_MAX 1e9 /* squares and their sums stay far from overflow */
#define BLOCK 4096    /* values read at a time */

const char *lac_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Room for `more` samples after the first `used`. */
static bool grow(double **pcm, size_t *room, size_t used, size_t more)
{
    if (*room - used >= more)
        return true;
    size_t wanted = *room + *room / 2 + more;
    if (wanted < *room || wanted > SIZE_MAX / sizeof **pcm)
        return false;
    double *bigger = realloc(*pcm, wanted * sizeof **pcm);
    if (bigger == NULL)
        return false;
    *pcm = bigger;
    *room = wanted;
    return true;
}

/* The mean of the channels of each frame: false if a value is no audio. */
static bool mix(double *out, const double *in, size_t frames, size_t channels)
{
    for (size_t t = 0; t < frames; t++) {
        double sum = 0;
        for (size_t c = 0; c < channels; c++) {
            double value = in[t * channels + c];
            if (!(fabs(value) <= VALUE_MAX))
                return false;
            sum += value;
        }
        out[t] = sum / (double)channels;
    }
    return true;
}

static int read_all(lac_clip *clip, SNDFILE *snd, size_t channels, const char *name)
{
    double block[BLOCK];
    size_t room = 0, frames = BLOCK / channels;
    for (;;) {
        sf_count_t got = sf_readf_double(snd, block, (sf_count_t)frames);
        if (got <= 0)
            break;
        if (!grow(&clip->pcm, &room, clip->samples, (size_t)got))
            return lac_report(name, "out of memory");
        if (!mix(clip->pcm + clip->samples, block, (size_t)got, channels))
            return lac_report(name, "holds NaN, infinity or values beyond %g", VALUE_MAX);
        clip->samples += (size_t)got;
    }
    if (sf_error(snd) != SF_ERR_NO_ERROR)
        return lac_report(name, "%s", sf_strerror(snd));
    if (clip->samples == 0)
        return lac_report(name, "holds no samples");
    if (clip->samples < clip->rate / 25)
        return lac_report(name, "%zu samples are too short for one frame of 40 ms", clip->samples);
    return 0;
}

static int read_sound(lac_clip *clip, SNDFILE *snd, const SF_INFO *info, const char *name)
{
    if (info->channels < 1 || info->channels > BLOCK)
        return lac_report(name, "%d channels; 1 to %d are supported", info->channels, BLOCK);
    if (info->samplerate < RATE_MIN || info->samplerate > RATE_MAX)
        return lac_report(name, "%d Hz; %d to %d are supported", info->samplerate, RATE_MIN, RATE_MAX);
    clip->rate = (uint32_t)info->samplerate;
    return read_all(clip, snd, (size_t)info->channels, name);
}

/* Says what libsndfile words less plainly. */
static int check_file(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return lac_report(path, "%s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return lac_report(path, "%s", strerror(EISDIR));
    if (S_ISREG(st.st_mode) && st.st_size == 0)
        return lac_report(path, "is empty");
    return 0;
}

/* All of `in` in a nameless file, from its start: libsndfile seeks, a pipe can't. NULL after a message. */
static FILE *spool(FILE *in, const char *name)
{
    char block[1 << 14];
    size_t got, total = 0;
    FILE *copy = tmpfile();
    bool fine = copy != NULL;
    while (fine && (got = fread(block, 1, sizeof block, in)) > 0) {
        fine = fwrite(block, 1, got, copy) == got;
        total += got;
    }
    fine = fine && !ferror(in) && fflush(copy) == 0 && lseek(fileno(copy), 0, SEEK_SET) == 0;
    if (fine && total > 0)
        return copy;
    if (fine)
        lac_report(name, "is empty");
    else
        lac_report(name, "%s", strerror(errno));
    if (copy != NULL)
        fclose(copy);
    return NULL;
}

/* `file` at its start. */
static int load_file(lac_clip *clip, FILE *file, const char *name)
{
    SF_INFO info;
    memset(&info, 0, sizeof info);
    SNDFILE *snd = sf_open_fd(fileno(file), SFM_READ, &info, 0);
    if (snd == NULL)
        return lac_report(name, "is not an audio file that can be read: %s", sf_strerror(NULL));
    int failed = read_sound(clip, snd, &info, name);
    sf_close(snd);
    if (failed)
        lac_clip_close(clip);
    return failed;
}

int lac_clip_load(lac_clip *clip, const char *path)
{
    struct stat st;
    bool is_input = strcmp(path, "-") == 0;
    const char *name = lac_report_name(path, 0);
    *clip = (lac_clip){NULL, 0, 0};
    int failed = is_input ? 0 : check_file(path);
    if (failed)
        return failed;
    FILE *file = is_input ? stdin : fopen(path, "rb");
    if (file == NULL)
        return lac_report(name, "%s", strerror(errno));
    if (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode)) {
        FILE *copy = spool(file, name);
        if (!is_input)
            fclose(file);
        if (copy == NULL)
            return LAC_EXIT_FAILED;
        file = copy;
    }
    failed = load_file(clip, file, name);
    if (file != stdin)
        fclose(file);
    return failed;
}

int lac_clip_resample(lac_clip *clip, uint32_t rate, const char *path)
{
    if (clip->rate == rate)
        return 0;
    double *pcm;
    size_t samples;
    int status = lac_polyphase(clip->pcm, clip->samples, clip->rate, rate, &pcm, &samples);
    if (status != LAC_OK)
        return lac_report_status(lac_report_name(path, 0), status, 0);
    free(clip->pcm);
    *clip = (lac_clip){pcm, samples, rate};
    return 0;
}

void lac_clip_close(lac_clip *clip)
{
    free(clip->pcm);
    *clip = (lac_clip){NULL, 0, 0};
}

/* One folder's audio files. */
typedef struct entry {
    char *path;
    char *stem;
} entry;

typedef struct listing {
    entry *item;
    size_t count;
} listing;

static void listing_close(listing *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->item[i].path);
        free(l->item[i].stem);
    }
    free(l->item);
    *l = (listing){NULL, 0};
}

static bool listing_add(listing *l, const char *folder, const char *name)
{
    struct stat st;
    entry e = {lac_path_join(folder, name), strndup(name, (size_t)(strrchr(name, '.') - name))};
    if (e.path != NULL && (stat(e.path, &st) != 0 || !S_ISREG(st.st_mode))) {
        free(e.path);
        free(e.stem);
        return true;
    }
    entry *bigger = realloc(l->item, (l->count + 1) * sizeof *bigger);
    if (bigger != NULL)
        l->item = bigger;
    if (bigger == NULL || e.path == NULL || e.stem == NULL) {
        free(e.path);
        free(e.stem);
        return false;
    }
    l->item[l->count++] = e;
    return true;
}

static int by_stem(const void *a, const void *b)
{
    const entry *p = a, *q = b;
    return strcmp(p->stem, q->stem);
}

/* The same, with one order for equal stems. */
static int by_stem_and_path(const void *a, const void *b)
{
    const entry *p = a, *q = b;
    int order = by_stem(a, b);
    return order != 0 ? order : strcmp(p->path, q->path);
}

static int by_path(const void *a, const void *b)
{
    const lac_eval_pair *p = a, *q = b;
    return strcmp(p->ref, q->ref);
}

static int check_stems(const listing *l, const char *folder)
{
    for (size_t i = 1; i < l->count; i++)
        if (strcmp(l->item[i - 1].stem, l->item[i].stem) == 0)
            return lac_report(folder, "%s and %s have the same stem", lac_base_name(l->item[i - 1].path),
                              lac_base_name(l->item[i].path));
    return 0;
}

/* Sorted by stem. */
static int listing_open(listing *l, const char *folder)
{
    *l = (listing){NULL, 0};
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return lac_report(folder, "%s", strerror(errno));
    int failed = 0;
    for (const struct dirent *d; !failed && (d = readdir(directory)) != NULL;)
        if (lac_path_is_audio(d->d_name) && !listing_add(l, folder, d->d_name))
            failed = lac_report(folder, "out of memory");
    closedir(directory);
    if (!failed && l->count > 0)
        qsort(l->item, l->count, sizeof *l->item, by_stem_and_path);
    if (!failed)
        failed = check_stems(l, folder);
    if (failed)
        listing_close(l);
    return failed;
}

/* Moves the names out of both listings. */
static int match(lac_eval_pairs *pairs, listing *refs, listing *tests)
{
    pairs->pair = calloc(refs->count + 1, sizeof *pairs->pair);
    if (pairs->pair == NULL)
        return -1;
    for (size_t i = 0; i < refs->count; i++) {
        entry *r = &refs->item[i];
        entry *t = tests->count == 0 ? NULL : bsearch(r, tests->item, tests->count, sizeof *r, by_stem);
        pairs->pair[pairs->count++] = (lac_eval_pair){r->stem, r->path, t == NULL ? NULL : t->path};
        pairs->partners += t != NULL;
        r->stem = r->path = NULL;
        if (t != NULL)
            t->path = NULL;
    }
    qsort(pairs->pair, pairs->count, sizeof *pairs->pair, by_path);
    return 0;
}

int lac_eval_pairs_open(lac_eval_pairs *pairs, const char *refs, const char *tests)
{
    listing r, t;
    *pairs = (lac_eval_pairs){NULL, 0, 0};
    int failed = listing_open(&r, refs);
    if (failed)
        return failed;
    failed = listing_open(&t, tests);
    if (!failed && match(pairs, &r, &t))
        failed = lac_report(refs, "out of memory");
    if (!failed && pairs->partners == 0) {
        failed = pairs->count == 0 ? lac_report(refs, "holds no audio files")
                                    : lac_report(refs, "no file has a partner in %s", tests);
        lac_eval_pairs_close(pairs);
    }
    listing_close(&r);
    listing_close(&t);
    return failed;
}

void lac_eval_pairs_close(lac_eval_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->pair[i].stem);
        free(pairs->pair[i].ref);
        free(pairs->pair[i].test);
    }
    free(pairs->pair);
    *pairs = (lac_eval_pairs){NULL, 0, 0};
}
