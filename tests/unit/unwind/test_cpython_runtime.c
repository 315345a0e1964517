/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "runtime/unwind/cpython_runtime.h"
#include "base/compiler.h"
#include "unit/unwind/fake_interpreter.h"

static uintptr_t current, own;
static int finalizing;

static uintptr_t get_current(void)
{
    return current;
}

static uintptr_t get_own(void)
{
    return own;
}

static int get_finalizing(void)
{
    return finalizing;
}

static void fake_python(struct tm_cpython *python, struct fake_interpreter *fake, unsigned release)
{
    const struct tm_cpython_layout *row = tm_cpython_layout_find(release, false);
    assert_non_null(row);
    fake_init(fake, row);
    memset(python, 0, sizeof *python);
    python->row = fake->row;
    python->layout = &python->row;
    python->refusal = "";
    python->current.call = get_current;
    python->this_thread = get_own;
    python->is_finalizing = get_finalizing;
    finalizing = 0;
}

static void test_a_process_without_python(void **state)
{
    struct tm_cpython python;
    bool holds = true;
    (void)state;
    memset(&python, 0, sizeof python);
    assert_false(tm_cpython_find(&python));
    assert_false(tm_cpython_find(&python));
    assert_null(python.layout);
    assert_string_equal(python.refusal, "no Python was found");
    assert_int_equal(tm_cpython_tstate_own(&python, &holds), 0);
    assert_false(holds);
    assert_int_equal(tm_cpython_tstate_held(&python), 0);
    assert_false(tm_cpython_is_initialized(&python));
    assert_false(tm_cpython_is_finalizing(&python));
    assert_false(tm_cpython_is_main(&python, 1));
    assert_true(tm_cpython_check_frames(&python, 1));
}

static void expect_own(struct tm_cpython *python, uintptr_t tstate, bool holds_gil)
{
    bool holds = !holds_gil;
    assert_true(tm_cpython_tstate_own(python, &holds) == tstate);
    assert_int_equal(holds, holds_gil);
}

/* Before 3.12 the unchecked getter speaks of whoever holds the GIL. */
static void test_own_state_under_one_gil(void **state)
{
    struct tm_cpython python;
    struct fake_interpreter fake;
    (void)state;
    fake_python(&python, &fake, 0x30B);
    current = 0, own = 0;
    expect_own(&python, 0, false);
    current = 0x1000, own = 0;
    expect_own(&python, 0, false);
    current = 0x1000, own = 0x2000;
    expect_own(&python, 0x2000, false);
    current = 0x2000;
    expect_own(&python, 0x2000, true);
    finalizing = 1;
    expect_own(&python, 0x2000, true);
    current = 0x1000;
    expect_own(&python, 0, false);
    assert_true(tm_cpython_is_main(&python, 0x2000));
    fake_free(&fake);
}

static void test_own_state_of_the_thread(void **state)
{
    struct tm_cpython python;
    struct fake_interpreter fake;
    (void)state;
    fake_python(&python, &fake, 0x30D);
    current = 0x1000, own = 0x2000;
    expect_own(&python, 0x1000, true);
    current = 0;
    expect_own(&python, 0x2000, false);
    finalizing = 1;
    expect_own(&python, 0, false);
    fake_free(&fake);
}

static void test_own_state_by_thread_id(void **state)
{
    struct tm_cpython python;
    struct fake_interpreter fake;
    (void)state;
    fake_python(&python, &fake, 0x207);
    python.this_thread = NULL;
    current = fake.tstate;
    fake_word(fake.tstate, fake.row.tstate_thread_id, (uintptr_t)pthread_self());
    expect_own(&python, fake.tstate, true);
    fake_word(fake.tstate, fake.row.tstate_thread_id, (uintptr_t)pthread_self() + 64);
    expect_own(&python, 0, false);
    current = 0;
    expect_own(&python, 0, false);
    fake_free(&fake);
}

static void test_main_interpreter(void **state)
{
    struct tm_cpython python;
    struct fake_interpreter fake;
    uintptr_t main_interpreter = 0x4000;
    (void)state;
    fake_python(&python, &fake, 0x30C);
    python.main_interpreter.word = &main_interpreter;
    fake_word(fake.tstate, fake.row.tstate_interp, 0x4000);
    assert_true(tm_cpython_is_main(&python, fake.tstate));
    fake_word(fake.tstate, fake.row.tstate_interp, 0x5000);
    assert_false(tm_cpython_is_main(&python, fake.tstate));
    fake_free(&fake);
}

static void expect_refused(struct tm_cpython *python, struct fake_interpreter *fake)
{
    assert_true(tm_cpython_check_frames(python, fake->tstate));
    assert_null(python->layout);
    assert_true(strlen(python->refusal) > 10);
    python->layout = &python->row;
    python->refusal = "";
}

static void test_check_of_a_right_row(void **state)
{
    unsigned count, i;
    const struct tm_cpython_layout *rows = tm_cpython_layout_rows(&count);
    (void)state;
    for (i = 0; i < count; i++) {
        struct tm_cpython python;
        struct fake_interpreter fake;
        memset(&python, 0, sizeof python);
        fake_init(&fake, &rows[i]);
        python.row = fake.row;
        python.layout = &python.row;
        assert_false(tm_cpython_check_frames(&python, 0));
        assert_false(tm_cpython_shows_no_frame(&python, fake.tstate)); /* nobody has looked */
        assert_false(tm_cpython_check_frames(&python, fake.tstate));
        assert_true(tm_cpython_shows_no_frame(&python, fake.tstate));
        assert_false(tm_cpython_shows_no_frame(&python, fake.tstate + 8));
        fake_enter(&fake, fake_code(&fake, "file.py", "f", 1), 5, 0);
        assert_false(tm_cpython_shows_no_frame(&python, fake.tstate));
        if (rows[i].owner_shim < INT8_MAX) {
            fake_word(fake_enter(&fake, 0, 0, rows[i].owner_shim), rows[i].frame_code, 0);
        }
        assert_true(tm_cpython_check_frames(&python, fake.tstate));
        assert_non_null(python.layout);
        assert_true(tm_cpython_check_frames(&python, fake.tstate));
        fake_free(&fake);
    }
}

/* Pointers that lead nowhere, or to something else. */
static void test_check_of_a_wrong_row(void **state)
{
    static const unsigned releases[] = {0x207, 0x306, 0x30A, 0x30B, 0x30C, 0x30D, 0x30F};
    unsigned i;
    (void)state;
    for (i = 0; i < TM_COUNT_OF(releases); i++) {
        struct tm_cpython python;
        struct fake_interpreter fake;
        uintptr_t code, frame, kept;
        fake_python(&python, &fake, releases[i]);
        code = fake_code(&fake, "file.py", "f", 1);
        frame = fake_enter(&fake, code, 5, 0);
        kept = *(uintptr_t *)(code + fake.row.code_filename);
        fake_word(code, fake.row.code_filename, 16);
        expect_refused(&python, &fake);
        fake_word(code, fake.row.code_filename, code);
        expect_refused(&python, &fake);
        fake_word(code, fake.row.code_filename, kept);
        fake_word(code, fake.row.code_lines, kept + (fake.row.text_is_bytes ? 8 : 0));
        expect_refused(&python, &fake);
        fake_word(frame, fake.row.frame_code, (uintptr_t)0xdeadbeef000);
        expect_refused(&python, &fake);
        if (fake.row.chain == TM_CHAIN_CFRAME) {
            fake_word(fake.tstate, fake.row.tstate_cframe, 24);
        } else {
            fake_word(fake.tstate, fake.row.tstate_frame, 24);
        }
        expect_refused(&python, &fake);
        fake_free(&fake);
    }
}

/* A Py_TRACE_REFS build: two more words before the fields of every object. */
static void test_check_of_a_build_that_is_not_covered(void **state)
{
    unsigned count, i;
    const struct tm_cpython_layout *rows = tm_cpython_layout_rows(&count);
    (void)state;
    for (i = 0; i < count; i++) {
        struct tm_cpython python;
        struct fake_interpreter fake;
        struct tm_cpython_layout shifted = rows[i];
        shifted.object_type = (uint16_t)(shifted.object_type + 16);
        shifted.code_filename = (uint16_t)(shifted.code_filename + 16);
        shifted.code_name = (uint16_t)(shifted.code_name + 16);
        shifted.code_lines = (uint16_t)(shifted.code_lines + 16);
        memset(&python, 0, sizeof python);
        fake_init(&fake, &shifted);
        fake_enter(&fake, fake_code(&fake, "file.py", "f", 1), 5, 0);
        python.row = rows[i];
        python.row.code_type = fake.code_type;
        python.row.frame_type = fake.frame_type;
        python.row.text_type = fake.text_type;
        python.row.bytes_type = fake.bytes_type;
        python.layout = &python.row;
        expect_refused(&python, &fake);
        fake_free(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_process_without_python), cmocka_unit_test(test_own_state_under_one_gil),
        cmocka_unit_test(test_own_state_of_the_thread),  cmocka_unit_test(test_own_state_by_thread_id),
        cmocka_unit_test(test_main_interpreter),         cmocka_unit_test(test_check_of_a_right_row),
        cmocka_unit_test(test_check_of_a_wrong_row),     cmocka_unit_test(test_check_of_a_build_that_is_not_covered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
