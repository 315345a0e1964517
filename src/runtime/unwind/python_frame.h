/* SPDX-License-Identifier: MIT */
/* How one frame is read: the part of the walk that is inlined into the hot path.  Use python_stack.h.
 *
 * Rules (CPython's own: PyEval_GetFrame, PyFrame_GetLineNumber, _PyFrame_IsIncomplete of each release):
 *   to 3.10   every frame object of the chain counts; its line may be kept in the frame itself while it is traced
 *   3.11      a frame counts once its code has come to the first traceable instruction, or when a generator owns it
 *   3.12      so, and the interpreter's entry frames (shims) do not count; their code is none of the program's
 *   3.14      the code pointer carries tag bits; a free-threaded build may run a copy of the bytecode */
#ifndef TM_RUNTIME_UNWIND_PYTHON_FRAME_H
#define TM_RUNTIME_UNWIND_PYTHON_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/unwind/cpython_layout.h"
#include "runtime/unwind/raw_frame.h"

/* So many frames that do not count, one after the other, are no Python stack. */
#define TM_PYTHON_FRAMES_SKIPPED 256u

TM_INLINE uintptr_t tm_python_word(uintptr_t object, unsigned offset)
{
    return *(const uintptr_t *)(object + offset);
}

TM_INLINE int32_t tm_python_int(uintptr_t object, unsigned offset)
{
    return *(const int32_t *)(object + offset);
}

/* The instructions that FRAME runs: those in its code object, or in a free-threaded build this thread's copy. */
TM_INLINE uintptr_t tm_python_frame_bytecode(const struct tm_cpython_layout *row, uintptr_t frame, uintptr_t code)
{
    if (TM_UNLIKELY(row->code_tlbc != 0)) {
        const uintptr_t copies = tm_python_word(code, row->code_tlbc);
        const int32_t index = tm_python_int(frame, row->frame_tlbc_index);
        if (copies != 0 && index > 0 && (intptr_t)index < (intptr_t)tm_python_word(copies, 0)) {
            return tm_python_word(copies, row->tlbc_entries + (unsigned)index * (unsigned)sizeof(uintptr_t));
        }
    }
    return code + row->code_bytes;
}

/* The code object that RAW runs, or what stands there in its place. */
TM_INLINE uintptr_t tm_python_raw_code(const struct tm_cpython_layout *row, const struct tm_raw_frame *raw)
{
    return row->chain == TM_CHAIN_OBJECT ? raw->place
                                         : tm_python_word(raw->frame, row->frame_code) & ~row->frame_code_mask;
}

/* f_lasti, or -2 - line where the frame itself keeps its line. */
TM_INLINE int32_t tm_python_frame_offset(const struct tm_cpython_layout *row, uintptr_t frame)
{
    int32_t line;
    if (row->line_rule == TM_LINE_WHEN_TRACED) {
        if (TM_LIKELY(tm_python_word(frame, row->frame_trace) == 0)) {
            return tm_python_int(frame, row->frame_instruction);
        }
        line = tm_python_int(frame, row->frame_lineno);
    } else {
        line = tm_python_int(frame, row->frame_lineno);
        if (TM_LIKELY(line == 0)) {
            return tm_python_int(frame, row->frame_instruction);
        }
    }
    if (line < 0) {
        line = 0;
    }
    return line < INT32_MAX ? -2 - line : INT32_MIN;
}

TM_INLINE unsigned tm_python_frames_read_objects(const struct tm_cpython_layout *row, uintptr_t frame,
                                                 struct tm_raw_frame *frames, unsigned limit)
{
    unsigned count = 0;
    while (frame != 0 && count < limit) {
        frames[count].frame = frame;
        frames[count].place = tm_python_word(frame, row->frame_code);
        frames[count].offset = tm_python_frame_offset(row, frame);
        frames[count].kind = 0;
        count++;
        frame = tm_python_word(frame, row->frame_previous);
    }
    return count;
}

/* The address of FRAME's instruction, inside its code object; 0 when the frame does not count. */
TM_INLINE uintptr_t tm_python_frame_place(const struct tm_cpython_layout *row, uintptr_t frame)
{
    const int8_t owner = *(const int8_t *)(frame + row->frame_owner);
    uintptr_t code, place, bytecode;
    if (owner >= row->owner_shim) {
        return 0;
    }
    code = tm_python_word(frame, row->frame_code) & ~row->frame_code_mask;
    if (TM_UNLIKELY(code == 0)) {
        return 0;
    }
    place = tm_python_word(frame, row->frame_instruction);
    bytecode = tm_python_frame_bytecode(row, frame, code);
    if (owner != row->owner_generator &&
        (intptr_t)(place - bytecode) < 2 * (intptr_t)tm_python_int(code, row->code_firsttraceable)) {
        return 0;
    }
    return row->code_tlbc == 0 ? place : code + row->code_bytes + (place - bytecode);
}

TM_INLINE unsigned tm_python_frames_read_interpreter(const struct tm_cpython_layout *row, uintptr_t frame,
                                                     struct tm_raw_frame *frames, unsigned limit)
{
    unsigned count = 0;
    unsigned patience = TM_PYTHON_FRAMES_SKIPPED;
    while (frame != 0 && count < limit) {
        const uintptr_t place = tm_python_frame_place(row, frame);
        if (TM_LIKELY(place != 0)) {
            frames[count].frame = frame;
            frames[count].place = place;
            frames[count].offset = 0;
            frames[count].kind = 0;
            count++;
            patience = TM_PYTHON_FRAMES_SKIPPED;
        } else if (--patience == 0) {
            break;
        }
        frame = tm_python_word(frame, row->frame_previous);
    }
    return count;
}

/* Newest frame of TSTATE, which is not 0; it may be one that does not count. */
TM_INLINE uintptr_t tm_python_frame_newest(const struct tm_cpython_layout *row, uintptr_t tstate)
{
    if (row->chain == TM_CHAIN_CFRAME) {
        const uintptr_t cframe = tm_python_word(tstate, row->tstate_cframe);
        return TM_LIKELY(cframe != 0) ? tm_python_word(cframe, row->cframe_current) : 0;
    }
    return tm_python_word(tstate, row->tstate_frame);
}

TM_INLINE unsigned tm_python_frames_read(const struct tm_cpython_layout *row, uintptr_t tstate,
                                         struct tm_raw_frame *frames, unsigned limit)
{
    uintptr_t frame;
    if (TM_UNLIKELY(tstate == 0)) {
        return 0;
    }
    frame = tm_python_frame_newest(row, tstate);
    if (row->chain == TM_CHAIN_OBJECT) {
        return tm_python_frames_read_objects(row, frame, frames, limit);
    }
    return tm_python_frames_read_interpreter(row, frame, frames, limit);
}

#endif
