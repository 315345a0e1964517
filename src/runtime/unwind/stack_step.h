/* SPDX-License-Identifier: MIT */
/* The step from the stack that is cached to the present one, where it is the common one: a call, or returns, or returns
 * and a call.  What is older than the caller of the newest frame is compared once; one hash at most is made anew.
 * Finding a step changes nothing, so that it can be left.
 *
 * Threads, signals, errno  as in stack_cache.h.   Errors  none: false, and the long way does it. */
#ifndef TM_RUNTIME_UNWIND_STACK_STEP_H
#define TM_RUNTIME_UNWIND_STACK_STEP_H

#include <stdatomic.h>

#include "runtime/unwind/stack_cache.h"

/* How the cache comes to the present stack when the newest frame was called by one of the newest in the cache, all
 * older ones than that are unchanged: a call, or returns, or returns and a call have happened. */
struct tm_stack_step {
    uintptr_t newest;
    uintptr_t place;        /* of NEWEST */
    ptrdiff_t caller;       /* index of the frame that called NEWEST; -1: none did */
    uintptr_t caller_place; /* where it is now */
    uint64_t hash;          /* of all frames but the newest, as in hashes[caller] */
    uint64_t older;         /* the same of the window, as in the cache */
    ptrdiff_t slide;        /* frames that the window moves up; below 0: down */
    bool is_new;            /* caller_place and hash are not what the cache has */
};

/* Where the window goes when the stack reaches to the frame after CALLER.  False: into frames that are not known, or
 * beyond the room. */
TM_INLINE bool tm_stack_find_slide(const struct tm_stack_cache *cache, ptrdiff_t caller, ptrdiff_t *slide)
{
    const ptrdiff_t missing = (ptrdiff_t)cache->limit - (caller + 2);
    if (missing < 0) {
        *slide = 1;
        return cache->hidden < TM_STACK_HIDDEN_MAX;
    }
    const ptrdiff_t hidden = (ptrdiff_t)cache->hidden;
    *slide = missing < hidden ? -missing : -hidden;
    return missing <= hidden || cache->reaches_end;
}

/* Decides what a step from the cache, which is not empty and has room for two frames or more, to the stack whose newest
 * frame is NEWEST, not 0, would be.  False: no step leads there, or FORM does not say all that stands between two
 * frames. Whether NEWEST and its caller count where they are is for the user to know.  Calls no function, changes
 * nothing. */
TM_INLINE bool tm_stack_step_find(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row,
                                  uintptr_t newest, struct tm_stack_form form, struct tm_stack_step *step)
{
    uintptr_t frame = tm_python_word(newest, form.previous);
    if (form.gap != TM_GAP_NONE && frame != 0 && *(const int8_t *)(frame + row->frame_owner) >= row->owner_shim) {
        frame = tm_python_word(frame, form.previous);
    }
    step->newest = newest;
    step->place = tm_python_word(newest, form.instruction);
    step->is_new = false;
    step->slide = 0;
    if (TM_UNLIKELY(frame == 0)) {
        step->caller = -1;
        step->hash = step->older = 0;
        return cache->is_whole;
    }
    /* Before the first one is a hidden one, or nowhere. */
    ptrdiff_t caller = (ptrdiff_t)cache->count - 1;
    const struct tm_raw_frame *at = cache->newest;
    bool is_newest = frame == at->frame;
    if (!is_newest) {
        const bool is_next = frame == at[-1].frame;
        if (!is_next && frame != at[-2].frame) {
            return false;
        }
        caller -= is_next ? 1 : 2;
        at -= is_next ? 1 : 2;
    }
    bool is_whole = cache->is_whole;
    if (TM_UNLIKELY(!is_whole) || TM_UNLIKELY(caller + 2 > (ptrdiff_t)cache->limit)) {
        if (!tm_stack_find_slide(cache, caller, &step->slide)) {
            return false;
        }
        is_whole = cache->reaches_end && (ptrdiff_t)cache->hidden + step->slide == 0;
    }
    step->caller = caller;
    if (!tm_stack_frames_stand(at, (size_t)(caller - step->slide), &is_whole, row, form)) {
        return false;
    }
    step->caller_place = tm_python_word(frame, form.instruction);
    step->is_new = is_newest || step->caller_place != at->place;
    step->hash = step->is_new ? tm_stack_hash(cache->versions, cache->hashes[caller - 1], step->caller_place, 0)
                              : cache->hashes[caller];
    step->older =
        is_whole ? step->hash : tm_stack_hash_without(step->hash, cache->hashes[step->slide - 1], cache->power);
    return true;
}

/* True when the newest frame of STEP counts, and its caller does whoever owns it.  Where a record is known of the hash
 * this need not be asked. */
bool tm_stack_step_counts(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row,
                          const struct tm_stack_step *step);

/* Makes the STEP that was found, while nothing else has changed the cache. */
TM_INLINE void tm_stack_step_make(struct tm_stack_cache *cache, const struct tm_stack_step *step)
{
    const ptrdiff_t caller = step->caller;
    if (step->is_new) {
        cache->frames[caller].place = step->caller_place;
        cache->hashes[caller] = step->hash;
        cache->notes[caller] = 0;
    }
    struct tm_raw_frame *newest = cache->frames + caller + 1;
    *newest = (struct tm_raw_frame){.frame = step->newest};
    atomic_signal_fence(memory_order_seq_cst); /* two stores: the compiler's one takes four instructions */
    newest->place = step->place;
    cache->notes[caller + 1] = 0;
    tm_stack_cache_turn_to(cache, newest);
    atomic_signal_fence(memory_order_seq_cst);
    cache->count = (uint32_t)(caller + 2);
    cache->older = step->older;
    if (TM_UNLIKELY(step->slide != 0)) {
        tm_stack_cache_slide(cache, step->slide);
    }
}

#endif
