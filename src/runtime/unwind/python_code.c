/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/python_code.h"

#include "runtime/unwind/line_table.h"
#include "runtime/unwind/python_frame.h"

static bool is_text(const struct tm_cpython_layout *row, uintptr_t object)
{
    /* Py_TPFLAGS_STRING_SUBCLASS (2.7), Py_TPFLAGS_UNICODE_SUBCLASS: a program may name its code with one. */
    const uintptr_t subclass = row->text_is_bytes ? (uintptr_t)1 << 27 : (uintptr_t)1 << 28;
    uintptr_t type;
    if (object == 0) {
        return false;
    }
    type = tm_python_word(object, row->object_type);
    return type == row->text_type || (tm_python_word(type, row->type_flags) & subclass) != 0;
}

/* Bytes from the start of CODE's instructions; negative: before the first. */
static int32_t instruction_offset(const struct tm_cpython_layout *row, const struct tm_raw_frame *frame, uintptr_t code)
{
    if (row->instruction == TM_INSTRUCTION_ADDRESS) {
        return (int32_t)(frame->place - (code + row->code_bytes));
    }
    if (frame->offset < 0 || frame->offset > INT32_MAX / 2) {
        return -1;
    }
    return row->instruction == TM_INSTRUCTION_UNITS ? frame->offset * 2 : frame->offset;
}

static uint32_t line_of(const struct tm_cpython_layout *row, const struct tm_raw_frame *frame, uintptr_t code,
                        struct tm_line_cursor *cursor)
{
    const int32_t first_line = tm_python_int(code, row->code_firstlineno);
    const uintptr_t table = tm_python_word(code, row->code_lines);
    if (row->chain == TM_CHAIN_OBJECT && frame->offset <= -2) {
        return (uint32_t)(-2 - (int64_t)frame->offset);
    }
    if (table == 0 || tm_python_word(table, row->object_type) != row->bytes_type) {
        return 0;
    }
    const unsigned char *bytes = (const unsigned char *)(table + row->bytes_data);
    const size_t size = tm_python_word(table, row->bytes_size);
    const int32_t offset = instruction_offset(row, frame, code);
    return tm_line_table_continue(row->lines, bytes, size, first_line, offset, cursor);
}

uintptr_t tm_python_frame_code(const struct tm_cpython_layout *layout, const struct tm_raw_frame *frame)
{
    const uintptr_t code = tm_python_raw_code(layout, frame);
    return code != 0 && tm_python_word(code, layout->object_type) == layout->code_type ? code : 0;
}

bool tm_python_frame_names_from(const struct tm_cpython_layout *layout, const struct tm_raw_frame *frame,
                                struct tm_line_cursor *cursor, struct tm_frame_names *names)
{
    const uintptr_t code = tm_python_frame_code(layout, frame);
    if (code == 0) {
        return false;
    }
    names->code = code;
    names->filename = tm_python_word(code, layout->code_filename);
    names->function = tm_python_word(code, layout->code_qualname != 0 ? layout->code_qualname : layout->code_name);
    if (!is_text(layout, names->filename) || !is_text(layout, names->function)) {
        return false;
    }
    names->line = line_of(layout, frame, code, cursor);
    return true;
}

bool tm_python_frame_names(const struct tm_cpython_layout *layout, const struct tm_raw_frame *frame,
                           struct tm_frame_names *names)
{
    struct tm_line_cursor cursor = {0, 0, 0};
    return tm_python_frame_names_from(layout, frame, &cursor, names);
}
