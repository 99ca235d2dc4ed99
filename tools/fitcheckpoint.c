/* The file: "LACS", version, what is below in that order, the held rows, and what lac_fit_save writes. All numbers
 * are little-endian. */
#include "fitcheckpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fileout.h"
#include "report.h"

#define VERSION 1
#define HEAD_BYTES 64 /* magic 4, version 4, model id 16, inputs 8, files 8, failed 4, held 4, frames 8, check 8 */
#define CHECK_AT 56

static void store(uint8_t *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t load(const uint8_t *from, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

/* FNV-1a, of 64 bits. */
static uint64_t hash(uint64_t value, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * UINT64_C(0x100000001b3);
    return value;
}

static uint64_t hash_inputs(const lac_inputs *inputs)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < inputs->count; i++)
        value = hash(value, inputs->item[i].path, strlen(inputs->item[i].path) + 1);
    return value;
}

static size_t held_values(const lac_fit_corpus *corpus)
{
    return (size_t)corpus->held_rows * corpus->info.latent_size;
}

static uint64_t hash_all(const uint8_t *head, const lac_fit_corpus *corpus)
{
    uint64_t value = hash(UINT64_C(0xcbf29ce484222325), head, CHECK_AT);

    for (size_t i = 0; i < held_values(corpus); i++) {
        uint8_t bytes[2];

        store(bytes, (uint16_t)corpus->held[i], 2);
        value = hash(value, bytes, 2);
    }
    return value;
}

static void fill_head(uint8_t *head, const lac_fit_corpus *corpus, const lac_inputs *inputs,
                      const lac_fit_progress *progress)
{
    memcpy(head, "LACS", 4);
    store(head + 4, VERSION, 4);
    memcpy(head + 8, corpus->info.id, LAC_MODEL_ID_SIZE);
    store(head + 24, hash_inputs(inputs), 8);
    store(head + 32, progress->files, 8);
    store(head + 40, progress->failed, 4);
    store(head + 44, corpus->held_rows, 4);
    store(head + 48, corpus->frames, 8);
    store(head + CHECK_AT, hash_all(head, corpus), 8);
}

int lac_fit_checkpoint_save(const char *path, const lac_fit_corpus *corpus, const lac_inputs *inputs,
                            const lac_fit_progress *progress)
{
    uint8_t head[HEAD_BYTES];
    lac_file_out out;
    int failed = lac_file_out_open(&out, path, "", 1);

    if (failed)
        return failed;
    fill_head(head, corpus, inputs, progress);
    lac_file_out_write(&out, head, sizeof head);
    for (size_t i = 0; i < held_values(corpus) && !out.error; i++) {
        uint8_t bytes[2];

        store(bytes, (uint16_t)corpus->held[i], 2);
        lac_file_out_write(&out, bytes, 2);
    }
    lac_io io = lac_file_out_io(&out);
    if (!out.error)
        lac_fit_save(corpus->fit, &io);
    return lac_file_out_commit(&out);
}

static int64_t read_file(void *user, void *data, size_t size)
{
    FILE *file = user;
    size_t got = fread(data, 1, size, file);

    return got == 0 && ferror(file) ? -1 : (int64_t)got;
}

/* Head and held rows. */
static int load_head(FILE *file, lac_fit_corpus *corpus, const lac_inputs *inputs, lac_fit_progress *progress)
{
    uint8_t head[HEAD_BYTES];

    if (fread(head, 1, sizeof head, file) != sizeof head || memcmp(head, "LACS", 4) != 0)
        return LAC_ERROR_FORMAT;
    if (load(head + 4, 4) != VERSION)
        return LAC_ERROR_VERSION;
    if (memcmp(head + 8, corpus->info.id, LAC_MODEL_ID_SIZE) != 0 || load(head + 24, 8) != hash_inputs(inputs))
        return LAC_ERROR_MODEL_MISMATCH;
    progress->files = load(head + 32, 8);
    progress->failed = (uint32_t)load(head + 40, 4);
    corpus->held_rows = (uint32_t)load(head + 44, 4);
    corpus->frames = load(head + 48, 8);
    if (progress->files > inputs->count || corpus->held_rows > LAC_FIT_HELD_ROWS)
        return LAC_ERROR_FORMAT;
    for (size_t i = 0; i < held_values(corpus); i++) {
        uint8_t bytes[2];

        if (fread(bytes, 1, 2, file) != 2)
            return LAC_ERROR_TRUNCATED;
        int value = (int)load(bytes, 2);
        corpus->held[i] = (int16_t)(value < 32768 ? value : value - 65536);
        if (corpus->held[i] < -LAC_FIT_MAX_VALUE || corpus->held[i] > LAC_FIT_MAX_VALUE)
            return LAC_ERROR_FORMAT;
    }
    return load(head + CHECK_AT, 8) == hash_all(head, corpus) ? LAC_OK : LAC_ERROR_CHECKSUM;
}

/* The settings but for the threads. */
static int same_settings(const lac_fit *fit, lac_fit_settings wanted)
{
    lac_fit_settings have;

    lac_fit_get_settings(fit, &have);
    return have.stages == wanted.stages && have.codewords == wanted.codewords &&
           have.dimension == wanted.dimension && have.method == wanted.method &&
           have.iterations == wanted.iterations && have.spread == wanted.spread &&
           have.refinements == wanted.refinements &&
           have.beam == wanted.beam && have.layered == wanted.layered && have.prior == wanted.prior &&
           have.batch == wanted.batch && have.decay == wanted.decay && have.rows == wanted.rows &&
           have.seed == wanted.seed && memcmp(have.levels, wanted.levels, sizeof have.levels) == 0;
}

int lac_fit_checkpoint_load(const char *path, lac_fit_corpus *corpus, const lac_fit_settings *settings,
                            const lac_inputs *inputs, lac_fit_progress *progress)
{
    FILE *file = fopen(path, "rb");
    lac_io io = {file, read_file, NULL, NULL, NULL};
    lac_fit *fit = NULL;
    int status;

    if (!file)
        return errno == ENOENT ? 0 : lac_report(path, "%s", strerror(errno));
    status = load_head(file, corpus, inputs, progress);
    if (!status)
        status = lac_fit_load(&fit, &io, settings->threads);
    fclose(file);
    if (status == LAC_ERROR_FORMAT)
        return lac_report(path, "is not the state of a fit");
    if (status == LAC_ERROR_MODEL_MISMATCH || (!status && !same_settings(fit, *settings))) {
        lac_fit_close(&fit);
        return lac_report(path, "is the state of a fit with another model, other options or other files");
    }
    if (status)
        return lac_report_status(path, status, 0);
    lac_fit_close(&corpus->fit);
    corpus->fit = fit;
    return 0;
}
