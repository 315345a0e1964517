/* SPDX-License-Identifier: MIT */
/* Frames that were resolved, where nobody hears their code objects die: each with the bytes that its names and its line
 * were made of.  It is known again as long as they are what they were; what stands at the code object's address may be
 * another one by then.
 *
 * For sampled events, each of which would otherwise decode a line table from its start and look up two names.
 * Not kept is what has no line, names that are no plain str (2.7: bytes), and what is made of more than
 * TM_FRAME_MEMO_BYTES: an instruction far into a long line table.
 * Threads  the caller's lock; the frame is still running.   Signals  safe behind the guard.   errno  kept. */
#ifndef TM_RUNTIME_UNWIND_FRAME_MEMO_H
#define TM_RUNTIME_UNWIND_FRAME_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "base/line_cursor.h"
#include "base/same_bytes.h"
#include "runtime/unwind/cpython_layout.h"
#include "runtime/unwind/python_code.h"
#include "runtime/unwind/python_frame.h"
#include "runtime/unwind/raw_frame.h"

#define TM_FRAME_MEMO_PLACES 64U /* a power of two */
#define TM_FRAME_MEMO_BYTES  1024U

/* None: where tm_frame_memo_find and tm_frame_memo_keep answer no place. */
#define TM_FRAME_MEMO_NONE TM_FRAME_MEMO_PLACES

/* A cursor that stands nowhere: decoding begins at the start of the table, and the cursor tells whether it came
 * anywhere. */
#define TM_LINE_NOWHERE UINT32_MAX

/* A str object as it was. */
struct tm_memo_text {
    uintptr_t object;
    uint32_t form;
    uint32_t state; /* of it what says how it is written; TM_MEMO_STATE_NONE: not a byte for each character */
    uint32_t size;  /* bytes of MADE_OF */
};

#define TM_MEMO_STATE_NONE UINT32_MAX

/* All zero: empty. */
struct tm_frame_memo {
    struct tm_memo_frame {
        uintptr_t place;
        uintptr_t code; /* 0: nothing is kept */
        struct tm_memo_text filename, function;
        uintptr_t table; /* of lines, an object */
        uint32_t table_size;
        uint32_t lines_size; /* bytes of MADE_OF, behind those of the names */
        int32_t offset;
        int32_t first_line;
        unsigned char made_of[TM_FRAME_MEMO_BYTES];
    } places[TM_FRAME_MEMO_PLACES];
};

TM_INLINE unsigned tm_frame_memo_index(const struct tm_raw_frame *frame)
{
    return (unsigned)(tm_hash_join(frame->place, (uint32_t)frame->offset) >> 32) % TM_FRAME_MEMO_PLACES;
}

/* What of the state of a str object says how it is written. */
TM_INLINE uint32_t tm_memo_state_mask(const struct tm_cpython_layout *layout)
{
    return UINT32_C(7) << layout->str_kind_shift | UINT32_C(1) << layout->str_compact_shift |
           UINT32_C(1) << layout->str_ascii_shift;
}

/* The bytes of a str object of a byte for each character, at which OBJECT is. */
struct tm_memo_bytes {
    const unsigned char *bytes;
    size_t size;
    uint64_t differs; /* 0: the object says what it said when KNOWN was kept */
};

TM_INLINE struct tm_memo_bytes tm_memo_bytes_of(const struct tm_cpython_layout *layout,
                                                const struct tm_memo_text *known, uintptr_t object)
{
    const uint32_t state = (uint32_t)tm_python_int(object, layout->str_state);
    const bool is_ascii = (state >> layout->str_ascii_shift & 1U) != 0;
    const size_t size = tm_python_word(object, layout->str_length);
    return (struct tm_memo_bytes){
        .bytes = (const unsigned char *)(object + (is_ascii ? layout->str_ascii_data : layout->str_compact_data)),
        .size = size,
        .differs = (tm_python_word(object, layout->object_type) ^ layout->text_type) | (size ^ known->size) |
                   ((state & tm_memo_state_mask(layout)) ^ known->state)};
}

/* What tm_frame_memo_find asks of FRAME, which runs CODE, where its names and its table are the very objects that KNOWN
 * was made of, and names have a byte for each character.  Few branches and no calls: it is run so seldom that no branch
 * is foreseen, and all code has gone from the cache.
 * Without the lock: what KNOWN says may be half of one frame and half of another.  So it is only compared, and all that
 * is followed and measured are CODE's own objects, which live; the caller finds out, and what was answered is void. */
TM_INLINE bool tm_memo_frame_is(const struct tm_memo_frame *known, const struct tm_cpython_layout *layout,
                                const struct tm_raw_frame *frame, uintptr_t code)
{
    if (TM_UNLIKELY(code == 0) || TM_UNLIKELY(known->code != code) || TM_UNLIKELY(layout->text_is_bytes)) {
        return false;
    }
    const uintptr_t filename = tm_python_word(code, layout->code_filename);
    const uintptr_t function =
        tm_python_word(code, layout->code_qualname != 0 ? layout->code_qualname : layout->code_name);
    const uintptr_t table = tm_python_word(code, layout->code_lines);
    const uint64_t is_other = (known->place ^ frame->place) | (uint32_t)(known->offset ^ frame->offset) |
                              (uint32_t)(known->first_line ^ tm_python_int(code, layout->code_firstlineno)) |
                              (known->filename.object ^ filename) | (known->function.object ^ function) |
                              (known->table ^ table);
    if (TM_UNLIKELY(is_other != 0)) {
        return false;
    }
    const struct tm_memo_bytes file = tm_memo_bytes_of(layout, &known->filename, filename);
    const struct tm_memo_bytes name = tm_memo_bytes_of(layout, &known->function, function);
    const size_t table_size = tm_python_word(table, layout->bytes_size);
    const size_t lines_size = known->lines_size;
    const uint64_t differs = file.differs | name.differs | (table_size ^ known->table_size) |
                             (tm_python_word(code, layout->object_type) ^ layout->code_type) |
                             (tm_python_word(table, layout->object_type) ^ layout->bytes_type);
    if (TM_UNLIKELY(differs != 0) || TM_UNLIKELY(lines_size > table_size) ||
        TM_UNLIKELY(file.size + name.size + lines_size > TM_FRAME_MEMO_BYTES)) {
        return false;
    }
    const unsigned char *made_of = known->made_of;
    const unsigned char *lines = (const unsigned char *)(table + layout->bytes_data);
    return TM_LIKELY((tm_bytes_differ(file.bytes, made_of, file.size) |
                      tm_bytes_differ(name.bytes, made_of + file.size, name.size) |
                      tm_bytes_differ(lines, made_of + file.size + name.size, lines_size)) == 0);
}

/* The place of FRAME, for words of the caller's beside the memo. */
unsigned tm_frame_memo_find(const struct tm_frame_memo *memo, const struct tm_cpython_layout *layout,
                            const struct tm_raw_frame *frame);

/* FRAME has these NAMES; the line was decoded to CURSOR, which began at the start of the table or TM_LINE_NOWHERE.  The
 * place which is its own from now on. */
unsigned tm_frame_memo_keep(struct tm_frame_memo *memo, const struct tm_cpython_layout *layout,
                            const struct tm_raw_frame *frame, const struct tm_frame_names *names,
                            const struct tm_line_cursor *cursor);

#endif
