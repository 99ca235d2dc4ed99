/* Small files that appear under their name only when they are complete, replacing what was there. */
#ifndef LAC_SYNTH_WHOLEFILE_H
#define LAC_SYNTH_WHOLEFILE_H

#include <stddef.h>

/* Writes `path` by way of a hidden file beside it, ".part-...". Any number of threads and processes at once, also
 * on the same path: one of them is what stays. 0, or -1 with errno and nothing left. */
int lac_whole_file_write(const char *path, const void *bytes, size_t size);

#endif
