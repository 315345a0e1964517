/* SPDX-License-Identifier: MIT */
/* The doors of mem and obj over CPython's own allocator of small blocks, while sampling: see the head of sampled_hooks.h.
 *
 * Threads, signals, errno  as in sampled_ways.h. */
#ifndef TM_RUNTIME_HOOK_SAMPLED_SMALL_HOOKS_H
#define TM_RUNTIME_HOOK_SAMPLED_SMALL_HOOKS_H

#include "base/compiler.h"
#include "runtime/hook/python_doors.h"

/* The functions by domain (raw: none); the context is for who installs them to fill in.  Each thread counts for itself,
 * or who holds the one GIL for all (tm_sampled_may_be_held). */
extern TM_HIDDEN const struct tm_cpython_allocator tm_sampled_small_hooks[TM_PYTHON_DOMAINS];
extern TM_HIDDEN const struct tm_cpython_allocator tm_sampled_held_hooks[TM_PYTHON_DOMAINS];

#endif
