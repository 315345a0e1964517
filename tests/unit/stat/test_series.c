/* SPDX-License-Identifier: MIT */
/* Growth over several snapshots, and their sum. */
#include "support/cmocka_include.h"

#include <stdio.h>
#include <stdlib.h>

#include "report/stat/merge.h"
#include "report/stat/series.h"
#include "support/built_snapshot.h"

#define HOUR UINT64_C(3600000000000)

static struct tm_snapshot *snapshots[4];
static struct tm_forest *forest;

/* Sizes of three lines after 0, 1, 2 and 4 hours. */
static int make(void **state)
{
    (void)state;
    static const unsigned sizes[4][3] = {{100, 50, 0}, {200, 70, 8}, {300, 60, 8}, {500, 90, 8}};
    static const unsigned hours[4] = {0, 1, 2, 4};
    for (unsigned s = 0; s < 4; s++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "meta pid u64 %u\nmeta time_ns u64 %llu\ntrace obj live=%u/1 | m.py:1:f leak.py:1:g\n"
                       "trace mem live=%u/2 ever=1000/9 | m.py:1:f cache.py:2:h\ntrace raw live=%u/1 |\n"
                       "size obj 16 1 2\n",
                       s / 2 + 1, (unsigned long long)(HOUR * (hours[s] + 1000)), sizes[s][0], sizes[s][1],
                       sizes[s][2]);
        snapshots[s] = tm_built_snapshot(text);
    }
    forest = tm_forest_build((const struct tm_snapshot *const *)snapshots, 4);
    return forest == NULL;
}

static int drop(void **state)
{
    (void)state;
    tm_forest_free(forest);
    for (unsigned s = 0; s < 4; s++) {
        tm_snapshot_free(snapshots[s]);
    }
    return 0;
}

static const struct tm_grouping by_file = {.key_type = TM_KEY_FILENAME, .domains = TM_DOMAINS_PYTHON};

static uint32_t key_of(const char *file)
{
    for (uint32_t i = 0; i < forest->names.count; i++) {
        if (tm_span_is(forest->names.names[i], file)) {
            return i;
        }
    }
    fail();
    return 0;
}

static void assert_close(double found, double expected)
{
    assert_true(found - expected < 1e-6 && expected - found < 1e-6);
}

static void slopes_are_those_of_the_best_line(void **state)
{
    (void)state;
    struct tm_series series;
    assert_true(tm_series_make(&series, forest, &by_file));
    assert_true(tm_series_is_timed(&series));
    assert_close(tm_series_slope(&series, key_of("leak.py")), 100);
    assert_close(tm_series_slope(&series, key_of("cache.py")), 8.857142857142858);
    assert_close(tm_series_slope(&series, key_of("m.py")), 0);
    assert_close(tm_series_total_slope(&series), 100 + 8.857142857142858 + 1.6);
    tm_series_free(&series);
}

static void what_never_stopped_growing_is_known(void **state)
{
    (void)state;
    struct tm_series series;
    assert_true(tm_series_make(&series, forest, &by_file));
    assert_true(tm_series_grew(&series, key_of("leak.py")));
    assert_false(tm_series_grew(&series, key_of("cache.py")));
    assert_false(tm_series_grew(&series, key_of("<unknown>")));
    assert_false(tm_series_grew(&series, key_of("m.py")));
    tm_series_free(&series);
}

static void two_snapshots_tell_of_no_leak_and_no_time_of_no_slope(void **state)
{
    (void)state;
    struct tm_snapshot *untimed = tm_built_snapshot("trace obj live=900/1 | leak.py:1\n");
    const struct tm_snapshot *const pair[2] = {snapshots[0], untimed};
    struct tm_forest *two = tm_forest_build(pair, 2);
    struct tm_series series;
    assert_true(tm_series_make(&series, two, &by_file));
    assert_false(tm_series_is_timed(&series));
    for (uint32_t key = 0; key < two->names.count; key++) {
        assert_false(tm_series_grew(&series, key));
        assert_close(tm_series_slope(&series, key), 0);
    }
    tm_series_free(&series);
    tm_forest_free(two);
    tm_snapshot_free(untimed);
}

static void merging_adds_up_what_is_equal(void **state)
{
    (void)state;
    struct tm_snapshot *merged = tm_merge(forest);
    assert_non_null(merged);
    assert_u64_equal(merged->traceback_count, 5); /* none, m.py, m.py leak.py, m.py cache.py, <unknown> */
    assert_u64_equal(merged->counter_count, 3);
    assert_u64_equal(merged->size_count, 1);
    assert_u64_equal(merged->sizes[0].live_blocks, 4);
    assert_u64_equal(tm_snapshot_number(merged, "python_current", 0), 1100 + 270 + 24);
    assert_u64_equal(tm_snapshot_number(merged, "time_ns", 0), HOUR * 1004);
    assert_null(tm_snapshot_meta(merged, "pid"));
    assert_true(tm_span_is(tm_snapshot_bytes(merged, "notes"),
                           "merged: 4 snapshots of 2 processes; the peak is the sum of their peaks"));
    const struct tm_snapshot *const alone[1] = {merged};
    struct tm_forest *one = tm_forest_build(alone, 1);
    struct tm_statistics s;
    assert_true(tm_group(one, 0, &by_file, &s));
    tm_statistics_sort(&s, (struct tm_order){.sort = TM_SORT_SIZE});
    assert_u64_equal(s.count, 3);
    assert_true(tm_span_is(one->names.names[s.items[0].key], "leak.py"));
    assert_u64_equal(s.items[0].size, 1100);
    assert_u64_equal(s.items[1].size, 270);
    assert_u64_equal(s.items[1].count, 8);
    assert_true(tm_span_is(one->names.names[s.items[2].key], "<unknown>"));
    tm_statistics_free(&s);
    tm_forest_free(one);
    tm_snapshot_free(merged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slopes_are_those_of_the_best_line),
        cmocka_unit_test(what_never_stopped_growing_is_known),
        cmocka_unit_test(two_snapshots_tell_of_no_leak_and_no_time_of_no_slope),
        cmocka_unit_test(merging_adds_up_what_is_equal),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
