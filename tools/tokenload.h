/* The tokens of .lac files and of audio, which is encoded first. */
#ifndef LAC_TOOLS_TOKENLOAD_H
#define LAC_TOOLS_TOKENLOAD_H

#include "filein.h"
#include "inputs.h"
#include "tokenset.h"

/* Where tokens come from: what the options say, and a model that is kept from file to file. */
typedef struct lac_token_source {
    const char *model_name; /* NULL: the one that a file names, or the default */
    double kbps;            /* of audio; negative: the default */
    uint32_t beam;
    lac_model *model;
    bool named;             /* by the options or default, not by a file */
    lac_model_info about;
    lac_file_in *file;      /* from malloc */
} lac_token_source;

/* 0, or LAC_EXIT_FAILED or LAC_EXIT_USAGE after a message; LAC_EXIT_CONCEALED, with a message, if damaged frames
 * have no tokens. On success the set is the caller's to free. "-" is a .lac file. */
int lac_token_source_load(lac_token_source *source, const char *path, lac_token_set *set);

/* Makes the model that has this id (zeros: the default one, or that of the options) source->model. */
int lac_token_source_model(lac_token_source *source, const uint8_t *id, const char *file);

/* What is taken of one file: 0, or another exit status, at which lac_token_source_each ends. */
typedef int lac_token_take_fn(void *user, const lac_token_set *set, const char *path);

/* Loads and takes each input, with progress, until one fails or *enough (NULL: never). LAC_EXIT_CONCEALED if a file of
 * them was damaged. */
int lac_token_source_each(lac_token_source *source, const lac_inputs *inputs, lac_token_take_fn *take, void *user,
                          const bool *enough);

/* The defaults of options. */
void lac_token_source_init(lac_token_source *source);

/* Harmless on a zeroed struct. */
void lac_token_source_close(lac_token_source *source);

/* What all that read tokens have: -m, -b, --beam; else LAC_EXIT_USAGE after a message in the name of `command`. */
int lac_token_source_option(lac_token_source *source, const char *command, int option, char **argv);

#endif
