/* SPDX-License-Identifier: MIT */
/* The only file in which CPython releases are told apart by number. */
#include "runtime/unwind/cpython_layout.h"

#include <string.h>

#include "base/compiler.h"

#define RELEASE(major, minor) ((major) << 8 | (minor))

enum { NO_SHIM = INT8_MAX, MANAGED_WEAKREF = 1 << 3, MANAGED_DICT = 1 << 4 };

/* PyObject, PyTypeObject, PyBytesObject with and without the GIL (whose PyObject is 16 bytes longer). */
#define OBJECTS(longer)                                                                                                \
    .object_type = 8 + (longer), .type_flags = 168 + (longer), .bytes_size = 16 + (longer), .bytes_data = 32 + (longer)

/* PyASCIIObject and PyCompactUnicodeObject, until 3.11 and from 3.12 (PEP 623). */
#define STR_WITH_WCHAR                                                                                                 \
    .str_length = 16, .str_state = 32, .str_ascii_data = 48, .str_compact_data = 72, .str_kind_shift = 2,              \
    .str_compact_shift = 5, .str_ascii_shift = 6
#define STR(longer)                                                                                                    \
    .str_length = 16 + (longer), .str_state = 32 + (longer), .str_ascii_data = 40 + (longer),                          \
    .str_compact_data = 56 + (longer)
#define STR_STATE_PACKED  .str_kind_shift = 2, .str_compact_shift = 5, .str_ascii_shift = 6
#define STR_STATE_ALIGNED .str_kind_shift = 8, .str_compact_shift = 11, .str_ascii_shift = 12

/* struct _frame until 3.10. */
#define FRAME_OBJECT_CHAIN .chain = TM_CHAIN_OBJECT, .frame_previous = 24, .frame_code = 32, .owner_shim = NO_SHIM

/* struct _PyInterpreterFrame from 3.12. */
#define INTERPRETER_FRAME                                                                                              \
    .instruction = TM_INSTRUCTION_ADDRESS, .lines = TM_LINES_LOCATIONS, .tstate_current_is_own = true,                 \
    .tstate_interp = 16, .frame_previous = 8, .frame_code = 0, .frame_instruction = 56, .owner_generator = 1,          \
    .owner_shim = 3, .preheader = 16, .preheader_flags = MANAGED_WEAKREF | MANAGED_DICT

/* PyCodeObject from 3.12. */
#define CODE(longer)                                                                                                   \
    .code_filename = 112 + (longer), .code_name = 120 + (longer), .code_qualname = 128 + (longer),                     \
    .code_firstlineno = 68 + (longer), .code_lines = 136 + (longer)

/* clang-format off */
static const struct tm_cpython_layout rows[] = {
    {
        .release = RELEASE(2, 7), FRAME_OBJECT_CHAIN, .instruction = TM_INSTRUCTION_BYTES,
        .line_rule = TM_LINE_WHEN_TRACED, .lines = TM_LINES_UNSIGNED, .text_is_bytes = true, .tstate_interp = 8,
        .tstate_frame = 16, .tstate_thread_id = 144, .frame_instruction = 120, .frame_lineno = 124, .frame_trace = 80,
        .code_size = 128, .code_filename = 80, .code_name = 88, .code_firstlineno = 96, .code_lines = 104,
        .object_type = 8, .type_flags = 168, .bytes_size = 16, .bytes_data = 36, .gc_head = 32,
    },
    {
        .release = RELEASE(3, 6), FRAME_OBJECT_CHAIN, .instruction = TM_INSTRUCTION_BYTES,
        .line_rule = TM_LINE_WHEN_TRACED, .lines = TM_LINES_SIGNED, .tstate_interp = 16, .tstate_frame = 24,
        .tstate_thread_id = 152, .frame_instruction = 120, .frame_lineno = 124, .frame_trace = 80, .code_size = 144,
        .code_filename = 96, .code_name = 104, .code_firstlineno = 36, .code_lines = 112, OBJECTS(0), STR_WITH_WCHAR,
        .gc_head = 32,
    },
    {
        .release = RELEASE(3, 7), FRAME_OBJECT_CHAIN, .instruction = TM_INSTRUCTION_BYTES,
        .line_rule = TM_LINE_WHEN_TRACED, .lines = TM_LINES_SIGNED, .tstate_interp = 16, .tstate_frame = 24,
        .tstate_thread_id = 176, .frame_instruction = 104, .frame_lineno = 108, .frame_trace = 80, .code_size = 144,
        .code_filename = 96, .code_name = 104, .code_firstlineno = 36, .code_lines = 112, OBJECTS(0), STR_WITH_WCHAR,
        .gc_head = 32,
    },
    {
        .release = RELEASE(3, 8), FRAME_OBJECT_CHAIN, .instruction = TM_INSTRUCTION_BYTES,
        .line_rule = TM_LINE_WHEN_TRACED, .lines = TM_LINES_SIGNED, .tstate_interp = 16, .tstate_frame = 24,
        .tstate_thread_id = 176, .frame_instruction = 104, .frame_lineno = 108, .frame_trace = 80, .code_size = 176,
        .code_filename = 104, .code_name = 112, .code_firstlineno = 40, .code_lines = 120, OBJECTS(0), STR_WITH_WCHAR,
        .gc_head = 16,
        .recycled_by_flag = true,
    },
    {
        .release = RELEASE(3, 9), FRAME_OBJECT_CHAIN, .instruction = TM_INSTRUCTION_BYTES,
        .line_rule = TM_LINE_WHEN_TRACED, .lines = TM_LINES_SIGNED, .tstate_interp = 16, .tstate_frame = 24,
        .tstate_thread_id = 176, .frame_instruction = 104, .frame_lineno = 108, .frame_trace = 80, .code_size = 176,
        .code_filename = 104, .code_name = 112, .code_firstlineno = 40, .code_lines = 120, OBJECTS(0), STR_WITH_WCHAR,
        .gc_head = 16,
        .recycled_by_new_reference = true, .recycled_by_flag = true,
    },
    {
        .release = RELEASE(3, 10), FRAME_OBJECT_CHAIN, .instruction = TM_INSTRUCTION_UNITS,
        .line_rule = TM_LINE_WHEN_NONZERO, .lines = TM_LINES_RANGES, .tstate_interp = 16, .tstate_frame = 24,
        .tstate_cframe = 48, .tstate_thread_id = 176, .cframe_previous = 8, .frame_instruction = 96,
        .frame_lineno = 100, .frame_trace = 72, .code_size = 176, .code_filename = 104, .code_name = 112,
        .code_firstlineno = 40, .code_lines = 120, OBJECTS(0), STR_WITH_WCHAR, .gc_head = 16,
        .recycled_by_new_reference = true, .recycled_by_flag = true,
    },
    {
        .release = RELEASE(3, 11), .chain = TM_CHAIN_CFRAME, .instruction = TM_INSTRUCTION_ADDRESS,
        .lines = TM_LINES_LOCATIONS, .tstate_interp = 16, .tstate_cframe = 56, .tstate_thread_id = 152,
        .cframe_current = 8, .cframe_previous = 16, .frame_previous = 48, .frame_code = 32, .frame_instruction = 56,
        .frame_owner = 69, .frame_is_entry = 68, .owner_generator = 1, .owner_shim = NO_SHIM, .code_size = 184,
        .frame_stacktop = 64, .tstate_event = 48, .event_none = 0,
        .code_filename = 112, .code_name = 120, .code_qualname = 128, .code_firstlineno = 72, .code_lines = 136,
        .code_firsttraceable = 168, .code_bytes = 184, OBJECTS(0), STR_WITH_WCHAR, .gc_head = 16, .preheader = 16,
        .preheader_flags = MANAGED_DICT, .preheader_overlooked = true,
        .recycled_by_new_reference = true, .recycled_by_flag = true,
    },
    {
        .release = RELEASE(3, 12), .chain = TM_CHAIN_CFRAME, INTERPRETER_FRAME, .tstate_cframe = 56,
        .frame_stacktop = 64, .tstate_event = 48, .event_none = -1,
        .tstate_thread_id = 136, .cframe_current = 0, .cframe_previous = 8, .frame_owner = 70, CODE(0),
        .code_size = 192, .code_firsttraceable = 176, .code_bytes = 192, OBJECTS(0), STR(0), STR_STATE_PACKED,
        .gc_head = 16,
        .recycled_by_new_reference = true, .recycled_by_flag = true,
    },
    {
        .release = RELEASE(3, 13), .chain = TM_CHAIN_INTERPRETER, INTERPRETER_FRAME, .tstate_frame = 72,
        .frame_stacktop = 64, .tstate_event = 64, .event_none = -1,
        .tstate_thread_id = 152, .frame_owner = 70, CODE(0), .code_size = 200, .code_firsttraceable = 184,
        .code_bytes = 200, OBJECTS(0), STR(0), STR_STATE_PACKED, .gc_head = 16,
    },
    {
        .release = RELEASE(3, 13), .free_threaded = true, .chain = TM_CHAIN_INTERPRETER, INTERPRETER_FRAME,
        .tstate_frame = 72, .tstate_thread_id = 152, .frame_owner = 70, CODE(16), .code_size = 216,
        .code_firsttraceable = 200, .code_bytes = 216, OBJECTS(16), STR(16), STR_STATE_PACKED,
    },
    {
        .release = RELEASE(3, 14), .chain = TM_CHAIN_INTERPRETER, INTERPRETER_FRAME, .tstate_frame = 72,
        .tstate_thread_id = 152, .frame_owner = 74, .frame_code_mask = 1, CODE(0), .code_size = 208,
        .code_firsttraceable = 192, .code_bytes = 208, OBJECTS(0), STR(0), STR_STATE_PACKED, .gc_head = 16,
    },
    {
        .release = RELEASE(3, 14), .free_threaded = true, .chain = TM_CHAIN_INTERPRETER, INTERPRETER_FRAME,
        .tstate_frame = 72, .tstate_thread_id = 152, .frame_owner = 78, .frame_tlbc_index = 72, .frame_code_mask = 1,
        CODE(16), .code_size = 232, .code_firsttraceable = 208, .code_bytes = 232, .code_tlbc = 224,
        .tlbc_entries = 8, OBJECTS(16), STR(16), STR_STATE_ALIGNED,
    },
    {
        .release = RELEASE(3, 15), .chain = TM_CHAIN_INTERPRETER, INTERPRETER_FRAME, .tstate_frame = 72,
        .tstate_thread_id = 176, .frame_owner = 74, .frame_code_mask = 3, CODE(0), .code_size = 208,
        .code_firsttraceable = 192, .code_bytes = 208, OBJECTS(0), STR(0), STR_STATE_PACKED, .gc_head = 16,
    },
    {
        .release = RELEASE(3, 15), .free_threaded = true, .chain = TM_CHAIN_INTERPRETER, INTERPRETER_FRAME,
        .tstate_frame = 72, .tstate_thread_id = 176, .frame_owner = 78, .frame_tlbc_index = 72, .frame_code_mask = 3,
        CODE(16), .code_size = 232, .code_firsttraceable = 208, .code_bytes = 232, .code_tlbc = 224,
        .tlbc_entries = 8, OBJECTS(16), STR(16), STR_STATE_ALIGNED,
    },
};
/* clang-format on */
_Static_assert(TM_COUNT_OF(rows) == 14, "one row per release and build kind");

const struct tm_cpython_layout *tm_cpython_layout_rows(unsigned *count)
{
    *count = TM_COUNT_OF(rows);
    return rows;
}

const struct tm_cpython_layout *tm_cpython_layout_find(unsigned release, bool free_threaded)
{
    unsigned i;
    for (i = 0; i < TM_COUNT_OF(rows); i++) {
        if (rows[i].release == release && rows[i].free_threaded == free_threaded) {
            return &rows[i];
        }
    }
    return NULL;
}

/* Where _Py_DebugOffsets of a release keeps its statement of a field, in bytes; the table itself moves with each
 * release.  Every entry is 64 bits. */
struct statement {
    uint16_t field; /* in struct tm_cpython_layout */
    uint16_t at[3]; /* in 3.13, 3.14, 3.15; 0: not stated */
    const char *mismatch;
};

#define STATED(field, a, b, c)                                                                                         \
    {                                                                                                                  \
        offsetof(struct tm_cpython_layout, field), {a, b, c}, "the offset of " #field " is not the one known"          \
    }

static const struct statement statements[] = {
    STATED(tstate_interp, 176, 200, 200),    STATED(tstate_frame, 184, 208, 208),
    STATED(tstate_thread_id, 192, 216, 240), STATED(frame_previous, 232, 256, 320),
    STATED(frame_code, 240, 264, 328),       STATED(frame_instruction, 248, 272, 336),
    STATED(frame_owner, 264, 288, 352),      STATED(code_filename, 280, 320, 384),
    STATED(code_name, 288, 328, 392),        STATED(code_qualname, 296, 336, 400),
    STATED(code_lines, 304, 344, 408),       STATED(code_firstlineno, 312, 352, 416),
    STATED(code_bytes, 344, 384, 448),       STATED(object_type, 360, 408, 472),
    STATED(type_flags, 392, 440, 504),       STATED(bytes_size, 520, 600, 696),
    STATED(bytes_data, 528, 608, 704),       STATED(str_state, 544, 624, 720),
    STATED(str_length, 552, 632, 728),       STATED(str_ascii_data, 560, 640, 736),
};

/* Stated by free-threaded builds only; the others leave it unspecified. */
static const struct statement free_threaded_statements[] = {
    STATED(frame_tlbc_index, 0, 304, 368),
    STATED(code_tlbc, 0, 392, 456),
};

static const char *compare(const struct tm_cpython_layout *layout, const unsigned char *runtime, size_t runtime_bytes,
                           const struct statement *statement)
{
    const unsigned column = (unsigned)layout->release - RELEASE(3, 13);
    const unsigned at = statement->at[column];
    uint64_t stated;
    uint16_t known;
    if (at == 0) {
        return NULL;
    }
    if (at + sizeof stated > runtime_bytes) {
        return "its table of offsets is too short";
    }
    memcpy(&stated, runtime + at, sizeof stated);
    memcpy(&known, (const unsigned char *)layout + statement->field, sizeof known);
    return stated == known ? NULL : statement->mismatch;
}

bool tm_cpython_layout_has_offsets(const struct tm_cpython_layout *layout)
{
    return layout->release >= RELEASE(3, 13);
}

const char *tm_cpython_layout_compare(const struct tm_cpython_layout *layout, const void *runtime, size_t runtime_bytes)
{
    const char *mismatch = NULL;
    unsigned i;
    for (i = 0; i < TM_COUNT_OF(statements) && mismatch == NULL; i++) {
        mismatch = compare(layout, runtime, runtime_bytes, &statements[i]);
    }
    if (layout->free_threaded) {
        for (i = 0; i < TM_COUNT_OF(free_threaded_statements) && mismatch == NULL; i++) {
            mismatch = compare(layout, runtime, runtime_bytes, &free_threaded_statements[i]);
        }
    }
    return mismatch;
}

/* obmalloc.c aligns to 16 bytes from 3.8, and from some patch release of 3.7 on (bpo-27987). */
unsigned tm_cpython_layout_alignment_bits(const struct tm_cpython_layout *layout)
{
    return layout->release < RELEASE(3, 8) ? 3 : 4;
}
