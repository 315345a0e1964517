/* SPDX-License-Identifier: MIT */
#include "runtime/hook/boot_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void blocks_are_aligned_zeroed_and_apart(void **state)
{
    unsigned char *blocks[64];
    (void)state;
    for (size_t i = 0; i < 64; i++) {
        blocks[i] = tm_boot_pool_allocate(0, i);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        assert_int_equal(tm_boot_pool_size(blocks[i]), i);
        for (size_t byte = 0; byte < i; byte++) {
            assert_int_equal(blocks[i][byte], 0);
        }
        memset(blocks[i], 0xFF, i);
    }
    for (size_t i = 1; i < 64; i++) {
        assert_true(blocks[i] >= blocks[i - 1] + i - 1);
        assert_int_equal(tm_boot_pool_size(blocks[i]), i);
    }
}

static void an_alignment_is_kept(void **state)
{
    (void)state;
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        void *block = tm_boot_pool_allocate(alignment, 24);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % alignment, 0);
        assert_int_equal(tm_boot_pool_size(block), 24);
    }
}

static void it_grows_and_owns_all_that_it_gave(void **state)
{
    enum { BLOCKS = 300, SIZE = 1000 };
    static void *blocks[BLOCKS];
    (void)state;
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = tm_boot_pool_allocate(0, SIZE);
        assert_non_null(blocks[i]);
    }
    void *large = tm_boot_pool_allocate(0, 1U << 20);
    assert_non_null(large);
    assert_int_equal(((unsigned char *)large)[(1U << 20) - 1], 0);
    for (unsigned i = 0; i < BLOCKS; i++) {
        assert_true(tm_boot_pool_may_own(blocks[i]));
        assert_true(tm_boot_pool_owns(blocks[i]));
    }
    assert_true(tm_boot_pool_may_own(large) && tm_boot_pool_owns(large));
}

static uintptr_t looked_for;
static bool was_visited;
static size_t visited_bytes;

static void look(uintptr_t low, size_t size)
{
    was_visited = was_visited || looked_for - low < size;
    visited_bytes += size;
}

static void all_that_it_gave_is_visited(void **state)
{
    enum { BLOCKS = 40, SIZE = 2000 };
    (void)state;
    for (unsigned i = 0; i < BLOCKS; i++) {
        char *block = tm_boot_pool_allocate(0, SIZE);
        assert_non_null(block);
        looked_for = (uintptr_t)block;
        was_visited = false;
        tm_boot_pool_visit(look);
        assert_true(was_visited);
        looked_for = (uintptr_t)block + SIZE; /* behind the last one */
        was_visited = false;
        visited_bytes = 0;
        tm_boot_pool_visit(look);
        assert_false(was_visited);
        assert_true(visited_bytes < 8U << 20); /* what lies between is left out */
    }
}

static void it_owns_nothing_else(void **state)
{
    int on_stack;
    static int in_data;
    (void)state;
    assert_non_null(tm_boot_pool_allocate(0, 8));
    assert_false(tm_boot_pool_may_own(NULL));
    assert_false(tm_boot_pool_owns(&on_stack));
    assert_false(tm_boot_pool_owns(&in_data));
}

static void too_much_is_refused(void **state)
{
    (void)state;
    assert_null(tm_boot_pool_allocate(0, SIZE_MAX - 64));
    assert_null(tm_boot_pool_allocate(0, SIZE_MAX / 4));
    assert_non_null(tm_boot_pool_allocate(0, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_zeroed_and_apart),
        cmocka_unit_test(an_alignment_is_kept),
        cmocka_unit_test(it_grows_and_owns_all_that_it_gave),
        cmocka_unit_test(all_that_it_gave_is_visited),
        cmocka_unit_test(it_owns_nothing_else),
        cmocka_unit_test(too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
