/* SPDX-License-Identifier: MIT */
/* Who makes or frees a block at libc's doors, where nothing is rare: for events in one piece.
 *
 * Threads  any.   Signals  the guard is up, for asking may call malloc.   errno  kept.   Errors  none. */
#ifndef TM_RUNTIME_TRACK_MAKER_H
#define TM_RUNTIME_TRACK_MAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/unwind/cpython_runtime.h"

/* The state of the calling thread, and whether it holds the GIL of the main interpreter. */
struct tm_maker {
    uintptr_t tstate; /* 0: it has none, or holds the GIL of another interpreter */
    bool is_held;
};

/* PYTHON's getter is a place, and it has this_thread. */
TM_INLINE struct tm_maker tm_maker_find(const struct tm_cpython *python)
{
    const uintptr_t current = tm_cpython_getter_peek(&python->current);
    if (python->row.tstate_current_is_own && current != 0) {
        return (struct tm_maker){tm_cpython_is_main(python, current) ? current : 0, true};
    }
    const uintptr_t own = python->this_thread();
    return (struct tm_maker){own, own == current};
}

#endif
