/* SPDX-License-Identifier: MIT */
/* The door through which CPython's small-block allocator gets its arenas (PyObject_SetArenaAllocator, 3.4 and later).
 *
 * Only counts: an arena is no block and in no figure of traced memory.  Like the other hooks of CPython it is never
 * removed, and what a hook knows of the allocator behind it is never changed.
 * Threads  ensure: one at a time (the caller's lock).   errno  kept. */
#ifndef TM_RUNTIME_HOOK_ARENA_HOOKS_H
#define TM_RUNTIME_HOOK_ARENA_HOOKS_H

#include "runtime/unwind/cpython_runtime.h"

/* Puts our hook on top unless it is there. */
void tm_arena_hooks_ensure(const struct tm_cpython *python);

#endif
