/* SPDX-License-Identifier: MIT */
/* Walks over the frames of a thread that does not hold its GIL, while its interpreter may go away.
 *
 * A finalizing interpreter frees the states of all other threads (_PyThreadState_DeleteExcept), also of a daemon thread
 * that is in a C function just then and allocates there.  It sets its finalizing flag before.  So a walk announces
 * itself and looks at the flag; whoever is about to free what a walk may read looks at the flag and waits for the
 * walks that began before it was set.  What is freed is known by a mark on the state's block, and by arenas that are
 * given back.
 *
 * A walk announces itself in a word of its thread's tally, and no fence follows: each would wait for all that the
 * allocator has just written.  So its store may be seen later than its look at the flag was done, by as long as a store
 * can stay in its core, which is less than a microsecond.  Who waits is in no hurry: it sleeps first, once.  Walks that
 * begin after that sleep see the flag.
 *
 * For the tracker.   Threads  any.   errno  kept.   Locks  none; a walk may take the intern lock. */
#ifndef TM_RUNTIME_TRACK_LOOSE_WALK_H
#define TM_RUNTIME_TRACK_LOOSE_WALK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/os/thread_state.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/tally.h"

/* Somebody has slept since the interpreter finalizes. */
extern TM_HIDDEN atomic_bool tm_loose_walks_have_slept;

/* Announces a walk of the calling THREAD, whose guard is up, over its own TSTATE.  The word in which it did, for
 * tm_loose_walk_end; NULL: the state may be gone, it must not be read, and nothing was announced. */
TM_CHECKED _Atomic uint32_t *tm_loose_walk_begin(struct tm_thread *thread, uintptr_t tstate);

/* True when nothing that the walk has read was freed since it began. */
TM_INLINE bool tm_loose_walk_is_valid(void)
{
    atomic_thread_fence(memory_order_acquire); /* what was read was read before the flag is; on x86-64 no instruction */
    return !tm_cpython_is_finalizing(&tm_runtime.python);
}

void tm_loose_walk_end(_Atomic uint32_t *announced);

/* tm_loose_walk_begin in TALLY, THREAD's own, where nothing is rare.  False: nothing was announced. */
TM_INLINE bool tm_loose_walk_try(const struct tm_thread *thread, struct tm_tally *tally, uintptr_t tstate)
{
    if (TM_UNLIKELY(thread->walked_state != tstate) ||
        TM_UNLIKELY(!atomic_load_explicit(&tally->has_walked, memory_order_relaxed))) {
        return false;
    }
    atomic_store_explicit(&tally->walks, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (TM_LIKELY(!tm_cpython_is_finalizing(&tm_runtime.python)) &&
        TM_LIKELY(!atomic_load_explicit(&tm_loose_walks_have_slept, memory_order_relaxed))) {
        return true;
    }
    atomic_store_explicit(&tally->walks, 0, memory_order_release);
    return false;
}

/* The end of a walk that tm_loose_walk_try has begun. */
TM_INLINE void tm_loose_walk_end_own(struct tm_tally *tally)
{
    atomic_store_explicit(&tally->walks, 0, memory_order_release);
}

/* The marked block at ADDRESS, or an arena (0), is about to be freed: in a finalizing interpreter waits until no walk
 * is under way, at most about a second in the life of a process. */
void tm_loose_walks_wait(struct tm_thread *thread, uintptr_t address);

/* In a forked child: the walks were of threads that do not exist there. */
void tm_loose_walks_after_fork(void);

#endif
