#include "pca.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lac/status.h"

#define SWEEPS 60

typedef struct matrices {
    size_t n;
    double *mean;    /* [n] */
    double *a;       /* [n][n], symmetric: becomes diagonal */
    double *vectors; /* [n][n], in rows */
} matrices;

static void covariance(matrices *m, const float *x, size_t count)
{
    size_t n = m->n;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < n; k++)
            m->mean[k] += (double)x[i * n + k] / (double)count;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < n; k++) {
            double d = x[i * n + k] - m->mean[k];
            for (size_t l = 0; l <= k; l++)
                m->a[k * n + l] += d * (x[i * n + l] - m->mean[l]) / (double)count;
        }
    for (size_t k = 0; k < n; k++)
        for (size_t l = 0; l < k; l++)
            m->a[l * n + k] = m->a[k * n + l];
}

static void turn(double *p, double *q, double c, double s)
{
    double x = *p, y = *q;
    *p = c * x - s * y;
    *q = s * x + c * y;
}

/* Makes element (p, q) zero (Golub, Van Loan, Matrix Computations, 8.5). */
static void rotate(matrices *m, size_t p, size_t q)
{
    size_t n = m->n;
    double *a = m->a, apq = a[p * n + q];
    double theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
    double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t k = 0; k < n; k++)
        turn(&a[k * n + p], &a[k * n + q], c, s);
    for (size_t k = 0; k < n; k++)
        turn(&a[p * n + k], &a[q * n + k], c, s);
    for (size_t k = 0; k < n; k++)
        turn(&m->vectors[p * n + k], &m->vectors[q * n + k], c, s);
}

static void diagonalise(matrices *m)
{
    size_t n = m->n;
    double trace = 0;
    for (size_t k = 0; k < n; k++) {
        m->vectors[k * n + k] = 1;
        trace += m->a[k * n + k];
    }
    for (int sweep = 0, turned = 1; sweep < SWEEPS && turned; sweep++) {
        turned = 0;
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++)
                if (fabs(m->a[p * n + q]) > 1e-15 * trace) {
                    rotate(m, p, q);
                    turned = 1;
                }
    }
}

/* The direction of most variance that is left; its variance becomes negative, that is taken. */
static size_t take_largest(matrices *m, double *variance)
{
    size_t n = m->n, best = 0, peak = 0;
    for (size_t k = 1; k < n; k++)
        if (m->a[k * n + k] > m->a[best * n + best])
            best = k;
    double *v = m->vectors + best * n;
    for (size_t k = 1; k < n; k++)
        if (fabs(v[k]) > fabs(v[peak]))
            peak = k;
    if (v[peak] < 0)
        for (size_t k = 0; k < n; k++)
            v[k] = -v[k];
    *variance = fmax(m->a[best * n + best], 0);
    m->a[best * n + best] = -1;
    return best;
}

static void project(matrices *m, const float *x, size_t count, size_t components, double *out, double *shares)
{
    size_t n = m->n;
    double trace = 0;
    for (size_t k = 0; k < n; k++)
        trace += fmax(m->a[k * n + k], 0);
    for (size_t j = 0; j < components; j++) {
        double variance;
        const double *v = m->vectors + take_largest(m, &variance) * n;
        shares[j] = trace > 0 ? variance / trace : 0;
        for (size_t i = 0; i < count; i++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += (x[i * n + k] - m->mean[k]) * v[k];
            out[i * components + j] = sum;
        }
    }
}

int lac_pca(const float *x, size_t count, size_t size, size_t components, double *out, double *shares)
{
    if (count == 0 || size == 0 || size > 4096 || components > size)
        return LAC_ERROR_ARGUMENT;
    matrices m = {size, calloc(size, sizeof(double)), calloc(size * size, sizeof(double)),
                  calloc(size * size, sizeof(double))};
    int status = m.mean && m.a && m.vectors ? LAC_OK : LAC_ERROR_MEMORY;
    if (status == LAC_OK) {
        covariance(&m, x, count);
        diagonalise(&m);
        project(&m, x, count, components, out, shares);
    }
    free(m.mean);
    free(m.a);
    free(m.vectors);
    return status;
}
