#include "models.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report.h"

/* Why a model of files .`ending` did not open; `error` is errno then. */
static int report_open(const char *name, int status, int error, const char *what, const char *ending)
{
    struct stat st;

    if (!name || !*name) {
        char reason[64];

        snprintf(reason, sizeof reason, "default %s", what);
        return lac_report(reason, "%s", status == LAC_ERROR_NOT_FOUND ? "none is built in; name one with -m"
                                                                      : lac_status_string(status));
    }
    if (stat(name, &st) == 0 && !S_ISREG(st.st_mode))
        return lac_report(name, "%s", S_ISDIR(st.st_mode) ? strerror(EISDIR) : "is not a regular file");
    if (status == LAC_ERROR_FORMAT)
        return lac_report(name, "is not a %s", what);
    if (status == LAC_ERROR_NOT_FOUND && !strchr(name, '/'))
        return lac_report(name, "no such %s: no file, none built in, no %s.%s in the folders of LAC_MODEL_PATH",
                          what, name, ending);
    return lac_report_status(name, status, error);
}

int lac_models_open(lac_model **model, const char *name)
{
    int status;

    errno = 0;
    status = lac_model_open(model, name);
    return status ? report_open(name, status, errno, "model", "lacm") : 0;
}

int lac_factor_models_open(lac_factor_model **model, const char *name)
{
    int status;

    errno = 0;
    status = lac_factor_model_open(model, name);
    return status ? report_open(name, status, errno, "factor model", "lacf") : 0;
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
    lac_model *model = NULL;

    return lac_model_open_id(&model, id, carried_bytes(id)) ? NULL : model;
}

void lac_models_beside(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *listed = getenv("LAC_MODEL_PATH");
    size_t size = (listed ? strlen(listed) : 0) + strlen(program) + sizeof ":../models";
    char *path = slash ? malloc(size) : NULL;

    if (!path)
        return;
    snprintf(path, size, "%s%s%.*s../models", listed ? listed : "", listed ? ":" : "", (int)(slash + 1 - program),
             program);
    setenv("LAC_MODEL_PATH", path, 1);
    free(path);
}

int lac_models_report_mismatch(const lac_model *model, const uint8_t *id, const char *file)
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
        lac_models_report_mismatch(*model, info.model_id, file);
    else
        lac_report_status(file, status, 0);
    return LAC_EXIT_FAILED;
}

int lac_models_report_read(const char *file, int status, int error)
{
    if (status == LAC_ERROR_MODEL_MISMATCH)
        return lac_report(file,
                          "tokens are coded by a prior that this model file does not have; name another with -m");
    return lac_report_status(file, status, error);
}
