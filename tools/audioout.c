#include "audioout.h"

#include <errno.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fileout.h"
#include "report.h"
#include "tags.h"

/* Sample frames converted at once; libsndfile's Vorbis and Opus encoders keep a block on the stack. */
#define SLICE 1024

#define WAV_COMMENT 400 /* bytes of a comment in WAV to a pipe */

struct lac_audio_out {
    lac_file_out file;
    SNDFILE *snd;      /* NULL: bytes straight to the file */
    lac_pcm_format raw;
    int lossy;         /* takes floats, not 16 bits */
    uint32_t channels;
    uint8_t bytes[SLICE * LAC_MAX_CHANNELS * 4];
    short words[SLICE * LAC_MAX_CHANNELS];
    float floats[SLICE * LAC_MAX_CHANNELS];
};

static const struct {
    const char *ending;
    int format;
} endings[] = {
    {"wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},   {"rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16},
    {"w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16},   {"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
    {"aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16}, {"aif", SF_FORMAT_AIFF | SF_FORMAT_PCM_16},
    {"au", SF_FORMAT_AU | SF_FORMAT_PCM_16},     {"snd", SF_FORMAT_AU | SF_FORMAT_PCM_16},
    {"caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16},   {"ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
    {"oga", SF_FORMAT_OGG | SF_FORMAT_VORBIS},   {"opus", SF_FORMAT_OGG | SF_FORMAT_OPUS},
};

#define FORMAT_WAV (SF_FORMAT_WAV | SF_FORMAT_PCM_16)

/* libsndfile's format of a path, or 0. */
static int format_of(const char *path)
{
    const char *dot = strrchr(path, '.');

    if (dot && !strchr(dot, '/'))
        for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
            if (strcasecmp(dot + 1, endings[i].ending) == 0)
                return endings[i].format;
    return 0;
}

int lac_audio_out_knows(const char *path)
{
    return format_of(path) != 0;
}

/* ---- libsndfile's bytes ---- */

static sf_count_t vio_size(void *user)
{
    const lac_file_out *file = user;
    struct stat st;

    return fstat(file->fd, &st) ? -1 : (sf_count_t)st.st_size;
}

static sf_count_t vio_seek(sf_count_t offset, int whence, void *user)
{
    const lac_file_out *file = user;

    return (sf_count_t)lseek(file->fd, (off_t)offset, whence);
}

static sf_count_t vio_read(void *data, sf_count_t size, void *user)
{
    const lac_file_out *file = user;

    return (sf_count_t)read(file->fd, data, (size_t)size);
}

static sf_count_t vio_write(const void *data, sf_count_t size, void *user)
{
    return lac_file_out_write(user, data, (size_t)size) ? 0 : size;
}

static sf_count_t vio_tell(void *user)
{
    return vio_seek(0, SEEK_CUR, user);
}

static int open_header(lac_audio_out *out, int format, const lac_audio_out_settings *settings)
{
    SF_VIRTUAL_IO vio = {vio_size, vio_seek, vio_read, vio_write, vio_tell};
    SF_INFO info;
    /* WAV ends at 4 GB; an RF64 file that stays below becomes a WAV file in the end. */
    int grows = format == FORMAT_WAV && settings->frames > UINT32_MAX / 2 / settings->channels - 4096;

    if (grows)
        format = SF_FORMAT_RF64 | SF_FORMAT_PCM_16;
    memset(&info, 0, sizeof info);
    info.samplerate = (int)settings->rate;
    info.channels = (int)settings->channels;
    info.format = format;
    if (!sf_format_check(&info))
        return lac_report(out->file.name, "this format has no %u Hz or no %u channels", settings->rate,
                          settings->channels);
    out->snd = sf_open_virtual(&vio, SFM_WRITE, &info, &out->file);
    if (!out->snd)
        return lac_report(out->file.name, "%s", out->file.error ? strerror(out->file.error) : sf_strerror(NULL));
    if (grows)
        sf_command(out->snd, SFC_RF64_AUTO_DOWNGRADE, NULL, SF_TRUE);
    out->lossy = (format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG;
    if (settings->reader)
        lac_tags_store(out->snd, settings->reader);
    lac_tags_put(out->snd, settings->tags, settings->tag_count);
    return 0;
}

/* ---- WAV to a pipe ---- */

static void put(uint8_t *p, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

/* A chunk of information with the COMMENT, if there is one, at p [WAV_COMMENT + 22]: its bytes. */
static uint32_t put_comment(uint8_t *p, const lac_audio_out_settings *settings)
{
    const char *text = NULL;

    for (size_t i = 0; i < settings->tag_count; i++)
        if (strcasecmp(settings->tags[i].name, "COMMENT") == 0)
            text = settings->tags[i].value;
    uint32_t size = text ? (uint32_t)strnlen(text, WAV_COMMENT) + 1 : 0, even = size + (size & 1);
    if (!text)
        return 0;
    memcpy(p, "LIST....INFOICMT", 16);
    put(p + 4, 12 + even, 4);
    put(p + 16, size, 4);
    memset(p + 20, 0, even);
    memcpy(p + 20, text, size - 1);
    return 20 + even;
}

/* Sizes that are unknown, or too large, are 0xffffffff, which readers take for "to the end". */
static int write_wav_header(lac_audio_out *out, const lac_audio_out_settings *settings)
{
    uint8_t h[44 + 22 + WAV_COMMENT] = "RIFF....WAVEfmt ";
    uint32_t frame_bytes = 2 * settings->channels;
    uint32_t before = 36 + put_comment(h + 36, settings);
    uint32_t data = settings->frames <= (UINT32_MAX - before) / frame_bytes
        ? (uint32_t)settings->frames * frame_bytes : UINT32_MAX;

    put(h + 4, data == UINT32_MAX ? data : data + before, 4);
    put(h + 16, 16, 4);
    put(h + 20, 1, 2); /* PCM */
    put(h + 22, settings->channels, 2);
    put(h + 24, settings->rate, 4);
    put(h + 28, settings->rate * frame_bytes, 4);
    put(h + 32, frame_bytes, 2);
    put(h + 34, 16, 2);
    memcpy(h + before, "data", 4);
    put(h + before + 4, data, 4);
    if (lac_file_out_write(&out->file, h, before + 8))
        return lac_report(out->file.name, "%s", strerror(out->file.error));
    out->raw = LAC_PCM_S16;
    return 0;
}

/* ---- */

static int open_format(lac_audio_out *out, const char *path, const lac_audio_out_settings *settings)
{
    int format = format_of(path);
    int is_pipe = lseek(out->file.fd, 0, SEEK_CUR) < 0;

    if (settings->raw != LAC_PCM_NONE)
        return 0;
    if (strcmp(path, "-") == 0 || (is_pipe && format == FORMAT_WAV))
        return write_wav_header(out, settings);
    if (is_pipe)
        return lac_report(out->file.name, "only WAV and --raw can be written to a pipe");
    return open_header(out, format, settings);
}

int lac_audio_out_open(lac_audio_out **out, const char *path, const lac_audio_out_settings *settings)
{
    lac_audio_out *o = calloc(1, sizeof *o);
    int failed;

    if (!o)
        return lac_report(path, "out of memory");
    o->raw = settings->raw;
    o->channels = settings->channels;
    failed = lac_file_out_open(&o->file, path, settings->input, settings->force);
    if (!failed)
        failed = open_format(o, path, settings);
    if (failed)
        lac_audio_out_close(&o, 0);
    else
        *out = o;
    return failed;
}

static int write_bytes(lac_audio_out *out, const float *pcm, size_t samples)
{
    lac_pcm_store(out->bytes, pcm, samples, out->raw);
    return lac_file_out_write(&out->file, out->bytes, samples * lac_pcm_size(out->raw));
}

static int write_words(lac_audio_out *out, const float *pcm, size_t samples)
{
    for (size_t i = 0; i < samples; i++)
        out->words[i] = lac_pcm_s16(pcm[i]);
    return sf_write_short(out->snd, out->words, (sf_count_t)samples) == (sf_count_t)samples ? 0 : -1;
}

static int write_floats(lac_audio_out *out, const float *pcm, size_t samples)
{
    for (size_t i = 0; i < samples; i++)
        out->floats[i] = pcm[i] > 1.0f ? 1.0f : pcm[i] < -1.0f ? -1.0f : pcm[i];
    return sf_write_float(out->snd, out->floats, (sf_count_t)samples) == (sf_count_t)samples ? 0 : -1;
}

static const char *reason(const lac_audio_out *out)
{
    return out->file.error ? strerror(out->file.error) : sf_strerror(out->snd);
}

int lac_audio_out_write(lac_audio_out *out, const float *pcm, size_t frames)
{
    while (frames) {
        size_t slice = frames < SLICE ? frames : SLICE;
        size_t samples = slice * out->channels;
        int failed = !out->snd ? write_bytes(out, pcm, samples)
                   : out->lossy ? write_floats(out, pcm, samples) : write_words(out, pcm, samples);

        if (failed || out->file.error)
            return lac_report(out->file.name, "%s", reason(out));
        pcm += samples;
        frames -= slice;
    }
    return 0;
}

int lac_audio_out_close(lac_audio_out **out, int keep)
{
    lac_audio_out *o = *out;
    int failed = 0;

    if (!o)
        return 0;
    /* Formats write their rest and their header here; errors show in the file. */
    if (o->snd && sf_close(o->snd) && keep && !o->file.error)
        o->file.error = EIO;
    if (keep)
        failed = lac_file_out_commit(&o->file);
    else
        lac_file_out_discard(&o->file);
    free(o);
    *out = NULL;
    return failed;
}
