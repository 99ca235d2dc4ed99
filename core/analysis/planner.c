#include "planner.h"

#include <pthread.h>

static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

fftw_plan lac_plan_forward(size_t n, double *in, fftw_complex *out)
{
    pthread_mutex_lock(&planner);
    fftw_plan plan = fftw_plan_dft_r2c_1d((int)n, in, out, FFTW_ESTIMATE);
    pthread_mutex_unlock(&planner);
    return plan;
}

fftw_plan lac_plan_inverse(size_t n, fftw_complex *in, double *out)
{
    pthread_mutex_lock(&planner);
    fftw_plan plan = fftw_plan_dft_c2r_1d((int)n, in, out, FFTW_ESTIMATE);
    pthread_mutex_unlock(&planner);
    return plan;
}

void lac_plan_free(fftw_plan plan)
{
    if (plan == NULL)
        return;
    pthread_mutex_lock(&planner);
    fftw_destroy_plan(plan);
    pthread_mutex_unlock(&planner);
}

size_t lac_plan_size(size_t n)
{
    for (;; n++) {
        size_t rest = n;
        for (size_t factor = 2; factor <= 5; factor++)
            while (rest % factor == 0)
                rest /= factor;
        if (rest == 1)
            return n;
    }
}
