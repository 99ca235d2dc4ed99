/* What fuzz targets share. */
#ifndef LAC_TESTS_FUZZMODEL_H
#define LAC_TESTS_FUZZMODEL_H

#include <stdlib.h>
#include <string.h>

#include "lac/model.h"

/* It codes what tiny.lacm does, and has a prior. Opened once, from LAC_VECTORS or ./vectors. */
static inline const lac_model *tiny_prior(void)
{
    static lac_model *model;
    char path[4096];
    const char *folder = getenv("LAC_VECTORS"), *name = "/tiny_prior.lacm";
    if (!folder)
        folder = "vectors";
    if (!model && strlen(folder) + strlen(name) < sizeof path) {
        strcat(strcpy(path, folder), name);
        if (lac_model_open_file(&model, path) != 0)
            abort();
    }
    return model;
}

#endif
