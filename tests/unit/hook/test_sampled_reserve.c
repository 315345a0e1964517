/* SPDX-License-Identifier: MIT */
#include "runtime/hook/sampled_reserve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 513U

static unsigned asked, freed;

static void *count_malloc(void *ctx, size_t size)
{
    assert_ptr_equal(ctx, &asked);
    assert_int_equal(size, SIZE);
    asked++;
    return malloc(size);
}

static void count_free(void *ctx, void *block)
{
    (void)ctx;
    freed++;
    free(block);
}

static const struct tm_cpython_allocator maker = {&asked, count_malloc, NULL, NULL, count_free};
static const struct tm_cpython_allocator other = {&asked, count_malloc, NULL, NULL, count_free};

/* The reserve is one per process, so the cases stand in one order. */
static unsigned char *blocks[TM_SAMPLED_RESERVE];

static void nothing_is_of_a_reserve_that_was_not_made(void **state)
{
    int own = 0;
    (void)state;
    assert_false(tm_sampled_reserve_may_have(&own));
    assert_false(tm_sampled_reserve_has(&maker, &own));
    assert_false(tm_sampled_reserve_give(&maker, &own));
    assert_int_equal(asked, 0);
}

static void all_come_from_the_allocator_and_are_apart(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TM_SAMPLED_RESERVE; i++) {
        blocks[i] = tm_sampled_reserve_take(&maker, SIZE);
        assert_non_null(blocks[i]);
        assert_int_equal(asked, TM_SAMPLED_RESERVE);
        memset(blocks[i], (int)i, SIZE);
        assert_true(tm_sampled_reserve_may_have(blocks[i]));
        assert_true(tm_sampled_reserve_has(&maker, blocks[i]));
    }
    for (unsigned i = 0; i < TM_SAMPLED_RESERVE; i++) {
        assert_int_equal(blocks[i][0], i);
        assert_int_equal(blocks[i][SIZE - 1], i);
    }
    assert_null(tm_sampled_reserve_take(&maker, SIZE));
    assert_int_equal(asked, TM_SAMPLED_RESERVE);
}

static void what_is_given_back_comes_again(void **state)
{
    (void)state;
    assert_true(tm_sampled_reserve_give(&maker, blocks[7]));
    assert_true(tm_sampled_reserve_give(&maker, blocks[3]));
    assert_ptr_equal(tm_sampled_reserve_take(&maker, SIZE), blocks[3]);
    assert_ptr_equal(tm_sampled_reserve_take(&maker, SIZE), blocks[7]);
    assert_null(tm_sampled_reserve_take(&maker, SIZE));
}

static void others_are_refused(void **state)
{
    void *foreign = malloc(SIZE);
    (void)state;
    assert_false(tm_sampled_reserve_give(&maker, foreign));
    assert_false(tm_sampled_reserve_give(&maker, blocks[5] + 16));
    assert_false(tm_sampled_reserve_give(&other, blocks[5]));
    assert_false(tm_sampled_reserve_has(&other, blocks[5]));
    assert_null(tm_sampled_reserve_take(&other, SIZE));
    assert_true(tm_sampled_reserve_give(&maker, blocks[5]));
    assert_null(tm_sampled_reserve_take(&other, SIZE));
    assert_ptr_equal(tm_sampled_reserve_take(&maker, SIZE), blocks[5]);
    free(foreign);
}

/* Whoever has one may free it past the reserve, which has one less then. */
static void each_is_a_block_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TM_SAMPLED_RESERVE; i += 2) {
        free(blocks[i]);
    }
    for (unsigned i = 1; i < TM_SAMPLED_RESERVE; i += 2) {
        assert_true(tm_sampled_reserve_give(&maker, blocks[i]));
    }
    for (unsigned i = 1; i < TM_SAMPLED_RESERVE; i += 2) {
        unsigned char *block = tm_sampled_reserve_take(&maker, SIZE);
        assert_non_null(block);
        free(block);
    }
    assert_null(tm_sampled_reserve_take(&maker, SIZE));
    assert_int_equal(freed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_of_a_reserve_that_was_not_made),
        cmocka_unit_test(all_come_from_the_allocator_and_are_apart),
        cmocka_unit_test(what_is_given_back_comes_again),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(each_is_a_block_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
