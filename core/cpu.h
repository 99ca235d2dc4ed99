/* What the processor can do, and what of it may be used. */
#ifndef LAC_CORE_CPU_H
#define LAC_CORE_CPU_H

#include <stdint.h>

enum lac_cpu_flag {
    LAC_CPU_AVX2 = 1 << 0,
    LAC_CPU_AVX512 = 1 << 1,     /* F, BW, DQ and VL; implies AVX2 */
    LAC_CPU_AVX512VNNI = 1 << 2, /* implies AVX512 */
    LAC_CPU_SHANI = 1 << 3,      /* SHA-256 */
    LAC_CPU_NEON = 1 << 8,
    LAC_CPU_NEONDOT = 1 << 9,    /* sdot; implies NEON */
    LAC_CPU_NEONSHA2 = 1 << 10,  /* SHA-256; implies NEON */
    LAC_CPU_SIMD128 = 1 << 16,   /* WebAssembly */
};

/* What processor and system support. */
uint32_t lac_cpu_detect(void);

/* flags less what `mask` takes away: NULL or empty nothing; a number (0x for hexadecimal) all flags that it lacks;
 * a list such as "-avx512,-neon" those it names and what builds on them. Names it doesn't know are passed over. */
uint32_t lac_cpu_mask(uint32_t flags, const char *mask);

#endif
