/* Arrival statistics by themselves: what they want, remember and forget. */
#include <criterion/criterion.h>

#include "fixture.h"
#include "jitter.h"
#include "weights.h"

Test(jitter, minimum_forgets_by_time)
{
    lac_minimum m;
    lac_minimum_init(&m, 100);
    cr_assert_eq(lac_minimum_get(&m), INT64_MAX);
    lac_minimum_add(&m, -1, -5);
    lac_minimum_add(&m, 0, 7);
    cr_assert_eq(lac_minimum_get(&m), -5);
    lac_minimum_shift(&m, 3);
    cr_assert_eq(lac_minimum_get(&m), -2);
    lac_minimum_add(&m, 100 * (LAC_MINIMUM_SLOTS - 1) - 1, 20);
    cr_assert_eq(lac_minimum_get(&m), -2);
    lac_minimum_add(&m, 100 * (LAC_MINIMUM_SLOTS - 1), 20);
    cr_assert_eq(lac_minimum_get(&m), 10);
    lac_minimum_add(&m, 100 * LAC_MINIMUM_SLOTS, 21);
    cr_assert_eq(lac_minimum_get(&m), 20);
    lac_minimum_add(&m, INT64_MAX / 2, 1000);
    cr_assert_eq(lac_minimum_get(&m), 1000);
    lac_minimum_add(&m, 0, 2000); /* the clock went back */
    cr_assert_eq(lac_minimum_get(&m), 2000);
}

/* Lags at random below `spread`, after `from`. Returns the time after `frames` frames. */
static int64_t feed(lac_jitter *j, random_source *r, int64_t time, int frames, int64_t from, uint32_t spread)
{
    for (int i = 0; i < frames; i++, time += LAC_FRAME)
        lac_jitter_arrived(j, time, from + random_below(r, spread + 1), 1);
    return time;
}

Test(jitter, the_quantile_of_lags_is_wanted)
{
    random_source r = random_start();
    for (uint32_t spread = 0; spread < 20000; spread = 2 * spread + 500) {
        lac_jitter j;
        lac_jitter_init(&j);
        feed(&j, &r, 0, 5000, -123456789, spread);
        for (uint32_t permille = 20; permille <= 500; permille += 60) {
            int64_t wanted = lac_jitter_wanted(&j, permille), exact = (int64_t)spread * (1000 - permille) / 1000;
            int64_t slack = LAC_JITTER_BUCKET + spread / 8;
            cr_assert(wanted >= exact - slack && wanted <= exact + slack + LAC_JITTER_BUCKET, "%u, %u: %lld", spread,
                      permille, (long long)wanted);
        }
    }
}

Test(jitter, a_longer_way_counts_until_the_shorter_is_forgotten)
{
    random_source r = random_start();
    lac_jitter j;
    lac_jitter_init(&j);
    int64_t time = feed(&j, &r, 0, 3000, 0, 200);
    time = feed(&j, &r, time, 100, 4800, 200);
    cr_assert_geq(lac_jitter_wanted(&j, 10), 4800);
    cr_assert_leq(lac_jitter_fastest(&j), 200);
    time = feed(&j, &r, time, 600, 4800, 200);
    cr_assert_geq(lac_jitter_fastest(&j), 4800);
    cr_assert_leq(lac_jitter_wanted(&j, 10), 200 + 2 * LAC_JITTER_BUCKET);
    feed(&j, &r, time, 1, 0, 200);
    cr_assert_geq(lac_jitter_wanted(&j, 10), 4800);
}

Test(jitter, recovered_frames_count_like_others)
{
    random_source r = random_start();
    lac_jitter j;
    lac_jitter_init(&j);
    int64_t time = feed(&j, &r, 0, 3000, 0, 0);
    cr_assert_leq(lac_jitter_wanted(&j, 10), LAC_JITTER_BUCKET);
    for (int i = 0; i < 50; i++) {
        time = feed(&j, &r, time, 19, 0, 0);
        lac_jitter_recovered(&j, 2 * LAC_FRAME);
    }
    cr_assert_geq(lac_jitter_wanted(&j, 10), 2 * LAC_FRAME);
    cr_assert_leq(lac_jitter_wanted(&j, 100), LAC_JITTER_BUCKET);
}

Test(jitter, variation_is_that_of_rfc_3550)
{
    lac_jitter j;
    double expected = 0;
    lac_jitter_init(&j);
    random_source r = random_start();
    int64_t last = 0;
    for (int i = 0; i < 2000; i++) {
        int64_t lag = random_below(&r, 1000);
        lac_jitter_arrived(&j, i * LAC_FRAME, lag, 1);
        expected += i > 0 ? ((double)llabs(lag - last) - expected) / 16 : 0;
        last = lag;
        cr_assert_float_eq((double)j.variation / 16, expected, 1.0);
    }
    lac_jitter_arrived(&j, 0, INT64_MAX / 4, 1);
    cr_assert_leq(j.variation / 16, 60 * LAC_RATE);
}
