/* SPDX-License-Identifier: MIT */
/* The quick free, which only compares python_held with a limit, never passes a maximum: after each way in which the
 * heap can come above its peak it leaves the free to the way that notices. */
#include "support/cmocka_include.h"

#include "runtime/track/peak_limit.h"
#include "support/fake_python.h"

#define HEAP   UINT64_C(0x500000000000)
#define BLOCKS 64U
#define SIZE   UINT64_C(100)
#define NATIVE (HEAP + UINT64_C(0x1000000))

static uint64_t address_of(uint64_t i)
{
    return HEAP + i * 0x1000;
}

static void *pointer_to(uint64_t i)
{
    return (void *)(uintptr_t)address_of(i);
}

static bool free_quickly(uint64_t i)
{
    return tm_quick_take_block(tm_thread_self(), pointer_to(i), TM_TAKE_SAVED, TM_QUICK_ANY, NULL) == TM_TAKEN_NOW;
}

static void free_noticing(uint64_t i)
{
    assert_true(tm_quick_take_block(tm_thread_self(), pointer_to(i), TM_TAKE_ANY, TM_QUICK_ANY, NULL) == TM_TAKEN_NOW);
}

static void alloc(uint64_t i)
{
    fake_alloc(TM_DOMAIN_OBJ, address_of(i), SIZE);
}

/* BLOCKS of them; the maximum was left, 2 frees ago. */
static int begin(void **state)
{
    (void)state;
    fake_process_in_memory(NULL);
    fake_python_found();
    fake_lane_set(FAKE_HELD);
    for (uint64_t i = 0; i < BLOCKS; i++) {
        alloc(i);
    }
    assert_false(free_quickly(0));
    free_noticing(0);
    assert_true(free_quickly(1));
    assert_u64_equal(fake_heap_peak(), BLOCKS * SIZE);
    return 0;
}

/* The heap is EXCESS above the last maximum. */
static void assert_noticed(uint64_t peak, uint64_t excess)
{
    const uint64_t noticed = atomic_load(&tm_runtime.totals->heap_peak);
    assert_u64_equal(noticed, peak);
    assert_false(free_quickly(2));
    free_noticing(2);
    assert_u64_equal(atomic_load(&tm_runtime.totals->heap_peak), noticed + excess);
    assert_true(free_quickly(3));
    alloc(2);
    alloc(3);
    assert_true(free_quickly(3));
    alloc(3);
    alloc(BLOCKS + 1);
    assert_false(free_quickly(3));
}

static void a_python_block_above_the_peak(void **state)
{
    (void)state;
    alloc(0);
    alloc(1);
    assert_true(free_quickly(1)); /* as high as the peak, no higher */
    alloc(1);
    alloc(BLOCKS);
    assert_noticed(BLOCKS * SIZE, SIZE);
}

static void a_native_block_under_the_gil(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_NATIVE, NATIVE, 2 * SIZE);
    assert_true(free_quickly(4)); /* as high as the peak, no higher */
    alloc(4);
    fake_alloc(TM_DOMAIN_NATIVE, NATIVE + 0x1000, 30);
    assert_noticed(BLOCKS * SIZE, 30);
}

static void native_blocks_that_come_and_go_do_not_raise_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        fake_alloc(TM_DOMAIN_NATIVE, NATIVE, SIZE);
        assert_true(fake_free(NATIVE));
    }
    alloc(0);
    alloc(1);
    alloc(BLOCKS);
    assert_noticed(BLOCKS * SIZE, SIZE);
}

static void a_thread_that_tells_its_tally(void **state)
{
    (void)state;
    fake_lane_set(FAKE_FOREIGN);
    fake_alloc(TM_DOMAIN_NATIVE, NATIVE, TM_TALLY_REACH + 1);
    fake_lane_set(FAKE_HELD);
    assert_noticed(BLOCKS * SIZE, TM_TALLY_REACH + 1 - 2 * SIZE);
}

static void change_without_the_gil(uint64_t native, uint64_t size)
{
    fake_lane_set(FAKE_FOREIGN);
    if (size != 0) {
        fake_alloc(TM_DOMAIN_NATIVE, native, size);
    } else {
        assert_true(fake_free(native));
    }
    fake_lane_set(FAKE_HELD);
}

/* The heap is far below its peak, and Python's part of it too, and native blocks have been told; answers by how much
 * the heap may grow. */
static uint64_t begin_with_room(void)
{
    fake_alloc(TM_DOMAIN_OBJ, address_of(1000), 6 * TM_TALLY_REACH);
    assert_true(fake_free(address_of(1000)));
    change_without_the_gil(NATIVE, 4 * TM_TALLY_REACH);
    change_without_the_gil(NATIVE + 0x10000, 4 * TM_TALLY_REACH);
    free_noticing(2);
    change_without_the_gil(NATIVE, 0);
    assert_true(free_quickly(3));
    alloc(2);
    alloc(3);
    alloc(0);
    assert_false(free_quickly(3)); /* the limit does not know yet that there is room */
    free_noticing(3);
    assert_u64_equal(fake_heap_peak(), (BLOCKS - 2) * SIZE + 8 * TM_TALLY_REACH);
    alloc(3);
    assert_true(free_quickly(3));
    alloc(3);
    return fake_heap_peak() - fake_heap();
}

static void room_is_shared_with_threads_that_tell(void **state)
{
    (void)state;
    const uint64_t room = begin_with_room();
    change_without_the_gil(NATIVE, room / 2);
    assert_true(free_quickly(4));
    change_without_the_gil(NATIVE, 0);
    change_without_the_gil(NATIVE + 0x20000, room / 2 + 1);
    assert_false(free_quickly(5));
    free_noticing(5);
    assert_u64_equal(fake_heap_peak(), (BLOCKS - 2) * SIZE + 8 * TM_TALLY_REACH);
    assert_true(free_quickly(6));
    const uint64_t left = fake_heap_peak() - fake_heap();
    change_without_the_gil(NATIVE, left + 10);
    assert_false(free_quickly(7));
    free_noticing(7);
    assert_u64_equal(fake_heap_peak(), (BLOCKS - 2) * SIZE + 8 * TM_TALLY_REACH + 10);
}

static void both_grow_as_far_as_they_may(void **state)
{
    (void)state;
    const uint64_t room = begin_with_room();
    const uint64_t peak = fake_heap_peak();
    change_without_the_gil(NATIVE, room / 2);
    assert_true(free_quickly(4));
    alloc(4);
    for (uint64_t i = BLOCKS; fake_heap() + SIZE <= peak; i++) {
        alloc(i);
    }
    assert_true(free_quickly(4));
    alloc(4);
    alloc(5000);
    assert_true(fake_heap() > peak);
    assert_false(free_quickly(4));
    const uint64_t highest = fake_heap();
    free_noticing(4);
    assert_u64_equal(fake_heap_peak(), highest);
}

/* Else a limit from the time when there was room would let threads pass a peak. */
static void room_that_has_gone_is_not_given_twice(void **state)
{
    (void)state;
    const uint64_t room = begin_with_room();
    for (uint64_t i = BLOCKS; i < BLOCKS + room / SIZE; i++) {
        alloc(i);
    }
    assert_false(free_quickly(4));
    free_noticing(4);
    assert_true(free_quickly(5));
    const uint64_t left = fake_heap_peak() - fake_heap();
    assert_true(left < TM_TALLY_REACH);
    change_without_the_gil(NATIVE, TM_TALLY_REACH + 1);
    assert_false(free_quickly(6));
    free_noticing(6);
    assert_u64_equal(fake_heap_peak(), (BLOCKS - 2) * SIZE + 9 * TM_TALLY_REACH + 1 - left);
}

/* Where no thread tells there is nobody to leave room to: each renewal would be a look more. */
static void room_is_not_shared_with_nobody(void **state)
{
    (void)state;
    for (uint64_t i = 2; i < BLOCKS / 2; i++) {
        assert_true(free_quickly(i));
    }
    tm_limit_renew(tm_runtime.totals);
    for (uint64_t i = 0; i < BLOCKS / 2; i++) {
        alloc(i);
    }
    assert_u64_equal(fake_heap(), fake_heap_peak());
    assert_true(free_quickly(2));
}

/* A thread may tell between the look at the maximum and the new limit. */
static void there_is_less_than_no_room(void **state)
{
    (void)state;
    const uint64_t room = begin_with_room();
    change_without_the_gil(NATIVE, room + 10);
    assert_true(fake_heap() > atomic_load(&tm_runtime.totals->heap_peak));
    tm_limit_renew(tm_runtime.totals);
    assert_false(free_quickly(4));
    free_noticing(4);
    assert_true(free_quickly(5));
}

static void a_thread_without_a_tally(void **state)
{
    (void)state;
    tm_thread_self()->tally_wait = 10;
    fake_lane_set(FAKE_FOREIGN);
    fake_alloc(TM_DOMAIN_NATIVE, NATIVE, 5 * SIZE);
    fake_lane_set(FAKE_HELD);
    assert_null(tm_thread_self()->tally);
    assert_noticed(BLOCKS * SIZE, 3 * SIZE);
}

static void a_raw_block_without_the_gil(void **state)
{
    (void)state;
    fake_lane_set(FAKE_FOREIGN);
    fake_alloc(TM_DOMAIN_RAW, NATIVE, 7 * SIZE);
    fake_lane_set(FAKE_HELD);
    assert_noticed(BLOCKS * SIZE, 5 * SIZE);
}

static void a_peak_that_was_reset(void **state)
{
    (void)state;
    for (uint64_t i = BLOCKS / 2; i < BLOCKS; i++) {
        assert_true(free_quickly(i));
    }
    const uint64_t now = fake_heap();
    tm_runtime_reset_peak();
    alloc(BLOCKS);
    assert_noticed(now, SIZE);
}

static void an_epoch_that_counts_anew(void **state)
{
    (void)state;
    tm_runtime_clear();
    for (uint64_t i = 2; i < 8; i++) {
        assert_true(fake_free(address_of(i)));
        alloc(i);
    }
    assert_noticed(0, 6 * SIZE);
}

/* Nothing may go the quick way where a forked child or a stop has taken the stamp away. */
static void a_stamp_that_ends_is_not_renewed(void **state)
{
    (void)state;
    atomic_store(&tm_life_page.stamp, 0);
    tm_limit_void();
    assert_false(free_quickly(2));
    tm_limit_renew(tm_runtime.totals);
    assert_int_equal(atomic_load(&tm_life_page.free_stamp), 0);
    assert_false(free_quickly(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_python_block_above_the_peak, begin),
        cmocka_unit_test_setup(a_native_block_under_the_gil, begin),
        cmocka_unit_test_setup(native_blocks_that_come_and_go_do_not_raise_it, begin),
        cmocka_unit_test_setup(a_thread_that_tells_its_tally, begin),
        cmocka_unit_test_setup(room_is_shared_with_threads_that_tell, begin),
        cmocka_unit_test_setup(both_grow_as_far_as_they_may, begin),
        cmocka_unit_test_setup(room_that_has_gone_is_not_given_twice, begin),
        cmocka_unit_test_setup(room_is_not_shared_with_nobody, begin),
        cmocka_unit_test_setup(there_is_less_than_no_room, begin),
        cmocka_unit_test_setup(a_thread_without_a_tally, begin),
        cmocka_unit_test_setup(a_raw_block_without_the_gil, begin),
        cmocka_unit_test_setup(a_peak_that_was_reset, begin),
        cmocka_unit_test_setup(an_epoch_that_counts_anew, begin),
        cmocka_unit_test_setup(a_stamp_that_ends_is_not_renewed, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
