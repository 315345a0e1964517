/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "report/stat/trace_forest.h"
#include "support/built_snapshot.h"

/* Python's comparison of two tracebacks, frame by frame from the oldest one. */
static size_t frames_of(const struct tm_forest *forest, uint32_t node, uint32_t *sites)
{
    size_t depth = forest->nodes[node].depth;
    for (size_t i = depth; i-- > 0; node = forest->nodes[node].parent) {
        sites[i] = forest->nodes[node].site;
    }
    return depth;
}

static int compare(const struct tm_forest *forest, uint32_t a, uint32_t b)
{
    uint32_t x[8], y[8];
    size_t x_count = frames_of(forest, a, x), y_count = frames_of(forest, b, y);
    for (size_t i = 0; i < x_count && i < y_count; i++) {
        if (x[i] != y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    return (x_count > y_count) - (x_count < y_count);
}

static struct tm_forest *build(const struct tm_snapshot *a, const struct tm_snapshot *b)
{
    const struct tm_snapshot *const snapshots[2] = {a, b};
    struct tm_forest *forest = tm_forest_build(snapshots, 2);
    assert_non_null(forest);
    return forest;
}

static void order_is_that_of_tuples_and_subtrees_are_ranges(void **state)
{
    (void)state;
    struct tm_snapshot *a = tm_built_snapshot("trace obj live=1/1 | z.py:1 a.py:2 b.py:3\ntrace obj live=1/1 | a.py:2\n"
                                              "trace obj live=1/1 | z.py:1 a.py:1\ntrace obj live=1/1 |\n");
    struct tm_snapshot *b =
        tm_built_snapshot("trace obj live=1/1 | a.py:2 z.py:1\ntrace obj live=1/1 | %FF.py:1 a.py:1\n"
                          "trace obj live=1/1 | z.py:1 a.py:2\n");
    struct tm_forest *forest = build(a, b);
    for (uint32_t i = 1; i < forest->node_count; i++) {
        assert_true(forest->nodes[i].parent < i);
        assert_u64_equal(forest->by_order[forest->nodes[i].order], i);
        const struct tm_node *parent = &forest->nodes[forest->nodes[i].parent];
        assert_true(parent->order < forest->nodes[i].order && forest->nodes[i].end <= parent->end);
        for (uint32_t j = 1; j < forest->node_count; j++) {
            int by_order =
                (forest->nodes[i].order > forest->nodes[j].order) - (forest->nodes[i].order < forest->nodes[j].order);
            assert_int_equal(by_order, compare(forest, i, j));
        }
    }
    tm_forest_free(forest);
    tm_snapshot_free(a);
    tm_snapshot_free(b);
}

static void equal_tracebacks_of_two_snapshots_are_one_node(void **state)
{
    (void)state;
    struct tm_snapshot *a = tm_built_snapshot("trace obj live=1/1 | x.py:1 y.py:2\n");
    struct tm_snapshot *b =
        tm_built_snapshot("trace obj live=1/1 | other.py:9\ntrace obj live=1/1 | x.py:1:f y.py:2:g\n");
    struct tm_forest *forest = build(a, b);
    assert_u64_equal(forest->node_of[0][2], forest->node_of[1][3]);
    assert_u64_equal(forest->node_of[0][0], forest->node_of[1][0]);
    assert_u64_equal(forest->nodes[forest->node_of[0][0]].depth, 1);
    tm_forest_free(forest);
    tm_snapshot_free(a);
    tm_snapshot_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_that_of_tuples_and_subtrees_are_ranges),
        cmocka_unit_test(equal_tracebacks_of_two_snapshots_are_one_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
