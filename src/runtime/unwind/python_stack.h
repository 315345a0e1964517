/* SPDX-License-Identifier: MIT */
/* Python frames of the calling thread, read as memory: no call into CPython, no allocation, no lock.
 *
 * Threads  only the thread that owns TSTATE may call; its frames change by its own running only, so this needs
 *          no GIL.
 * Signals  a handler that interrupts the interpreter between two stores may see a stack one frame short; never an
 *          unmapped address.
 * Errors   none: a chain that cannot be followed ends early. */
#ifndef TM_RUNTIME_UNWIND_PYTHON_STACK_H
#define TM_RUNTIME_UNWIND_PYTHON_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/unwind/cpython_layout.h"
#include "runtime/unwind/python_code.h"
#include "runtime/unwind/python_frame.h"
#include "runtime/unwind/python_text.h"
#include "runtime/unwind/raw_frame.h"

/* Writes at most LIMIT frames of the thread that TSTATE belongs to into FRAMES, most recent first; returns their
 * number.  LAYOUT is the row of this interpreter.  TSTATE may be 0 (no frames). */
unsigned tm_python_stack_walk(const struct tm_cpython_layout *layout, uintptr_t tstate, struct tm_raw_frame *frames,
                              unsigned limit);

/* The same with limit 1, inline: for the default traceback limit. */
TM_INLINE unsigned tm_python_stack_top(const struct tm_cpython_layout *layout, uintptr_t tstate,
                                       struct tm_raw_frame *frame)
{
    return tm_python_frames_read(layout, tstate, frame, 1);
}

#endif
