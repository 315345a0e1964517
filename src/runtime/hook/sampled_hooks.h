/* SPDX-License-Identifier: MIT */
/* CPython's doors while sampling: hooks of their own, so that those that record everything pay nothing for it.
 * sampled_ways.h is what each does, sampled_small_hooks.c the quick ways over CPython's own allocator of small blocks,
 * sampled_raw_hooks.c the raw domain's doors, and sampled_raised.h what they share.
 *
 * Over CPython's own allocator of small blocks a small allocation that is not sampled costs a subtraction and two
 * branches, and no guard goes up: that allocator calls no other door for one.  Everything else, realloc too, raises the
 * guard, so that the doors behind do not count the same bytes again.  Where one GIL holds for all of them (before 3.12)
 * they have one count, and need neither look at the size nor raise the guard: see struct tm_sampler_held.
 *
 * There a sampled block is asked for with one byte more than the allocator serves by itself, so that it passes the
 * request on to the raw domain, and the block's free as well.  Then the domain's own free needs no hook: a block that
 * was not sampled is freed as if nobody traced.  The first sampled block proves that the allocator does so (mimalloc,
 * in free-threaded builds, does not: its frees stay hooked).  From then on the raw domain's hook serves sampled blocks
 * from a reserve (sampled_reserve.h), takes them back at their free, and moves them out where they are resized, so that
 * the program's own blocks lie where they would.  While another layer stands in between, all are plain blocks of raw. */
#ifndef TM_RUNTIME_HOOK_SAMPLED_HOOKS_H
#define TM_RUNTIME_HOOK_SAMPLED_HOOKS_H

#include <stdbool.h>

#include "runtime/unwind/cpython_runtime.h"

/* The functions of a domain; the context (a struct tm_python_hook) is for the caller to fill in. */
struct tm_cpython_allocator tm_sampled_hooks(unsigned domain, bool over_debug, bool is_quick);

bool tm_sampled_hooks_are(const struct tm_cpython_allocator *allocator);

/* The free of a hook over CPython's allocator of small blocks may be that allocator's own, which looks at no
 * context. */
bool tm_sampled_hooks_hear_raw_only(void);

/* No arena of CPython's allocator of small blocks holds a known block: each of them came from the raw domain. */
bool tm_sampled_hooks_spare_arenas(void);

/* Large blocks are asked of raw with the guard down, whose hook knows them. */
bool tm_sampled_hooks_are_held(void);

/* Which calls may go the quick way, which looks for nothing rare: none, those for small blocks, or all; and the raw
 * domain's hook hears what these ask of it as they ask it. */
enum tm_sampled_quick { TM_SAMPLED_LOOKS, TM_SAMPLED_LOOKS_AT_LARGE, TM_SAMPLED_QUICK, TM_SAMPLED_QUICK_TO_RAW };
void tm_sampled_hooks_set_quick(enum tm_sampled_quick now);

#endif
