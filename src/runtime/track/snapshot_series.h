/* SPDX-License-Identifier: MIT */
/* The numbered snapshots that a process writes while it runs, and how many of them stay.
 *
 * Only files that this process made are ever removed, and only while they are the very files that it made.
 * Under the snapshot lock, guard up.   errno  kept. */
#ifndef TM_RUNTIME_TRACK_SNAPSHOT_SERIES_H
#define TM_RUNTIME_TRACK_SNAPSHOT_SERIES_H

#include <stdint.h>

#include "base/compiler.h"
#include "runtime/os/os_file.h"
#include "runtime/track/snapshot_task.h"

struct tm_kept_snapshot {
    struct tm_file_identity identity;
    unsigned number;
};

/* The last ones of the interval. */
struct tm_snapshot_series {
    struct tm_kept_snapshot *ring; /* KEEP places; NULL: none yet */
    uint64_t written;              /* into the ring */
};

/* A forked child: what was written so far is its parent's. */
void tm_snapshot_series_begin(void);

/* Writes the next snapshot of the output pattern: ENCODED, or where that is NULL the present state, under the life
 * lock. MOMENT is a word for it; those of "interval" are the ones of which no more than KEEP stay.  0 or a negative
 * errno value: nothing is removed then. */
TM_CHECKED int tm_snapshot_write_next(const char *moment, const struct tm_encoded *encoded);

#endif
