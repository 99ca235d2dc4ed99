#include "reportsound.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clip.h"
#include "lac/status.h"

#define HEADER  512          /* bytes of a member's header in a tar */
#define LONGEST (24000 * 60) /* samples that are decoded at most */

/* ---- bytes of the shard ---- */

static int open_file(const lac_set_info *set, const char *folder, const lac_report_clip *clip)
{
    char name[LAC_PLAN_NAME + 20], path[4096];
    int fd = -1, length = 0;

    lac_set_info_shard_name(set, clip->shard, name);
    if (set->kind == LAC_OUTPUT_FILES)
        length = snprintf(path, sizeof path, "%s/%s/%s.%s", folder, name, clip->key, clip->ending);
    for (int part = 0; part <= 1 && fd < 0; part++) {
        if (set->kind == LAC_OUTPUT_TAR)
            length = snprintf(path, sizeof path, "%s/%s.tar%s", folder, name, part ? ".part" : "");
        fd = length > 0 && length < (int)sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    }
    return fd;
}

/* Where the first member of the output is: 0, or -1 if there is none of a size that can be. */
static int find_member(int fd, const lac_report_clip *clip, uint64_t *size)
{
    char header[HEADER], digits[13] = "";

    if (pread(fd, header, sizeof header, (off_t)clip->from) != HEADER)
        return -1;
    memcpy(digits, header + 124, 12); /* ustar: octal */
    *size = strtoull(digits, NULL, 8);
    return clip->end > clip->from + HEADER && *size <= clip->end - clip->from - HEADER ? 0 : -1;
}

static uint8_t *read_bytes(int fd, uint64_t from, size_t size)
{
    uint8_t *bytes = malloc(size);

    if (bytes && pread(fd, bytes, size, (off_t)from) != (ssize_t)size) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

static uint8_t *read_member(const lac_set_info *set, const char *folder, const lac_report_clip *clip, size_t most,
                            size_t *size)
{
    bool tar = set->kind == LAC_OUTPUT_TAR;
    int fd = open_file(set, folder, clip);
    uint8_t *bytes = NULL;
    uint64_t there = 0;
    struct stat st;

    if (fd < 0)
        return NULL;
    if (tar ? !find_member(fd, clip, &there) : !fstat(fd, &st) && (there = (uint64_t)st.st_size) > 0)
        bytes = there > 0 && there <= most ? read_bytes(fd, clip->from * tar + HEADER * tar, (size_t)there) : NULL;
    *size = (size_t)there;
    close(fd);
    return bytes;
}

/* ---- .lac ---- */

typedef struct source {
    const uint8_t *bytes;
    size_t size, at;
} source;

static int64_t read_source(void *user, void *data, size_t size)
{
    source *s = user;
    size_t n = s->size - s->at < size ? s->size - s->at : size;

    memcpy(data, s->bytes + s->at, n);
    s->at += n;
    return (int64_t)n;
}

static int decode(lac_reader *reader, float *pcm, size_t *samples)
{
    size_t got = 1;
    int status = 0;

    for (*samples = 0; !status && got > 0; *samples += got) {
        got = 0;
        status = lac_reader_read(reader, pcm + *samples, LONGEST - *samples, &got);
    }
    return status;
}

/* All files of a data set are of one model. */
static int open_model(lac_model **model, const lac_stream_info *info)
{
    size_t carried = LAC_MODEL_ID_SIZE;

    while (carried > 8 && info->model_id[carried - 1] == 0)
        carried--;
    if (info->channels != 1)
        return LAC_ERROR_FORMAT;
    return *model ? 0 : lac_model_open_id(model, info->model_id, carried);
}

static int decode_file(lac_reader *reader, lac_model **model, lac_clip *clip, float *pcm)
{
    lac_model_info model_info;
    lac_stream_info info;
    int status;

    lac_reader_get_info(reader, &info);
    status = open_model(model, &info);
    if (!status)
        status = lac_reader_start(reader, *model, 1);
    if (!status)
        status = decode(reader, pcm, &clip->samples);
    if (status)
        return status;
    lac_model_get_info(*model, &model_info);
    clip->rate = model_info.sample_rate;
    return 0;
}

static uint8_t *decode_all(lac_model **model, const uint8_t *bytes, size_t *size)
{
    source from = {bytes, *size, 0};
    lac_io io = {.user = &from, .read = read_source};
    float *pcm = malloc(LONGEST * sizeof *pcm);
    lac_clip clip = {.pcm = pcm};
    lac_reader *reader = NULL;
    uint8_t *sound = NULL;

    if (!pcm || lac_reader_open(&reader, &io) || decode_file(reader, model, &clip, pcm) ||
        lac_clip_write(&clip, LAC_CLIP_FLAC, &sound, size))
        sound = NULL;
    lac_reader_close(&reader);
    free(pcm);
    return sound;
}

/* ---- */

uint8_t *lac_report_sound(lac_report_sounds *sounds, const lac_report_clip *clip, size_t most, size_t *size,
                          const char **type)
{
    uint8_t *bytes = read_member(sounds->set, sounds->folder, clip, most, size), *sound;

    *type = strcmp(clip->ending, "wav") == 0    ? "audio/wav"
            : strcmp(clip->ending, "opus") == 0 ? "audio/ogg"
                                                : "audio/flac";
    if (!bytes || strcmp(clip->ending, "lac") != 0)
        return bytes;
    sound = decode_all(&sounds->model, bytes, size);
    free(bytes);
    if (sound && *size > most) {
        free(sound);
        return NULL;
    }
    return sound;
}
