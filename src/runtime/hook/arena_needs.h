/* SPDX-License-Identifier: MIT */
/* What CPython's own allocator of small blocks asks of the raw domain for itself: its table of arenas, and from 3.10 on
 * the nodes of the tree in which it looks arenas up (384 KiB for each interpreter from 3.12 on).  They are a part of the
 * small block that it makes, not blocks of the program.
 *
 * Where every call is recorded the hooks of small blocks leave a mark for raw's (tm_door_small_comes).  Sampling, they
 * leave none, since most of them would not be sampled: raw's hook finds out for the few blocks that are.  All these
 * calls come from the function that makes an arena, which is known from the call that made one before.  So the table of
 * the first arena, of 768 bytes, is a block as others.
 *
 * Threads  any.   Signals  safe.   errno  kept. */
#ifndef TM_RUNTIME_HOOK_ARENA_NEEDS_H
#define TM_RUNTIME_HOOK_ARENA_NEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/os/thread_state.h"

/* ADDRESS is a function of the interpreter.  Calls dl_iterate_phdr. */
void tm_arena_needs_begin(uintptr_t address);

/* The interpreter may be unloaded. */
void tm_arena_needs_forget(void);

/* Somebody asks for an arena of SIZE bytes, and goes on at CALLER. */
void tm_arena_needs_learn(uintptr_t caller, size_t size);

/* The call of raw's hook that asks this is of that kind.  The guard is down. */
TM_CHECKED bool tm_arena_needs_raw(struct tm_thread *thread);

#endif
