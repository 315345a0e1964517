/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/frame_memo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/unwind/python_stack.h"
#include "runtime/unwind/python_text.h"
#include "unit/unwind/fake_interpreter.h"

enum { THREAD = 0, FIRST_LINE = 10, UNIT = 5 };

static struct tm_frame_memo memo;

static void for_every_row(void (*test)(struct fake_interpreter *))
{
    unsigned count;
    const struct tm_cpython_layout *rows = tm_cpython_layout_rows(&count);
    for (unsigned i = 0; i < count; i++) {
        struct fake_interpreter fake;
        memset(&memo, 0, sizeof memo);
        fake_init(&fake, &rows[i]);
        test(&fake);
        fake_free(&fake);
    }
}

static unsigned qualname_of(const struct tm_cpython_layout *row)
{
    return row->code_qualname != 0 ? row->code_qualname : row->code_name;
}

static struct tm_raw_frame newest_frame(const struct fake_interpreter *fake)
{
    struct tm_raw_frame frame;
    assert_int_equal(tm_python_stack_walk(&fake->row, fake->tstate, &frame, 1), 1);
    return frame;
}

static unsigned find(const struct fake_interpreter *fake)
{
    const struct tm_raw_frame frame = newest_frame(fake);
    return tm_frame_memo_find(&memo, &fake->row, &frame);
}

static unsigned keep(const struct fake_interpreter *fake, struct tm_frame_names *names)
{
    const struct tm_raw_frame frame = newest_frame(fake);
    struct tm_line_cursor cursor = {TM_LINE_NOWHERE, 0, 0};
    assert_true(tm_python_frame_names_from(&fake->row, &frame, &cursor, names));
    return tm_frame_memo_keep(&memo, &fake->row, &frame, names, &cursor);
}

static uintptr_t kept_code(struct fake_interpreter *fake)
{
    struct tm_frame_names names;
    const uintptr_t code = fake_code(fake, "file.py", "function", FIRST_LINE);
    fake_enter(fake, code, UNIT, THREAD);
    assert_int_equal(find(fake), TM_FRAME_MEMO_NONE);
    const unsigned place = keep(fake, &names);
    assert_int_not_equal(place, TM_FRAME_MEMO_NONE);
    assert_int_equal(names.line, FIRST_LINE + 1);
    assert_int_equal(find(fake), place);
    return code;
}

/* Where PART of CODE points to OTHER the frame is not known; it is again when it points to SAME. */
static void expect_part(struct fake_interpreter *fake, uintptr_t code, unsigned part, uintptr_t other, uintptr_t same)
{
    fake_word(code, part, other);
    assert_int_equal(find(fake), TM_FRAME_MEMO_NONE);
    fake_word(code, part, same);
    assert_int_not_equal(find(fake), TM_FRAME_MEMO_NONE);
}

static void other_names_are_not_known(struct fake_interpreter *fake)
{
    const struct tm_cpython_layout *row = &fake->row;
    const uintptr_t code = kept_code(fake);
    expect_part(fake, code, row->code_filename, fake_text(fake, "fyle.py"), fake_text(fake, "file.py"));
    expect_part(fake, code, row->code_filename, fake_text(fake, "file.p"), fake_text(fake, "file.py"));
    expect_part(fake, code, row->code_filename, fake_text(fake, "file.pyf"), fake_text(fake, "file.py"));
    expect_part(fake, code, qualname_of(row), fake_text(fake, "funktion"), fake_text(fake, "function"));
    expect_part(fake, code, qualname_of(row), fake_text(fake, ""), fake_text(fake, "function"));
    if (!row->text_is_bytes) {
        expect_part(fake, code, row->code_filename, fake_str(fake, "file.py", 7, 1, 1), fake_text(fake, "file.py"));
        expect_part(fake, code, row->code_filename, fake_str(fake, "file.py", 7, 1, 0), fake_text(fake, "file.py"));
    }
}

static void expect_name_in_place(struct fake_interpreter *fake, uintptr_t code, unsigned part)
{
    const uintptr_t name = *(uintptr_t *)(code + part);
    struct tm_text_bytes text;
    assert_true(tm_python_text_bytes(&fake->row, name, &text));
    char *last = (char *)(uintptr_t)text.bytes + text.size - 1;
    const char before = *last;
    *last = 'x';
    assert_int_equal(find(fake), TM_FRAME_MEMO_NONE);
    *last = before;
    assert_int_not_equal(find(fake), TM_FRAME_MEMO_NONE);
    const uintptr_t type = *(uintptr_t *)(name + fake->row.object_type);
    fake_word(name, fake->row.object_type, fake->code_type);
    assert_int_equal(find(fake), TM_FRAME_MEMO_NONE);
    fake_word(name, fake->row.object_type, type);
}

static void a_name_changed_in_place_is_not_known(struct fake_interpreter *fake)
{
    const uintptr_t code = kept_code(fake);
    expect_name_in_place(fake, code, fake->row.code_filename);
    expect_name_in_place(fake, code, qualname_of(&fake->row));
}

static void another_line_is_not_known(struct fake_interpreter *fake)
{
    const struct tm_cpython_layout *row = &fake->row;
    const uintptr_t code = kept_code(fake);
    const uintptr_t table = *(uintptr_t *)(code + row->code_lines);
    const size_t size = *(uintptr_t *)(table + row->bytes_size);
    unsigned char *bytes = (unsigned char *)(table + row->bytes_data);
    fake_int(code, row->code_firstlineno, FIRST_LINE + 1);
    assert_int_equal(find(fake), TM_FRAME_MEMO_NONE);
    fake_int(code, row->code_firstlineno, FIRST_LINE);
    bytes[1] += 2;
    assert_int_equal(find(fake), TM_FRAME_MEMO_NONE);
    bytes[1] -= 2;
    expect_part(fake, code, row->code_lines, 0, fake_bytes(fake, bytes, size));
    expect_part(fake, code, row->code_lines, fake_bytes(fake, bytes, size - 1), table);
    fake_word(table, row->object_type, fake->code_type);
    assert_int_equal(find(fake), TM_FRAME_MEMO_NONE);
}

static void another_instruction_is_not_known(struct fake_interpreter *fake)
{
    const uintptr_t code = kept_code(fake);
    fake_enter(fake, code, UNIT + 1, THREAD);
    assert_int_equal(find(fake), TM_FRAME_MEMO_NONE);
    fake_enter(fake, code, UNIT, THREAD);
    assert_int_not_equal(find(fake), TM_FRAME_MEMO_NONE);
    fake_word(code, fake->row.object_type, fake->text_type);
    const struct tm_raw_frame frame = newest_frame(fake);
    assert_int_equal(tm_frame_memo_find(&memo, &fake->row, &frame), TM_FRAME_MEMO_NONE);
}

static void what_is_too_long_is_not_kept(struct fake_interpreter *fake)
{
    static char name[TM_FRAME_MEMO_BYTES + 1];
    struct tm_frame_names names;
    memset(name, 'n', sizeof name - 1);
    const uintptr_t code = fake_code(fake, "file.py", "function", FIRST_LINE);
    fake_enter(fake, code, UNIT, THREAD);
    fake_word(code, fake->row.code_filename, fake_text(fake, name));
    assert_int_equal(keep(fake, &names), TM_FRAME_MEMO_NONE);
    name[TM_FRAME_MEMO_BYTES / 2] = '\0';
    fake_word(code, fake->row.code_filename, fake_text(fake, name));
    fake_word(code, qualname_of(&fake->row), fake_text(fake, name));
    assert_int_equal(keep(fake, &names), TM_FRAME_MEMO_NONE);
    assert_int_equal(find(fake), TM_FRAME_MEMO_NONE);
}

/* What was found for a place of the memo. */
struct known {
    uint32_t line;
    char file, function;
};

/* Tables, names and first lines that change in place, at one address: what is known is as it is found anew. */
static void what_is_known_is_right(struct fake_interpreter *fake)
{
    enum { TABLE = 64, CODE_UNITS = 48 };
    static struct known known[TM_FRAME_MEMO_PLACES];
    const struct tm_cpython_layout *row = &fake->row;
    const uintptr_t code = fake_code(fake, "file.py", "function", FIRST_LINE);
    const uintptr_t frame = fake_enter(fake, code, UNIT, THREAD);
    unsigned char table[TABLE] = {0};
    const uintptr_t lines = fake_bytes(fake, table, sizeof table);
    unsigned char *bytes = (unsigned char *)(lines + row->bytes_data);
    struct tm_text_bytes file, function;
    unsigned seed = 1, hits = 0;
    fake_word(code, row->code_lines, lines);
    assert_true(tm_python_text_bytes(row, *(uintptr_t *)(code + row->code_filename), &file));
    assert_true(tm_python_text_bytes(row, *(uintptr_t *)(code + qualname_of(row)), &function));
    for (unsigned round = 0; round < 100000; round++) {
        seed = seed * 1103515245U + 12345U;
        const unsigned random = seed >> 8;
        if (round % 8 == 0) {
            bytes[random % TABLE] = (unsigned char)(random >> 8);
            fake_word(lines, row->bytes_size, TABLE - (random >> 20) % 2);
        } else if (round % 8 == 4) {
            char *name = (char *)(uintptr_t)(random % 2 != 0 ? file.bytes : function.bytes);
            name[0] = (char)('a' + random / 2 % 2);
            fake_int(code, row->code_firstlineno, FIRST_LINE + (int)(random >> 4) % 2);
        }
        const int unit = 3 + (int)(random % CODE_UNITS) / 8;
        if (row->chain == TM_CHAIN_OBJECT) {
            fake_int(frame, row->frame_instruction, row->instruction == TM_INSTRUCTION_UNITS ? unit : unit * 2);
        } else {
            fake_word(frame, row->frame_instruction, code + row->code_bytes + (uintptr_t)unit * 2);
        }
        const struct tm_raw_frame raw = newest_frame(fake);
        const char file_now = *(const char *)file.bytes, function_now = *(const char *)function.bytes;
        struct tm_frame_names names;
        assert_true(tm_python_frame_names(row, &raw, &names));
        unsigned place = tm_frame_memo_find(&memo, row, &raw);
        if (place != TM_FRAME_MEMO_NONE) {
            assert_int_equal(known[place].line, names.line);
            assert_int_equal(known[place].file, file_now);
            assert_int_equal(known[place].function, function_now);
            hits++;
        } else if ((place = keep(fake, &names)) != TM_FRAME_MEMO_NONE) {
            known[place] = (struct known){names.line, file_now, function_now};
        }
    }
    assert_true(hits > 10000);
}

#define FOR_EVERY_ROW(name)                                                                                            \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for_every_row(name);                                                                                           \
    }

FOR_EVERY_ROW(other_names_are_not_known)
FOR_EVERY_ROW(a_name_changed_in_place_is_not_known)
FOR_EVERY_ROW(another_line_is_not_known)
FOR_EVERY_ROW(another_instruction_is_not_known)
FOR_EVERY_ROW(what_is_too_long_is_not_kept)
FOR_EVERY_ROW(what_is_known_is_right)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_names_are_not_known),
        cmocka_unit_test(test_a_name_changed_in_place_is_not_known),
        cmocka_unit_test(test_another_line_is_not_known),
        cmocka_unit_test(test_another_instruction_is_not_known),
        cmocka_unit_test(test_what_is_too_long_is_not_kept),
        cmocka_unit_test(test_what_is_known_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
