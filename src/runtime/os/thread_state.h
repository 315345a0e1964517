/* SPDX-License-Identifier: MIT */
/* The one thread-local structure of the library.
 *
 * Start    all zero is valid: a thread needs no set-up, and none can fail.
 * End      no destructor: frees come in until the very end of a thread, so nothing here may die before it.
 * Model    initial-exec: one load from the thread pointer, never a call that could allocate.
 * Signals  a handler runs on the same structure; the guard tells it that our own work was interrupted. */
#ifndef TM_RUNTIME_OS_THREAD_STATE_H
#define TM_RUNTIME_OS_THREAD_STATE_H

#include <stdint.h>

#include "base/compiler.h"

struct tm_tally;

/* The newborn of a thread whose small block CPython's own allocator is just making, with the guard down: what that asks
 * of the raw domain or maps meanwhile is its own need.  No block lies there. */
#define TM_NEWBORN_COMING 1U

#define TM_HELD_NOT UINT64_MAX

/* Random numbers, and what was drawn with them ahead: see track/sampler.c. */
#define TM_SAMPLE_WAYS 8U
struct tm_sample_draws {
    uint64_t random; /* 0: no number was drawn yet */
    uint64_t ahead;  /* of WAYS, so many are left, the first ones */
    double ways[TM_SAMPLE_WAYS];
};

struct tm_thread {
    uint32_t guard;       /* depth: above 0 what happens is our own work, or inside a call that we already count */
    uint32_t ticks;       /* events counted down between two looks at rare conditions */
    uint32_t looks;       /* the same at the doors that look whether a snapshot is due */
    uintptr_t last_block; /* the block this thread allocated last: freed before the next one it is a temporary */
    uintptr_t newborn; /* the same until its object's birth was heard: that birth is no recycling; TM_NEWBORN_COMING */
    uint64_t sample_left;   /* bytes to the next sampled block: see track/sampler.h */
    uint64_t sample_after;  /* what sample_left became at the last one: as long as it is that, nothing came since */
    uint64_t held_after;    /* the same of tm_sampler_held.left; TM_HELD_NOT: Python does not know the thread */
    uintptr_t raw_block;    /* sampling: what the raw domain answered last, to a request for more bytes at least */
    uint64_t raised;        /* sampling: so many bytes of raw may come from hook/sampled_reserve.h; 0: none */
    uint64_t raised_from;   /* bytes: what was asked for instead */
    uintptr_t walked_state; /* Python's state of this thread whose block is marked: see track/loose_walk.h */
    struct tm_tally *tally; /* may be another thread's by now: see track/tally.h */
    uint32_t tally_wait;    /* events until the next look for one */
    uintptr_t stack_low;    /* the part of its stack that is known to be readable: see stack_window.h */
    uintptr_t stack_size;
    struct tm_sample_draws sample_draws; /* last, so that the words of every event lie together */
};

extern TM_HIDDEN TM_THREAD_LOCAL struct tm_thread tm_thread_state;

/* The calling thread's structure.  Signal safe; no errors. */
TM_INLINE struct tm_thread *tm_thread_self(void)
{
    return &tm_thread_state;
}

#endif
