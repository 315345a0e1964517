/* SPDX-License-Identifier: MIT */
/* The quick free of a native block that was made under the GIL: only where its thread holds it, and nothing rare is to
 * be done; else nothing has happened. */
#include "support/cmocka_include.h"

#include "runtime/track/peak_limit.h"
#include "support/fake_python.h"

#define HEAP ((uintptr_t)0x500000000000)

static const size_t sizes[] = {20, 100, 512, 513, 70000};

static uintptr_t address_of(unsigned i)
{
    return HEAP + i * 0x100000U;
}

static bool take(unsigned i)
{
    return tm_tracker_take_held(tm_thread_self(), (const void *)address_of(i));
}

static struct tm_record *record_of(unsigned i)
{
    struct tm_block block;
    assert_true(tm_block_table_find(&tm_runtime.blocks, address_of(i), &block));
    return &tm_runtime.records.records[block.word & TM_SLOT_RECORD];
}

/* A block of each size, far below the peak; what is saved of their records is as of that. */
static int begin(void **state)
{
    (void)state;
    fake_process_in_memory(NULL);
    fake_python_found();
    fake_lane_set(FAKE_HELD);
    for (unsigned i = 0; i < TM_COUNT_OF(sizes); i++) {
        fake_alloc(TM_DOMAIN_NATIVE, address_of(i), sizes[i]);
    }
    fake_alloc(TM_DOMAIN_NATIVE, address_of(90), 1000000);
    assert_true(fake_free(address_of(90)));
    for (unsigned i = 0; i < TM_COUNT_OF(sizes); i++) {
        tm_record_save_peaks(&tm_runtime, (uint32_t)(record_of(i) - tm_runtime.records.records), record_of(i));
    }
    return 0;
}

static void expect_left(unsigned i)
{
    const uint64_t heap = fake_heap();
    const uint64_t freed = atomic_load(&record_of(i)->freed_blocks);
    assert_false(take(i));
    assert_u64_equal(fake_heap(), heap);
    assert_u64_equal(atomic_load(&record_of(i)->freed_blocks), freed);
    assert_int_equal(tm_thread_self()->guard, 0);
}

static void goes_at_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TM_COUNT_OF(sizes); i++) {
        struct tm_record *record = record_of(i);
        const uint64_t heap = fake_heap();
        const uint64_t blocks = atomic_load(&record->freed_blocks);
        const uint64_t bytes = atomic_load(&record->freed_bytes);
        assert_true(take(i));
        assert_int_equal(tm_thread_self()->guard, 0);
        assert_u64_equal(fake_heap(), heap - sizes[i]);
        assert_u64_equal(atomic_load(&record->freed_blocks), blocks + 1);
        assert_u64_equal(atomic_load(&record->freed_bytes), bytes + (sizes[i] > TM_SMALL_SIZE_MAX ? sizes[i] : 0));
        assert_u64_equal(atomic_load(&record->temporary_blocks), record->size == TM_SIZE_VARIES ? 1 : 0);
        assert_false(take(i));
        assert_u64_equal(tm_block_table_first_in(&tm_runtime.blocks, address_of(i), sizes[i]), 0);
    }
}

static void temporary_is_counted(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_NATIVE, address_of(7), 100);
    struct tm_record *record = record_of(7);
    assert_true(take(7));
    assert_u64_equal(atomic_load(&record->temporary_blocks), 1);
    assert_u64_equal(tm_thread_self()->last_block, 0);
}

static void another_thread_leaves_it(void **state)
{
    (void)state;
    static const enum fake_lane lanes[] = {FAKE_LOOSE, FAKE_WAITING, FAKE_FOREIGN};
    for (unsigned i = 0; i < TM_COUNT_OF(lanes); i++) {
        fake_lane_set(lanes[i]);
        expect_left(1);
        expect_left(4);
    }
    fake_lane_set(FAKE_HELD);
    assert_true(take(1));
}

static void block_of_another_owner_or_domain_is_left(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_RAW, address_of(10), 600);
    fake_alloc(TM_DOMAIN_OBJ, address_of(11), 600);
    fake_lane_set(FAKE_WAITING);
    fake_alloc(TM_DOMAIN_NATIVE, address_of(12), 600);
    fake_lane_set(FAKE_HELD);
    for (unsigned i = 10; i <= 12; i++) {
        expect_left(i);
    }
    assert_false(take(13));
    assert_false(tm_tracker_take_held(tm_thread_self(), (const void *)(HEAP | UINT64_C(1) << 47)));
}

static void maximum_is_left_by_another(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_NATIVE, address_of(20), 2000000);
    expect_left(4);
    const uint64_t highest = fake_heap();
    assert_true(fake_free(address_of(20)));
    assert_u64_equal(atomic_load(&tm_runtime.totals->heap_peak), highest);
    expect_left(1); /* what it had then is not saved yet */
    fake_alloc(TM_DOMAIN_NATIVE, address_of(21), sizes[1]);
    assert_true(take(1));
}

static void what_does_not_count_or_was_sampled_is_left(void **state)
{
    (void)state;
    tm_runtime.sampled_epoch = record_of(1)->epoch;
    expect_left(1);
    tm_runtime.sampled_epoch = UINT32_MAX;
    const uint32_t base = atomic_exchange(&tm_runtime.base_epoch, record_of(1)->epoch + 1);
    expect_left(1);
    atomic_store(&tm_runtime.base_epoch, base);
    tm_life_set(TM_LIFE_STOPPED);
    expect_left(1);
    tm_life_set(TM_LIFE_TRACING);
    assert_true(take(1));
}

static int64_t limit(void)
{
    return (int64_t)atomic_load(&tm_life_page.python_limit);
}

/* Of Python's own peak and what the heap's leaves the lower is the limit, whatever native blocks come and go. */
static void limit_follows_the_lower_of_both_peaks(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_OBJ, address_of(30), 300000);
    assert_true(fake_free(address_of(30)));
    fake_alloc(TM_DOMAIN_NATIVE, address_of(31), 400000);
    tm_limit_renew(tm_runtime.totals);
    const int64_t python = (int64_t)atomic_load(&tm_runtime.totals->python_peak);
    assert_true(limit() == python);
    struct tm_record *record = record_of(31);
    for (unsigned i = 32; i < 40; i++) {
        fake_alloc(TM_DOMAIN_NATIVE, address_of(i), 90000);
        const int64_t room = (int64_t)(atomic_load(&tm_runtime.totals->heap_peak) - fake_heap());
        assert_true(limit() == (room < python ? room : python));
    }
    assert_true(limit() < python);
    assert_true(fake_free(address_of(39))); /* it leaves a maximum: the peak is another then */
    tm_limit_renew(tm_runtime.totals);
    tm_record_save_peaks(&tm_runtime, (uint32_t)(record - tm_runtime.records.records), record);
    unsigned lowered = 0;
    for (unsigned i = 38; i > 30; i--) {
        assert_true(take(i));
        const int64_t room = (int64_t)(atomic_load(&tm_runtime.totals->heap_peak) - fake_heap());
        assert_true(limit() == (room < python ? room : python));
        lowered += room < python;
    }
    assert_true(lowered > 0 && lowered < 8);
}

#define LIMIT 5

/* The only frame of the thread that holds the GIL, and what it runs. */
static uintptr_t running[16], holder[16], code[64], cframe[4];

/* An interpreter of 3.11 whose frame is read. */
static void begin_with_a_frame(void)
{
    struct tm_cpython *python = &tm_runtime.python;
    const struct tm_cpython_layout *row = tm_cpython_layout_find(0x030B, false);
    assert_non_null(row);
    python->row = *row;
    python->row.code_type = 1; /* no object is of it: the names of the frame are not known */
    tm_runtime.layout = python->layout = &python->row;
    tm_runtime.layout_is_decided = true;
    holder[row->tstate_cframe / sizeof holder[0]] = (uintptr_t)cframe;
    cframe[row->cframe_current / sizeof cframe[0]] = (uintptr_t)running;
    running[row->frame_code / sizeof running[0]] = (uintptr_t)code;
    running[row->frame_instruction / sizeof running[0]] = (uintptr_t)code + row->code_bytes + 16;
    fake_holder = fake_own_state = (uintptr_t)holder;
    assert_true(tm_runtime_set_limit(LIMIT));
    assert_int_equal(atomic_load(&tm_life_page.native_frames), LIMIT);
}

static uint64_t dropped(void)
{
    return atomic_load(&tm_runtime.store.header->dropped_events);
}

static void alloc_natively(unsigned i, size_t size)
{
    tm_tracker_alloc_native(tm_thread_self(), (void *)address_of(i), size);
    assert_int_equal(tm_thread_self()->guard, 0);
}

static void without_a_record_it_is_dropped_once(void **state)
{
    (void)state;
    begin_with_a_frame();
    _Atomic uint64_t *length = &tm_runtime.store.header->lengths[TM_STORE_RECORDS];
    const uint64_t before = atomic_load(length);
    const uint64_t heap = fake_heap();
    atomic_store(length, ((uint64_t)TM_RECORD_MAX + 1) * sizeof(struct tm_record)); /* there is no room for more */
    for (unsigned i = 0; i < 4; i++) {
        alloc_natively(50 + i, 200 + i);
        assert_u64_equal(dropped(), i + 1);
        assert_u64_equal(fake_heap(), heap);
        assert_u64_equal(tm_block_table_first_in(&tm_runtime.blocks, address_of(50 + i), 1), 0);
    }
    atomic_store(length, before);
    alloc_natively(50, 200);
    assert_u64_equal(dropped(), 4);
    assert_u64_equal(fake_heap(), heap + 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(goes_at_once, begin),
        cmocka_unit_test_setup(temporary_is_counted, begin),
        cmocka_unit_test_setup(another_thread_leaves_it, begin),
        cmocka_unit_test_setup(block_of_another_owner_or_domain_is_left, begin),
        cmocka_unit_test_setup(maximum_is_left_by_another, begin),
        cmocka_unit_test_setup(what_does_not_count_or_was_sampled_is_left, begin),
        cmocka_unit_test_setup(limit_follows_the_lower_of_both_peaks, begin),
        cmocka_unit_test_setup(without_a_record_it_is_dropped_once, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
