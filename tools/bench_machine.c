/* The machine's limits: multiply-accumulates a second from registers, bytes a second from each level of memory. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "progress.h"
#include "report.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define RUNS 9               /* of which the fastest counts; fewer where they take long */
#define ENOUGH 0.5           /* seconds */
#define RUN_SECONDS 0.003    /* at least */
#define MOST_BYTES ((size_t)256 << 20)

/* Repeats `run` on `user` for a while, several times: seconds that one took in the fastest. */
static double fastest(uint32_t (*run)(const void *user), const void *user)
{
    static volatile uint32_t sink;
    double best = 1e9, spent = 0;

    for (int i = 0; i < RUNS && spent < ENOUGH; i++) {
        double started = lac_clock();
        double elapsed;
        int count = 0;

        do {
            sink = run(user);
            count++;
        } while ((elapsed = lac_clock() - started) < RUN_SECONDS);
        (void)sink;
        spent += elapsed;
        best = elapsed / count < best ? elapsed / count : best;
    }
    return best;
}

/* ---- integer peak ---- */

#define ROUNDS 20000
#define SUMS 12 /* independent ones, which hide the latency of the instruction */
#define FOR_SUMS(DO, x, y) \
    DO(0, x, y) DO(1, x, y) DO(2, x, y) DO(3, x, y) DO(4, x, y) DO(5, x, y) DO(6, x, y) DO(7, x, y) DO(8, x, y) \
    DO(9, x, y) DO(10, x, y) DO(11, x, y)

/* The empty statement makes the factor new each time, or the compiler would compute the product once. */
#define BEGIN(i, type, unused) type s##i = {0};
#define STEP(i, add, in_register) \
    s##i = add(s##i, a, b);       \
    __asm__ volatile("" : in_register(a));
#define GATHER(i, all, unused) all ^= s##i;

/* name(): ROUNDS times SUMS times `add`, on sums and factors of these types. */
#define DEFINE_RUN(name, attribute, in_register, sum, factor, set, add) \
    attribute static uint32_t name(const void *user)                    \
    {                                                                   \
        factor a = set(3), b = set(5);                                  \
        sum all = {0};                                                  \
        uint32_t first;                                                 \
        (void)user;                                                     \
        FOR_SUMS(BEGIN, sum, )                                          \
        for (int round = 0; round < ROUNDS; round++) {                  \
            FOR_SUMS(STEP, add, in_register)                            \
        }                                                               \
        FOR_SUMS(GATHER, all, )                                         \
        memcpy(&first, &all, sizeof first);                             \
        return first;                                                   \
    }

typedef struct peak {
    const char *instruction;
    double macs;               /* of one instruction */
    uint32_t (*run)(const void *user);
} peak;

#if defined(__x86_64__) || defined(__i386__)

#define TARGET(isa) __attribute__((target(isa)))
#define VECTOR(x) "+v"(x)
#define ADD_AVX512(s, a, b) _mm512_add_epi32(s, _mm512_madd_epi16(a, b))
#define ADD_AVX2(s, a, b) _mm256_add_epi32(s, _mm256_madd_epi16(a, b))
#define ADD_SSE2(s, a, b) _mm_add_epi32(s, _mm_madd_epi16(a, b))

DEFINE_RUN(run_vnni, TARGET("avx512f,avx512vnni"), VECTOR, __m512i, __m512i, _mm512_set1_epi16, _mm512_dpwssd_epi32)
DEFINE_RUN(run_avx512, TARGET("avx512f,avx512bw"), VECTOR, __m512i, __m512i, _mm512_set1_epi16, ADD_AVX512)
DEFINE_RUN(run_avx2, TARGET("avx2"), VECTOR, __m256i, __m256i, _mm256_set1_epi16, ADD_AVX2)
DEFINE_RUN(run_sse2, TARGET("sse2"), VECTOR, __m128i, __m128i, _mm_set1_epi16, ADD_SSE2)

static peak best_peak(void)
{
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni"))
        return (peak){"vpdpwssd, 512 bits", 32, run_vnni};
    if (__builtin_cpu_supports("avx512bw"))
        return (peak){"vpmaddwd, 512 bits", 32, run_avx512};
    if (__builtin_cpu_supports("avx2"))
        return (peak){"vpmaddwd, 256 bits", 16, run_avx2};
    return (peak){"pmaddwd, 128 bits", 8, run_sse2};
}

#elif defined(__ARM_NEON)

#define VECTOR(x) "+w"(x)

DEFINE_RUN(run_neon, , VECTOR, int32x4_t, int16x4_t, vdup_n_s16, vmlal_s16)

static peak best_peak(void)
{
    return (peak){"smlal, 128 bits", 4, run_neon};
}

#else

#define SCALAR(x) "+r"(x)
#define ADD_C(s, a, b) (s) + (uint32_t)((a) * (b))

DEFINE_RUN(run_c, , SCALAR, uint32_t, int32_t, (int32_t), ADD_C)

static peak best_peak(void)
{
    return (peak){"C", 1, run_c};
}

#endif

/* ---- bandwidth ---- */

typedef struct buffer {
    const uint64_t *words;
    size_t count;              /* a multiple of 8 */
} buffer;

static inline __attribute__((always_inline)) uint32_t read_words(const buffer *b)
{
    uint64_t sums[8] = {0};

    for (size_t i = 0; i < b->count; i += 8)
        for (size_t k = 0; k < 8; k++)
            sums[k] |= b->words[i + k];
    return (uint32_t)(sums[0] | sums[1] | sums[2] | sums[3] | sums[4] | sums[5] | sums[6] | sums[7]);
}

static uint32_t read_plain(const void *user)
{
    return read_words(user);
}

#if defined(__x86_64__) || defined(__i386__)
TARGET("avx2") static uint32_t read_avx2(const void *user)
{
    return read_words(user);
}
#endif

static uint32_t (*reader(void))(const void *user)
{
#if defined(__x86_64__) || defined(__i386__)
    if (__builtin_cpu_supports("avx2"))
        return read_avx2;
#endif
    return read_plain;
}

/* Gigabytes a second, reading the first `bytes` over and over. */
static double bandwidth(const uint64_t *words, size_t bytes)
{
    buffer b = {words, bytes / 64 * 8};

    return (double)b.count * 8e-9 / fastest(reader(), &b);
}

/* Bytes of a cache, or `otherwise` where the system doesn't tell. */
static size_t cache_bytes(int level, size_t otherwise)
{
    long bytes = 0;

#if defined(_SC_LEVEL2_CACHE_SIZE) && defined(_SC_LEVEL3_CACHE_SIZE)
    bytes = sysconf(level == 2 ? _SC_LEVEL2_CACHE_SIZE : _SC_LEVEL3_CACHE_SIZE);
#else
    (void)level;
#endif
    return bytes > 0 ? (size_t)bytes : otherwise;
}

int lac_bench_measure_machine(lac_bench_machine *machine, size_t model_bytes)
{
    size_t l2 = cache_bytes(2, (size_t)512 << 10), bytes = 4 * cache_bytes(3, (size_t)32 << 20);
    uint64_t *words;
    peak p = best_peak();

    bytes = bytes > MOST_BYTES ? MOST_BYTES : bytes;
    bytes = bytes < 4 * l2 ? 4 * l2 : bytes;
    bytes = bytes < model_bytes ? model_bytes : bytes;
    words = malloc(bytes);
    if (!words)
        return lac_report("bench", "out of memory");
    memset(words, 1, bytes);
    machine->instruction = p.instruction;
    machine->gmacs = p.macs * ROUNDS * SUMS * 1e-9 / fastest(p.run, NULL);
    machine->memory_gbs = bandwidth(words, bytes);
    machine->model_gbs = bandwidth(words, model_bytes);
    machine->l2_gbs = bandwidth(words, l2 / 2);
    free(words);
    return 0;
}
