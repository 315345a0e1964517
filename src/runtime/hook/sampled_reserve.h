/* SPDX-License-Identifier: MIT */
/* A few blocks for small objects that are sampled, asked for early and used again and again.
 *
 * A sampled small block comes from the raw domain (sampled_hooks.h), so from malloc.  Asked for when it is needed it
 * would lie among the program's large blocks and outlive them: a growing list beside it has to be moved, and the end of
 * the heap cannot be given back.  These lie together, where the heap was when sampling began.
 *
 * Each is a block of the allocator behind the raw domain's hook, and of no other kind: whoever has one may free or move
 * it past us, at any time, and the reserve only has one less.  None is ever split, and none is freed by us.
 * Threads  any; whoever finds another in here gets none, and keeps what it would give.   Signals  safe, likewise.
 * Fork     a child whose parent had a thread in here does without.   errno  kept by give; take may ask malloc.
 * Memory   TM_SAMPLED_RESERVE blocks, as long as the process lives. */
#ifndef TM_RUNTIME_HOOK_SAMPLED_RESERVE_H
#define TM_RUNTIME_HOOK_SAMPLED_RESERVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/track/counting.h"
#include "runtime/unwind/cpython_runtime.h"

#define TM_SAMPLED_RESERVE 128U

/* A block of SIZE bytes, the same in all calls, of the allocator REAL; NULL: there is none left.  The first call asks
 * REAL for all of them.  The caller owns it. */
void *tm_sampled_reserve_take(const struct tm_cpython_allocator *real, size_t size);

/* Where they lie. */
struct tm_sampled_range {
    _Atomic uint64_t low;
    _Atomic uint64_t size; /* bytes; 0: there are none yet */
};
extern TM_HIDDEN struct tm_sampled_range tm_sampled_range;

/* False: BLOCK is none of them.  Others may lie between them, where the heap had holes. */
TM_INLINE bool tm_sampled_reserve_may_have(const void *block)
{
    return (uintptr_t)block - tm_word_peek(&tm_sampled_range.low) < tm_word_peek(&tm_sampled_range.size);
}

/* BLOCK, which the caller owns, may be given back. */
bool tm_sampled_reserve_has(const struct tm_cpython_allocator *real, const void *block);

/* Takes BLOCK back, which is free now.  False: it is none that REAL answered here, or not now; the caller frees it. */
bool tm_sampled_reserve_give(const struct tm_cpython_allocator *real, void *block);

#endif
