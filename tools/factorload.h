/* The factors of audio, .lac files and files of factors. */
#ifndef LAC_TOOLS_FACTORLOAD_H
#define LAC_TOOLS_FACTORLOAD_H

#include "factorset.h"
#include "inputs.h"
#include "jobs.h"
#include "monoin.h"

/* What the options say, and the models; shared by threads once open. */
typedef struct lac_factor_source {
    const char *model_name; /* NULL: the default */
    const char *codec_name;
    lac_raw_input raw;
    uint32_t channel;       /* 1 is the first; 0: all, mixed down */
    uint32_t jobs;
    lac_factor_model *model;
    lac_factor_info about;
    lac_model *codec;
    lac_model_info codec_about;
    const char **phones;    /* [about.phones] */
} lac_factor_source;

/* An analyser and an encoder; one for each thread. */
typedef struct lac_factor_worker lac_factor_worker;

/* The defaults of options. */
void lac_factor_source_init(lac_factor_source *source);

/* What all that analyse have: -m, --codec, --raw, --channel, -j; else LAC_EXIT_USAGE after a message in the name of
 * `command`. */
int lac_factor_source_option(lac_factor_source *source, const char *command, int option, char **argv);

/* For the table of lac_options_read; the letters are "m:j:". */
#define LAC_FACTOR_SOURCE_OPTIONS                                                                                  \
    {"model", required_argument, NULL, 'm'}, {"codec", required_argument, NULL, 'C'},                              \
        {"raw", required_argument, NULL, 'R'}, {"channel", required_argument, NULL, 'N'},                          \
    {                                                                                                              \
        "jobs", required_argument, NULL, 'j'                                                                       \
    }

#define LAC_FACTOR_SOURCE_USAGE                                                                                    \
    "  -m, --model MODEL    a factor model, a file or a name; default: the built-in one\n"                         \
    "      --codec MODEL    the codec model whose latents it reads; default: the built-in one\n"                   \
    "      --channel N      channel N of the sound, the first is 1; default: all, mixed down\n"                    \
    "      --raw RATE:CHANNELS:FORMAT  the inputs have no header: s16, s24, s32 or f32\n"                          \
    "  -j, --jobs N         files worked on at once; default: one a processor\n"

/* Opens the models. 0, or LAC_EXIT_FAILED after a message; to be closed in either case. */
int lac_factor_source_open(lac_factor_source *source);

/* Makes standard input readable in parts if it is among the inputs, headerless sound only with `raw`; twice it
 * can't be there. 0 or an exit status after a message. */
int lac_factor_source_keep_stdin(const lac_factor_source *source, const lac_inputs *inputs, bool raw);

/* Harmless on a zeroed struct. */
void lac_factor_source_close(lac_factor_source *source);

/* 0, or LAC_EXIT_FAILED after a message. */
int lac_factor_worker_open(lac_factor_worker **worker, const lac_factor_source *source);
void lac_factor_worker_close(lac_factor_worker **worker);

/* The factors of audio or a .lac file: 0, or LAC_EXIT_FAILED after a message; LAC_EXIT_CONCEALED, with a message,
 * if parts were damaged. The set is the caller's to free in either case. */
int lac_factor_worker_analyse(lac_factor_worker *worker, const char *path, lac_progress *progress,
                              lac_factor_set *set);

/* The same, or of a file of factors, which must be this model's. */
int lac_factor_worker_load(lac_factor_worker *worker, const char *path, lac_progress *progress,
                           lac_factor_set *set);

/* The same for a job over files: a set of its own in *item, or NULL, by a worker that is opened where there is
 * none. */
int lac_factor_worker_item(lac_factor_worker **worker, const lac_factor_source *source, const char *path,
                           void **item);
void lac_factor_item_drop(void *item);

#endif
