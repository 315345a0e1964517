/* SPDX-License-Identifier: MIT */
/* The doors of CPython: our hooks on its allocator domains raw, mem and obj (PEP 445, 3.6 and later).
 *
 * Installed for ever.  CPython saves and puts back allocators, so an older hook of ours may come back at any time:
 * what a hook knows of the allocator behind it (struct tm_python_hook) is never changed and never freed.
 * The tracemalloc module allocates its own tables in the raw domain: our hooks lie above it, so that neither its tables
 * nor its reading of frames is charged to the program; an older hook of ours below it then gets only what the module
 * allocates for itself.
 *
 * Threads  install: one at a time, others return at once.   errno  kept. */
#ifndef TM_RUNTIME_HOOK_PYTHON_HOOKS_H
#define TM_RUNTIME_HOOK_PYTHON_HOOKS_H

#include <stdbool.h>

#include "base/compiler.h"

/* Once the interpreter is known: looks up where CPython keeps its hooks.  False: it has none (2.7). */
bool tm_python_hooks_begin(void);

/* The library was unloaded before any hook was called. */
void tm_python_hooks_forget(void);

/* Puts our hooks on top of the domains in which they are not.  No other thread may be changing the allocators. */
void tm_python_hooks_ensure(void);

/* At a snapshot: counts the domains that are lost and notes them (tm_runtime_note_hooks). */
void tm_python_hooks_check(void);

/* True: every call of a hook asks tm_python_hooks_look for its rare conditions (see moments.h); false: the usual
 * way. */
void tm_python_hooks_set_careful(bool careful);

/* Careful from now on only for the interpreter's end, where SIGINT is not Python's to tell it: the hooks of end_hooks.h
 * do that from the next call of mem or obj on.  Where they cannot, each call asks. */
void tm_python_hooks_await_end(void);

/* SIGINT has become Python's: it will tell the end.  By a thread that holds the GIL. */
void tm_python_hooks_end_is_told(void);

/* Likewise for the end of the interpreter's start.  Nothing begins with that, so raw and larger blocks are often enough
 * to look, and sampled small ones go the quick way. */
void tm_python_hooks_await_start(void);

/* Sampling, at a block that is to be recorded: the raw domain may be another's by now, who calls no hook of ours and asks
 * libc for what mem and obj ask of it.  Then their hooks raise the guard again.  True: that was just found out, and the
 * last large block of mem or obj is under way.  Any thread; errno kept. */
bool tm_python_hooks_lose_raw(void);

/* Sampling: tm_sampled_hooks has other functions for small blocks now, and their frees need no hook any more: see
 * sampled_hooks.h.  By a thread that holds the GIL. */
void tm_python_hooks_renew_small(void);

#endif
