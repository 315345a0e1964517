/* SPDX-License-Identifier: MIT */
/* A process becomes two.  The parent copies the counters in the prepare handler, while nothing of ours is under way;
 * the child, whose block table was copied with its memory, starts from that copy, so that the two agree to the block.
 * What only grows (names, frames, tracebacks) is copied later, at the child's first event; a child that only execs
 * copies nothing.
 * Threads  any.   Guard  any.   errno  kept. */
#ifndef TM_RUNTIME_TRACK_FORK_H
#define TM_RUNTIME_TRACK_FORK_H

#include <stdbool.h>
#include <stddef.h>

/* In a child, at its first event: makes the store its own.  True when events may be recorded afterwards. */
bool tm_fork_adopt(void);

/* An allocation of SIZE bytes in a child that has hardly done anything yet (TM_LIFE_YOUNG).  Such a child leaves
 * nothing, neither a store nor an exit snapshot: most run a few lines of Python and exec or end, and what they left
 * would be in everybody's way.  It is one no more after 200 allocations, or fewer large ones. */
void tm_fork_age(size_t size);

#endif
