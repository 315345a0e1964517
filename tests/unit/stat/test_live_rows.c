/* SPDX-License-Identifier: MIT */
/* Growth and rates of a process that was looked at three times. */
#include "support/cmocka_include.h"

#include "report/stat/live_rows.h"
#include "support/built_snapshot.h"

/* The ids of the same place differ from file to file. */
static const char first_text[] = "trace obj live=100/1 ever=100/1 | m.py:1 a.py:5\n"
                                 "trace obj live=50/1 ever=50/1 | m.py:1 gone.py:9\n";
static const char previous_text[] = "trace obj live=10/1 ever=10/1 | z.py:1\n"
                                    "trace obj live=300/3 ever=1000/9 | m.py:1 a.py:5\n"
                                    "trace obj live=0/0 ever=50/1 | m.py:1 gone.py:9\n";
static const char now_text[] = "trace obj live=20/2 ever=5010/100 | z.py:1\n"
                               "trace obj live=8/1 ever=8/1 | b.py:7\n"
                               "trace obj live=400/4 ever=1700/19 | m.py:1 a.py:5\n";

struct looks {
    struct tm_snapshot *first, *previous, *now;
    struct tm_live_rows rows;
};

static void make(struct looks *looks, struct tm_grouping grouping, enum tm_live_sort sort)
{
    *looks = (struct looks){
        tm_built_snapshot(first_text), tm_built_snapshot(previous_text), tm_built_snapshot(now_text), {.rows = NULL}};
    grouping.domains = TM_DOMAINS_HEAP;
    assert_true(tm_live_rows_make(&looks->rows, looks->first, looks->previous, looks->now, &grouping, sort));
}

static void drop(struct looks *looks)
{
    tm_live_rows_free(&looks->rows);
    tm_snapshot_free(looks->first);
    tm_snapshot_free(looks->previous);
    tm_snapshot_free(looks->now);
}

static void assert_row(const struct looks *looks, size_t row, const char *file, uint64_t size, int64_t growth,
                       uint64_t allocated)
{
    const struct tm_live_row *found = &looks->rows.rows[row];
    const struct tm_forest *forest = looks->rows.forest;
    assert_true(row < looks->rows.count);
    uint32_t name =
        looks->rows.key_type == TM_KEY_FILENAME ? found->statistic.key : forest->sites.sites[found->statistic.key].file;
    assert_true(tm_span_is(forest->names.names[name], file));
    assert_u64_equal(found->statistic.size, size);
    assert_int_equal(found->statistic.size_diff, growth);
    assert_u64_equal(found->allocated.size, allocated);
}

static void rows_have_growth_since_the_first_and_rates_since_the_previous(void **state)
{
    (void)state;
    struct looks looks;
    make(&looks, (struct tm_grouping){.key_type = TM_KEY_LINENO}, TM_LIVE_SORT_SIZE);
    assert_u64_equal(looks.rows.count, 4);
    assert_row(&looks, 0, "a.py", 400, 300, 700);
    assert_row(&looks, 1, "z.py", 20, 20, 5000);
    assert_row(&looks, 2, "b.py", 8, 8, 8);
    assert_row(&looks, 3, "gone.py", 0, -50, 0);
    assert_u64_equal(looks.rows.rows[1].allocated.count, 99);
    drop(&looks);
}

static void orders(void **state)
{
    (void)state;
    struct looks looks;
    make(&looks, (struct tm_grouping){.key_type = TM_KEY_FILENAME}, TM_LIVE_SORT_RATE);
    assert_row(&looks, 0, "z.py", 20, 20, 5000);
    assert_row(&looks, 1, "a.py", 400, 300, 700);
    drop(&looks);
    make(&looks, (struct tm_grouping){.key_type = TM_KEY_FILENAME}, TM_LIVE_SORT_GROWTH);
    assert_row(&looks, 0, "a.py", 400, 300, 700);
    assert_row(&looks, 3, "gone.py", 0, -50, 0);
    drop(&looks);
}

static void callers_have_the_rates_of_what_they_call(void **state)
{
    (void)state;
    struct looks looks;
    make(&looks, (struct tm_grouping){.key_type = TM_KEY_FILENAME, .cumulative = TM_CUMULATIVE_ONCE},
         TM_LIVE_SORT_RATE);
    assert_row(&looks, 0, "z.py", 20, 20, 5000);
    assert_row(&looks, 1, "a.py", 400, 300, 700);
    assert_row(&looks, 2, "m.py", 400, 250, 650);
    drop(&looks);
}

static void a_place_that_frees_all_has_a_row(void **state)
{
    (void)state;
    struct looks looks = {tm_built_snapshot("trace obj live=0/0 ever=10/1 | a.py:5\n"),
                          tm_built_snapshot("trace obj live=0/0 ever=30/3 | a.py:5\n"),
                          tm_built_snapshot("trace obj live=0/0 ever=90/9 | a.py:5\n"
                                            "trace obj live=0/0 ever=7/1 | once.py:1\n"),
                          {.rows = NULL}};
    struct tm_grouping grouping = {.key_type = TM_KEY_LINENO, .domains = TM_DOMAINS_HEAP};
    assert_true(tm_live_rows_make(&looks.rows, looks.first, looks.previous, looks.now, &grouping, TM_LIVE_SORT_RATE));
    assert_u64_equal(looks.rows.count, 2);
    assert_row(&looks, 0, "a.py", 0, 0, 60);
    assert_row(&looks, 1, "once.py", 0, 0, 7);
    tm_live_rows_free(&looks.rows);
    struct tm_snapshot *now = looks.now;
    assert_true(tm_live_rows_make(&looks.rows, now, now, now, &grouping, TM_LIVE_SORT_RATE));
    assert_u64_equal(looks.rows.count, 0);
    drop(&looks);
}

static void one_look_has_neither(void **state)
{
    (void)state;
    struct tm_snapshot *now = tm_built_snapshot(now_text);
    struct tm_live_rows rows;
    struct tm_grouping grouping = {.key_type = TM_KEY_TRACEBACK, .domains = TM_DOMAINS_HEAP};
    assert_true(tm_live_rows_make(&rows, now, now, now, &grouping, TM_LIVE_SORT_SIZE));
    assert_u64_equal(rows.count, 3);
    for (size_t i = 0; i < rows.count; i++) {
        assert_int_equal(rows.rows[i].statistic.size_diff, 0);
        assert_u64_equal(rows.rows[i].allocated.size, 0);
    }
    tm_live_rows_free(&rows);
    tm_snapshot_free(now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_growth_since_the_first_and_rates_since_the_previous),
        cmocka_unit_test(orders),
        cmocka_unit_test(callers_have_the_rates_of_what_they_call),
        cmocka_unit_test(a_place_that_frees_all_has_a_row),
        cmocka_unit_test(one_look_has_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
