/* Library version. The ABI follows semantic versioning: binaries run with any later minor of the same major. */
#ifndef LAC_VERSION_H
#define LAC_VERSION_H

#include "lac/export.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAC_VERSION_MAJOR 0
#define LAC_VERSION_MINOR 1
#define LAC_VERSION_PATCH 0

/* "MAJOR.MINOR.PATCH" of the library that is linked. Static storage. Any thread. */
LAC_API const char *lac_version_string(void);

#ifdef __cplusplus
}
#endif

#endif
