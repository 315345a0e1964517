/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/python_stack.h"

unsigned tm_python_stack_walk(const struct tm_cpython_layout *layout, uintptr_t tstate, struct tm_raw_frame *frames,
                              unsigned limit)
{
    /* A copy that nothing else can point to: its fields stay in registers through the loop, although what is written
     * to FRAMES might for all the compiler knows be the row. */
    const struct tm_cpython_layout row = *layout;
    return tm_python_frames_read(&row, tstate, frames, limit);
}
