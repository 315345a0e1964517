/* SPDX-License-Identifier: MIT */
/* Is this still the stack that was walked last?  Most events of a loop happen on the same stack, or on one that
 * differs in its newest frame.
 *
 * Asking is cheaper than walking: the addresses to look at are known beforehand, so the loads of all frames run at
 * once instead of one after the other.  A remembered address is read only after the frame before it was seen to point
 * there, so nothing is read that is no longer a frame. */
#ifndef TM_RUNTIME_UNWIND_STACK_RECALL_H
#define TM_RUNTIME_UNWIND_STACK_RECALL_H

#include "runtime/unwind/python_frame.h"

/* Hides that A equals what it was compared with, so that the next load needs not wait for the comparison's other side. */
#define TM_RECALL_OPAQUE(a) __asm__("" : "+r"(a))

TM_INLINE bool tm_frame_is_unchanged(const struct tm_cpython_layout *row, const struct tm_raw_frame *frame)
{
    if (row->chain == TM_CHAIN_OBJECT) {
        return tm_python_word(frame->frame, row->frame_code) == frame->place &&
               tm_python_frame_offset(row, frame->frame) == frame->offset;
    }
    /* An instruction's address is unique while its code object lives, and it was past the first traceable one. */
    return TM_LIKELY(row->code_tlbc == 0) ? tm_python_word(frame->frame, row->frame_instruction) == frame->place
                                          : tm_python_frame_place(row, frame->frame) == frame->place;
}

/* The first frame from FRAME on that counts; 0: none. */
TM_INLINE uintptr_t tm_recall_skip(const struct tm_cpython_layout *row, uintptr_t frame)
{
    unsigned patience = TM_PYTHON_FRAMES_SKIPPED;
    while (frame != 0 && row->chain != TM_CHAIN_OBJECT && tm_python_frame_place(row, frame) == 0) {
        frame = --patience == 0 ? 0 : tm_python_word(frame, row->frame_previous);
    }
    return frame;
}

/* True when a walk of TSTATE's stack, at most LIMIT frames, would give exactly the COUNT frames at FRAMES. */
TM_INLINE bool tm_python_stack_is(const struct tm_cpython_layout *row, uintptr_t tstate,
                                  const struct tm_raw_frame *frames, unsigned count, unsigned limit)
{
    uintptr_t frame = tm_python_frame_newest(row, tstate);
    for (unsigned i = 0; i < count; i++) {
        uintptr_t wanted = frames[i].frame;
        if (TM_UNLIKELY(frame != wanted) && tm_recall_skip(row, frame) != wanted) {
            return false;
        }
        TM_RECALL_OPAQUE(wanted);
        if (!tm_frame_is_unchanged(row, &frames[i])) {
            return false;
        }
        frame = tm_python_word(wanted, row->frame_previous);
    }
    return count == limit || tm_recall_skip(row, frame) == 0;
}

#endif
