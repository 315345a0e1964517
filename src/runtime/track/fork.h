/* SPDX-License-Identifier: MIT */
/* A process becomes two.  The parent copies the counters in the prepare handler, while nothing of ours is under way;
 * the child, whose block table was copied with its memory, starts from that copy, so that the two agree to the block.
 * What only grows (names, frames, tracebacks) is copied later, at the child's first event; a child that only execs
 * copies nothing.
 * Threads  any.   Guard  any.   errno  kept. */
#ifndef TM_RUNTIME_TRACK_FORK_H
#define TM_RUNTIME_TRACK_FORK_H

#include <stdbool.h>

/* In a child, at its first event: makes the store its own.  True when events may be recorded afterwards. */
bool tm_fork_adopt(void);

/* An allocation in a child whose store has no file yet (TM_LIFE_YOUNG).  The file is made when the child has shown that
 * it stays: most children run a few lines of Python and exec, and what they left would be in everybody's way. */
void tm_fork_age(void);

#endif
