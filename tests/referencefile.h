/* Arrays that train/reference.py writes, of PyTorch's layers, for C's to be compared with. */
#ifndef LAC_TESTS_REFERENCEFILE_H
#define LAC_TESTS_REFERENCEFILE_H

#include <math.h>
#include <string.h>

#include "bytes.h"
#include "fixture.h"

#define MAX_ARRAYS 64
#define NAME_SIZE 40

typedef struct array {
    char name[NAME_SIZE + 1];
    size_t rows, width, count;
    float *values;
} array;

typedef struct array_file {
    array arrays[MAX_ARRAYS];
    size_t count;
} array_file;

static inline uint8_t *read_whole(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    uint8_t *data = test_alloc(1 << 24, 1);
    *size = fread(data, 1, 1 << 24, f);
    fclose(f);
    return data;
}

static inline const uint8_t *read_array(array *a, const uint8_t *p, const uint8_t *end)
{
    cr_assert_geq(end - p, NAME_SIZE + 24);
    memcpy(a->name, p, NAME_SIZE);
    uint32_t type = lac_load32(p + NAME_SIZE), rank = lac_load32(p + NAME_SIZE + 4);
    cr_assert((type == 2 || type == 3) && (rank == 1 || rank == 2));
    size_t item = type == 2 ? 2 : 4;
    a->rows = lac_load32(p + NAME_SIZE + 8);
    a->width = rank == 2 ? lac_load32(p + NAME_SIZE + 12) : 1;
    a->count = a->rows * a->width;
    p += NAME_SIZE + 24;
    cr_assert_leq(a->count * item, (size_t)(end - p));
    a->values = test_alloc(a->count, sizeof(float));
    for (size_t i = 0; i < a->count; i++) {
        uint32_t bits = type == 3 ? lac_load32(p + 4 * i) : 0;
        if (type == 3)
            memcpy(a->values + i, &bits, sizeof bits);
        else
            a->values[i] = (float)(int16_t)lac_load16(p + 2 * i);
    }
    return p + (a->count * item + 3) / 4 * 4;
}

static inline array_file open_arrays(const char *name)
{
    array_file f = {.count = 0};
    char path[1024];
    size_t size;
    uint8_t *data = read_whole(vector_path(path, sizeof path, name), &size);
    cr_assert(size > 16 && memcmp(data, "LACREF1", 8) == 0);
    f.count = lac_load32(data + 8);
    cr_assert_leq(f.count, MAX_ARRAYS);
    const uint8_t *p = data + 16;
    for (size_t i = 0; i < f.count; i++)
        p = read_array(&f.arrays[i], p, data + size);
    free(data);
    return f;
}

static inline void close_arrays(array_file *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->arrays[i].values);
}

static inline const array *find(const array_file *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->arrays[i].name, name) == 0)
            return &f->arrays[i];
    cr_assert_fail("no array %s", name);
    return NULL;
}

/* Root mean square of the difference against that of `want`, both over `count` values. */
static inline double relative_error(const float *got, const float *want, size_t count)
{
    double error = 0, power = 0;
    for (size_t i = 0; i < count; i++) {
        double e = (double)got[i] - (double)want[i];
        error += e * e;
        power += (double)want[i] * (double)want[i];
    }
    return sqrt(error / (power + 1e-30));
}

static inline void assert_close(const char *name, const float *got, const float *want, size_t count, double limit)
{
    double error = relative_error(got, want, count);
    fprintf(stderr, "# %-22s %.1e\n", name, error);
    cr_expect_lt(error, limit, "%s: relative error %g", name, error);
}

#endif
