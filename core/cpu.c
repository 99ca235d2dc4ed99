#include "cpu.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>

/* Register state that the system saves: XCR0. */
static uint32_t saved_state(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

uint32_t lac_cpu_detect(void)
{
    const uint32_t osxsave_avx = 3u << 27, ymm = 0x06, zmm = 0xe6;
    const uint32_t avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* F, DQ, BW, VL */
    uint32_t a, b, c, d, flags = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & osxsave_avx) != osxsave_avx)
        return 0;
    uint32_t state = saved_state();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (state & ymm) != ymm)
        return 0;
    if (b & 1u << 5)
        flags |= LAC_CPU_AVX2;
    if (b & 1u << 29)
        flags |= LAC_CPU_SHANI;
    if (flags & LAC_CPU_AVX2 && (state & zmm) == zmm && (b & avx512) == avx512) {
        flags |= LAC_CPU_AVX512;
        if (c & 1u << 11)
            flags |= LAC_CPU_AVX512VNNI;
    }
    return flags;
}

#elif defined(__aarch64__) && defined(__linux__)

#include <sys/auxv.h>

uint32_t lac_cpu_detect(void)
{
    unsigned long can = getauxval(AT_HWCAP);
    return LAC_CPU_NEON | (can & HWCAP_ASIMDDP ? LAC_CPU_NEONDOT : 0) | (can & HWCAP_SHA2 ? LAC_CPU_NEONSHA2 : 0);
}

#elif defined(__aarch64__)

uint32_t lac_cpu_detect(void)
{
    return LAC_CPU_NEON;
}

#elif defined(LAC_WITH_SIMD128)

uint32_t lac_cpu_detect(void)
{
    return LAC_CPU_SIMD128;
}

#else

uint32_t lac_cpu_detect(void)
{
    return 0;
}

#endif

/* A flag's name, and all that goes when it goes. */
static const struct {
    const char *name;
    uint32_t flags;
} names[] = {
    {"avx2", LAC_CPU_AVX2 | LAC_CPU_AVX512 | LAC_CPU_AVX512VNNI},
    {"avx512", LAC_CPU_AVX512 | LAC_CPU_AVX512VNNI},
    {"avx512vnni", LAC_CPU_AVX512VNNI},
    {"shani", LAC_CPU_SHANI},
    {"neon", LAC_CPU_NEON | LAC_CPU_NEONDOT | LAC_CPU_NEONSHA2},
    {"neondot", LAC_CPU_NEONDOT},
    {"neonsha2", LAC_CPU_NEONSHA2},
    {"simd128", LAC_CPU_SIMD128},
};

static uint32_t flags_named(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == length && memcmp(names[i].name, name, length) == 0)
            return names[i].flags;
    return 0;
}

uint32_t lac_cpu_mask(uint32_t flags, const char *mask)
{
    if (mask == NULL || *mask == 0)
        return flags;
    if (*mask >= '0' && *mask <= '9')
        return flags & (uint32_t)strtoul(mask, NULL, 0);
    while (*mask != 0) {
        size_t length = strcspn(mask, ", ");
        if (*mask == '-')
            flags &= ~flags_named(mask + 1, length - 1);
        mask += length;
        mask += strspn(mask, ", ");
    }
    return flags;
}
