/* Checks of SHA-256's blocks. */
#include <stdio.h>
#include <string.h>

#include "checkkernel.h"

enum { STATE, DATA, EXPECTED };

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)check_random(256);
}

static void compare(lac_sha256_blocks_fn *tested, size_t blocks, check_side side)
{
    uint8_t *data = check_buffer(DATA, 64 * blocks, side);
    uint32_t *h = check_buffer(STATE, 32, side), *expected = check_buffer(EXPECTED, 32, side);
    fill(data, 64 * blocks);
    fill((uint8_t *)h, 32);
    memcpy(expected, h, 32);
    lac_sha256_blocks_c(expected, data, blocks);
    tested(h, data, blocks);
    if (memcmp(h, expected, 32) != 0)
        check_fail("%zu blocks", blocks);
}

void check_sha256_blocks(check_function *function)
{
    for (size_t blocks = 0; blocks <= 70; blocks++)
        for (int side = 0; side < CHECK_SIDES; side++)
            compare((lac_sha256_blocks_fn *)function, blocks, (check_side)side);
}

/* ---- speed ---- */

#define BENCH_BLOCKS 4096

typedef struct bench {
    lac_sha256_blocks_fn *function;
    uint32_t *h;
    uint8_t *data;
} bench;

static void run(void *user)
{
    const bench *b = user;
    b->function(b->h, b->data, BENCH_BLOCKS);
}

void bench_sha256_blocks(const char *name, check_function *function)
{
    bench b = {(lac_sha256_blocks_fn *)function, check_buffer(STATE, 32, CHECK_BEFORE),
               check_buffer(DATA, 64 * BENCH_BLOCKS, CHECK_BEFORE)};
    char shape[32];
    snprintf(shape, sizeof shape, "%d blocks", BENCH_BLOCKS);
    check_rate(name, shape, 64e-9 * BENCH_BLOCKS / check_seconds(run, &b, 1), "GB/s");
}
