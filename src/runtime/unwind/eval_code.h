/* SPDX-License-Identifier: MIT */
/* Where the code of the interpreter's evaluation function lies, for releases before 3.10, whose calls leave no record
 * on the machine stack.
 *
 * The exported symbol covers the function from its start on.  What a compiler thinks is seldom run it may put elsewhere
 * (function.cold, which in a stripped file has no name): such a part is jumped into with the frame already built, and
 * its own call frame information begins with that frame, which no function's does.
 * Threads  all; no state.   Signals  not needed.   errno  kept.   Errors  a part that is not found counts as other
 * code. */
#ifndef TM_RUNTIME_UNWIND_EVAL_CODE_H
#define TM_RUNTIME_UNWIND_EVAL_CODE_H

#include "runtime/unwind/cpython_runtime.h"

#define TM_EVAL_PARTS 4U /* gcc and clang make one beside the function itself */

struct tm_eval_part {
    uintptr_t low; /* 0: none, and none behind it */
    uintptr_t high;
};

struct tm_eval_code {
    struct tm_eval_part parts[TM_EVAL_PARTS];
};

/* Finds it.  Once the interpreter is known; nothing where no range is needed. */
struct tm_eval_code tm_eval_code_find(const struct tm_cpython *python);

/* The parts of the function that begins at LOW, whose symbol has SIZE bytes. */
struct tm_eval_code tm_eval_code_of(uintptr_t low, size_t size);

TM_INLINE bool tm_eval_code_has(const struct tm_eval_code *code, uintptr_t pc)
{
    for (unsigned i = 0; i < TM_EVAL_PARTS && code->parts[i].low != 0; i++) {
        if (pc - code->parts[i].low < code->parts[i].high - code->parts[i].low) {
            return true;
        }
    }
    return false;
}

#endif
