/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "runtime/unwind/python_stack.h"
#include "unit/unwind/fake_interpreter.h"

enum { THREAD = 0, GENERATOR = 1, DEPTH = 40 };

/* Runs TEST once per row. */
static void for_every_row(void (*test)(struct fake_interpreter *))
{
    unsigned count, i;
    const struct tm_cpython_layout *rows = tm_cpython_layout_rows(&count);
    assert_true(count > 0);
    for (i = 0; i < count; i++) {
        struct fake_interpreter fake;
        fake_init(&fake, &rows[i]);
        test(&fake);
        fake_free(&fake);
    }
}

static void expect_frame(struct fake_interpreter *fake, const struct tm_raw_frame *frame, uintptr_t code,
                         const char *name, uint32_t line)
{
    struct tm_frame_names names;
    char text[64];
    size_t length;
    assert_true(tm_python_frame_names(&fake->row, frame, &names));
    assert_true(names.code == code);
    assert_int_equal(names.line, line);
    length = tm_python_text(&fake->row, names.function, text, sizeof text);
    assert_int_equal(length, strlen(name));
    assert_memory_equal(text, name, length);
    length = tm_python_text(&fake->row, names.filename, text, sizeof text);
    assert_memory_equal(text, "file.py", length);
}

static void walk_a_stack(struct fake_interpreter *fake)
{
    struct tm_raw_frame frames[DEPTH + 10], top;
    uintptr_t codes[DEPTH], newest[DEPTH];
    unsigned i, limit;
    for (i = 0; i < DEPTH; i++) {
        codes[i] = fake_code(fake, "file.py", "function", (int)i * 10 + 1);
        newest[i] = fake_enter(fake, codes[i], 5, i % 3 == 0 ? GENERATOR : THREAD);
    }
    assert_int_equal(tm_python_stack_walk(&fake->row, fake->tstate, frames, DEPTH + 10), DEPTH);
    for (i = 0; i < DEPTH; i++) {
        assert_true(frames[i].frame == newest[DEPTH - 1 - i]);
        expect_frame(fake, &frames[i], codes[DEPTH - 1 - i], "function", (DEPTH - 1 - i) * 10 + 2);
    }
    for (limit = 0; limit <= DEPTH; limit++) {
        memset(frames, 0xEE, sizeof frames);
        assert_int_equal(tm_python_stack_walk(&fake->row, fake->tstate, frames, limit), limit);
        assert_int_equal(frames[limit].kind, 0xEEEEEEEE);
    }
    assert_int_equal(tm_python_stack_top(&fake->row, fake->tstate, &top), 1);
    assert_memory_equal(&top, frames, sizeof top);
}

static void walk_nothing(struct fake_interpreter *fake)
{
    struct tm_raw_frame frame;
    assert_int_equal(tm_python_stack_walk(&fake->row, 0, &frame, 1), 0);
    assert_int_equal(tm_python_stack_top(&fake->row, 0, &frame), 0);
    assert_int_equal(tm_python_stack_walk(&fake->row, fake->tstate, &frame, 1), 0);
    assert_int_equal(tm_python_stack_top(&fake->row, fake->tstate, &frame), 0);
    if (fake->row.chain == TM_CHAIN_CFRAME) {
        fake_word(fake->tstate, fake->row.tstate_cframe, 0);
        assert_int_equal(tm_python_stack_top(&fake->row, fake->tstate, &frame), 0);
    }
}

/* From 3.11 on: frames that have not come to their first traceable instruction, and the interpreter's own. */
static void skip_what_does_not_count(struct fake_interpreter *fake)
{
    struct tm_raw_frame frames[8];
    const uintptr_t code = fake_code(fake, "file.py", "f", 1);
    uintptr_t started, generator, shim;
    if (fake->row.chain == TM_CHAIN_OBJECT) {
        return;
    }
    started = fake_enter(fake, code, 3, THREAD);
    fake_enter(fake, code, 2, THREAD);
    generator = fake_enter(fake, code, -1, GENERATOR);
    if (fake->row.owner_shim < INT8_MAX) {
        shim = fake_enter(fake, code, 5, fake->row.owner_shim);
        fake_word(shim, fake->row.frame_code, 0); /* nothing of it may be looked at but its owner */
        shim = fake_enter(fake, code, 5, fake->row.owner_shim + 1);
        fake_word(shim, fake->row.frame_code, 0);
        fake_word(fake_enter(fake, code, 5, THREAD), fake->row.frame_code, 0);
    }
    assert_int_equal(tm_python_stack_walk(&fake->row, fake->tstate, frames, 8), 2);
    assert_true(frames[0].frame == generator);
    assert_true(frames[1].frame == started);
    expect_frame(fake, &frames[0], code, "f", 1);
    expect_frame(fake, &frames[1], code, "f", 2);
    assert_int_equal(tm_python_stack_top(&fake->row, fake->tstate, frames), 1);
    assert_true(frames[0].frame == generator);
}

/* To 3.10: the line that a traced frame keeps. */
static void take_the_line_of_a_traced_frame(struct fake_interpreter *fake)
{
    const struct tm_cpython_layout *row = &fake->row;
    const uintptr_t code = fake_code(fake, "file.py", "f", 1);
    struct tm_raw_frame top;
    uintptr_t frame;
    if (row->chain != TM_CHAIN_OBJECT) {
        return;
    }
    frame = fake_enter(fake, code, 4, THREAD);
    fake_int(frame, row->frame_lineno, row->line_rule == TM_LINE_WHEN_TRACED ? 77 : 0);
    tm_python_stack_top(row, fake->tstate, &top);
    expect_frame(fake, &top, code, "f", 2);
    fake_int(frame, row->frame_lineno, 77);
    fake_word(frame, row->frame_trace, row->line_rule == TM_LINE_WHEN_TRACED ? code : 0);
    tm_python_stack_top(row, fake->tstate, &top);
    assert_int_equal(top.offset, -79);
    expect_frame(fake, &top, code, "f", 77);
    fake_int(frame, row->frame_lineno, -1);
    tm_python_stack_top(row, fake->tstate, &top);
    expect_frame(fake, &top, code, "f", 0);
    fake_int(frame, row->frame_lineno, INT32_MAX);
    tm_python_stack_top(row, fake->tstate, &top);
    assert_true(top.offset < -2);
    fake_word(frame, row->frame_trace, 0);
    fake_int(frame, row->frame_lineno, 0);
    fake_int(frame, row->frame_instruction, -1);
    tm_python_stack_top(row, fake->tstate, &top);
    assert_int_equal(top.offset, -1);
    expect_frame(fake, &top, code, "f", 1);
}

/* A thread's own copy of the bytecode: the place is said as if it were the code object's. */
static void run_a_copy_of_the_bytecode(struct fake_interpreter *fake)
{
    const struct tm_cpython_layout *row = &fake->row;
    struct tm_raw_frame top;
    uintptr_t code, frame, copies, copy;
    if (row->code_tlbc == 0) {
        return;
    }
    code = fake_code(fake, "file.py", "f", 1);
    copy = fake_block(fake, 256);
    copies = fake_block(fake, 64);
    fake_word(copies, 0, 3);
    fake_word(copies, row->tlbc_entries, code + row->code_bytes);
    fake_word(copies, row->tlbc_entries + 2 * 8U, copy);
    fake_word(code, row->code_tlbc, copies);
    frame = fake_enter(fake, code, 0, THREAD);
    fake_int(frame, row->frame_tlbc_index, 2);
    fake_word(frame, row->frame_instruction, copy + 10);
    assert_int_equal(tm_python_stack_top(row, fake->tstate, &top), 1);
    assert_true(top.place == code + row->code_bytes + 10);
    expect_frame(fake, &top, code, "f", 2);
    fake_word(frame, row->frame_instruction, copy + 2);
    assert_int_equal(tm_python_stack_top(row, fake->tstate, &top), 0);
}

static void refuse_what_is_no_code(struct fake_interpreter *fake)
{
    const struct tm_cpython_layout *row = &fake->row;
    const uintptr_t code = fake_code(fake, "file.py", "f", 1);
    const uintptr_t name = *(uintptr_t *)(code + row->code_name);
    struct tm_raw_frame top;
    struct tm_frame_names names;
    const uintptr_t subclass = fake_block(fake, FAKE_SIZE);
    fake_enter(fake, code, 5, THREAD);
    tm_python_stack_top(row, fake->tstate, &top);
    assert_true(tm_python_frame_names(row, &top, &names));
    fake_word(code, row->code_filename, 0);
    assert_false(tm_python_frame_names(row, &top, &names));
    fake_word(code, row->code_filename, code);
    assert_false(tm_python_frame_names(row, &top, &names));
    fake_word(name, row->object_type, subclass);
    fake_word(code, row->code_filename, name);
    assert_false(tm_python_frame_names(row, &top, &names));
    fake_word(subclass, row->type_flags, row->text_is_bytes ? 1U << 27 : 1U << 28);
    assert_true(tm_python_frame_names(row, &top, &names));
    fake_word(code, row->code_lines, code);
    assert_true(tm_python_frame_names(row, &top, &names));
    assert_int_equal(names.line, 0);
    fake_word(code, row->object_type, fake->text_type);
    assert_false(tm_python_frame_names(row, &top, &names));
}

/* A chain that runs in a circle of frames that do not count comes to an end. */
static void leave_a_circle(struct fake_interpreter *fake)
{
    const struct tm_cpython_layout *row = &fake->row;
    const uintptr_t code = fake_code(fake, "file.py", "f", 1);
    struct tm_raw_frame frames[4];
    uintptr_t frame;
    if (row->chain == TM_CHAIN_OBJECT) {
        return;
    }
    frame = fake_enter(fake, code, 0, THREAD);
    fake_word(frame, row->frame_previous, frame);
    assert_int_equal(tm_python_stack_walk(row, fake->tstate, frames, 4), 0);
}

static void find_blocks_of_objects(struct fake_interpreter *fake)
{
    const struct tm_cpython_layout *row = &fake->row;
    const uintptr_t type = fake_block(fake, FAKE_SIZE);
    const uintptr_t object = fake_block(fake, FAKE_SIZE) + 64;
    fake_word(object, row->object_type, type);
    assert_true(tm_python_block_of(row, object) == object);
    fake_word(type, row->type_flags, 1U << 14);
    assert_true(tm_python_block_of(row, object) == object - row->gc_head);
    assert_true(tm_python_born_block(row, object) == object - row->gc_head);
    fake_word(type, row->type_flags, 1U << 14 | 1U << 4);
    assert_true(tm_python_block_of(row, object) == object - row->gc_head - row->preheader);
    if (row->release == (3U << 8 | 11U)) {
        assert_true(tm_python_born_block(row, object) == 0);
    } else {
        assert_true(tm_python_born_block(row, object) == tm_python_block_of(row, object));
    }
}

#define TEST_EVERY_ROW(name)                                                                                           \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for_every_row(name);                                                                                           \
    }
TEST_EVERY_ROW(walk_a_stack)
TEST_EVERY_ROW(walk_nothing)
TEST_EVERY_ROW(skip_what_does_not_count)
TEST_EVERY_ROW(take_the_line_of_a_traced_frame)
TEST_EVERY_ROW(run_a_copy_of_the_bytecode)
TEST_EVERY_ROW(refuse_what_is_no_code)
TEST_EVERY_ROW(leave_a_circle)
TEST_EVERY_ROW(find_blocks_of_objects)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_a_stack),
        cmocka_unit_test(test_walk_nothing),
        cmocka_unit_test(test_skip_what_does_not_count),
        cmocka_unit_test(test_take_the_line_of_a_traced_frame),
        cmocka_unit_test(test_run_a_copy_of_the_bytecode),
        cmocka_unit_test(test_refuse_what_is_no_code),
        cmocka_unit_test(test_leave_a_circle),
        cmocka_unit_test(test_find_blocks_of_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
