/* SPDX-License-Identifier: MIT */
/* What a forked child's store begins with: the parent's counters at the fork, which the parent goes on changing in the
 * file that both have mapped.
 *
 * Use      prepare before any lock is taken, take under the locks of a fork, end in the parent after it and in the
 *          child once its store is its own.
 * Cost     as in store_cut.h, and of the locks' time the copy alone.  Nothing is kept: what a fork leaves in the
 *          parent's memory costs the next one more than new pages do, as the child may share them yet.
 * Threads  one at a time with one struct.   Errors  false without memory.   errno  kept. */
#ifndef TM_RUNTIME_TABLE_STORE_FORK_H
#define TM_RUNTIME_TABLE_STORE_FORK_H

#include "runtime/table/live_store.h"
#include "runtime/table/store_cut.h"

/* Zeros: nothing yet. */
struct tm_store_fork {
    struct tm_store_cut cut;
    uint8_t *names; /* strings, frames, tracebacks; NULL: they are not copied */
    size_t names_size;
    struct tm_store_image image; /* for tm_live_store_detach */
};

/* Makes room for what STORE counts, and takes the pages of its records from the kernel: most of what will be
 * written. */
bool tm_store_fork_prepare(struct tm_store_fork *fork, const struct tm_live_store *store);

/* Copies the counters, prepared or not, and all else too where EVERYTHING may come to mean something else.  False: the
 * image is not valid. */
bool tm_store_fork_take(struct tm_store_fork *fork, const struct tm_live_store *store, bool everything);

/* Gives back all, also where nothing was prepared. */
void tm_store_fork_end(struct tm_store_fork *fork);

#endif
