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

/* ALLOCATOR, of DOMAIN (mem or obj), has a hook of ours as its context: puts these in the place of the hook's usual
 * functions, and the usual ones in the place of these.  What else is there stays: a program may have put functions of
 * its own before ours, with our context. */
void tm_end_hooks_stand_before(struct tm_cpython_allocator *allocator, unsigned domain);
void tm_end_hooks_step_aside(struct tm_cpython_allocator *allocator, unsigned domain);

/* ALLOCATOR's functions are these. */
bool tm_end_hooks_are(const struct tm_cpython_allocator *allocator);

#endif
