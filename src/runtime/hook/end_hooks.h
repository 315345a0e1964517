/* SPDX-License-Identifier: MIT */
/* The doors of mem and obj while the end of the interpreter is told by its own flag alone: where SIGINT is not Python's
 * (what a shell's script starts with "&", as entry points of containers do).  Each asks the flag and goes on to the
 * hook's usual function, so that no other process pays for the question, and this one no more than that.  A free does
 * not ask.
 *
 * Threads  as the usual functions.   Signals  safe.   errno  kept. */
#ifndef TM_RUNTIME_HOOK_END_HOOKS_H
#define TM_RUNTIME_HOOK_END_HOOKS_H

#include <stdbool.h>

#include "runtime/unwind/cpython_runtime.h"

/* Puts them in the place of those of ALLOCATOR, of DOMAIN (mem or obj), whose context is a hook that has them as its
 * usual ones. */
void tm_end_hooks_stand_before(struct tm_cpython_allocator *allocator, unsigned domain);

/* ALLOCATOR's functions are these. */
bool tm_end_hooks_are(const struct tm_cpython_allocator *allocator);

#endif
