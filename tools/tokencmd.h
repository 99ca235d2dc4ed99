/* The parts of `lac tokens`, and what they share. Each takes the arguments from its own name on. */
#ifndef LAC_TOOLS_TOKENCMD_H
#define LAC_TOOLS_TOKENCMD_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "inputs.h"
#include "tokenload.h"
#include "vocabulary.h"

int lac_tokens_export(int argc, char **argv);
int lac_tokens_import(int argc, char **argv);
int lac_tokens_train(int argc, char **argv);
int lac_tokens_stats(int argc, char **argv);

/* A vocabulary file: 0, or LAC_EXIT_FAILED after a message; to be freed in either case. */
int lac_tokens_vocabulary(lac_vocabulary *v, const char *path);

/* Does the vocabulary fit tokens of this model? 0, or LAC_EXIT_FAILED after a message. */
int lac_tokens_check(const lac_vocabulary *v, const char *path, const lac_model_info *about, const char *file);

/* How much shorter symbols are than the tokens of `frames` frames in all channels. */
void lac_tokens_ratio(cJSON *facts, uint64_t tokens, uint64_t symbols, double frame_rate);

#endif
