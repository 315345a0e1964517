/* SPDX-License-Identifier: MIT */
/* What the store's header says in words and what a reader of a killed process's store needs as much as one of a
 * snapshot: how recycled objects are heard of, and the system calls of the tracer that failed.
 * Threads  any.   Signals  safe.   errno  kept. */
#ifndef TM_RUNTIME_TRACK_STORE_WORDS_H
#define TM_RUNTIME_TRACK_STORE_WORDS_H

/* From here on each failed call is written there as it is noted.  Called once, when there is a header. */
void tm_store_words_begin(void);

/* Writes the present state.  Nothing in a forked child that has not yet a store of its own. */
void tm_store_words_refresh(void);

#endif
