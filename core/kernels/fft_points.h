/* The transforms of 2 to 5 points, for one point or several at once: included by fft_body.h, once for each kind.
 *
 * The includer defines real, a float or a vector of floats; turning, the same for twiddles; POINTS(name), which
 * makes names of this kind; and real POINTS(load)(const float *), void POINTS(store)(float *, real). */

typedef struct POINTS(cplx) {
    real re, im;
} POINTS(cplx);

typedef struct POINTS(turn) {
    turning re, im;
} POINTS(turn);

/* Where a point's x_0 and y_0 stand; x_j and y_j follow `jump` and `step` floats apart. */
typedef struct POINTS(place) {
    const float *re, *im;
    size_t jump;
    float *to_re, *to_im;
    size_t step;
} POINTS(place);

INLINE POINTS(cplx) POINTS(add)(POINTS(cplx) a, POINTS(cplx) b)
{
    return (POINTS(cplx)){a.re + b.re, a.im + b.im};
}

INLINE POINTS(cplx) POINTS(sub)(POINTS(cplx) a, POINTS(cplx) b)
{
    return (POINTS(cplx)){a.re - b.re, a.im - b.im};
}

INLINE POINTS(cplx) POINTS(mul)(POINTS(cplx) a, POINTS(turn) b)
{
    return (POINTS(cplx)){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

INLINE POINTS(cplx) POINTS(scaled)(POINTS(cplx) a, float s)
{
    return (POINTS(cplx)){a.re * s, a.im * s};
}

/* -i * a */
INLINE POINTS(cplx) POINTS(turned)(POINTS(cplx) a)
{
    return (POINTS(cplx)){a.im, -a.re};
}

INLINE POINTS(cplx) POINTS(get)(const POINTS(place) *at, size_t j)
{
    return (POINTS(cplx)){POINTS(load)(at->re + j * at->jump), POINTS(load)(at->im + j * at->jump)};
}

#define ADD POINTS(add)
#define SUB POINTS(sub)
#define MUL POINTS(mul)
#define SCALED POINTS(scaled)
#define TURNED POINTS(turned)

/* y [r] of the point at `at`, w [r - 1]. */
INLINE void POINTS(point2)(POINTS(cplx) *y, const POINTS(place) *at, const POINTS(turn) *w)
{
    POINTS(cplx) a = POINTS(get)(at, 0), b = POINTS(get)(at, 1);
    y[0] = ADD(a, b);
    y[1] = MUL(SUB(a, b), w[0]);
}

INLINE void POINTS(point3)(POINTS(cplx) *y, const POINTS(place) *at, const POINTS(turn) *w)
{
    const float sine = 0.866025404f; /* sin(2 pi / 3) */
    POINTS(cplx) a = POINTS(get)(at, 0), b = POINTS(get)(at, 1), c = POINTS(get)(at, 2);
    POINTS(cplx) sum = ADD(b, c), mid = SUB(a, SCALED(sum, 0.5f)), side = SCALED(TURNED(SUB(b, c)), sine);
    y[0] = ADD(a, sum);
    y[1] = MUL(ADD(mid, side), w[0]);
    y[2] = MUL(SUB(mid, side), w[1]);
}

INLINE void POINTS(point4)(POINTS(cplx) *y, const POINTS(place) *at, const POINTS(turn) *w)
{
    POINTS(cplx) a = POINTS(get)(at, 0), b = POINTS(get)(at, 1), c = POINTS(get)(at, 2), d = POINTS(get)(at, 3);
    POINTS(cplx) ac = ADD(a, c), bd = ADD(b, d), even = SUB(a, c), odd = TURNED(SUB(b, d));
    y[0] = ADD(ac, bd);
    y[1] = MUL(ADD(even, odd), w[0]);
    y[2] = MUL(SUB(ac, bd), w[1]);
    y[3] = MUL(SUB(even, odd), w[2]);
}

INLINE void POINTS(point5)(POINTS(cplx) *y, const POINTS(place) *at, const POINTS(turn) *w)
{
    const float c1 = 0.309016994f, c2 = -0.809016994f; /* cos(2 pi / 5), cos(4 pi / 5) */
    const float s1 = 0.951056516f, s2 = 0.587785252f;  /* sin(2 pi / 5), sin(4 pi / 5) */
    POINTS(cplx) a = POINTS(get)(at, 0), b = POINTS(get)(at, 1), c = POINTS(get)(at, 2), d = POINTS(get)(at, 3);
    POINTS(cplx) e = POINTS(get)(at, 4);
    POINTS(cplx) be = ADD(b, e), cd = ADD(c, d), b_e = TURNED(SUB(b, e)), c_d = TURNED(SUB(c, d));
    POINTS(cplx) m1 = ADD(a, ADD(SCALED(be, c1), SCALED(cd, c2))), m2 = ADD(a, ADD(SCALED(be, c2), SCALED(cd, c1)));
    POINTS(cplx) n1 = ADD(SCALED(b_e, s1), SCALED(c_d, s2)), n2 = SUB(SCALED(b_e, s2), SCALED(c_d, s1));
    y[0] = ADD(a, ADD(be, cd));
    y[1] = MUL(ADD(m1, n1), w[0]);
    y[2] = MUL(ADD(m2, n2), w[1]);
    y[3] = MUL(SUB(m2, n2), w[2]);
    y[4] = MUL(SUB(m1, n1), w[3]);
}

INLINE void POINTS(transform)(POINTS(cplx) *y, size_t radix, const POINTS(place) *at, const POINTS(turn) *w)
{
    if (radix == 2)
        POINTS(point2)(y, at, w);
    else if (radix == 3)
        POINTS(point3)(y, at, w);
    else if (radix == 4)
        POINTS(point4)(y, at, w);
    else
        POINTS(point5)(y, at, w);
}

/* Transforms the point at `at` and stores it. radix is a constant. */
INLINE void POINTS(run)(size_t radix, const POINTS(place) *at, const POINTS(turn) *w)
{
    POINTS(cplx) y[5];
    POINTS(transform)(y, radix, at, w);
    for (size_t k = 0; k < radix; k++) {
        POINTS(store)(at->to_re + k * at->step, y[k].re);
        POINTS(store)(at->to_im + k * at->step, y[k].im);
    }
}

#undef ADD
#undef SUB
#undef MUL
#undef SCALED
#undef TURNED
#undef real
#undef turning
#undef POINTS
