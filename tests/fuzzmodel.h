/* What fuzz targets share. */
#ifndef LAC_TESTS_FUZZMODEL_H
#define LAC_TESTS_FUZZMODEL_H

#include <stdlib.h>
#include <string.h>

#include "lac/model.h"

/* The tiny model, that of LAC_VECTORS or ./vectors; opened once. */
static inline const lac_model *tiny(void)
{
    static lac_model *model;
    char path[4096];
    const char *folder = getenv("LAC_VECTORS");
    if (!folder)
        folder = "vectors";
    if (!model && strlen(folder) + 12 < sizeof path) {
        strcat(strcpy(path, folder), "/tiny.lacm");
        if (lac_model_open_file(&model, path) != 0)
            abort();
    }
    return model;
}

#endif
