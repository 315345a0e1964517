/* SPDX-License-Identifier: MIT */
/* Facts of the moment of a snapshot, in the order in which it has them.  They may be learned one after the other, with
 * time between: begin, add_resident, add_rest.
 *
 * Threads  under the snapshot lock.   errno  kept.   Texts stay for ever. */
#ifndef TM_RUNTIME_TRACK_SNAPSHOT_FACTS_H
#define TM_RUNTIME_TRACK_SNAPSHOT_FACTS_H

#include <stdbool.h>

#include "runtime/track/memory_facts.h"

struct tm_snapshot_facts {
    struct tm_encode_fact list[12U + TM_MEMORY_FACTS];
    unsigned count;
    const char *store_path; /* NULL: the store has no file */
    bool leaves_libc;       /* the caller may be a signal handler that interrupted malloc */
};

/* At the moment itself, under the life lock.  MOMENT is a word for it.  FACTS is all zeros, or says leaves_libc. */
void tm_snapshot_facts_begin(struct tm_snapshot_facts *facts, const char *moment);

/* IN_BRIEF: a large process is not looked at in parts, which takes the kernel its time. */
void tm_snapshot_facts_add_resident(struct tm_snapshot_facts *facts, bool in_brief);
void tm_snapshot_facts_add_rest(struct tm_snapshot_facts *facts);

#endif
