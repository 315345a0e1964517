/* SPDX-License-Identifier: MIT */
/* One running Python frame, as read from memory before anything is resolved. */
#ifndef TM_RUNTIME_UNWIND_RAW_FRAME_H
#define TM_RUNTIME_UNWIND_RAW_FRAME_H

#include <stdint.h>

/* A machine frame in the place of a Python frame: see native_stack.h.  PLACE is its instruction; FRAME and OFFSET are
 * 0. */
#define TM_RAW_NATIVE 1U

/* PLACE and OFFSET together identify an instruction of a code object for as long as that code object lives. */
struct tm_raw_frame {
    uintptr_t frame; /* address of the interpreter's frame structure: for comparing, and for resolving while it runs */
    uintptr_t place; /* 3.11 and later: address of the instruction (inside the code object); before: the code object */
    int32_t offset;  /* 3.11 and later: 0; before: f_lasti (-1 or more), or -2 - line where a trace function has
                          set f_lineno (see python_stack.h) */
    uint32_t kind;   /* 0, or TM_RAW_NATIVE */
};

#endif
