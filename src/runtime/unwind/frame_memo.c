/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/frame_memo.h"

#include <string.h>

#include "runtime/unwind/python_text.h"

/* What answers for an instruction lies within so many bytes from where the decoder has come to: an entry of a table of
 * locations up to its step in lines, or a pair. */
#define LOOKED_AT 8U

/* What a frame is made of, as it stands now. */
struct parts {
    struct tm_text_bytes filename, function;
    uintptr_t filename_object, function_object, table;
    const unsigned char *lines;
    size_t lines_size; /* of the whole table */
    int32_t first_line;
};

static bool read_names(const struct tm_cpython_layout *layout, uintptr_t code, struct parts *parts)
{
    parts->filename_object = tm_python_word(code, layout->code_filename);
    parts->function_object =
        tm_python_word(code, layout->code_qualname != 0 ? layout->code_qualname : layout->code_name);
    return tm_python_text_bytes(layout, parts->filename_object, &parts->filename) &&
           tm_python_text_bytes(layout, parts->function_object, &parts->function);
}

static bool read_lines(const struct tm_cpython_layout *layout, uintptr_t code, struct parts *parts)
{
    const uintptr_t table = tm_python_word(code, layout->code_lines);
    if (table == 0 || tm_python_word(table, layout->object_type) != layout->bytes_type) {
        return false;
    }
    parts->table = table;
    parts->lines = (const unsigned char *)(table + layout->bytes_data);
    parts->lines_size = tm_python_word(table, layout->bytes_size);
    parts->first_line = tm_python_int(code, layout->code_firstlineno);
    return true;
}

static bool is_text(const struct tm_text_bytes *text, const struct tm_memo_text *known, const unsigned char *made_of)
{
    return text->form == known->form && text->size == known->size && memcmp(text->bytes, made_of, known->size) == 0;
}

static bool is_made_of(const struct tm_memo_frame *known, const struct parts *parts)
{
    const unsigned char *function = known->made_of + known->filename.size;
    return parts->first_line == known->first_line && parts->lines_size == known->table_size &&
           is_text(&parts->filename, &known->filename, known->made_of) &&
           is_text(&parts->function, &known->function, function) &&
           memcmp(parts->lines, function + known->function.size, known->lines_size) == 0;
}

unsigned tm_frame_memo_find(const struct tm_frame_memo *memo, const struct tm_cpython_layout *layout,
                            const struct tm_raw_frame *frame)
{
    const unsigned index = tm_frame_memo_index(frame);
    const struct tm_memo_frame *known = &memo->places[index];
    struct parts parts;
    if (known->code == 0 || known->place != frame->place || known->offset != frame->offset ||
        known->code != tm_python_frame_code(layout, frame) || !read_names(layout, known->code, &parts) ||
        !read_lines(layout, known->code, &parts) || !is_made_of(known, &parts)) {
        return TM_FRAME_MEMO_NONE;
    }
    return index;
}

static struct tm_memo_text memo_of(const struct tm_cpython_layout *layout, uintptr_t object,
                                   const struct tm_text_bytes *text)
{
    const bool is_plain = !layout->text_is_bytes && text->form >> 1 == 1;
    const uint32_t state =
        is_plain ? (uint32_t)tm_python_int(object, layout->str_state) & tm_memo_state_mask(layout) : TM_MEMO_STATE_NONE;
    return (struct tm_memo_text){.object = object, .form = text->form, .state = state, .size = (uint32_t)text->size};
}

static void copy(unsigned char **to, const void *bytes, size_t size)
{
    memcpy(*to, bytes, size);
    *to += size;
}

unsigned tm_frame_memo_keep(struct tm_frame_memo *memo, const struct tm_cpython_layout *layout,
                            const struct tm_raw_frame *frame, const struct tm_frame_names *names,
                            const struct tm_line_cursor *cursor)
{
    const unsigned index = tm_frame_memo_index(frame);
    struct tm_memo_frame *known = &memo->places[index];
    struct parts parts;
    if (names->line == 0 || frame->offset < 0 || !read_names(layout, names->code, &parts) ||
        !read_lines(layout, names->code, &parts) || parts.lines_size >= TM_LINE_NOWHERE ||
        cursor->at > parts.lines_size || parts.filename.size > TM_FRAME_MEMO_BYTES ||
        parts.function.size > TM_FRAME_MEMO_BYTES) {
        return TM_FRAME_MEMO_NONE;
    }
    const size_t rest = parts.lines_size - cursor->at;
    const size_t lines = cursor->at + (rest < LOOKED_AT ? rest : LOOKED_AT);
    if (parts.filename.size + parts.function.size + lines > TM_FRAME_MEMO_BYTES) {
        return TM_FRAME_MEMO_NONE;
    }
    unsigned char *to = known->made_of;
    copy(&to, parts.filename.bytes, parts.filename.size);
    copy(&to, parts.function.bytes, parts.function.size);
    copy(&to, parts.lines, lines);
    known->place = frame->place;
    known->code = names->code;
    known->offset = frame->offset;
    known->first_line = parts.first_line;
    known->table_size = (uint32_t)parts.lines_size;
    known->table = parts.table;
    known->lines_size = (uint32_t)lines;
    known->filename = memo_of(layout, parts.filename_object, &parts.filename);
    known->function = memo_of(layout, parts.function_object, &parts.function);
    return index;
}
