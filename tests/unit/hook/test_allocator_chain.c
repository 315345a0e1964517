/* SPDX-License-Identifier: MIT */
#include "runtime/hook/allocator_chain.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void *any_malloc(void *ctx, size_t size)
{
    (void)ctx;
    (void)size;
    return NULL;
}

static void *our_malloc(void *ctx, size_t size)
{
    (void)size;
    return ctx;
}

static void any_free(void *ctx, void *block)
{
    (void)ctx;
    (void)block;
}

static bool is_ours(const struct tm_cpython_allocator *allocator)
{
    return allocator->malloc == our_malloc;
}

/* The interpreter's data, as the chain knows it. */
static struct {
    struct tm_cpython_allocator tracemalloc_behind;
    struct {
        uintptr_t letter;
        struct tm_cpython_allocator behind;
    } debug;
    struct tm_cpython_allocator room;
} data;

static int our_context;
static const struct tm_cpython_allocator ours = {&our_context, our_malloc, NULL, NULL, any_free};
static const struct tm_cpython_allocator plain = {NULL, any_malloc, NULL, NULL, any_free};
static const struct tm_cpython_allocator over_debug = {&data.debug, any_malloc, NULL, NULL, any_free};
static const struct tm_cpython_allocator over_tracemalloc = {&data.tracemalloc_behind, any_malloc, NULL, NULL,
                                                             any_free};

static struct tm_allocator_chain chain;

static int set_up(void **state)
{
    (void)state;
    chain.data.low = (uintptr_t)&data;
    chain.data.high = (uintptr_t)(&data + 1);
    chain.is_ours = is_ours;
    data.debug.letter = 'o';
    data.debug.behind = plain;
    data.tracemalloc_behind = plain;
    return 0;
}

static void layers_are_told_apart(void **state)
{
    const struct tm_cpython_allocator *behind = NULL;
    (void)state;
    assert_int_equal(tm_allocator_layer(&chain, &plain, &behind), TM_LAYER_PLAIN);
    assert_int_equal(tm_allocator_layer(&chain, &ours, &behind), TM_LAYER_OURS);
    assert_int_equal(tm_allocator_layer(&chain, &over_debug, &behind), TM_LAYER_DEBUG);
    assert_ptr_equal(behind, &data.debug.behind);
    assert_int_equal(tm_allocator_layer(&chain, &over_tracemalloc, &behind), TM_LAYER_TRACEMALLOC);
    assert_ptr_equal(behind, &data.tracemalloc_behind);
}

static void a_context_elsewhere_is_not_followed(void **state)
{
    static struct tm_cpython_allocator elsewhere;
    const struct tm_cpython_allocator foreign = {&elsewhere, any_malloc, NULL, NULL, any_free};
    const struct tm_cpython_allocator *behind = NULL;
    (void)state;
    elsewhere = ours;
    assert_int_equal(tm_allocator_layer(&chain, &foreign, &behind), TM_LAYER_PLAIN);
    assert_null(tm_allocator_chain_ours(&chain, &foreign));
}

static void a_context_at_the_end_of_the_data_is_not_read(void **state)
{
    const struct tm_cpython_allocator last = {(char *)(&data + 1) - 8, any_malloc, NULL, NULL, any_free};
    const struct tm_cpython_allocator *behind = NULL;
    (void)state;
    assert_int_equal(tm_allocator_layer(&chain, &last, &behind), TM_LAYER_PLAIN);
}

static void ours_is_found_through_both(void **state)
{
    (void)state;
    assert_ptr_equal(tm_allocator_chain_ours(&chain, &ours), &ours);
    assert_null(tm_allocator_chain_ours(&chain, &over_tracemalloc));
    data.tracemalloc_behind = over_debug;
    assert_null(tm_allocator_chain_ours(&chain, &over_tracemalloc));
    data.debug.behind = ours;
    assert_ptr_equal(tm_allocator_chain_ours(&chain, &over_tracemalloc), &data.debug.behind);
}

static void a_ring_has_an_end(void **state)
{
    (void)state;
    data.tracemalloc_behind = over_debug;
    data.debug.behind = over_tracemalloc;
    assert_null(tm_allocator_chain_ours(&chain, &over_tracemalloc));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(layers_are_told_apart, set_up),
        cmocka_unit_test_setup(a_context_elsewhere_is_not_followed, set_up),
        cmocka_unit_test_setup(a_context_at_the_end_of_the_data_is_not_read, set_up),
        cmocka_unit_test_setup(ours_is_found_through_both, set_up),
        cmocka_unit_test_setup(a_ring_has_an_end, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
