/* SPDX-License-Identifier: MIT */
/* Sampled small blocks of mem and obj that were asked for with more bytes than CPython's own allocator of small blocks
 * serves: what all hooks while sampling know of them.  Nobody else includes it; see sampled_hooks.h.
 *
 * Threads  written under the GIL.   Signals  safe.   errno  kept. */
#ifndef TM_RUNTIME_HOOK_SAMPLED_RAISED_H
#define TM_RUNTIME_HOOK_SAMPLED_RAISED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/hook/door.h"
#include "runtime/os/thread_state.h"
#include "runtime/track/runtime_state.h"

/* What lies behind a hook, and for CPython's own allocator of small blocks: who counts. */
enum tm_sampled_kind {
    TM_SAMPLED_GENERAL,
    TM_SAMPLED_OVER_DEBUG,
    TM_SAMPLED_OVER_SMALL, /* each thread for itself */
    TM_SAMPLED_HELD,       /* who holds the one GIL, for all: tm_sampler_held */
    TM_SAMPLED_KINDS
};

TM_INLINE bool tm_sampled_is_over_small(enum tm_sampled_kind kind)
{
    return kind == TM_SAMPLED_OVER_SMALL || kind == TM_SAMPLED_HELD;
}

/* Bytes to ask for a sampled small block where CPython's allocator of small blocks is behind. */
#define TM_RAISED_SIZE (TM_SMALL_SIZE_MAX + 1U)

/* Whether CPython's allocator of small blocks passes on the free of a block that is too large for it: see the head of
 * sampled_hooks.h. */
enum tm_sampled_passing { TM_PASSING_UNTRIED, TM_PASSING_PROVEN, TM_PASSING_REFUTED };
extern TM_HIDDEN enum tm_sampled_passing tm_sampled_passing;

/* A small block was sampled that was asked for as it is. */
extern TM_HIDDEN bool tm_sampled_some_are_small;

/* Blocks up to this may go the quick way; 0: none (and those of 0 bytes, never sampled). */
extern TM_HIDDEN size_t tm_sampled_quick_sizes;
/* What a block becomes by realloc, or a large one is from the start: less than this, also 0 bytes. */
extern TM_HIDDEN size_t tm_sampled_quick_large;

/* One GIL holds for all calls of mem and obj: before 3.12 (PEP 684) every interpreter of a process shares it.  And all
 * their large blocks come through the raw domain. */
bool tm_sampled_may_be_held(void);
/* So, and they may go the quick way whatever their size: tm_sampler_held counts them. */
extern TM_HIDDEN bool tm_sampled_are_held;

/* The first sampled small block came: from the raw domain, or from an allocator that serves such sizes by itself? */
TM_COLD void tm_sampled_prove(struct tm_thread *thread, const void *block);

/* Every small block of mem and obj that is known came from the raw domain, by TM_RAISED_SIZE bytes. */
TM_INLINE bool tm_sampled_all_are_raised(void)
{
    return tm_sampled_passing == TM_PASSING_PROVEN && !tm_sampled_some_are_small;
}

/* Blocks of record ID were asked for with TM_RAISED_SIZE bytes. */
TM_INLINE bool tm_sampled_is_raised(uint32_t id)
{
    const struct tm_record *record = &tm_runtime.records.records[id];
    return tm_sampled_all_are_raised() && id != 0 && record->size <= TM_SMALL_SIZE_MAX &&
           (record->domain == TM_DOMAIN_MEM || record->domain == TM_DOMAIN_OBJ);
}

#endif
