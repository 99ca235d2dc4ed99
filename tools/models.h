/* Opening models for a subcommand, with messages. */
#ifndef LAC_TOOLS_MODELS_H
#define LAC_TOOLS_MODELS_H

#include "lac/factors.h"
#include "lac/model.h"
#include "lac/stream.h"

/* By name or file; NULL is the default model. 0 or LAC_EXIT_FAILED after a message. */
int lac_models_open(lac_model **model, const char *name);

/* The same for factor models. */
int lac_factor_models_open(lac_factor_model **model, const char *name);

/* Models are also looked for in ../models beside the program, if its name, argv[0], tells where that is: a build folder. */
void lac_models_beside(const char *program);

/* The model of the id that a .lac file names, embedded or in the directories of models; NULL if it is not there. */
lac_model *lac_models_find(const uint8_t *id);

/* The model for a reader: `name`, or with NULL the one that the file names. Attaches it with `threads`; `file` is for
 * messages. 0 or LAC_EXIT_FAILED. The model must outlive the reader. */
int lac_models_attach(lac_model **model, const char *name, lac_reader *reader, uint32_t threads, const char *file);

/* That `model` is not the one whose id, whole or its first bytes and zeros, the file names. LAC_EXIT_FAILED. */
int lac_models_report_mismatch(const lac_model *model, const uint8_t *id, const char *file);

/* What lac_reader_read gave but 0, of `file`. LAC_EXIT_FAILED. */
int lac_models_report_read(const char *file, int status, int error);

#endif
