/* What fuzz targets share. */
#ifndef LAC_TESTS_FUZZMODEL_H
#define LAC_TESTS_FUZZMODEL_H

#include <stdlib.h>
#include <string.h>

#include "lac/model.h"

/* A model of LAC_VECTORS or ./vectors; opened once, so a program asks for one name only. */
static inline const lac_model *tiny_of(const char *name)
{
    static lac_model *model;
    char path[4096];
    const char *folder = getenv("LAC_VECTORS");
    if (!folder)
        folder = "vectors";
    if (!model && strlen(folder) + strlen(name) < sizeof path) {
        strcat(strcpy(path, folder), name);
        if (lac_model_open_file(&model, path) != 0)
            abort();
    }
    return model;
}

static inline const lac_model *tiny(void)
{
    return tiny_of("/tiny.lacm");
}

#endif
