/* SPDX-License-Identifier: MIT */
/* The stack of the last event of a thread that had let the GIL go, and the user's word on it: as stack_cache.h for those
 * under the GIL, but nothing is followed.  Where the next event finds the same frames at the same instructions nothing
 * is walked or hashed.
 *
 * Death    of code: who hears of it counts deaths, and frames are the same only while that count is.
 * Limit    likewise.
 * Threads  one owner; but for its stack nothing is said of whose it was, frames of another thread do not match.
 * Signals  kept out by the user.   errno  kept.   Errors  none. */
#ifndef TM_RUNTIME_UNWIND_LOOSE_STACK_H
#define TM_RUNTIME_UNWIND_LOOSE_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/unwind/stack_cache.h"

#define TM_LOOSE_FRAMES_MAX 48U /* longer stacks are not for this */

/* All zero: none is remembered. */
struct tm_loose_stack {
    uint32_t limit;  /* of the frames wanted; 0: none is remembered */
    uint32_t count;  /* at least 1 */
    uint32_t deaths; /* of known code until then */
    uint32_t word;   /* the user's, on blocks of SIZE */
    uint16_t size;
    bool is_whole;                                   /* there are no older frames */
    uint64_t older;                                  /* the hash of all but the newest */
    struct tm_raw_frame frames[TM_LOOSE_FRAMES_MAX]; /* the last COUNT, oldest first */
};

TM_INLINE struct tm_raw_frame *tm_loose_stack_newest(struct tm_loose_stack *stack)
{
    return &stack->frames[TM_LOOSE_FRAMES_MAX - 1];
}

/* True when TSTATE's stack is the remembered one, of LIMIT frames; so many DEATHS of known code there have been. */
TM_INLINE bool tm_loose_stack_stands(struct tm_loose_stack *stack, const struct tm_cpython_layout *row,
                                     uintptr_t tstate, uint32_t limit, uint32_t deaths)
{
    const struct tm_raw_frame *newest = tm_loose_stack_newest(stack);
    if (stack->limit != limit || TM_UNLIKELY(stack->deaths != deaths)) {
        return false;
    }
    if (tm_stack_is_another(tm_python_frame_newest(row, tstate), newest->frame)) {
        return false;
    }
    return TM_LIKELY(tm_python_word(newest->frame, row->frame_instruction) == newest->place) &&
           TM_LIKELY(tm_stack_frames_stand(newest, stack->count - 1, &stack->is_whole, row,
                                           tm_stack_form_of(row, TM_GAP_ENTRY)));
}

/* Takes in the LIMIT newest frames of TSTATE's stack that count.  False: there are none, or too many, or some count for
 * their owner only, whom nobody will ask.  Nothing is remembered yet.  Rows without tables of bytecode only. */
TM_INLINE bool tm_loose_stack_read(struct tm_loose_stack *stack, const struct tm_cpython_layout *row, uintptr_t tstate,
                                   uint32_t limit)
{
    const uint32_t most = limit < TM_LOOSE_FRAMES_MAX ? limit : TM_LOOSE_FRAMES_MAX;
    struct tm_raw_frame *at = stack->frames + TM_LOOSE_FRAMES_MAX;
    uintptr_t frame = tm_python_frame_newest(row, tstate);
    unsigned patience = TM_PYTHON_FRAMES_SKIPPED;
    uint32_t count = 0;
    stack->limit = 0;
    while (frame != 0 && count < most) {
        TM_OPAQUE(row); /* there are mostly few frames: offsets that were kept for the next would be spilled */
        TM_ASSUME(row->code_tlbc == 0 && row->chain != TM_CHAIN_OBJECT);
        const struct tm_raw_frame raw = tm_stack_read(row, frame);
        if (TM_LIKELY(raw.place != 0)) {
            if (TM_UNLIKELY(!tm_stack_counts_anywhere(row, &raw))) {
                return false;
            }
            *--at = raw;
            count++;
            patience = TM_PYTHON_FRAMES_SKIPPED;
        } else if (--patience == 0) {
            return false;
        }
        frame = tm_python_word(frame, row->frame_previous);
    }
    stack->count = count;
    stack->is_whole = frame == 0;
    return count != 0 && (stack->is_whole || most == limit);
}

#endif
