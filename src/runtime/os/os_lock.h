/* SPDX-License-Identifier: MIT */
/* A lock for the slow paths: two words, no libc, reset in a forked child.
 *
 * Release  a plain store, then a look for who waits: an exchange would wait until all that was written inside is in the
 *          cache, which costs more than what is done inside.  So the look may come before the store is seen, and miss
 *          who begins to wait just then; who waits looks again by itself, soon.
 * Ranks    a thread takes locks in rising rank only.
 * Guard    is up before the first lock is taken, so that an event inside never waits for its own thread.
 * Signals  a handler that interrupts the holder finds the guard up and takes no lock. */
#ifndef TM_RUNTIME_OS_OS_LOCK_H
#define TM_RUNTIME_OS_OS_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum tm_lock_rank {
    TM_RANK_SNAPSHOT = 0, /* making and writing a snapshot */
    TM_RANK_RUNTIME = 1,  /* start, stop, clear, fork, the moment of a snapshot */
    TM_RANK_INTERN = 2,   /* names, tracebacks, records, codes */
    TM_RANK_STORE = 3,    /* growth of the live store */
    TM_RANK_BLOCKS = 4,   /* odd blocks */
    TM_RANK_MAPS = 5,     /* mapped ranges */
};

struct tm_lock {
    _Atomic uint32_t state;     /* 0 free, 1 held */
    _Atomic uint32_t is_wanted; /* by a thread that sleeps, or is about to: the next release wakes one */
};

/* tm_lock_take of one that is held, and what tm_lock_release does for those who wait: one of them goes on.  Until that
 * one has looked nobody else is woken: a system call at each release would slow who takes the lock often meanwhile. */
void tm_lock_wait(struct tm_lock *lock);
void tm_lock_wake(struct tm_lock *lock);

TM_INLINE bool tm_lock_try(struct tm_lock *lock)
{
    uint32_t free_state = 0;
    return atomic_compare_exchange_strong_explicit(&lock->state, &free_state, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

TM_INLINE void tm_lock_take(struct tm_lock *lock)
{
    if (TM_UNLIKELY(!tm_lock_try(lock))) {
        tm_lock_wait(lock);
    }
}

TM_INLINE void tm_lock_release(struct tm_lock *lock)
{
    atomic_store_explicit(&lock->state, 0, memory_order_release);
    if (TM_UNLIKELY(atomic_load_explicit(&lock->is_wanted, memory_order_relaxed) != 0)) {
        tm_lock_wake(lock);
    }
}

/* In a forked child only: the holder may be a thread that does not exist there. */
void tm_lock_reset(struct tm_lock *lock);

#endif
