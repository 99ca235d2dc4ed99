/* The scalar quantiser against the paper's own code. */
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "fsq.h"

static lac_fsq fsq_of(uint32_t dimensions, const uint8_t *levels)
{
    lac_fsq q = {.dimensions = dimensions};
    memcpy(q.levels, levels, dimensions);
    return q;
}

/* Appendix A.1 of the paper, in double. */
static double bound_by_definition(double z, int levels)
{
    double half = (levels - 1) * (1 - 1e-3) / 2, offset = levels % 2 == 1 ? 0.0 : 0.5;
    return tanh(z + tan(offset / half)) * half - offset;
}

Test(fsq, bound_is_that_of_the_paper)
{
    for (uint32_t levels = 2; levels <= LAC_FSQ_MAX_LEVELS; levels++)
        for (float z = -12; z <= 12; z += 0.03125f)
            cr_assert_float_eq(lac_fsq_bound(z, levels), bound_by_definition(z, (int)levels), 1e-5, "%u levels, %g",
                               levels, z);
}

Test(fsq, thresholds_are_where_the_rounded_bound_changes)
{
    for (uint32_t levels = 2; levels <= LAC_FSQ_MAX_LEVELS; levels++) {
        float t[LAC_FSQ_MAX_LEVELS - 1];
        lac_fsq q = fsq_of(1, (uint8_t[]){(uint8_t)levels});
        lac_fsq_thresholds(levels, t);
        for (uint32_t i = 0; i + 1 < levels; i++) {
            double low = bound_by_definition(t[i] - 1e-4, (int)levels), high = bound_by_definition(t[i] + 1e-4, (int)levels);
            cr_assert_eq(nearbyint(low), (double)i - levels / 2, "%u levels, threshold %u", levels, i);
            cr_assert_eq(nearbyint(high), (double)i + 1 - levels / 2, "%u levels, threshold %u", levels, i);
        }
        for (float z = -9; z <= 9; z += 0.01f) {
            uint8_t level;
            double b = bound_by_definition(z, (int)levels);
            if (fabs(fabs(b - floor(b)) - 0.5) < 1e-5)
                continue; /* a tie but for rounding */
            lac_fsq_quantise(&q, &z, &level);
            cr_assert_eq((int)level - (int)levels / 2, (int)nearbyint(b), "%u levels, %g", levels, z);
        }
    }
}

/* The listing of appendix A.1, run in NumPy (float64): levels, z, what bound, quantize and codes_to_indexes give. */
Test(fsq, values_of_the_reference_code)
{
    static const struct {
        uint32_t dimensions;
        uint8_t levels[4];
        float z[4], bound[4], code[4];
        uint32_t index;
    } cases[] = {
        {4, {8, 5, 5, 5}, {0.3f, -1.2f, 0.0f, 4.0f}, {0.9578322f, -1.6656419f, 0.0f, 1.9966599f},
         {0.25f, -1.0f, 0.0f, 1.0f}, 885},
        {4, {2, 3, 4, 7}, {-1.5f, 0.6f, -2.0f, -0.31f}, {-0.4696469f, 0.5365125f, -1.8925845f, -0.90041f},
         {0.0f, 1.0f, -1.0f, -0.33333333f}, 53},
        {3, {64, 16, 5}, {-0.02f, 1.7f, -9.0f}, {-0.6293272f, 6.5673848f, -1.9979999f}, {-0.03125f, 0.875f, -1.0f}, 991},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        lac_fsq q = fsq_of(cases[c].dimensions, cases[c].levels);
        uint8_t level[LAC_FSQ_MAX_DIMENSIONS];
        float code[LAC_FSQ_MAX_DIMENSIONS];
        lac_fsq_quantise(&q, cases[c].z, level);
        lac_fsq_code(&q, level, code);
        for (uint32_t j = 0; j < q.dimensions; j++) {
            cr_assert_float_eq(lac_fsq_bound(cases[c].z[j], q.levels[j]), cases[c].bound[j], 1e-5);
            cr_assert_float_eq(code[j], cases[c].code[j], 1e-7, "case %zu dimension %u", c, j);
        }
        cr_assert_eq(lac_fsq_index(&q, level), cases[c].index, "case %zu", c);
    }
}

static void check_index(const lac_fsq *q, uint32_t index)
{
    uint8_t level[LAC_FSQ_MAX_DIMENSIONS];
    lac_fsq_levels(q, index, level);
    for (uint32_t j = 0; j < q->dimensions; j++)
        cr_assert_lt(level[j], q->levels[j]);
    cr_assert_eq(lac_fsq_index(q, level), index);
}

Test(fsq, every_index_has_its_levels)
{
    static const uint8_t sets[][6] = {{2}, {64}, {4, 4, 4, 4, 4}, {8, 5, 5, 5}, {7, 5, 5, 5, 5}, {3, 2}, {8, 8, 8, 6, 5},
                                      {63, 2, 33}};
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        lac_fsq q = fsq_of((uint32_t)strlen((const char *)sets[s]), sets[s]);
        for (uint32_t i = 0; i < lac_fsq_codewords(&q); i++)
            check_index(&q, i);
    }
}

Test(fsq, random_indices_of_large_products_have_their_levels)
{
    random_source r = random_start();
    for (int n = 0; n < rounds(2000); n++) {
        lac_fsq q = {.dimensions = 1 + random_below(&r, LAC_FSQ_MAX_DIMENSIONS)};
        for (uint32_t j = 0; j < q.dimensions; j++)
            q.levels[j] = (uint8_t)(2 + random_below(&r, LAC_FSQ_MAX_LEVELS - 1));
        uint32_t codewords = lac_fsq_codewords(&q);
        if (codewords == 0)
            continue;
        check_index(&q, 0);
        check_index(&q, codewords - 1);
        check_index(&q, random_below(&r, codewords));
    }
}

Test(fsq, counts_of_codewords_are_checked)
{
    lac_fsq q = {.dimensions = 0};
    cr_assert_eq(lac_fsq_codewords(&q), 0);
    q = fsq_of(2, (uint8_t[]){5, 1});
    cr_assert_eq(lac_fsq_codewords(&q), 0);
    q = fsq_of(2, (uint8_t[]){5, 65});
    cr_assert_eq(lac_fsq_codewords(&q), 0);
    q = fsq_of(6, (uint8_t[]){64, 64, 64, 64, 64, 2});
    cr_assert_eq(lac_fsq_codewords(&q), UINT32_C(1) << 31);
    q = fsq_of(6, (uint8_t[]){64, 64, 64, 64, 64, 3});
    cr_assert_eq(lac_fsq_codewords(&q), 0);
    q.dimensions = LAC_FSQ_MAX_DIMENSIONS + 1;
    cr_assert_eq(lac_fsq_codewords(&q), 0);
}

Test(fsq, what_is_no_number_has_a_level)
{
    lac_fsq q = fsq_of(3, (uint8_t[]){5, 5, 5});
    uint8_t level[3];
    lac_fsq_quantise(&q, (float[]){NAN, INFINITY, -INFINITY}, level);
    cr_assert_eq(level[0], 0);
    cr_assert_eq(level[1], 4);
    cr_assert_eq(level[2], 0);
}
