#include "lacweb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lac/lac.h"

#define ALIGN 64
#define MAX_POSITION 9007199254740992.0 /* 2^53: the integers of a double */

void *lac_web_alloc(size_t size)
{
    return size <= SIZE_MAX - ALIGN ? aligned_alloc(ALIGN, (size / ALIGN + 1) * ALIGN) : NULL;
}

void lac_web_free(void *memory)
{
    free(memory);
}

void lac_web_model_info(const lac_model *model, double numbers[8], char name[LAC_MODEL_NAME_SIZE],
                        uint8_t id[LAC_MODEL_ID_SIZE])
{
    lac_model_info info;
    lac_model_get_info(model, &info);
    numbers[0] = info.sample_rate;
    numbers[1] = info.frame_samples;
    numbers[2] = info.delay_samples;
    numbers[3] = info.decoder_delay_samples;
    numbers[4] = info.codebooks;
    numbers[5] = info.codewords;
    numbers[6] = info.token_bits;
    numbers[7] = (double)info.file_bytes;
    memcpy(name, info.name, sizeof info.name);
    memcpy(id, info.id, sizeof info.id);
}

/* ---- files in memory ---- */

static double known(uint64_t n)
{
    return n == UINT64_MAX ? NAN : (double)n;
}

static void put_info(double numbers[12], const lac_stream_info *info)
{
    numbers[0] = info->original_rate;
    numbers[1] = info->channels;
    numbers[2] = known(info->samples);
    numbers[3] = known(info->model_samples);
    numbers[4] = known(info->frames);
    numbers[5] = known(info->pages);
    numbers[6] = known(info->damaged_pages);
    numbers[7] = known(info->payload_bits);
    numbers[8] = known(info->bytes);
    numbers[9] = info->min_codebooks;
    numbers[10] = info->max_codebooks;
    numbers[11] = info->truncated;
}

struct lac_web_writer {
    lac_writer *writer;
    uint8_t *data; /* written and not yet taken */
    size_t size, capacity;
};

static int append(void *user, const void *data, size_t size)
{
    lac_web_writer *w = user;
    if (size > SIZE_MAX / 2 - w->size)
        return -1;
    if (w->size + size > w->capacity) {
        size_t capacity = 2 * (w->size + size);
        uint8_t *grown = realloc(w->data, capacity);
        if (grown == NULL)
            return -1;
        w->data = grown;
        w->capacity = capacity;
    }
    memcpy(w->data + w->size, data, size);
    w->size += size;
    return 0;
}

int lac_web_writer_open(lac_web_writer **writer, const lac_model *model, uint32_t original_rate, uint32_t channels,
                        uint32_t codebooks)
{
    lac_web_writer *w = calloc(1, sizeof *w);
    if (w == NULL)
        return LAC_ERROR_MEMORY;
    lac_writer_settings settings;
    lac_writer_default_settings(&settings);
    settings.original_rate = original_rate;
    settings.channels = channels;
    settings.codebooks = codebooks;
    int status = lac_writer_open(&w->writer, model, &(lac_io){.user = w, .write = append}, &settings);
    if (status != LAC_OK)
        lac_web_writer_close(w);
    else
        *writer = w;
    return status;
}

int lac_web_writer_set_codebooks(lac_web_writer *w, uint32_t codebooks)
{
    return lac_writer_set_codebooks(w->writer, codebooks);
}

int lac_web_writer_write(lac_web_writer *w, const float *pcm, size_t frames)
{
    return lac_writer_write(w->writer, pcm, frames);
}

int lac_web_writer_finish(lac_web_writer *w, double samples)
{
    return samples >= 0 && samples < MAX_POSITION ? lac_writer_finish(w->writer, (uint64_t)samples)
                                                  : LAC_ERROR_ARGUMENT;
}

void lac_web_writer_info(const lac_web_writer *w, double numbers[12])
{
    lac_stream_info info;
    lac_writer_get_info(w->writer, &info);
    put_info(numbers, &info);
}

size_t lac_web_writer_take(lac_web_writer *w, const uint8_t **data)
{
    size_t size = w->size;
    *data = w->data;
    w->size = 0;
    return size;
}

void lac_web_writer_close(lac_web_writer *w)
{
    if (w == NULL)
        return;
    lac_writer_close(&w->writer);
    free(w->data);
    free(w);
}

struct lac_web_reader {
    lac_reader *reader;
    uint8_t *data;
    size_t size, at;
};

static int64_t read_memory(void *user, void *data, size_t size)
{
    lac_web_reader *r = user;
    size_t n = size < r->size - r->at ? size : r->size - r->at;
    memcpy(data, r->data + r->at, n);
    r->at += n;
    return (int64_t)n;
}

static int seek_memory(void *user, uint64_t position)
{
    lac_web_reader *r = user;
    r->at = position < r->size ? (size_t)position : r->size;
    return 0;
}

static int64_t memory_size(void *user)
{
    const lac_web_reader *r = user;
    return (int64_t)r->size;
}

int lac_web_reader_open(lac_web_reader **reader, const lac_model *model, uint8_t *data, size_t size)
{
    lac_web_reader *r = calloc(1, sizeof *r);
    if (r == NULL) {
        free(data);
        return LAC_ERROR_MEMORY;
    }
    r->data = data;
    r->size = size;
    lac_io io = {.user = r, .read = read_memory, .seek = seek_memory, .size = memory_size};
    int status = lac_reader_open(&r->reader, &io);
    if (status == LAC_OK)
        status = lac_reader_start(r->reader, model, 1);
    if (status != LAC_OK)
        lac_web_reader_close(r);
    else
        *reader = r;
    return status;
}

int lac_web_reader_read(lac_web_reader *r, float *pcm, size_t capacity, size_t *frames)
{
    return lac_reader_read(r->reader, pcm, capacity, frames);
}

int lac_web_reader_seek(lac_web_reader *r, double position)
{
    return position >= 0 && position < MAX_POSITION ? lac_reader_seek(r->reader, (uint64_t)position)
                                                    : LAC_ERROR_ARGUMENT;
}

void lac_web_reader_info(const lac_web_reader *r, double numbers[12])
{
    lac_stream_info info;
    lac_reader_get_info(r->reader, &info);
    put_info(numbers, &info);
}

void lac_web_reader_close(lac_web_reader *r)
{
    if (r == NULL)
        return;
    lac_reader_close(&r->reader);
    free(r->data);
    free(r);
}
