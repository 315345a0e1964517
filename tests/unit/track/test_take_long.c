/* SPDX-License-Identifier: MIT */
/* The quick free of Python's blocks of over 512 bytes: only where no maximum is left and their record's peaks are saved;
 * else nothing has happened. */
#include "support/cmocka_include.h"

#include "runtime/track/peak_limit.h"
#include "support/fake_python.h"

#define HEAP ((uintptr_t)0x500000000000)

static uintptr_t address_of(unsigned i)
{
    return HEAP + i * 0x100000U;
}

static bool take(unsigned i)
{
    const void *block = (const void *)address_of(i);
    return tm_quick_take_block(tm_thread_self(), block, TM_TAKE_SAVED, TM_QUICK_ANY, NULL) == TM_TAKEN_LONG &&
           tm_quick_take_long(tm_thread_self(), block, TM_QUICK_ANY);
}

static struct tm_record *record_of(unsigned i)
{
    struct tm_block block;
    assert_true(tm_block_table_find(&tm_runtime.blocks, address_of(i), &block));
    return &tm_runtime.records.records[block.word & TM_SLOT_RECORD];
}

static void save(unsigned i)
{
    tm_record_save_peaks(&tm_runtime, (uint32_t)(record_of(i) - tm_runtime.records.records), record_of(i));
}

static void free_noticing(unsigned i)
{
    assert_true(tm_quick_take_block(tm_thread_self(), (const void *)address_of(i), TM_TAKE_ANY, TM_QUICK_ANY, NULL) ==
                TM_TAKEN_NOW);
}

/* Some, far below the peak. */
static int begin(void **state)
{
    (void)state;
    fake_process_in_memory(NULL);
    fake_python_found();
    fake_lane_set(FAKE_HELD);
    fake_alloc(TM_DOMAIN_OBJ, address_of(0), 600);
    fake_alloc(TM_DOMAIN_MEM, address_of(1), 70000);
    fake_alloc(TM_DOMAIN_OBJ, address_of(2), 100);
    fake_alloc(TM_DOMAIN_RAW, address_of(3), 600);
    fake_alloc(TM_DOMAIN_NATIVE, address_of(4), 600);
    fake_alloc(TM_DOMAIN_OBJ, address_of(9), 1000000);
    free_noticing(9);
    save(1);
    return 0;
}

static void expect_left(unsigned i)
{
    const uint64_t heap = fake_heap();
    assert_false(take(i));
    assert_u64_equal(fake_heap(), heap);
    assert_u64_equal(tm_block_table_first_in(&tm_runtime.blocks, address_of(i), 1), address_of(i));
}

static void goes_at_once(void **state)
{
    (void)state;
    struct tm_record *record = record_of(1);
    const uint64_t heap = fake_heap();
    assert_true(take(0));
    assert_true(take(1));
    assert_u64_equal(fake_heap(), heap - 70600);
    assert_u64_equal(atomic_load(&record->freed_blocks), 1);
    assert_u64_equal(atomic_load(&record->freed_bytes), 70000);
    assert_false(take(1));
    assert_u64_equal(tm_block_table_first_in(&tm_runtime.blocks, address_of(0), 0x200000), 0);
    fake_alloc(TM_DOMAIN_OBJ, address_of(1), 700);
    record = record_of(1);
    const uint64_t temporary = atomic_load(&record->temporary_blocks);
    assert_true(take(1));
    assert_u64_equal(atomic_load(&record->temporary_blocks), temporary + 1);
}

static void others_are_left(void **state)
{
    (void)state;
    for (unsigned i = 2; i <= 4; i++) {
        assert_false(tm_quick_take_long(tm_thread_self(), (const void *)address_of(i), TM_QUICK_ANY));
    }
    assert_false(tm_quick_take_long(tm_thread_self(), (const void *)address_of(5), TM_QUICK_ANY));
}

static void maximum_is_left_by_another(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_OBJ, address_of(10), 2000000);
    expect_left(1);
    const uint64_t highest = fake_heap();
    free_noticing(10);
    assert_u64_equal(atomic_load(&tm_runtime.totals->heap_peak), highest);
    expect_left(1); /* what it had then is not saved yet */
    save(1);
    assert_true(take(1));
}

static void limit_that_is_void_is_not_asked(void **state)
{
    (void)state;
    tm_limit_void();
    expect_left(1);
    tm_limit_renew(tm_runtime.totals);
    tm_life_set(TM_LIFE_STOPPED);
    expect_left(1);
    tm_life_set(TM_LIFE_TRACING);
    tm_limit_renew(tm_runtime.totals);
    assert_true(take(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(goes_at_once, begin),
        cmocka_unit_test_setup(others_are_left, begin),
        cmocka_unit_test_setup(maximum_is_left_by_another, begin),
        cmocka_unit_test_setup(limit_that_is_void_is_not_asked, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
