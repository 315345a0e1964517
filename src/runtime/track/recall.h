/* SPDX-License-Identifier: MIT */
/* Tracebacks of stacks that held_stack was before: where its notes do not say what the older frames of the present one
 * are, it may have been there a moment ago.  A stack deeper than the limit has other oldest frames after each call and
 * return, which are whole tracebacks of their own.
 *
 * Threads  who holds the GIL of the main interpreter.   Signals  the guard is up.   errno  kept.   Errors  none. */
#ifndef TM_RUNTIME_TRACK_RECALL_H
#define TM_RUNTIME_TRACK_RECALL_H

#include <stdint.h>

#include "runtime/track/runtime_state.h"

#define TM_RECALL_STOPS 5U /* all frames but the newest, 2 less, 4, 8 and 16 less */

/* What was looked for and not found. */
struct tm_recall {
    uint64_t hashes[TM_RECALL_STOPS]; /* of the oldest frames */
    uint32_t frames[TM_RECALL_STOPS]; /* so many of them */
    uint32_t voids;                   /* of the trace cache, at the beginning */
    unsigned count;
};

/* Held_stack has two frames or more, its notes are valid and do not say what all but the newest are: fills in one of
 * them, if one is known beyond those that are there. */
void tm_recall_begin(struct tm_runtime *runtime, struct tm_recall *recall);

/* Keeps what the notes say now of what was not found. */
void tm_recall_end(struct tm_runtime *runtime, const struct tm_recall *recall);

#endif
