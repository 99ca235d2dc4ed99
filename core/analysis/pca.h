/* Principal components of a set of vectors. */
#ifndef LAC_ANALYSIS_PCA_H
#define LAC_ANALYSIS_PCA_H

#include <stddef.h>

/* The coordinates of x [count][size], finite, along the `components` directions of most variance, about their mean,
 * in out [count][components]; shares [components] of the variance, zeros if there is none. Of a direction the
 * largest element is positive, so that the result is the same every time. By Jacobi's method; meant for sizes of
 * hundreds. components <= size. 0, LAC_ERROR_ARGUMENT or LAC_ERROR_MEMORY. */
int lac_pca(const float *x, size_t count, size_t size, size_t components, double *out, double *shares);

#endif
