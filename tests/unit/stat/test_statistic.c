/* SPDX-License-Identifier: MIT */
/* Rows by function, module and domain; their order; and which of them are too small. */
#include "support/cmocka_include.h"

#include <stdlib.h>

#include "report/stat/group.h"
#include "support/built_snapshot.h"

static struct tm_snapshot *snapshot;
static struct tm_forest *forest;

static int make(void **state)
{
    (void)state;
    snapshot = tm_built_snapshot("trace obj live=100/2 | /srv/a.py:1:main /usr/lib/python3.11/json/x.py:5:load\n"
                                 "trace mem live=30/3 | /srv/a.py:1:main /usr/lib/python3.11/json/x.py:6:load\n"
                                 "trace raw live=7/7 | /srv/a.py:2:main /srv/b.py:5:load\n"
                                 "trace native live=500/1 | /srv/a.py:2:main\n"
                                 "trace obj live=0/0 ever=9/9 | /srv/c.py:1:f\n");
    const struct tm_snapshot *const snapshots[2] = {snapshot, NULL};
    forest = tm_forest_build(snapshots, 1);
    return forest == NULL;
}

static int drop(void **state)
{
    (void)state;
    tm_forest_free(forest);
    tm_snapshot_free(snapshot);
    return 0;
}

static struct tm_statistics rows(enum tm_key_type key_type, enum tm_cumulative cumulative, enum tm_sort sort)
{
    struct tm_statistics statistics;
    struct tm_grouping grouping = {.key_type = key_type, .cumulative = cumulative, .domains = TM_DOMAINS_HEAP};
    assert_true(tm_forest_number_keys(forest, key_type));
    assert_true(tm_group(forest, 0, &grouping, &statistics));
    tm_statistics_sort(&statistics, (struct tm_order){.sort = sort});
    return statistics;
}

static void assert_key(const struct tm_key_list *list, const struct tm_statistic *row, const char *file,
                       const char *function, uint64_t size, uint64_t count)
{
    assert_true(tm_span_is(list->keys[row->key].file, file));
    if (function != NULL) {
        assert_true(tm_span_is(list->keys[row->key].function, function));
    }
    assert_u64_equal(row->size, size);
    assert_u64_equal(row->count, count);
}

static void functions_are_a_file_and_a_name(void **state)
{
    (void)state;
    struct tm_statistics s = rows(TM_KEY_FUNCTION, TM_CUMULATIVE_OFF, TM_SORT_SIZE);
    assert_u64_equal(s.count, 3);
    assert_key(&forest->functions, &s.items[0], "/srv/a.py", "main", 500, 1);
    assert_key(&forest->functions, &s.items[1], "/usr/lib/python3.11/json/x.py", "load", 130, 5);
    assert_key(&forest->functions, &s.items[2], "/srv/b.py", "load", 7, 7);
    tm_statistics_free(&s);
}

static void modules_are_cumulative_once(void **state)
{
    (void)state;
    struct tm_statistics s = rows(TM_KEY_MODULE, TM_CUMULATIVE_ONCE, TM_SORT_SIZE);
    assert_u64_equal(s.count, 2);
    assert_key(&forest->modules, &s.items[0], "/srv", NULL, 637, 13);
    assert_key(&forest->modules, &s.items[1], "json", NULL, 130, 5);
    tm_statistics_free(&s);
}

static void domains_are_rows(void **state)
{
    (void)state;
    struct tm_statistics s = rows(TM_KEY_DOMAIN, TM_CUMULATIVE_OFF, TM_SORT_SIZE);
    const struct {
        enum tm_domain domain;
        uint64_t size;
    } expected[] = {{TM_DOMAIN_NATIVE, 500}, {TM_DOMAIN_OBJ, 100}, {TM_DOMAIN_MEM, 30}, {TM_DOMAIN_RAW, 7}};
    assert_u64_equal(s.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_u64_equal(s.items[i].key, expected[i].domain);
        assert_u64_equal(s.items[i].size, expected[i].size);
    }
    tm_statistics_free(&s);
}

static void assert_sizes(enum tm_sort sort, const uint64_t sizes[3])
{
    struct tm_statistics s = rows(TM_KEY_FUNCTION, TM_CUMULATIVE_OFF, sort);
    assert_u64_equal(s.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_u64_equal(s.items[i].size, sizes[i]);
    }
    tm_statistics_free(&s);
}

static void rows_are_in_the_order_that_is_asked_for(void **state)
{
    (void)state;
    assert_sizes(TM_SORT_COUNT, (const uint64_t[]){7, 130, 500});
    assert_sizes(TM_SORT_AVERAGE, (const uint64_t[]){500, 130, 7});
    assert_sizes(TM_SORT_LOCATION, (const uint64_t[]){500, 7, 130});
}

static int compare(struct tm_statistic a, struct tm_statistic b, enum tm_sort sort)
{
    return tm_statistic_compare(&a, &b, (struct tm_order){.sort = sort, .is_diff = true});
}

static void equal_rows_of_a_diff_fall_back_to_the_order_of_diffs(void **state)
{
    (void)state;
    struct tm_statistic a = {.size = 9, .count = 3, .size_diff = -5, .count_diff = 1};
    struct tm_statistic b = {.size = 10, .count = 3, .size_diff = 4, .count_diff = -2};
    assert_true(compare(a, b, TM_SORT_DIFFERENCE) > 0);
    assert_true(compare(a, b, TM_SORT_SIZE) < 0);
    assert_true(compare(a, b, TM_SORT_COUNT) > 0);
    assert_true(compare(a, b, TM_SORT_COUNT_DIFFERENCE) < 0);
    b.size_diff = 5;
    assert_true(compare(a, b, TM_SORT_COUNT) < 0);
    b.size = 9;
    assert_true(compare(a, b, TM_SORT_COUNT) < 0);
    b.count_diff = 1;
    assert_true(compare(a, b, TM_SORT_COUNT) == 0);
}

static void means_are_compared_without_rounding(void **state)
{
    (void)state;
    struct tm_statistic a = {.size = 10, .count = 3}, b = {.size = 13, .count = 4}, none = {.size = 8};
    assert_true(compare(a, b, TM_SORT_AVERAGE) > 0);
    assert_true(compare(none, b, TM_SORT_AVERAGE) < 0);
    struct tm_statistic huge = {.size = INT64_MAX, .count = 1}, more = {.size = INT64_MAX, .count = INT64_MAX};
    assert_true(compare(huge, more, TM_SORT_AVERAGE) > 0);
}

static void small_rows_are_dropped(void **state)
{
    (void)state;
    struct tm_statistics s = rows(TM_KEY_FUNCTION, TM_CUMULATIVE_OFF, TM_SORT_SIZE);
    assert_u64_equal(tm_statistics_drop_small(&s, 130, 0, false), 1);
    assert_u64_equal(s.count, 2);
    assert_u64_equal(tm_statistics_drop_small(&s, 0, 2, false), 1);
    assert_u64_equal(s.items[0].size, 130);
    s.items[0].size_diff = -12;
    assert_u64_equal(tm_statistics_drop_small(&s, 12, 0, true), 0);
    assert_u64_equal(tm_statistics_drop_small(&s, 13, 0, true), 1);
    tm_statistics_free(&s);
}

/* With many that are equal but for their keys. */
static void fill(struct tm_statistic *items, size_t count)
{
    for (uint32_t i = 0, state = 1; i < count; i++) {
        state = state * 1664525U + 1013904223U;
        items[i] = (struct tm_statistic){.key = i, .size = state >> 27, .count = state >> 24 & 3};
    }
}

static void the_first_rows_are_those_of_all_in_order(void **state)
{
    (void)state;
    static struct tm_statistic all[1000], some[1000];
    static const size_t firsts[] = {0, 1, 2, 10, 124, 125, 126, 999, 1000, SIZE_MAX};
    for (int reverse = 0; reverse < 2; reverse++) {
        const struct tm_order order = {.sort = TM_SORT_SIZE, .reverse = reverse};
        struct tm_statistics sorted = {.forest = forest, .key_type = TM_KEY_LINENO, .items = all, .count = 1000};
        struct tm_statistics partly = {.forest = forest, .key_type = TM_KEY_LINENO, .items = some, .count = 1000};
        fill(all, 1000);
        tm_statistics_sort(&sorted, order);
        for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
            uint64_t keys = 0;
            fill(some, 1000);
            tm_statistics_sort_first(&partly, order, firsts[i]);
            for (size_t j = 0; j < 1000; j++) {
                assert_true(j >= firsts[i] || some[j].key == all[j].key);
                keys += some[j].key;
            }
            assert_u64_equal(keys, 999 * 1000 / 2);
        }
    }
}

static uint64_t size_of_functions(const char *pattern, const char *file)
{
    struct tm_filter filters[2];
    assert_true(tm_filter_init_function(&filters[0], pattern));
    assert_true(tm_filter_init(&filters[1], file, true, false));
    uint8_t *nodes = tm_filter_nodes(forest, filters, 2);
    assert_non_null(nodes);
    struct tm_grouping grouping = {.key_type = TM_KEY_LINENO, .domains = TM_DOMAINS_HEAP, .nodes = nodes};
    uint64_t size = tm_group_total(forest, 0, &grouping).size;
    free(nodes);
    tm_filter_free(&filters[0]);
    tm_filter_free(&filters[1]);
    return size;
}

static void functions_and_files_must_both_match(void **state)
{
    (void)state;
    assert_u64_equal(size_of_functions("load", "*"), 137);
    assert_u64_equal(size_of_functions("lo*", "/srv/*"), 7);
    assert_u64_equal(size_of_functions("main", "*"), 500);
    assert_u64_equal(size_of_functions("nothing", "*"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_a_file_and_a_name),
        cmocka_unit_test(modules_are_cumulative_once),
        cmocka_unit_test(domains_are_rows),
        cmocka_unit_test(rows_are_in_the_order_that_is_asked_for),
        cmocka_unit_test(equal_rows_of_a_diff_fall_back_to_the_order_of_diffs),
        cmocka_unit_test(means_are_compared_without_rounding),
        cmocka_unit_test(small_rows_are_dropped),
        cmocka_unit_test(the_first_rows_are_those_of_all_in_order),
        cmocka_unit_test(functions_and_files_must_both_match),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
