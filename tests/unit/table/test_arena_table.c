/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "runtime/os/os_memory.h"
#include "runtime/table/arena_table.h"

#define ARENA  (256U << 10)
#define ARENAS 100U

static void touched_pages_of_living_arenas_are_counted(void **state)
{
    (void)state;
    struct tm_arena_table table;
    memset(&table, 0, sizeof table);
    assert_int_equal(tm_arena_table_resident(&table), 0);
    char *pages = tm_pages_map((size_t)ARENA * ARENAS);
    assert_non_null(pages);
    for (unsigned i = 0; i < ARENAS; i++) {
        tm_arena_table_add(&table, (uintptr_t)pages + (size_t)i * ARENA, ARENA);
    }
    assert_int_equal(atomic_load(&table.count), ARENAS);
    assert_int_equal(atomic_load(&table.bytes), (size_t)ARENA * ARENAS);
    assert_int_equal(tm_arena_table_resident(&table), 0);
    memset(pages + 7 * (size_t)ARENA, 1, ARENA);
    pages[9 * (size_t)ARENA] = 1;
    assert_int_equal(tm_arena_table_resident(&table), ARENA + TM_PAGE_SIZE);
    tm_arena_table_remove(&table, (uintptr_t)pages + 7 * (size_t)ARENA, ARENA);
    assert_int_equal(tm_arena_table_resident(&table), TM_PAGE_SIZE);
    assert_int_equal(atomic_load(&table.count), ARENAS - 1);
    /* Its place serves again: the table stays as long as it was. */
    tm_arena_table_add(&table, (uintptr_t)pages + 7 * (size_t)ARENA, ARENA);
    assert_int_equal(atomic_load(&table.used), ARENAS);
    assert_int_equal(tm_arena_table_resident(&table), ARENA + TM_PAGE_SIZE);
    tm_pages_unmap(pages, (size_t)ARENA * ARENAS);
}

static void one_that_was_never_heard_of_leaves_the_others(void **state)
{
    (void)state;
    struct tm_arena_table table;
    memset(&table, 0, sizeof table);
    char *page = tm_pages_map(ARENA);
    assert_non_null(page);
    page[0] = 1;
    tm_arena_table_add(&table, (uintptr_t)page, ARENA);
    tm_arena_table_remove(&table, (uintptr_t)page + ARENA, ARENA);
    assert_int_equal(tm_arena_table_resident(&table), TM_PAGE_SIZE);
    tm_pages_unmap(page, ARENA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touched_pages_of_living_arenas_are_counted),
        cmocka_unit_test(one_that_was_never_heard_of_leaves_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
