/* checkkernel [--bench] [NAME]: every kernel that this processor can run against its C definition, as TAP.
 *
 * With --bench, measures those whose name begins with NAME instead. LAC_TEST_SEED sets the seed, LAC_TEST_LONG=1 tests
 * longer, LAC_CPU_MASK leaves instructions out. */
#define _DEFAULT_SOURCE
#include "checkkernel.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cpu.h"
#include "fmath.h"
#include "rng.h"

#define BUFFERS 8
#define GUARD 65536 /* bytes that fault: a page of any machine */
#define RUNS 15

typedef struct operation {
    const char *name;
    void (*check)(check_function *tested);
    void (*bench)(const char *name, check_function *tested);
} operation;

static const operation operations[] = {
#define OPERATION(op) {#op, check_##op, bench_##op},
    LAC_OPERATIONS(OPERATION)
#undef OPERATION
};

static struct {
    uint64_t state;           /* of the random numbers */
    unsigned long long seed;
    int failures;             /* of the kernel under test */
    const char *kernel;
    unsigned char *buffers[BUFFERS];
    struct {
        char shape[32];
        double rate;
    } baseline[32];           /* rates of the C definition */
    size_t baselines;
} check;

/* ---- buffers ---- */

/* WebAssembly has no pages that fault. */
static int forbid(unsigned char *at, size_t bytes)
{
#if defined(__EMSCRIPTEN__)
    (void)at;
    (void)bytes;
    return 0;
#else
    return mprotect(at, bytes, PROT_NONE);
#endif
}

void *check_buffer(int index, size_t bytes, check_side side)
{
    unsigned char **at = &check.buffers[index];
    if (*at == NULL) {
        size_t size = CHECK_BYTES + 2 * GUARD;
        unsigned char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED || forbid(base, GUARD) != 0 || forbid(base + GUARD + CHECK_BYTES, GUARD) != 0) {
            perror("mmap");
            exit(99);
        }
        *at = base + GUARD;
    }
    if (bytes > CHECK_BYTES) {
        fprintf(stderr, "checkkernel: a buffer of %zu bytes is too large\n", bytes);
        exit(99);
    }
    return side == CHECK_BEFORE ? *at : *at + CHECK_BYTES - bytes;
}

static void on_fault(int signal_number)
{
    char text[200];
    int n = snprintf(text, sizeof text, "not ok - %s touched memory outside its buffers (signal %d, LAC_TEST_SEED=%llu)\n",
                     check.kernel, signal_number, check.seed);
    if (write(STDOUT_FILENO, text, (size_t)n) < 0)
        _exit(2);
    _exit(1);
}

/* ---- random values ---- */

uint32_t check_random(uint32_t below)
{
    return lac_hash32(check.state++) % below;
}

void check_fill_floats(float *x, size_t n, int kind)
{
    static const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 3.4e38f, -3.4e38f, 1e-45f};
    for (size_t i = 0; i < n; i++) {
        if (kind == 0)
            x[i] = lac_noise(check.state++) * 2;
        else if (kind == 2 && check_random(4) == 0)
            x[i] = special[check_random(8)];
        else
            x[i] = ldexpf(lac_noise(check.state++), (int)check_random(kind == 1 ? 60 : 280) - (kind == 1 ? 50 : 150));
    }
}

/* ---- results ---- */

void check_fail(const char *format, ...)
{
    va_list arguments;
    if (check.failures++ >= 3)
        return;
    printf("# %s: ", check.kernel);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

int check_same_floats(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && (a[i] == a[i] || b[i] == b[i]))
            return 0;
    return 1;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double check_seconds(void (*work)(void *user), void *user, int count)
{
    double best = 1e9;
    for (int run = 0; run < RUNS; run++) {
        double started = now();
        for (int i = 0; i < count; i++)
            work(user);
        double taken = (now() - started) / count;
        best = taken < best ? taken : best;
    }
    return best;
}

void check_rate(const char *name, const char *shape, double rate, const char *unit)
{
    size_t n = strlen(name);
    int definition = n > 2 && strcmp(name + n - 2, "_c") == 0;
    double c = rate;
    for (size_t i = 0; i < check.baselines && !definition; i++)
        if (strcmp(check.baseline[i].shape, shape) == 0)
            c = check.baseline[i].rate;
    if (definition && check.baselines < sizeof check.baseline / sizeof *check.baseline) {
        snprintf(check.baseline[check.baselines].shape, sizeof check.baseline->shape, "%s", shape);
        check.baseline[check.baselines++].rate = rate;
    }
    printf("%-26s %-18s %9.2f %-8s %6.2f x C\n", name, shape, rate, unit, rate / c);
}

/* ---- */

static int run_checks(uint32_t flags)
{
    int failed = 0, number = 0, planned = 0;
    size_t count;
    for (int op = 0; op < LAC_OPERATION_COUNT; op++) {
        lac_kernels_table((enum lac_operation)op, &count);
        planned += (int)count;
    }
    printf("1..%d\n# LAC_TEST_SEED=%llu\n", planned, check.seed);
    for (int op = 0; op < LAC_OPERATION_COUNT; op++) {
        const lac_kernel_entry *e = lac_kernels_table((enum lac_operation)op, &count);
        for (const lac_kernel_entry *end = e + count; e < end; e++) {
            if ((e->flags & ~flags) != 0) {
                printf("ok %d - %s # SKIP not on this processor\n", ++number, e->name);
                continue;
            }
            check.kernel = e->name;
            check.failures = 0;
            check.state = (uint64_t)check.seed << 32;
            operations[op].check(e->function);
            failed += check.failures > 0;
            printf("%sok %d - %s\n", check.failures > 0 ? "not " : "", ++number, e->name);
            fflush(stdout);
        }
    }
    return failed > 0;
}

static int run_benches(uint32_t flags, const char *prefix)
{
    if (check_peak() > 0)
        printf("%-26s %-18s %9.2f %s\n", "peak", "int16", check_peak(), "GMAC/s");
    for (int op = 0; op < LAC_OPERATION_COUNT; op++) {
        size_t count;
        const lac_kernel_entry *e = lac_kernels_table((enum lac_operation)op, &count);
        check.baselines = 0;
        if (strncmp(operations[op].name, prefix, strlen(prefix)) != 0)
            continue;
        while (count-- > 0)
            if ((e[count].flags & ~flags) == 0)
                operations[op].bench(e[count].name, e[count].function);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *seed = getenv("LAC_TEST_SEED");
    uint32_t flags = lac_cpu_mask(lac_cpu_detect(), getenv("LAC_CPU_MASK"));
    int bench = argc > 1 && strcmp(argv[1], "--bench") == 0;
    if (argc > 1 + 2 * bench) {
        fprintf(stderr, "usage: checkkernel [--bench [NAME]]\n");
        return 2;
    }
    check.seed = seed ? strtoull(seed, NULL, 10) : 1;
    check.state = (uint64_t)check.seed << 32;
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    lac_float_mode mode = lac_float_enter();
    int status = bench ? run_benches(flags, argc > 2 ? argv[2] : "") : run_checks(flags);
    lac_float_leave(mode);
    return status;
}
