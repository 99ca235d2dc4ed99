#include "fmath.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#elif !defined(__aarch64__)
#include <fenv.h>
#endif

/* x in 0 .. pi / 4; Taylor, the first term left out is below 5e-17. */
static double sin_octant(double x)
{
    static const double c[] = {-1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800.0,
                               -1.0 / 1307674368000.0};
    double z = x * x, p = c[6];
    for (int i = 5; i >= 0; i--)
        p = p * z + c[i];
    return x + x * z * p;
}

static double cos_octant(double x)
{
    static const double c[] = {-1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600,
                               -1.0 / 87178291200.0, 1.0 / 20922789888000.0};
    double z = x * x, p = c[7];
    for (int i = 6; i >= 0; i--)
        p = p * z + c[i];
    return 1 + z * p;
}

void lac_sincos_table(uint32_t k, uint32_t n, double *s, double *c)
{
    uint64_t scaled = (uint64_t)k * 8;
    unsigned octant = (unsigned)(scaled / n);
    uint64_t rest = scaled % n;
    if (octant & 1)
        rest = n - rest;
    double x = (double)rest / n * 0.78539816339744830962;
    double a = sin_octant(x), b = cos_octant(x);
    /* An odd multiple of pi / 4 always takes the same of its two forms, or the table would not be symmetric. */
    int swap = ((octant + 1) & 2) != 0 && rest != n;
    double s1 = swap ? b : a, c1 = swap ? a : b;
    *s = octant >= 4 ? -s1 : s1;
    *c = octant >= 2 && octant < 6 ? -c1 : c1;
}

float lac_reduce16(const float lanes[LAC_LANES])
{
    float l[LAC_LANES / 2];
    for (int i = 0; i < 8; i++)
        l[i] = lanes[i] + lanes[i + 8];
    for (int i = 0; i < 4; i++)
        l[i] += l[i + 4];
    for (int i = 0; i < 2; i++)
        l[i] += l[i + 2];
    return l[0] + l[1];
}

/* Neither call may be inlined: float operations of the caller must not move across the mode switch. */
#if defined(__GNUC__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE
#endif

NOINLINE lac_float_mode lac_float_enter(void)
{
    lac_float_mode mode = {0};
#if defined(__SSE__)
    mode.saved = _mm_getcsr();
    _mm_setcsr(0x1f80);
#elif defined(__aarch64__)
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    mode.saved = fpcr;
    if (fpcr)
        __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0) : "memory");
#elif defined(FE_TONEAREST)
    int rounding = fegetround();
    mode.saved = (uint64_t)(rounding < 0 ? FE_TONEAREST : rounding);
    fesetround(FE_TONEAREST);
#endif
    return mode;
}

NOINLINE void lac_float_leave(lac_float_mode mode)
{
#if defined(__SSE__)
    _mm_setcsr((unsigned)mode.saved);
#elif defined(__aarch64__)
    if (mode.saved)
        __asm__ volatile("msr fpcr, %0" : : "r"(mode.saved) : "memory");
#elif defined(FE_TONEAREST)
    fesetround((int)mode.saved);
#else
    (void)mode;
#endif
}
