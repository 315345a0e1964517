/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <string.h>

#include "runtime/table/map_table.h"
#include "support/random_numbers.h"

#define PAGES 512U /* of the model: one word for each page */
#define PAGE  4096U

struct model {
    uint32_t starts[PAGES]; /* length in pages of the range that starts here, 0: none */
    uint32_t records[PAGES];
};

static struct tm_map_extent extent_of(unsigned page, unsigned pages, uint32_t record)
{
    uintptr_t start = (uintptr_t)(page + 1) * PAGE;
    return (struct tm_map_extent){start, start + (uintptr_t)pages * PAGE, record, record % TM_MAP_KINDS};
}

static bool model_is_free(const struct model *model, unsigned page, unsigned pages)
{
    for (unsigned i = 0; i < PAGES; i++) {
        if (model->starts[i] != 0 && i < page + pages && page < i + model->starts[i]) {
            return false;
        }
    }
    return page + pages <= PAGES;
}

struct walk {
    const struct model *model;
    unsigned page;
    uint64_t bytes[TM_MAP_KINDS];
    unsigned seen;
};

static void compare(const struct tm_map_extent *extent, void *context)
{
    struct walk *walk = context;
    while (walk->page < PAGES && walk->model->starts[walk->page] == 0) {
        walk->page++;
    }
    assert_true(walk->page < PAGES);
    struct tm_map_extent expected =
        extent_of(walk->page, walk->model->starts[walk->page], walk->model->records[walk->page]);
    assert_memory_equal(extent, &expected, sizeof expected);
    walk->bytes[extent->kind] += extent->end - extent->start;
    walk->page++;
    walk->seen++;
}

static void assert_same(const struct tm_map_table *table, const struct model *model)
{
    struct walk walk = {.model = model};
    unsigned expected = 0;
    tm_map_table_each(table, compare, &walk);
    for (unsigned i = 0; i < PAGES; i++) {
        expected += model->starts[i] != 0;
    }
    assert_int_equal(walk.seen, expected);
    for (unsigned kind = 0; kind < TM_MAP_KINDS; kind++) {
        assert_u64_equal(walk.bytes[kind], table->bytes[kind]);
    }
}

static void random_calls_agree_with_a_list_of_pages(void **state)
{
    (void)state;
    static struct model model;
    struct tm_map_table table = {.nodes = NULL};
    struct random_numbers random = {17};
    for (unsigned step = 0; step < 40000; step++) {
        unsigned page = (unsigned)random_below(&random, PAGES);
        unsigned pages = 1 + (unsigned)random_below(&random, 6);
        struct tm_map_extent taken;
        if (model_is_free(&model, page, pages)) {
            struct tm_map_extent extent = extent_of(page, pages, step);
            assert_true(tm_map_table_put(&table, &extent));
            model.starts[page] = pages;
            model.records[page] = step;
        } else {
            bool known = model.starts[page] != 0;
            assert_int_equal(tm_map_table_take(&table, (uintptr_t)(page + 1) * PAGE, &taken), known);
            if (known) {
                assert_int_equal(taken.record, model.records[page]);
            }
            model.starts[page] = 0;
        }
        if (step % 97 == 0) {
            assert_same(&table, &model);
        }
    }
    assert_same(&table, &model);
}

static void next_is_the_first_that_ends_behind(void **state)
{
    (void)state;
    struct tm_map_table table = {.nodes = NULL};
    struct tm_map_extent found;
    struct tm_map_extent first = extent_of(0, 2, 1);
    struct tm_map_extent second = extent_of(5, 1, 2);
    assert_false(tm_map_table_next(&table, 0, &found));
    assert_true(tm_map_table_put(&table, &second));
    assert_true(tm_map_table_put(&table, &first));
    assert_true(tm_map_table_next(&table, first.end - 1, &found));
    assert_u64_equal(found.start, first.start);
    assert_true(tm_map_table_next(&table, first.end, &found));
    assert_u64_equal(found.start, second.start);
    assert_false(tm_map_table_next(&table, second.end, &found));
}

/* Many ranges in the order in which the kernel hands them out, downwards, and back in the same order: a table that
 * moves its tail, or a tree that leans over, would not come to an end here. */
static void many_ranges_in_falling_order(void **state)
{
    (void)state;
    enum { COUNT = 300000 };
    struct tm_map_table table = {.nodes = NULL};
    struct tm_map_extent taken;
    for (unsigned i = COUNT; i > 0; i--) {
        struct tm_map_extent extent = extent_of(i * 2, 1, i);
        assert_true(tm_map_table_put(&table, &extent));
    }
    uint32_t used = table.used;
    for (unsigned i = COUNT; i > 0; i--) {
        assert_true(tm_map_table_take(&table, extent_of(i * 2, 1, i).start, &taken));
        assert_int_equal(taken.record, i);
    }
    assert_int_equal(table.root, 0);
    for (unsigned i = 1; i <= COUNT; i++) {
        struct tm_map_extent extent = extent_of(i * 2, 1, i);
        assert_true(tm_map_table_put(&table, &extent));
    }
    assert_int_equal(table.used, used); /* nodes that came back are used again */
}

static void clear_forgets_and_goes_on(void **state)
{
    (void)state;
    struct tm_map_table table = {.nodes = NULL};
    struct tm_map_extent found;
    struct tm_map_extent extent = extent_of(3, 4, 5);
    assert_true(tm_map_table_put(&table, &extent));
    assert_true(tm_map_table_bytes(&table) > 0);
    tm_map_table_clear(&table);
    assert_false(tm_map_table_next(&table, 0, &found));
    assert_u64_equal(table.bytes[extent.kind], 0);
    assert_true(tm_map_table_put(&table, &extent));
    assert_true(tm_map_table_next(&table, 0, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_agree_with_a_list_of_pages),
        cmocka_unit_test(next_is_the_first_that_ends_behind),
        cmocka_unit_test(many_ranges_in_falling_order),
        cmocka_unit_test(clear_forgets_and_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
