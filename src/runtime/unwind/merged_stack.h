/* SPDX-License-Identifier: MIT */
/* One stack from both: the Python frames that a call of the evaluation loop runs stand in the place of its machine
 * frame.
 *
 * Which machine frame that is
 *   3.10 and later  the one that owns the interpreter's record of the call, which lies on the C stack: 3.10 and 3.11
 *                   the CFrame (one Python frame each in 3.10; in 3.11 back to the frame marked as the entry), from
 *                   3.12 on the shim frame at the bottom of the call's Python frames
 *   before          the one whose instruction is in the evaluation function; each is one Python frame
 * So nothing has to be known of the function where compilers cut it in pieces, as they do from 3.10 on.
 * Threads  the calling thread's own frames.   Signals  safe.   errno  kept.   Errors  none. */
#ifndef TM_RUNTIME_UNWIND_MERGED_STACK_H
#define TM_RUNTIME_UNWIND_MERGED_STACK_H

#include "runtime/unwind/cpython_runtime.h"
#include "runtime/unwind/eval_code.h"
#include "runtime/unwind/native_stack.h"
#include "runtime/unwind/raw_frame.h"

/* What the two stacks are. */
struct tm_two_stacks {
    const struct tm_cpython_layout *row; /* NULL: there are no Python frames */
    uintptr_t tstate;
    struct tm_eval_code code;             /* before 3.10 */
    const struct tm_native_frame *native; /* most recent first */
    unsigned native_count;
    uintptr_t native_end; /* where the oldest of them ends on the stack; UINTPTR_MAX: there are no older ones */
    const struct tm_raw_frame *python; /* most recent first */
    unsigned python_count;
    bool python_is_cut; /* older ones may have been left out: what called the oldest of them is not wanted then */
};

/* Writes at most LIMIT frames of both, most recent first; returns their number.  *IS_MERGED is false where Python's
 * frames could not all be placed: those that were not stand behind the machine frames. */
unsigned tm_stacks_merge(const struct tm_two_stacks *stacks, struct tm_raw_frame *merged, unsigned limit,
                         bool *is_merged);

#endif
