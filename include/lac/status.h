/* Status codes of every call that can fail.
 *
 * Functions return 0 (LAC_OK) or one of these negative values; data leaves through out-pointers, which are
 * untouched on failure unless the declaration says otherwise. */
#ifndef LAC_STATUS_H
#define LAC_STATUS_H

#include "lac/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* name, value, message */
#define LAC_STATUS_LIST(X)                                                         \
    X(LAC_OK, 0, "success")                                                        \
    X(LAC_ERROR_ARGUMENT, -1, "invalid argument")                                  \
    X(LAC_ERROR_MEMORY, -2, "out of memory")                                       \
    X(LAC_ERROR_IO, -3, "read or write failed")                                    \
    X(LAC_ERROR_NOT_FOUND, -4, "no such file or model")                            \
    X(LAC_ERROR_FORMAT, -5, "not in the expected format")                          \
    X(LAC_ERROR_VERSION, -6, "written by a newer version of the format")           \
    X(LAC_ERROR_CHECKSUM, -7, "checksum mismatch")                                 \
    X(LAC_ERROR_TRUNCATED, -8, "ends too early")                                   \
    X(LAC_ERROR_MODEL_MISMATCH, -9, "needs a model with a different id")           \
    X(LAC_ERROR_LIMIT, -10, "exceeds a documented limit")                          \
    X(LAC_ERROR_STATE, -11, "call not allowed in this state")                      \
    X(LAC_ERROR_SPACE, -12, "output buffer too small")                             \
    X(LAC_ERROR_NOT_SEEKABLE, -13, "input cannot seek")

enum lac_status {
#define LAC_STATUS_ENUM(name, value, message) name = value,
    LAC_STATUS_LIST(LAC_STATUS_ENUM)
#undef LAC_STATUS_ENUM
};

/* The English message for a status, without a full stop; "unknown status" for any other value.
 * Static storage, never NULL. Any thread. */
LAC_API const char *lac_status_string(int status);

#ifdef __cplusplus
}
#endif

#endif
