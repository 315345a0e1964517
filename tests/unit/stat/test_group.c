/* SPDX-License-Identifier: MIT */
/* Grouping, filters and differences, on snapshots small enough to count by hand. */
#include "support/cmocka_include.h"

#include <stdlib.h>

#include "report/stat/group.h"
#include "support/built_snapshot.h"

struct fixture {
    struct tm_snapshot *snapshots[2];
    struct tm_forest *forest;
};

static struct fixture make(const char *old, const char *new)
{
    struct fixture f = {{tm_built_snapshot(old), new != NULL ? tm_built_snapshot(new) : NULL}, NULL};
    const struct tm_snapshot *const snapshots[2] = {f.snapshots[0], f.snapshots[1]};
    f.forest = tm_forest_build(snapshots, new != NULL ? 2 : 1);
    assert_non_null(f.forest);
    return f;
}

static void drop(struct fixture *f)
{
    tm_forest_free(f->forest);
    tm_snapshot_free(f->snapshots[0]);
    tm_snapshot_free(f->snapshots[1]);
}

static struct tm_statistics sorted(const struct fixture *f, struct tm_grouping grouping)
{
    struct tm_statistics statistics;
    assert_true(tm_group(f->forest, 0, &grouping, &statistics));
    tm_statistics_sort(&statistics, (struct tm_order){.sort = TM_SORT_SIZE});
    return statistics;
}

static void assert_site(const struct fixture *f, const struct tm_statistic *row, const char *file, uint32_t line,
                        uint64_t size, uint64_t count)
{
    const struct tm_site *site = &f->forest->sites.sites[row->key];
    assert_true(tm_span_is(f->forest->names.names[site->file], file));
    assert_u64_equal(site->line, line);
    assert_u64_equal(row->size, size);
    assert_u64_equal(row->count, count);
}

static const char recursion[] = "trace obj live=100/1 | m.py:1 f.py:5 f.py:5 f.py:5\n"
                                "trace mem live=10/1 | m.py:1 f.py:5\n"
                                "trace raw live=1/1 |\n";

static void lines_are_those_of_the_most_recent_frame(void **state)
{
    (void)state;
    struct fixture f = make(recursion, NULL);
    struct tm_statistics s = sorted(&f, (struct tm_grouping){.key_type = TM_KEY_LINENO, .domains = TM_DOMAINS_HEAP});
    assert_u64_equal(s.count, 2);
    assert_site(&f, &s.items[0], "f.py", 5, 110, 2);
    assert_site(&f, &s.items[1], "<unknown>", 0, 1, 1);
    tm_statistics_free(&s);
    drop(&f);
}

/* main, p.py:1, C, p.py:2, two frames of C; and a thread of C alone. */
static const char machine[] = "trace native live=100/1 | /c.so+0x1 p.py:1 /c.so+0x2 p.py:2 /c.so+0x3 /c.so+0x4\n"
                              "trace native live=10/1 | /c.so+0x1 p.py:1 /c.so+0x2\n"
                              "trace native live=3/1 | /c.so+0x1 /c.so+0x4\n";

static void machine_frames_are_passed_over_by_line(void **state)
{
    static const enum tm_cumulative ways[] = {TM_CUMULATIVE_OFF, TM_CUMULATIVE_ONCE, TM_CUMULATIVE_STDLIB};
    static const uint64_t first[] = {10, 110, 110};
    (void)state;
    struct fixture f = make(machine, NULL);
    for (unsigned i = 0; i < 3; i++) {
        struct tm_statistics s = sorted(
            &f, (struct tm_grouping){.key_type = TM_KEY_LINENO, .cumulative = ways[i], .domains = TM_DOMAINS_HEAP});
        assert_site(&f, &s.items[i > 0], "p.py", 2, 100, 1);
        assert_site(&f, &s.items[i == 0], "p.py", 1, first[i], i > 0 ? 2 : 1);
        assert_site(&f, &s.items[2], "/c.so", 0, 3, 1);
        assert_u64_equal(s.count, i > 0 ? 4 : 3); /* of the thread of C its older frame too */
        tm_statistics_free(&s);
    }
    drop(&f);
}

static void cumulative_counts_a_trace_once_for_each_key(void **state)
{
    (void)state;
    struct fixture f = make(recursion, NULL);
    struct tm_statistics s = sorted(
        &f,
        (struct tm_grouping){.key_type = TM_KEY_LINENO, .cumulative = TM_CUMULATIVE_ONCE, .domains = TM_DOMAINS_HEAP});
    assert_u64_equal(s.count, 3);
    assert_site(&f, &s.items[0], "m.py", 1, 110, 2);
    assert_site(&f, &s.items[1], "f.py", 5, 110, 2);
    tm_statistics_free(&s);
    drop(&f);
}

static void stdlib_counts_recursion_again_and_again(void **state)
{
    (void)state;
    struct fixture f = make(recursion, NULL);
    struct tm_statistics s =
        sorted(&f, (struct tm_grouping){
                       .key_type = TM_KEY_LINENO, .cumulative = TM_CUMULATIVE_STDLIB, .domains = TM_DOMAINS_HEAP});
    assert_site(&f, &s.items[0], "f.py", 5, 310, 4);
    assert_site(&f, &s.items[1], "m.py", 1, 110, 2);
    tm_statistics_free(&s);
    drop(&f);
}

/* The same file under two keys of one traceback that are not neighbours. */
static void cumulative_by_file_joins_what_is_interrupted(void **state)
{
    (void)state;
    struct fixture f = make("trace obj live=8/1 | a.py:1 b.py:1 a.py:2\ntrace obj live=4/1 | b.py:7 a.py:9\n", NULL);
    struct tm_statistics s =
        sorted(&f, (struct tm_grouping){
                       .key_type = TM_KEY_FILENAME, .cumulative = TM_CUMULATIVE_ONCE, .domains = TM_DOMAINS_HEAP});
    assert_u64_equal(s.count, 2);
    assert_u64_equal(s.items[0].size, 12);
    assert_u64_equal(s.items[0].count, 2);
    assert_u64_equal(s.items[1].size, 12);
    tm_statistics_free(&s);
    drop(&f);
}

static void frames_that_differ_in_function_only_are_one(void **state)
{
    (void)state;
    struct fixture f = make("trace obj live=8/1 | a.py:1:f b.py:1:g\ntrace obj live=4/1 | a.py:1:h b.py:1:i\n", NULL);
    struct tm_statistics s = sorted(&f, (struct tm_grouping){.key_type = TM_KEY_TRACEBACK, .domains = TM_DOMAINS_HEAP});
    assert_u64_equal(s.count, 1);
    assert_u64_equal(s.items[0].size, 12);
    tm_statistics_free(&s);
    drop(&f);
}

static void ties_are_decided_by_the_oldest_frame_first(void **state)
{
    (void)state;
    struct fixture f = make("trace obj live=8/1 | a.py:1 z.py:1\ntrace obj live=8/1 | b.py:1 a.py:1\n"
                            "trace obj live=8/1 | a.py:1\n",
                            NULL);
    struct tm_statistics s = sorted(&f, (struct tm_grouping){.key_type = TM_KEY_TRACEBACK, .domains = TM_DOMAINS_HEAP});
    assert_u64_equal(s.count, 3);
    assert_u64_equal(f.forest->nodes[s.items[0].key].depth, 2);
    assert_site(&f, &(struct tm_statistic){.key = f.forest->nodes[s.items[0].key].site, .size = 8, .count = 1}, "a.py",
                1, 8, 1);
    assert_site(&f, &(struct tm_statistic){.key = f.forest->nodes[s.items[1].key].site, .size = 8, .count = 1}, "z.py",
                1, 8, 1);
    assert_u64_equal(f.forest->nodes[s.items[2].key].depth, 1);
    tm_statistics_sort(&s, (struct tm_order){.sort = TM_SORT_SIZE, .recent_first = true});
    assert_site(&f, &(struct tm_statistic){.key = f.forest->nodes[s.items[0].key].site, .size = 8, .count = 1}, "z.py",
                1, 8, 1);
    tm_statistics_free(&s);
    drop(&f);
}

static void figures_and_domains_choose_what_counts(void **state)
{
    (void)state;
    struct fixture f = make("trace obj live=1/1 ever=20/5 temporary=2 python-peak=3/3 heap-peak=4/4 | a.py:1\n"
                            "trace native live=10/1 ever=20/2 heap-peak=40/4 | a.py:1\n"
                            "trace mmap live=1000/1 | a.py:1\n",
                            NULL);
    const struct {
        enum tm_figure figure;
        uint32_t domains;
        uint64_t size;
    } cases[] = {{TM_FIGURE_LIVE, TM_DOMAINS_PYTHON, 1},
                 {TM_FIGURE_LIVE, TM_DOMAINS_HEAP, 11},
                 {TM_FIGURE_EVER, TM_DOMAINS_HEAP, 40},
                 {TM_FIGURE_TEMPORARY, TM_DOMAINS_HEAP, 8},
                 {TM_FIGURE_PEAK_PYTHON, TM_DOMAINS_PYTHON, 3},
                 {TM_FIGURE_PEAK_HEAP, TM_DOMAINS_HEAP, 44},
                 {TM_FIGURE_LIVE, TM_DOMAIN_BIT(TM_DOMAIN_MMAP), 1000},
                 {TM_FIGURE_PEAK_HEAP, TM_DOMAIN_BIT(TM_DOMAIN_NATIVE), 40}};
    for (size_t i = 0; i < TM_COUNT_OF(cases); i++) {
        struct tm_grouping grouping = {
            .key_type = TM_KEY_LINENO, .figure = cases[i].figure, .domains = cases[i].domains};
        assert_u64_equal(tm_group_total(f.forest, 0, &grouping).size, cases[i].size);
        struct tm_statistics s = sorted(&f, grouping);
        assert_u64_equal(s.count, 1);
        assert_u64_equal(s.items[0].size, cases[i].size);
        tm_statistics_free(&s);
    }
    drop(&f);
}

static void differences_have_what_is_new_gone_and_changed(void **state)
{
    (void)state;
    struct fixture f = make("trace obj live=100/1 | gone.py:1\ntrace obj live=50/5 | same.py:1\n"
                            "trace obj live=10/1 | less.py:1\n",
                            "trace obj live=7/1 | new.py:1\ntrace mem live=50/5 | same.py:1\n"
                            "trace obj live=4/2 | less.py:1\n");
    struct tm_statistics s;
    struct tm_grouping grouping = {.key_type = TM_KEY_LINENO, .domains = TM_DOMAINS_PYTHON};
    assert_true(tm_group_differences(f.forest, &grouping, &s));
    tm_statistics_sort(&s, (struct tm_order){.sort = TM_SORT_DIFFERENCE, .is_diff = true});
    const struct {
        const char *file;
        uint64_t size, count;
        int64_t size_diff, count_diff;
    } expected[] = {
        {"gone.py", 0, 0, -100, -1}, {"new.py", 7, 1, 7, 1}, {"less.py", 4, 2, -6, 1}, {"same.py", 50, 5, 0, 0}};
    assert_u64_equal(s.count, TM_COUNT_OF(expected));
    for (size_t i = 0; i < s.count; i++) {
        assert_site(&f, &s.items[i], expected[i].file, 1, expected[i].size, expected[i].count);
        assert_true(s.items[i].size_diff == expected[i].size_diff);
        assert_true(s.items[i].count_diff == expected[i].count_diff);
    }
    tm_statistics_free(&s);
    drop(&f);
}

static uint64_t filtered_size(const struct fixture *f, const char *text, bool inclusive, bool all_frames)
{
    struct tm_filter filter;
    assert_true(tm_filter_init(&filter, text, inclusive, all_frames));
    uint8_t *nodes = tm_filter_nodes(f->forest, &filter, 1);
    assert_non_null(nodes);
    struct tm_grouping grouping = {.key_type = TM_KEY_LINENO, .domains = TM_DOMAINS_HEAP, .nodes = nodes};
    uint64_t size = tm_group_total(f->forest, 0, &grouping).size;
    free(nodes);
    tm_filter_free(&filter);
    return size;
}

static void filters_look_at_one_frame_or_at_all(void **state)
{
    (void)state;
    struct fixture f = make("trace obj live=1/1 | a.py:1 b.py:2\ntrace obj live=2/1 | b.py:2 a.py:1\n"
                            "trace obj live=4/1 | c.py:3\ntrace obj live=8/1 |\ntrace obj live=16/1 | odd%3A7.py:3\n",
                            NULL);
    assert_u64_equal(filtered_size(&f, "a.py", true, false), 2);
    assert_u64_equal(filtered_size(&f, "a.py", true, true), 3);
    assert_u64_equal(filtered_size(&f, "a.py", false, false), 29);
    assert_u64_equal(filtered_size(&f, "a.py", false, true), 28);
    assert_u64_equal(filtered_size(&f, "*:3", true, false), 20);
    assert_u64_equal(filtered_size(&f, "b.py:9", true, true), 0);
    assert_u64_equal(filtered_size(&f, "<unknown>", true, false), 8);
    assert_u64_equal(filtered_size(&f, "<unknown>:0", false, false), 23);
    assert_u64_equal(filtered_size(&f, "odd:7.py", true, false), 16);
    assert_u64_equal(filtered_size(&f, "*:99999999999", true, false), 0);
    drop(&f);
}

static void included_by_one_and_excluded_by_none(void **state)
{
    (void)state;
    struct fixture f =
        make("trace obj live=1/1 | a.py:1\ntrace obj live=2/1 | b.py:1\ntrace obj live=4/1 | c.py:1\n", NULL);
    struct tm_filter filters[3];
    assert_true(tm_filter_init(&filters[0], "a.py", true, false));
    assert_true(tm_filter_init(&filters[1], "[bc].py", true, false));
    assert_true(tm_filter_init(&filters[2], "b.py", false, false));
    uint8_t *nodes = tm_filter_nodes(f.forest, filters, 3);
    struct tm_grouping grouping = {.key_type = TM_KEY_LINENO, .domains = TM_DOMAINS_HEAP, .nodes = nodes};
    assert_u64_equal(tm_group_total(f.forest, 0, &grouping).size, 5);
    free(nodes);
    for (size_t i = 0; i < 3; i++) {
        tm_filter_free(&filters[i]);
    }
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_those_of_the_most_recent_frame),
        cmocka_unit_test(machine_frames_are_passed_over_by_line),
        cmocka_unit_test(cumulative_counts_a_trace_once_for_each_key),
        cmocka_unit_test(stdlib_counts_recursion_again_and_again),
        cmocka_unit_test(cumulative_by_file_joins_what_is_interrupted),
        cmocka_unit_test(frames_that_differ_in_function_only_are_one),
        cmocka_unit_test(ties_are_decided_by_the_oldest_frame_first),
        cmocka_unit_test(figures_and_domains_choose_what_counts),
        cmocka_unit_test(differences_have_what_is_new_gone_and_changed),
        cmocka_unit_test(filters_look_at_one_frame_or_at_all),
        cmocka_unit_test(included_by_one_and_excluded_by_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
