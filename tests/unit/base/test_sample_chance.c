/* SPDX-License-Identifier: MIT */
/* The arithmetic of sampling, against libm and against many draws. */
#include "support/cmocka_include.h"

#include <math.h>

#include "base/compiler.h"
#include "base/sample_chance.h"
#include "support/random_numbers.h"

#define RATE 4096U

static void chance_is_that_of_the_formula(void **state)
{
    (void)state;
    static const uint64_t rates[] = {1024, 524288, UINT64_C(1) << 30};
    for (size_t i = 0; i < TM_COUNT_OF(rates); i++) {
        for (uint64_t size = 1; size < UINT64_C(1) << 45; size = size * 5 / 3 + 1) {
            double right = -expm1(-(double)size / (double)rates[i]);
            assert_true(fabs(tm_sample_chance(size, rates[i]) / right - 1) < 1e-12);
            struct tm_sample_weight weight = tm_sample_weight_of(size, rates[i]);
            assert_true(fabs((double)weight.blocks / TM_SAMPLE_ONE * right - 1) < 1e-5);
            assert_true(fabs((double)weight.bytes / (double)size * right - 1) < 1e-3);
            assert_true(weight.blocks >= TM_SAMPLE_ONE);
        }
    }
    assert_int_equal(tm_sample_weight_of(0, RATE).blocks, 0);
}

/* The distance is below SIZE as often as a block of SIZE is sampled. */
static void distances_are_exponential(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 100, RATE / 2, RATE, 4 * RATE};
    struct random_numbers random = {42};
    enum { DRAWS = 400000 };
    unsigned below[TM_COUNT_OF(sizes)] = {0};
    for (unsigned draw = 0; draw < DRAWS; draw++) {
        uint64_t distance = tm_sample_distance(random_next(&random), RATE);
        for (size_t i = 0; i < TM_COUNT_OF(sizes); i++) {
            below[i] += distance < sizes[i];
        }
    }
    for (size_t i = 0; i < TM_COUNT_OF(sizes); i++) {
        double chance = tm_sample_chance(sizes[i], RATE);
        double deviation = sqrt(DRAWS * chance * (1 - chance));
        assert_true(fabs(below[i] - DRAWS * chance) < 5 * deviation);
    }
    assert_int_equal(tm_sample_distance(UINT64_MAX, RATE), 0);
    assert_true(tm_sample_distance(0, RATE) < 40 * RATE); /* 53 bits: ln(2^53) is 36.7 */
}

static void bytes_are_those_of_the_blocks(void **state)
{
    (void)state;
    assert_int_equal(tm_sample_bytes(TM_SAMPLE_ONE * 7, 100), 700);
    assert_int_equal(tm_sample_bytes(TM_SAMPLE_ONE * 3 / 2, 100), 150);
    assert_true(tm_sample_bytes(UINT64_MAX, 512) > UINT64_MAX / TM_SAMPLE_ONE * 511); /* no overflow on the way */
}

/* Estimates of a population of COUNT blocks of each of the SIZES: how often the truth is within the margin. */
static double share_within(const uint64_t *sizes, size_t size_count, unsigned count, double *mean)
{
    enum { TRIALS = 2000 };
    struct random_numbers random = {4711};
    unsigned within = 0;
    double truth = 0;
    *mean = 0;
    for (size_t i = 0; i < size_count; i++) {
        truth += (double)sizes[i] * count;
    }
    for (unsigned trial = 0; trial < TRIALS; trial++) {
        double bytes = 0;
        double blocks = 0;
        for (size_t i = 0; i < size_count; i++) {
            struct tm_sample_weight weight = tm_sample_weight_of(sizes[i], RATE);
            for (unsigned block = 0; block < count; block++) {
                if (tm_sample_distance(random_next(&random), RATE) < sizes[i]) {
                    bytes += (double)weight.bytes;
                    blocks += (double)weight.blocks / TM_SAMPLE_ONE;
                }
            }
        }
        double margin = tm_sample_margin(bytes, blocks, RATE);
        within += fabs(bytes - truth) <= margin;
        *mean += bytes / TRIALS / truth;
    }
    return (double)within / TRIALS;
}

static void margin_holds_the_truth(void **state)
{
    (void)state;
    static const uint64_t small[] = {16, 48, 104, 512};
    static const uint64_t alike[] = {56};
    static const uint64_t mixed[] = {64, 600, RATE, 3 * RATE, 100 * RATE};
    static const struct {
        const uint64_t *sizes;
        size_t count;
        unsigned blocks;
    } populations[] = {{small, 4, 5},    {small, 4, 40}, {small, 4, 400}, {alike, 1, 100},
                       {alike, 1, 2000}, {mixed, 5, 1},  {mixed, 5, 20},  {mixed, 5, 100}};
    for (size_t i = 0; i < TM_COUNT_OF(populations); i++) {
        double mean;
        double within = share_within(populations[i].sizes, populations[i].count, populations[i].blocks, &mean);
        assert_true(within >= 0.945);
        assert_true(fabs(mean - 1) < 0.1);
    }
}

/* An interval that is always right because it is endless says nothing. */
static void margin_is_not_wasteful(void **state)
{
    (void)state;
    double bytes = 1e4 * RATE;
    double margin = tm_sample_margin(bytes, bytes / 50, RATE);
    assert_true(margin > 1.9 * 100 * RATE && margin < 2.1 * 100 * RATE);
    assert_true(tm_sample_margin(1e9, 1, RATE) < 5 * RATE); /* a huge block is always sampled */
    assert_true(tm_sample_margin(0, 0, RATE) < 4.0 * RATE && tm_sample_margin(0, 0, RATE) > 3.6 * RATE);
    assert_true(tm_sample_margin(0, 0, RATE) < tm_sample_margin(1, 1, RATE)); /* one sample says there is some */
    assert_true(tm_sample_margin(0, 0, 0) == 0 && tm_sample_margin(1, 1, 0) == 0);
    assert_true(fabs(tm_sample_margin_of_two(3e9, 4e9) - 5e9) < 1 && tm_sample_margin_of_two(0, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chance_is_that_of_the_formula), cmocka_unit_test(distances_are_exponential),
        cmocka_unit_test(bytes_are_those_of_the_blocks), cmocka_unit_test(margin_holds_the_truth),
        cmocka_unit_test(margin_is_not_wasteful),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
