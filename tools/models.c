#include "models.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "report.h"

int lac_models_open(lac_model **model, const char *name)
{
    struct stat st;
    int status;
    int error;

    errno = 0;
    status = lac_model_open(model, name);
    if (!status)
        return 0;
    if (!name || !*name)
        return lac_report("default model", "%s", status == LAC_ERROR_NOT_FOUND ? "none is built in; name one with -m"
                                                                               : lac_status_string(status));
    error = errno;
    if (stat(name, &st) == 0 && !S_ISREG(st.st_mode))
        return lac_report(name, "%s", S_ISDIR(st.st_mode) ? strerror(EISDIR) : "is not a regular file");
    if (status == LAC_ERROR_FORMAT)
        return lac_report(name, "is not a model");
    return lac_report_status(name, status, error);
}

/* A file may carry only the first bytes of an id; the rest is zero then. */
static size_t carried_bytes(const uint8_t *id)
{
    size_t bytes = LAC_MODEL_ID_SIZE;

    while (bytes > 8 && id[bytes - 1] == 0)
        bytes--;
    return bytes;
}

lac_model *lac_models_find(const uint8_t *id)
{
    const char *name;

    for (size_t i = 0; (name = lac_model_embedded_name(i)) != NULL; i++) {
        lac_model *model;
        lac_model_info info;

        if (lac_model_open(&model, name))
            continue;
        lac_model_get_info(model, &info);
        if (memcmp(info.id, id, carried_bytes(id)) == 0)
            return model;
        lac_model_close(&model);
    }
    return NULL;
}

static int report_mismatch(const lac_model *model, const uint8_t *id, const char *file)
{
    lac_model_info have;
    char needed[2 * LAC_MODEL_ID_SIZE + 1];
    char given[2 * LAC_MODEL_ID_SIZE + 1];

    lac_model_get_info(model, &have);
    memset(have.id + carried_bytes(id), 0, sizeof have.id - carried_bytes(id));
    return lac_report(file, "needs the model with id %s; %s has id %s; name the right one with -m",
                      lac_report_id(id, needed), have.name, lac_report_id(have.id, given));
}

int lac_models_attach(lac_model **model, const char *name, lac_reader *reader, uint32_t threads, const char *file)
{
    lac_stream_info info;
    int status;

    lac_reader_get_info(reader, &info);
    *model = name ? NULL : lac_models_find(info.model_id);
    if (!*model) {
        int failed = lac_models_open(model, name);

        if (failed)
            return failed;
    }
    status = lac_reader_start(reader, *model, threads);
    if (!status)
        return 0;
    if (status == LAC_ERROR_MODEL_MISMATCH)
        report_mismatch(*model, info.model_id, file);
    else
        lac_report_status(file, status, 0);
    return LAC_EXIT_FAILED;
}

int lac_models_report_read(const char *file, int status, int error)
{
    if (status == LAC_ERROR_MODEL_MISMATCH)
        return lac_report(file, "tokens are coded by a prior that this model file does not have; name another with -m");
    return lac_report_status(file, status, error);
}
