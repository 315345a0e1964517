/* SPDX-License-Identifier: MIT */
/* From an instruction to how its caller is found: nearly all frames are CFA = stack or frame pointer + a constant, with
 * the frame pointer kept or saved on the stack.  What the call frame information says so is worked out once.
 *
 *   slot   instruction ^ step     step           step   bits 0 to 2    kind
 *          (64 bits)              (64 bits)             bit 3          the caller's frame pointer was saved
 *                                                       bits 16 to 31  where, from the CFA (signed)
 *                                                       bits 32 to 63  CFA from the register (signed)
 *
 * Two threads may write one slot at the same time: the first word then does not fit the second, and the slot is as good
 * as empty.  So no lock is needed.
 * Memory   512 KiB of address space, pages as they are touched.   errno  kept.   Signals  safe. */
#ifndef TM_RUNTIME_UNWIND_STEP_CACHE_H
#define TM_RUNTIME_UNWIND_STEP_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"

enum tm_step_kind {
    TM_STEP_UNKNOWN, /* not in the cache */
    TM_STEP_BY_STACK,
    TM_STEP_BY_FRAME,
    TM_STEP_ODD, /* needs the whole rules, each time */
    TM_STEP_END, /* there is no caller, or it cannot be found */
};

#define TM_STEP_KIND        7U
#define TM_STEP_SAVES_FRAME 8U

#define TM_STEP_BITS 15

struct tm_step_slot {
    _Atomic uint64_t key;
    _Atomic uint64_t step;
};

struct tm_step_cache {
    struct tm_step_slot *slots;  /* NULL: there is no memory, nothing is kept */
    _Atomic uint32_t generation; /* what was worked out by steps is void when it changes */
};

TM_INLINE uint32_t tm_step_cache_generation(const struct tm_step_cache *cache)
{
    return atomic_load_explicit(&cache->generation, memory_order_acquire);
}

/* Voids what was worked out by the steps, which stay. */
TM_INLINE void tm_step_cache_new_generation(struct tm_step_cache *cache)
{
    atomic_fetch_add_explicit(&cache->generation, 1, memory_order_release);
}

TM_CHECKED bool tm_step_cache_begin(struct tm_step_cache *cache);

/* Forgets all: an object was unloaded, others may come to its addresses. */
void tm_step_cache_clear(struct tm_step_cache *cache);

/* Works the step at PC out, and keeps it. */
TM_COLD uint64_t tm_step_learn(struct tm_step_cache *cache, uintptr_t pc);

TM_INLINE struct tm_step_slot *tm_step_slot_of(const struct tm_step_cache *cache, uintptr_t pc)
{
    return &cache->slots[(pc * TM_HASH_MULTIPLIER) >> (64 - TM_STEP_BITS)];
}

TM_INLINE uint64_t tm_step_find(struct tm_step_cache *cache, uintptr_t pc)
{
    struct tm_step_slot *slot = tm_step_slot_of(cache, pc);
    uint64_t step = atomic_load_explicit(&slot->step, memory_order_relaxed);
    if (TM_LIKELY((atomic_load_explicit(&slot->key, memory_order_relaxed) ^ step) == pc)) {
        return step;
    }
    return tm_step_learn(cache, pc);
}

#endif
