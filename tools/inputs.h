/* The files that operands stand for: themselves, or, of a folder, the audio files in it and below. */
#ifndef LAC_TOOLS_INPUTS_H
#define LAC_TOOLS_INPUTS_H

#include <stddef.h>

typedef struct lac_input {
    char *path;
    char *name; /* below the folder that it was found in; of an operand, the part after its last slash */
} lac_input;

/* What folders are searched for beside audio. */
enum lac_inputs_kind { LAC_INPUTS_LAC = 1, LAC_INPUTS_NPZ = 2 };

typedef struct lac_inputs {
    lac_input *item; /* operands in their order, each folder's files by name */
    size_t count;
    unsigned kinds;  /* enum lac_inputs_kind, added up */
} lac_inputs;

/* kinds: what folders are searched for beside audio. 0, or LAC_EXIT_FAILED after messages: unreadable folder,
 * nothing in it, out of memory; what else there is is listed nonetheless. Links to folders are not followed. */
int lac_inputs_open(lac_inputs *inputs, char **operands, size_t count, unsigned kinds);

/* Harmless on a zeroed struct. */
void lac_inputs_close(lac_inputs *inputs);

#endif
