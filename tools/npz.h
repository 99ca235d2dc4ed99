/* NumPy's archives: a zip file whose members are arrays, NAME.npy each. */
#ifndef LAC_TOOLS_NPZ_H
#define LAC_TOOLS_NPZ_H

#include "npyarray.h"

typedef struct lac_npz_writer lac_npz_writer;
typedef struct lac_npz_reader lac_npz_reader;

/* NULL if memory ran out. */
lac_npz_writer *lac_npz_create(void);

/* Add an array under a name without ".npy"; it takes the bytes and zeroes *array. What fails here is told by
 * finish. */
void lac_npz_add(lac_npz_writer *writer, const char *name, lac_token_bytes *array);

/* The archive, appended to `out`: stored, not compressed, the same bytes every time. Closes the writer, NULL
 * allowed. 0, or -1 with a reason. */
int lac_npz_finish(lac_npz_writer *writer, lac_token_bytes *out, char *reason);

/* An archive in memory, which must stay: 0, or -1 with a reason. Stored or compressed. */
int lac_npz_open(lac_npz_reader **reader, const uint8_t *data, size_t size, char *reason);

/* The array of that name, its bytes in *bytes, which the caller frees in either case: 0, or -1 with a reason:
 * missing, damaged, more than `most` bytes with its header. */
int lac_npz_read(lac_npz_reader *reader, const char *name, size_t most, lac_token_bytes *bytes,
                 lac_npy_array *array, char *reason);

/* NULL is allowed. */
void lac_npz_close(lac_npz_reader *reader);

#endif
