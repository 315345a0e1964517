/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "runtime/track/runtime_state.h"
#include "runtime/track/trace_keep.h"
#include "support/fake_python.h"

#define SIZE 100U

static const struct tm_raw_frame frame = {.place = 0x7f0000001230};

static int begin(void **state)
{
    (void)state;
    fake_process_in_memory(NULL);
    return 0;
}

static struct tm_trace_key key_now(const struct tm_raw_frame *newest)
{
    return tm_trace_key_of_stack(&tm_runtime.cache, newest, 5, TM_DOMAIN_OBJ, SIZE);
}

static void keep(const struct tm_trace_key *key, const struct tm_raw_frame *newest, uint32_t record)
{
    struct tm_thread *thread = tm_thread_self();
    tm_trace_keep(thread, *key, newest, record);
    assert_int_equal(thread->guard, 0);
}

static bool is_kept(uint64_t key)
{
    struct tm_trace_found found;
    return tm_trace_cache_has_key(&tm_runtime.cache, key, &found);
}

static void new_generation(void)
{
    tm_lock_take(&tm_runtime.intern_lock);
    tm_trace_cache_new_generation(&tm_runtime.cache);
    tm_lock_release(&tm_runtime.intern_lock);
}

static void what_was_captured_is_kept(void **state)
{
    (void)state;
    struct tm_trace_key key = key_now(&frame), other = key_now(NULL);
    keep(&key, &frame, 7);
    keep(&other, NULL, 8);
    assert_int_equal(tm_trace_cache_held(&tm_runtime.cache, key.key, key.check), 7);
    assert_int_equal(tm_trace_cache_held(&tm_runtime.cache, other.key, other.check), 8);
}

/* By another thread, or by the capture itself, which may age what is known. */
static void not_when_a_generation_began_during_the_capture(void **state)
{
    (void)state;
    struct tm_trace_key key = key_now(&frame), other = key_now(NULL);
    new_generation();
    keep(&key, &frame, 7);
    keep(&other, NULL, 8);
    assert_false(is_kept(key.key));
    assert_false(is_kept(other.key));
    key = key_now(&frame);
    keep(&key, &frame, 9); /* the slots were tended before */
    assert_true(is_kept(key.key));
}

static void not_when_code_has_died_there(void **state)
{
    (void)state;
    struct tm_trace_key key = key_now(&frame);
    tm_trace_cache_forget_place(&tm_runtime.cache, frame.place + 16);
    keep(&key, &frame, 7);
    assert_false(is_kept(key.key));
}

/* As many captures as there are slots and more, of a record that has blocks already or of one that is new each time. */
static size_t slots_after_captures(bool has_blocks)
{
    const uint32_t record = 7;
    atomic_store(&tm_runtime.records.records[record].ever_blocks, has_blocks);
    for (uintptr_t i = 0; i < 20000; i++) {
        const struct tm_raw_frame newest = {.place = frame.place + 2 * i};
        struct tm_trace_key key = key_now(&newest);
        keep(&key, &newest, record);
    }
    return tm_runtime.cache.mask / sizeof(struct tm_trace_slot) + 1;
}

static void a_cache_that_is_too_small_grows(void **state)
{
    (void)state;
    const size_t before = tm_runtime.cache.mask / sizeof(struct tm_trace_slot) + 1;
    assert_u64_equal(slots_after_captures(false), before);
    assert_true(slots_after_captures(true) > 4 * before);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_captured_is_kept),
        TEST(not_when_a_generation_began_during_the_capture),
        TEST(not_when_code_has_died_there),
        TEST(a_cache_that_is_too_small_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
