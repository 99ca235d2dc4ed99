#include "parallel.h"

#include "fmath.h"

void lac_parallel(size_t rows, unsigned threads, lac_rows *work, void *user)
{
    size_t parts = threads < rows ? threads : rows;
    if (parts <= 1) {
        if (rows > 0)
            work(user, 0, 0, rows);
        return;
    }
#ifdef _OPENMP
#pragma omp parallel for schedule(static) num_threads((int)parts)
#endif
    for (size_t p = 0; p < parts; p++) {
        lac_float_mode mode = lac_float_enter();
        work(user, p, rows * p / parts, rows * (p + 1) / parts);
        lac_float_leave(mode);
    }
}
