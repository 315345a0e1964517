/* SPDX-License-Identifier: MIT */
/* Where each release of CPython keeps what a frame is made of.
 *
 * One row per release and build kind, no default row: an unknown release has none, and its frames are not read.
 * Offsets are bytes from the start of the structure; 0 where the release has no such field (no field used here has
 * offset 0 except where said).  x86-64 and every other LP64 platform; Py_TRACE_REFS builds are not covered.
 *
 * Source   the public and internal headers of each release, as tests/frames/abi_probe.c compiles them, and
 *          _Py_DebugOffsets (3.13 and later), which tm_cpython_find compares with the row.
 * Threads  rows are constant; a process works on its own copy, see struct tm_cpython. */
#ifndef TM_RUNTIME_UNWIND_CPYTHON_LAYOUT_H
#define TM_RUNTIME_UNWIND_CPYTHON_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the newest frame is reached from the thread state, and what a frame is. */
enum tm_frame_chain {
    TM_CHAIN_OBJECT,      /* 2.7 to 3.10: tstate -> frame object -> f_back */
    TM_CHAIN_CFRAME,      /* 3.11, 3.12: tstate -> cframe -> interpreter frame -> previous */
    TM_CHAIN_INTERPRETER, /* 3.13 and later: tstate -> interpreter frame -> previous */
};

/* What the frame says about its instruction. */
enum tm_frame_instruction {
    TM_INSTRUCTION_BYTES,   /* int: bytes from the start of the code; -1 before the first */
    TM_INSTRUCTION_UNITS,   /* int: code units of two bytes */
    TM_INSTRUCTION_ADDRESS, /* pointer into the code object */
};

/* When the frame's own f_lineno, not the table, is the line (PyFrame_GetLineNumber of the release). */
enum tm_frame_line_rule {
    TM_LINE_FROM_TABLE,
    TM_LINE_WHEN_TRACED,  /* when f_trace is set */
    TM_LINE_WHEN_NONZERO, /* when f_lineno is not 0 */
};

/* How the code object encodes its lines, see line_table.h. */
enum tm_line_encoding {
    TM_LINES_UNSIGNED,  /* 2.7: co_lnotab with unsigned line steps */
    TM_LINES_SIGNED,    /* 3.6 to 3.9: co_lnotab with signed line steps */
    TM_LINES_RANGES,    /* 3.10: co_linetable of ranges (PEP 626) */
    TM_LINES_LOCATIONS, /* 3.11 and later: co_linetable of locations (PEP 657) */
};

struct tm_cpython_layout {
    uint16_t release; /* major << 8 | minor */
    bool free_threaded;
    enum tm_frame_chain chain;
    enum tm_frame_instruction instruction;
    enum tm_frame_line_rule line_rule;
    enum tm_line_encoding lines;
    bool text_is_bytes; /* names are byte strings (2.7) */

    /* Thread state. */
    bool tstate_current_is_own; /* the unchecked getter speaks of the calling thread (3.12 and later), not of the holder
                                   of the GIL */
    uint16_t tstate_interp;
    uint16_t tstate_frame;     /* newest frame; TM_CHAIN_CFRAME: none, see tstate_cframe */
    uint16_t tstate_cframe;    /* 3.10 to 3.12: newest C frame record, on the C stack except for the oldest */
    uint16_t tstate_thread_id; /* unsigned long: pthread_self() */
    uint16_t cframe_current;   /* interpreter frame; may be at 0 */
    uint16_t cframe_previous;
    uint16_t tstate_event; /* int: what a trace function is being told; 0: no watermark with this row */
    int8_t event_none;     /* its value while no trace function runs that may set f_lineno */

    /* Frame. */
    uint16_t frame_previous;
    uint16_t frame_code; /* code object, 3.14 and later: executable with tag bits; may be at 0 */
    uint16_t frame_instruction;
    uint16_t frame_lineno;     /* int */
    uint16_t frame_trace;      /* object or NULL */
    uint16_t frame_owner;      /* signed byte, 3.11 and later */
    uint16_t frame_is_entry;   /* bool, 3.11 */
    uint16_t frame_stacktop;   /* int, 3.11 to 3.13 with a GIL: -1 while the frame executes, see watermark.h; 0: none */
    uint16_t frame_tlbc_index; /* int32, free-threaded 3.14 and later: which copy of the bytecode runs */
    uintptr_t frame_code_mask; /* tag bits to clear */
    int8_t owner_generator;    /* frame lives in a generator: complete from its first instruction */
    int8_t owner_shim;         /* this owner and higher ones are the interpreter's own entry frames; 127: none */

    /* Code object. */
    uint16_t code_size; /* bytes of the fixed part */
    uint16_t code_filename;
    uint16_t code_name;
    uint16_t code_qualname;
    uint16_t code_firstlineno;    /* int */
    uint16_t code_lines;          /* bytes object */
    uint16_t code_firsttraceable; /* int, code units: a frame before it is not complete yet */
    uint16_t code_bytes;          /* the instructions themselves */
    uint16_t code_tlbc;           /* array of copies of the bytecode */
    uint16_t tlbc_entries;        /* first pointer in that array */

    /* Objects. */
    uint16_t object_type;
    uint16_t type_flags; /* unsigned long */
    uint16_t bytes_size;
    uint16_t bytes_data;
    uint16_t str_length;
    uint16_t str_state; /* 32 bits: kind, compact, ascii */
    uint16_t str_ascii_data;
    uint16_t str_compact_data; /* also the place of the data pointer of a str that is not compact */
    uint8_t str_kind_shift;    /* three bits: 1, 2 or 4 bytes per character */
    uint8_t str_compact_shift;
    uint8_t str_ascii_shift;

    /* What leaves a free list, and the stdlib's tracer with it. */
    bool recycled_by_new_reference; /* 3.9 to 3.12: passes _Py_NewReference, where the library exports it */
    bool recycled_by_flag;          /* 3.8 to 3.12: looks at the flag that says that the stdlib's tracer traces */

    /* What stands before an object in its allocator's block. */
    uint8_t gc_head;   /* bytes, when the type has Py_TPFLAGS_HAVE_GC */
    uint8_t preheader; /* bytes, when the type has one of preheader_flags */
    uint32_t preheader_flags;
    bool preheader_overlooked; /* 3.11: the stdlib's tracer looks behind it for a born object's block, and finds none */

    /* Addresses of this process's types, filled in by tm_cpython_find; 0 in the table. */
    uintptr_t code_type;
    uintptr_t frame_type;
    uintptr_t text_type; /* str; 2.7: bytes */
    uintptr_t bytes_type;
};

/* The row of a release (major << 8 | minor) and build kind, or NULL.  Debug builds have no row of their own: their
 * fields lie where those of release builds do. */
const struct tm_cpython_layout *tm_cpython_layout_find(unsigned release, bool free_threaded);

/* All rows, oldest release first; *COUNT is set. */
const struct tm_cpython_layout *tm_cpython_layout_rows(unsigned *count);

/* Compares LAYOUT with the table of offsets at the head of _PyRuntime (3.13 and later).  RUNTIME_BYTES bytes at
 * RUNTIME are readable.  NULL: they agree; else a static text that says what does not. */
const char *tm_cpython_layout_compare(const struct tm_cpython_layout *layout, const void *runtime,
                                      size_t runtime_bytes);

/* True where releases of this row carry that table. */
bool tm_cpython_layout_has_offsets(const struct tm_cpython_layout *layout);

/* log2 of what CPython's own allocator aligns its blocks to. */
unsigned tm_cpython_layout_alignment_bits(const struct tm_cpython_layout *layout);

/* Bytes between the start of the allocator's block and an object whose type has FLAGS (tp_flags). */
static inline size_t tm_python_presize(const struct tm_cpython_layout *layout, unsigned long flags)
{
    enum { HAVE_GC = 1UL << 14 };
    return ((flags & HAVE_GC) ? layout->gc_head : 0U) + ((flags & layout->preheader_flags) ? layout->preheader : 0U);
}

/* Start of the allocator's block in which the living object at OBJECT lies.  Reads its type. */
static inline uintptr_t tm_python_block_of(const struct tm_cpython_layout *layout, uintptr_t object)
{
    const uintptr_t type = *(const uintptr_t *)(object + layout->object_type);
    return object - tm_python_presize(layout, *(const unsigned long *)(type + layout->type_flags));
}

/* The block whose trace the stdlib's tracer renews when the object at OBJECT is born again, 0 if it renews none
 * (_PyTraceMalloc_NewReference in Modules/_tracemalloc.c; 3.11 knew nothing of preheaders yet).  Reads its type. */
static inline uintptr_t tm_python_born_block(const struct tm_cpython_layout *layout, uintptr_t object)
{
    const uintptr_t type = *(const uintptr_t *)(object + layout->object_type);
    const unsigned long flags = *(const unsigned long *)(type + layout->type_flags);
    if (layout->preheader_overlooked && (flags & layout->preheader_flags)) {
        return 0;
    }
    return object - tm_python_presize(layout, flags);
}

#endif
