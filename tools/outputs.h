/* Where the outputs of several inputs go. */
#ifndef LAC_TOOLS_OUTPUTS_H
#define LAC_TOOLS_OUTPUTS_H

#include "inputs.h"

/* A path for each input: in `folder`, named as the input below its folder, with this ending; beside the input if
 * `folder` is NULL. ending NULL: `folder` is the file. NULL after a message if memory ran out; lac_outputs_free. */
char **lac_outputs_name(const lac_inputs *inputs, const char *folder, const char *ending);

/* Two inputs must not become one output. 0, or LAC_EXIT_FAILED after a message. */
int lac_outputs_check(char **outputs, size_t count);

/* Folders of a path that are not there yet. 0, or LAC_EXIT_FAILED after a message. */
int lac_outputs_make_folders(const char *path);

/* NULL is allowed. */
void lac_outputs_free(char **outputs, size_t count);

#endif
