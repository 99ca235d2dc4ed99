/* FFTW's plans. Its planner is shared by the whole process and knows no threads, so all are made and freed here,
 * one at a time; running them needs no lock. Plans are estimated, never timed: results do not vary between runs. */
#ifndef LAC_ANALYSIS_PLANNER_H
#define LAC_ANALYSIS_PLANNER_H

#include <fftw3.h>
#include <stddef.h>

/* in [n] -> out [n / 2 + 1] and back, not scaled; both of fftw_malloc, n at most INT_MAX. NULL without memory. The
 * inverse destroys its input. Any thread. */
fftw_plan lac_plan_forward(size_t n, double *in, fftw_complex *out);
fftw_plan lac_plan_inverse(size_t n, fftw_complex *in, double *out);

/* NULL is allowed. */
void lac_plan_free(fftw_plan plan);

/* The least product of 2, 3 and 5 that is n or more: FFTW is quick there, and padding is free. n above 0. */
size_t lac_plan_size(size_t n);

#endif
