#include "audioin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

#define RAW_BYTES 65536

struct lac_audio_in {
    lac_audio_in_info info;
    SNDFILE *snd;       /* NULL: raw */
    int fd;             /* raw only, else -1 */
    lac_pcm_format format;
    size_t kept;        /* bytes of an incomplete sample frame at the start of `bytes` */
    uint8_t bytes[RAW_BYTES];
};

static ssize_t read_some(int fd, void *data, size_t size)
{
    ssize_t got;

    do
        got = read(fd, data, size);
    while (got < 0 && errno == EINTR);
    return got;
}

static int copy_all(int from, int to, const char *name)
{
    char block[16384];
    ssize_t got;

    while ((got = read_some(from, block, sizeof block)) > 0) {
        char *next = block;

        while (got > 0) {
            ssize_t done = write(to, next, (size_t)got);

            if (done < 0 && errno != EINTR)
                return lac_report(name, "its temporary copy: %s", strerror(errno));
            if (done > 0) {
                next += done;
                got -= done;
            }
        }
    }
    return got < 0 ? lac_report(name, "%s", strerror(errno)) : 0;
}

/* Replaces *fd by a nameless file that holds all of it. */
static int spool(int *fd, const char *name)
{
    const char *directory = getenv("TMPDIR");
    char path[4096];
    int copy;
    int failed;

    snprintf(path, sizeof path, "%s/lac-XXXXXX", directory && *directory ? directory : "/tmp");
    copy = mkstemp(path);
    if (copy < 0)
        return lac_report(name, "its temporary copy: %s", strerror(errno));
    unlink(path);
    failed = copy_all(*fd, copy, name);
    if (*fd != STDIN_FILENO)
        close(*fd);
    *fd = copy;
    if (!failed && lseek(copy, 0, SEEK_SET) < 0)
        failed = lac_report(name, "%s", strerror(errno));
    return failed;
}

int lac_audio_in_keep_stdin(void)
{
    const char *name = lac_report_name("-", 0);
    struct stat st;
    int fd, failed;

    if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode))
        return 0;
    fd = dup(STDIN_FILENO);
    failed = fd < 0 ? lac_report(name, "%s", strerror(errno)) : spool(&fd, name);
    if (!failed && dup2(fd, STDIN_FILENO) < 0)
        failed = lac_report(name, "%s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return failed;
}

static int check_info(const lac_audio_in_info *info, const SF_INFO *sf)
{
    if (sf->channels < 1 || sf->channels > LAC_MAX_CHANNELS)
        return lac_report(info->name, "%d channels; 1 to %d are supported", sf->channels, LAC_MAX_CHANNELS);
    if (sf->samplerate < 1 || (uint32_t)sf->samplerate > LAC_MAX_RATE)
        return lac_report(info->name, "%d Hz; 1 to %u are supported", sf->samplerate, LAC_MAX_RATE);
    return 0;
}

/* `fd` is libsndfile's from here on, also on failure. */
static int open_header(lac_audio_in *in, int fd)
{
    SF_INFO sf;
    struct stat st;
    int failed;

    memset(&sf, 0, sizeof sf);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0) {
        close(fd);
        return lac_report(in->info.name, "is empty");
    }
    in->snd = sf_open_fd(fd, SFM_READ, &sf, SF_TRUE);
    if (!in->snd)
        return lac_report(in->info.name, "is not an audio file that can be read: %s", sf_strerror(NULL));
    failed = check_info(&in->info, &sf);
    if (failed)
        return failed;
    in->info.rate = (uint32_t)sf.samplerate;
    in->info.channels = (uint32_t)sf.channels;
    in->info.frames = sf.frames > 0 && sf.frames < SF_COUNT_MAX ? (uint64_t)sf.frames : UINT64_MAX;
    return lac_tags_load(&in->info.tags, in->snd, in->info.name);
}

static int open_raw(lac_audio_in *in, int fd, const lac_raw_input *raw, const struct stat *st)
{
    in->fd = fd;
    in->format = raw->format;
    in->info.rate = raw->rate;
    in->info.channels = raw->channels;
    in->info.frames = S_ISREG(st->st_mode)
        ? (uint64_t)st->st_size / (lac_pcm_size(raw->format) * raw->channels) : UINT64_MAX;
    return 0;
}

static int open_path(lac_audio_in *in, const char *path, const lac_raw_input *raw)
{
    struct stat st;
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    int failed = 0;

    if (fd < 0)
        return lac_report(in->info.name, "%s", strerror(errno));
    if (fstat(fd, &st))
        failed = lac_report(in->info.name, "%s", strerror(errno));
    else if (S_ISDIR(st.st_mode))
        failed = lac_report(in->info.name, "%s", strerror(EISDIR));
    else if (raw)
        return open_raw(in, fd, raw, &st);
    else if (!S_ISREG(st.st_mode))
        failed = spool(&fd, in->info.name);
    if (!failed)
        return open_header(in, fd);
    close(fd);
    return failed;
}

int lac_audio_in_open(lac_audio_in **in, const char *path, const lac_raw_input *raw)
{
    lac_audio_in *a = calloc(1, sizeof *a);
    int failed;

    if (!a)
        return lac_report(path, "out of memory");
    a->fd = -1;
    a->info.name = lac_report_name(path, 0);
    failed = open_path(a, path, raw);
    if (failed)
        lac_audio_in_close(&a);
    else
        *in = a;
    return failed;
}

const lac_audio_in_info *lac_audio_in_get_info(const lac_audio_in *in)
{
    return &in->info;
}

static int read_raw(lac_audio_in *in, float *pcm, size_t capacity, size_t *frames)
{
    size_t frame_bytes = lac_pcm_size(in->format) * in->info.channels;
    size_t wanted = RAW_BYTES / frame_bytes;

    if (wanted > capacity)
        wanted = capacity;
    while (in->kept < frame_bytes) {
        ssize_t got = read_some(in->fd, in->bytes + in->kept, wanted * frame_bytes - in->kept);

        if (got < 0)
            return lac_report(in->info.name, "%s", strerror(errno));
        if (got == 0)
            break;
        in->kept += (size_t)got;
    }
    *frames = in->kept / frame_bytes;
    if (!*frames && in->kept)
        lac_report(in->info.name, "ends within a sample frame; its last %zu bytes are left out", in->kept);
    lac_pcm_load(pcm, in->bytes, *frames * in->info.channels, in->format);
    in->kept = *frames ? in->kept - *frames * frame_bytes : 0;
    memmove(in->bytes, in->bytes + *frames * frame_bytes, in->kept);
    return 0;
}

int lac_audio_in_read(lac_audio_in *in, float *pcm, size_t capacity, size_t *frames)
{
    *frames = 0;
    if (in->snd) {
        sf_count_t got = sf_readf_float(in->snd, pcm, (sf_count_t)capacity);

        if (got <= 0 && sf_error(in->snd))
            return lac_report(in->info.name, "%s", sf_strerror(in->snd));
        *frames = got > 0 ? (size_t)got : 0;
    } else {
        int failed = read_raw(in, pcm, capacity, frames);

        if (failed)
            return failed;
    }
    lac_pcm_sanitize(pcm, *frames * in->info.channels);
    return 0;
}

void lac_audio_in_close(lac_audio_in **in)
{
    if (!in || !*in)
        return;
    if ((*in)->snd)
        sf_close((*in)->snd);
    if ((*in)->fd >= 0)
        close((*in)->fd);
    lac_tags_free(&(*in)->info.tags);
    free(*in);
    *in = NULL;
}
