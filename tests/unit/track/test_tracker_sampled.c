/* SPDX-License-Identifier: MIT */
/* Sampled blocks in one piece: what they count is what the general way counts, and they ask for no lock of names. */
#include "support/cmocka_include.h"

#include "runtime/track/counting.h"
#include "runtime/track/sampler.h"
#include "runtime/track/tracker_sampled.h"
#include "support/fake_python.h"
#include "support/sanitizers.h"
#define fake_free fake_interpreter_free /* the other fake has one, too */
#include "unit/unwind/fake_interpreter.h"

#define HEAP UINT64_C(0x500000000000)
#define RATE UINT64_C(16384)

static struct fake_interpreter fake;

/* A thread that runs Python, with the GIL or without it. */
static void enter(bool holds)
{
    fake_own_state = fake.tstate;
    fake_holder = holds ? fake.tstate : 0;
}

static int begin(void **state)
{
    (void)state;
    fake_process_in_memory("TRACEMALLOC_SAMPLE=16KiB");
    memset(tm_sampler_known, 0, sizeof tm_sampler_known);
    fake_init(&fake, tm_cpython_layout_find(0x030b, false));
    fake_enter(&fake, fake_code(&fake, "file.py", "function", 10), 5, 0);
    fake_python_found();
    struct tm_cpython *python = &tm_runtime.python;
    python->row = fake.row;
    python->layout = &python->row;
    tm_runtime.layout = &python->row;
    tm_runtime.layout_is_decided = true;
    tm_runtime_decide_quick();
    assert_int_equal(atomic_load(&tm_life_page.sampled_allocs), !TM_UNDER_THREAD_SANITIZER);
    assert_true(atomic_load(&tm_life_page.sampled_frees) != 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tm_runtime.layout = NULL;
    fake_interpreter_free(&fake);
    return 0;
}

static void alloc(enum tm_domain domain, uintptr_t address, size_t size)
{
    assert_ptr_equal(tm_tracker_alloc_sampled(tm_thread_self(), (uint8_t)domain, (void *)address, size),
                     (void *)address);
    assert_int_equal(tm_thread_self()->guard, 0);
}

/* The id of its record.  IN_ONE_PIECE: the usual way does it. */
static uint32_t take(uintptr_t address, bool in_one_piece)
{
    struct tm_taken taken = {0, 0, 0};
    uint32_t id = tm_tracker_take_sampled(tm_thread_self(), (const void *)address);
    assert_int_equal(id != 0, in_one_piece);
    if (!in_one_piece) {
        assert_true(tm_tracker_take(tm_thread_self(), (const void *)address, &taken));
        id = taken.record;
    }
    assert_int_equal(tm_thread_self()->guard, 0);
    return id;
}

static uint32_t record_of(uintptr_t address)
{
    struct tm_block block = {0, 0};
    assert_true(tm_block_table_find(&tm_runtime.blocks, address, &block));
    return block.word;
}

/* The words of a record that events move. */
struct words {
    uint64_t ever_blocks, freed_blocks, ever_bytes, freed_bytes, temporary;
};

static struct words words_of(uint32_t id)
{
    const struct tm_record *record = &tm_runtime.records.records[id];
    return (struct words){tm_word_load(&record->ever_blocks), tm_word_load(&record->freed_blocks),
                          tm_word_load(&record->ever_bytes), tm_word_load(&record->freed_bytes),
                          tm_word_load(&record->temporary_blocks)};
}

static void one_piece_counts_as_the_general_way_does(void **state)
{
    static const size_t sizes[] = {8, 100, 512, 513, RATE / 2, RATE / 2 + 1, 90 * RATE};
    (void)state;
    for (unsigned lane = 0; lane < 2; lane++) {
        const enum tm_domain domain = lane == 0 ? TM_DOMAIN_OBJ : TM_DOMAIN_NATIVE;
        enter(lane == 0);
        for (size_t i = 0; i < TM_COUNT_OF(sizes); i++) {
            const uintptr_t first = HEAP + 0x10000 * i, second = first + 0x5010;
            fake_alloc(domain, first, sizes[i]);
            const uint32_t id = record_of(first);
            const struct words once = words_of(id);
            const uint64_t heap = fake_heap();
            alloc(domain, second, sizes[i]);
            const struct words twice = words_of(id);
            assert_int_equal(record_of(second), id);
            assert_u64_equal(twice.ever_blocks - once.ever_blocks, tm_sample_weight_of(sizes[i], RATE).blocks);
            assert_u64_equal(fake_heap() - heap, tm_sample_weight_of(sizes[i], RATE).bytes);
            assert_int_equal(take(second, sizes[i] > 16), id); /* one granule is of another kind */
            struct tm_taken general;
            assert_true(tm_tracker_take(tm_thread_self(), (const void *)first, &general));
            const struct words all = words_of(id);
            assert_u64_equal(all.freed_blocks, all.ever_blocks);
            assert_u64_equal(all.freed_bytes, all.ever_bytes);
            assert_u64_equal(all.temporary - once.temporary, tm_sample_weight_of(sizes[i], RATE).blocks);
            assert_false(tm_sampler_may_know((const void *)first) || tm_sampler_may_know((const void *)second));
        }
        assert_u64_equal(fake_heap(), 0);
    }
}

/* Whoever has the lock is not waited for: else this never ends. */
static void the_usual_one_takes_no_lock_of_names(void **state)
{
    (void)state;
    enter(false);
    fake_alloc(TM_DOMAIN_NATIVE, HEAP, 1000);
    if (!TM_UNDER_THREAD_SANITIZER) {
        tm_lock_take(&tm_runtime.intern_lock);
        alloc(TM_DOMAIN_NATIVE, HEAP + 0x1000, 1000);
        (void)take(HEAP + 0x1000, true);
        tm_lock_release(&tm_runtime.intern_lock);
    }
    (void)take(HEAP, true);
    assert_u64_equal(fake_heap(), 0);
}

/* Each of another kind is a record of its own. */
static void what_is_not_usual_goes_the_general_way(void **state)
{
    (void)state;
    enter(true);
    fake_alloc(TM_DOMAIN_OBJ, HEAP, 100);
    alloc(TM_DOMAIN_OBJ, HEAP + 0x1000, 101);
    alloc(TM_DOMAIN_MEM, HEAP + 0x2000, 100);
    fake_enter(&fake, fake_code(&fake, "other.py", "another", 20), 5, 0);
    alloc(TM_DOMAIN_OBJ, HEAP + 0x3000, 100);
    fake_enter(&fake, fake_code(&fake, "unborn.py", "unborn", 30), 2, 0); /* does not count yet: its caller does */
    alloc(TM_DOMAIN_OBJ, HEAP + 0x4000, 100);
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned j = 0; j < i; j++) {
            assert_int_not_equal(record_of(HEAP + 0x1000 * i), record_of(HEAP + 0x1000 * j));
        }
    }
    assert_int_equal(record_of(HEAP + 0x3000), record_of(HEAP + 0x4000));
    alloc(TM_DOMAIN_OBJ, HEAP + 0x4000, 100); /* its free was missed */
    tm_runtime_clear();
    for (unsigned i = 0; i < 5; i++) {
        (void)take(HEAP + 0x1000 * i, false); /* counts no more */
    }
    assert_int_equal(tm_tracker_take_sampled(tm_thread_self(), (const void *)HEAP), 0);
    assert_u64_equal(tm_totals_heap(tm_runtime.totals), 0);
}

/* Another's words are not moved plainly. */
static void another_owners_block_is_freed(void **state)
{
    (void)state;
    enter(true);
    fake_alloc(TM_DOMAIN_OBJ, HEAP, 1000);
    alloc(TM_DOMAIN_OBJ, HEAP + 0x1000, 1000);
    const uint32_t id = record_of(HEAP);
    enter(false);
    (void)take(HEAP, false);
    assert_u64_equal(words_of(id).freed_blocks, 0);
    assert_int_equal(atomic_load(&tm_runtime.records.records[id].has_loose), 1);
    (void)take(HEAP + 0x1000, false);
    assert_u64_equal(fake_heap(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_piece_counts_as_the_general_way_does, begin, end),
        cmocka_unit_test_setup_teardown(the_usual_one_takes_no_lock_of_names, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_usual_goes_the_general_way, begin, end),
        cmocka_unit_test_setup_teardown(another_owners_block_is_freed, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
