/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "runtime/track/runtime_state.h"
#include "runtime/unwind/python_code.h"
#include "runtime/unwind/python_stack.h"
#include "unit/unwind/fake_interpreter.h"

#define FRAME  UINT32_C(77)
#define RECORD UINT32_C(1234)

static struct fake_interpreter fake;
static struct tm_raw_frame frame;
static const struct tm_record_key key = {.epoch = 3, .size = 48, .domain = TM_DOMAIN_OBJ, .owner = 5};

/* Who peeks is told the same. */
static uint32_t record_of(const struct tm_record_key *wanted)
{
    const uint32_t record = tm_sampled_frames_record(&tm_runtime, &frame, wanted);
    assert_int_equal(tm_sampled_frames_peek(&tm_runtime.sampled_frames, &fake.row, &frame, wanted,
                                            atomic_load(&tm_runtime.cache.voids)),
                     record);
    return record;
}

static int begin(void **state)
{
    struct tm_frame_names names;
    struct tm_line_cursor cursor = {TM_LINE_NOWHERE, 0, 0};
    (void)state;
    memset(&tm_runtime, 0, sizeof tm_runtime);
    assert_int_equal(setenv("TRACEMALLOC_STORE", "none", 1), 0);
    tm_runtime_begin();
    fake_init(&fake, tm_cpython_layout_find(0x030b, false));
    tm_runtime.layout = &fake.row;
    fake_enter(&fake, fake_code(&fake, "file.py", "function", 10), 5, 0);
    assert_int_equal(tm_python_stack_walk(&fake.row, fake.tstate, &frame, 1), 1);
    assert_int_equal(tm_sampled_frames_find(&tm_runtime, &frame), 0);
    assert_true(tm_python_frame_names_from(&fake.row, &frame, &cursor, &names));
    tm_sampled_frames_keep(&tm_runtime, &frame, &names, &cursor, FRAME);
    assert_int_equal(tm_sampled_frames_find(&tm_runtime, &frame), FRAME);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tm_runtime.layout = NULL;
    fake_free(&fake);
    return 0;
}

static void ids_are_void_when_the_cache_is(void **state)
{
    (void)state;
    tm_sampled_frames_keep_record(&tm_runtime, &frame, &key, RECORD);
    tm_trace_cache_new_generation(&tm_runtime.cache);
    assert_int_equal(tm_sampled_frames_find(&tm_runtime, &frame), 0);
    assert_int_equal(record_of(&key), 0);
    tm_sampled_frames_keep_record(&tm_runtime, &frame, &key, RECORD); /* of a frame that is not known */
    assert_int_equal(record_of(&key), 0);
}

static void a_record_is_of_one_kind_of_block(void **state)
{
    struct tm_record_key other = key;
    (void)state;
    assert_int_equal(record_of(&key), 0);
    tm_sampled_frames_keep_record(&tm_runtime, &frame, &key, RECORD);
    other.traceback = 9; /* what KEY had when it was kept is no part of it */
    assert_int_equal(record_of(&other), RECORD);
    other.size++;
    assert_int_equal(record_of(&other), 0);
    other = key;
    other.domain = TM_DOMAIN_MEM;
    assert_int_equal(record_of(&other), 0);
    other = key;
    other.owner++;
    assert_int_equal(record_of(&other), 0);
    other = key;
    other.epoch++;
    assert_int_equal(record_of(&other), 0);
}

static void another_frame_in_the_place_has_no_record(void **state)
{
    struct tm_frame_names names;
    struct tm_line_cursor cursor = {TM_LINE_NOWHERE, 0, 0};
    (void)state;
    tm_sampled_frames_keep_record(&tm_runtime, &frame, &key, RECORD);
    const uintptr_t code = tm_python_frame_code(&fake.row, &frame);
    fake_word(code, fake.row.code_filename, fake_text(&fake, "other.py"));
    assert_int_equal(record_of(&key), 0);
    assert_true(tm_python_frame_names_from(&fake.row, &frame, &cursor, &names));
    tm_sampled_frames_keep(&tm_runtime, &frame, &names, &cursor, FRAME + 1);
    assert_int_equal(tm_sampled_frames_find(&tm_runtime, &frame), FRAME + 1);
    assert_int_equal(record_of(&key), 0);
}

static void nothing_is_told_while_it_is_written(void **state)
{
    struct tm_sampled_frame *found = &tm_runtime.sampled_frames.found[tm_frame_memo_index(&frame)];
    (void)state;
    tm_sampled_frames_keep_record(&tm_runtime, &frame, &key, RECORD);
    assert_int_equal(record_of(&key), RECORD);
    atomic_fetch_add(&found->version, 1);
    assert_int_equal(tm_sampled_frames_peek(&tm_runtime.sampled_frames, &fake.row, &frame, &key,
                                            atomic_load(&tm_runtime.cache.voids)),
                     0);
    atomic_fetch_add(&found->version, 1);
    assert_int_equal(record_of(&key), RECORD);
    atomic_fetch_add(&found->version, 1); /* who wrote is not there any more */
    tm_sampled_frames_keep_record(&tm_runtime, &frame, &key, RECORD + 1);
    assert_int_equal(record_of(&key), RECORD + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ids_are_void_when_the_cache_is, begin, end),
        cmocka_unit_test_setup_teardown(a_record_is_of_one_kind_of_block, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_told_while_it_is_written, begin, end),
        cmocka_unit_test_setup_teardown(another_frame_in_the_place_has_no_record, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
