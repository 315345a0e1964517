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

/* Announces a walk of the calling THREAD, whose guard is up, over its own TSTATE.  The word in which it did, for
 * tm_loose_walk_end; NULL: the state may be gone, it must not be read, and nothing was announced. */
TM_CHECKED _Atomic uint32_t *tm_loose_walk_begin(struct tm_thread *thread, uintptr_t tstate);

/* True when nothing that the walk has read was freed since it began. */
bool tm_loose_walk_is_valid(void);

void tm_loose_walk_end(_Atomic uint32_t *announced);

/* The marked block at ADDRESS, or an arena (0), is about to be freed: in a finalizing interpreter waits until no walk is
 * under way, at most about a second in the life of a process. */
void tm_loose_walks_wait(struct tm_thread *thread, uintptr_t address);

/* In a forked child: the walks were of threads that do not exist there. */
void tm_loose_walks_after_fork(void);

#endif
