/* SPDX-License-Identifier: MIT */
/* Subtrees, their order, and chains. */
#include "support/cmocka_include.h"

#include <stdlib.h>

#include "report/stat/call_tree.h"
#include "support/built_snapshot.h"

static struct tm_snapshot *snapshot;
static struct tm_forest *forest;
static struct tm_call_tree tree;

static int make(void **state)
{
    (void)state;
    snapshot = tm_built_snapshot("trace obj live=10/1 | m.py:1 a.py:1 b.py:1 c.py:1\n"
                                 "trace obj live=5/5 | m.py:1 a.py:1 b.py:1 d.py:1\n"
                                 "trace mem live=30/2 | m.py:1 e.py:1\n"
                                 "trace raw live=1/1 | m.py:1 e.py:1 f.py:1\n"
                                 "trace native live=100/1 | n.py:1\n"
                                 "trace obj live=0/0 ever=7/7 | z.py:1\n");
    const struct tm_snapshot *const snapshots[1] = {snapshot};
    struct tm_grouping grouping = {.domains = TM_DOMAINS_PYTHON};
    forest = tm_forest_build(snapshots, 1);
    return forest == NULL || !tm_call_tree_make(&tree, forest, 0, &grouping);
}

static int drop(void **state)
{
    (void)state;
    tm_call_tree_free(&tree);
    tm_forest_free(forest);
    tm_snapshot_free(snapshot);
    return 0;
}

static uint32_t child(uint32_t node, unsigned number, const char *file, uint64_t size, uint64_t count)
{
    assert_true(number < tm_call_tree_child_count(&tree, node));
    uint32_t found = tree.children[tree.first[node] + number];
    const struct tm_site *site = &forest->sites.sites[forest->nodes[found].site];
    assert_true(tm_span_is(forest->names.names[site->file], file));
    assert_u64_equal(tree.amounts[found].size, size);
    assert_u64_equal(tree.amounts[found].count, count);
    return found;
}

static void calls_have_what_they_called_the_largest_first(void **state)
{
    (void)state;
    assert_u64_equal(tree.amounts[0].size, 46);
    assert_u64_equal(tm_call_tree_child_count(&tree, 0), 1);
    uint32_t m = child(0, 0, "m.py", 46, 9);
    assert_u64_equal(tm_call_tree_child_count(&tree, m), 2);
    uint32_t e = child(m, 0, "e.py", 31, 3), a = child(m, 1, "a.py", 15, 6);
    assert_u64_equal(tree.own[e].size, 30);
    (void)child(e, 0, "f.py", 1, 1);
    uint32_t b = child(a, 0, "b.py", 15, 6);
    (void)child(b, 0, "c.py", 10, 1);
    (void)child(b, 1, "d.py", 5, 5);
}

static void chains_end_where_calls_branch_or_hold_something(void **state)
{
    (void)state;
    uint32_t m = child(0, 0, "m.py", 46, 9), e = child(m, 0, "e.py", 31, 3), a = child(m, 1, "a.py", 15, 6);
    assert_u64_equal(tm_call_tree_chain_end(&tree, m), m);
    assert_u64_equal(tm_call_tree_chain_end(&tree, e), e);
    assert_u64_equal(tm_call_tree_chain_end(&tree, a), child(a, 0, "b.py", 15, 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_have_what_they_called_the_largest_first),
        cmocka_unit_test(chains_end_where_calls_branch_or_hold_something),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
