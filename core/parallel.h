/* Independent rows over OpenMP threads. */
#ifndef LAC_CORE_PARALLEL_H
#define LAC_CORE_PARALLEL_H

#include <stddef.h>

/* Works on rows [first, end); `part` numbers the share, for scratch of its own. */
typedef void lac_rows(void *user, size_t part, size_t first, size_t end);

/* Split [0, rows) into min(threads, rows) shares and run each once, at the same time where OpenMP is there. Every
 * thread computes in the float mode of lac_float_enter: a pool's threads keep the mode they were born with. */
void lac_parallel(size_t rows, unsigned threads, lac_rows *work, void *user);

#endif
