#include "clip.h"

#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bytes.h"
#include "lac/status.h"

/* Samples converted at once; libsndfile's Opus encoder keeps a block on the stack. */
#define SLICE 1024

/* The bytes so far, and the place where libsndfile reads or writes next. */
typedef struct memory {
    uint8_t *bytes;
    size_t size, capacity, at;
    bool failed;
} memory;

static const struct {
    const char *name;
    int format; /* of libsndfile; 0: none of its */
} formats[] = {
    [LAC_CLIP_WAV] = {"wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
    [LAC_CLIP_FLAC] = {"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
    [LAC_CLIP_OPUS] = {"opus", SF_FORMAT_OGG | SF_FORMAT_OPUS},
    [LAC_CLIP_LAC] = {"lac", 0},
};
#define FORMATS (sizeof formats / sizeof *formats)

static const struct {
    int string;
    const char *name;
} strings[] = {
    {SF_STR_TITLE, "TITLE"},     {SF_STR_ARTIST, "ARTIST"},           {SF_STR_ALBUM, "ALBUM"},
    {SF_STR_GENRE, "GENRE"},     {SF_STR_TRACKNUMBER, "TRACKNUMBER"}, {SF_STR_DATE, "DATE"},
    {SF_STR_COMMENT, "COMMENT"}, {SF_STR_COPYRIGHT, "COPYRIGHT"},     {SF_STR_LICENSE, "LICENSE"},
};

const char *lac_clip_format_name(enum lac_clip_format format)
{
    return formats[format].name;
}

int lac_clip_format_parse(const char *name, enum lac_clip_format *format)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (strcmp(name, formats[i].name) == 0) {
            *format = (enum lac_clip_format)i;
            return 0;
        }
    return -1;
}

/* ---- bytes in memory ---- */

static int reserve(memory *m, size_t end)
{
    size_t capacity = m->capacity ? m->capacity : 4096;
    uint8_t *bytes;

    while (capacity < end)
        if (!lac_size_mul(capacity, 2, &capacity))
            return -1;
    if (capacity == m->capacity)
        return 0;
    bytes = realloc(m->bytes, capacity);
    if (!bytes)
        return -1;
    m->bytes = bytes;
    m->capacity = capacity;
    return 0;
}

static int put(void *user, const void *data, size_t size)
{
    memory *m = user;
    size_t end;

    if (!lac_size_add(m->at, size, &end) || reserve(m, end)) {
        m->failed = true;
        return -1;
    }
    if (m->at > m->size)
        memset(m->bytes + m->size, 0, m->at - m->size);
    if (size > 0)
        memcpy(m->bytes + m->at, data, size);
    m->at = end;
    m->size = end > m->size ? end : m->size;
    return 0;
}

static sf_count_t vio_size(void *user)
{
    return (sf_count_t)((memory *)user)->size;
}

static sf_count_t vio_seek(sf_count_t offset, int whence, void *user)
{
    memory *m = user;
    sf_count_t from = whence == SEEK_SET ? 0 : (sf_count_t)(whence == SEEK_CUR ? m->at : m->size);

    if (offset < -from)
        return -1;
    m->at = (size_t)(from + offset);
    return (sf_count_t)m->at;
}

static sf_count_t vio_read(void *data, sf_count_t size, void *user)
{
    memory *m = user;
    size_t left = m->at < m->size ? m->size - m->at : 0, n = (size_t)size < left ? (size_t)size : left;

    if (n > 0)
        memcpy(data, m->bytes + m->at, n);
    m->at += n;
    return (sf_count_t)n;
}

static sf_count_t vio_write(const void *data, sf_count_t size, void *user)
{
    return put(user, data, (size_t)size) ? 0 : size;
}

static sf_count_t vio_tell(void *user)
{
    return (sf_count_t)((memory *)user)->at;
}

/* ---- formats of libsndfile ---- */

static short to_word(float sample)
{
    float value = rintf(sample * 32768.0f);

    if (!(value < 32767.0f))
        return value >= 32767.0f ? 32767 : 0; /* 0 for a NaN */
    return value < -32768.0f ? -32768 : (short)value;
}

static int write_words(SNDFILE *snd, const float *pcm, size_t samples)
{
    short words[SLICE];

    while (samples > 0) {
        size_t n = samples < SLICE ? samples : SLICE;

        for (size_t i = 0; i < n; i++)
            words[i] = to_word(pcm[i]);
        if (sf_write_short(snd, words, (sf_count_t)n) != (sf_count_t)n)
            return LAC_ERROR_IO;
        pcm += n;
        samples -= n;
    }
    return 0;
}

static void set_strings(SNDFILE *snd, const lac_clip *clip)
{
    for (size_t i = 0; i < clip->tag_count; i++)
        for (size_t k = 0; k < sizeof strings / sizeof *strings; k++)
            if (strcasecmp(clip->tags[i].name, strings[k].name) == 0)
                sf_set_string(snd, strings[k].string, clip->tags[i].value);
}

/* CRC-32 of an Ogg page (RFC 3533): polynomial 0x04c11db7, most significant bit first, from 0. */
static uint32_t ogg_crc(const uint8_t *page, size_t size)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < size; i++) {
        crc ^= (uint32_t)page[i] << 24;
        for (int bit = 0; bit < 8; bit++)
            crc = crc << 1 ^ (crc >> 31 ? UINT32_C(0x04c11db7) : 0);
    }
    return crc;
}

/* libsndfile draws an Ogg stream's serial number by the clock: a number made from the sound takes its place. */
static int number_pages(memory *m, uint32_t serial)
{
    size_t at = 0;

    while (at < m->size) {
        uint8_t *page = m->bytes + at;
        size_t left = m->size - at, size = 27;

        if (left < size || memcmp(page, "OggS", 4) != 0 || left < size + page[26])
            return LAC_ERROR_FORMAT;
        for (size_t i = 0; i < page[26]; i++)
            size += page[27 + i];
        size += page[26];
        if (left < size)
            return LAC_ERROR_FORMAT;
        lac_store32(page + 14, serial);
        lac_store32(page + 22, 0);
        lac_store32(page + 22, ogg_crc(page, size));
        at += size;
    }
    return 0;
}

static int write_sndfile(const lac_clip *clip, enum lac_clip_format format, memory *m)
{
    SF_VIRTUAL_IO vio = {vio_size, vio_seek, vio_read, vio_write, vio_tell};
    SF_INFO info = {.samplerate = (int)clip->rate, .channels = 1, .format = formats[format].format};
    SNDFILE *snd;
    int status;

    if (clip->rate == 0 || clip->rate > INT32_MAX || !sf_format_check(&info))
        return LAC_ERROR_ARGUMENT;
    snd = sf_open_virtual(&vio, SFM_WRITE, &info, m);
    if (!snd)
        return m->failed ? LAC_ERROR_MEMORY : LAC_ERROR_ARGUMENT;
    set_strings(snd, clip);
    status = write_words(snd, clip->pcm, clip->samples);
    if (sf_close(snd) && !status)
        status = LAC_ERROR_IO;
    if (status || m->failed)
        return m->failed ? LAC_ERROR_MEMORY : status;
    if (format != LAC_CLIP_OPUS)
        return 0;
    return number_pages(m, lac_crc32c(0, clip->pcm, clip->samples * sizeof *clip->pcm));
}

/* ---- .lac ---- */

static int write_tokens(lac_writer *writer, const lac_clip *clip, const lac_model_info *model)
{
    uint8_t codebooks[256];
    uint64_t samples = (clip->samples * (uint64_t)model->sample_rate + clip->rate - 1) / clip->rate;
    uint64_t frames = samples + model->decoder_delay_samples + model->frame_samples - 1;
    int status = 0;

    frames = samples ? frames / model->frame_samples : 0;
    memset(codebooks, (int)(clip->codebooks ? clip->codebooks : model->codebooks), sizeof codebooks);
    for (uint64_t t = 0; !status && t < frames; t += sizeof codebooks) {
        size_t n = frames - t < sizeof codebooks ? (size_t)(frames - t) : sizeof codebooks;

        status = lac_writer_write_tokens(writer, clip->tokens + t * model->codebooks, codebooks, n);
    }
    return status;
}

static int write_lac(const lac_clip *clip, memory *m)
{
    lac_io io = {.user = m, .write = put};
    lac_writer_settings settings;
    lac_writer *writer = NULL;
    lac_model_info model;
    int status;

    lac_model_get_info(clip->model, &model);
    if (clip->rate == 0 || (!clip->tokens && clip->rate != model.sample_rate))
        return LAC_ERROR_ARGUMENT;
    lac_writer_default_settings(&settings);
    settings.original_rate = clip->rate;
    settings.codebooks = clip->codebooks;
    settings.tags = clip->tags;
    settings.tag_count = clip->tag_count;
    status = lac_writer_open(&writer, clip->model, &io, &settings);
    if (!status)
        status =
            clip->tokens ? write_tokens(writer, clip, &model) : lac_writer_write(writer, clip->pcm, clip->samples);
    if (!status)
        status = lac_writer_finish(writer, clip->samples);
    lac_writer_close(&writer);
    return m->failed ? LAC_ERROR_MEMORY : status;
}

int lac_clip_write(const lac_clip *clip, enum lac_clip_format format, uint8_t **bytes, size_t *size)
{
    memory m = {0};
    int status = format == LAC_CLIP_LAC ? write_lac(clip, &m) : write_sndfile(clip, format, &m);

    if (status) {
        free(m.bytes);
        return status;
    }
    *bytes = m.bytes;
    *size = m.size;
    return 0;
}
