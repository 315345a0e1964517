/* SPDX-License-Identifier: MIT */
/* Which process a snapshot is of, and when it was taken.  Pure functions, any thread. */
#ifndef TM_REPORT_SNAPSHOT_SNAPSHOT_IDENTITY_H
#define TM_REPORT_SNAPSHOT_SNAPSHOT_IDENTITY_H

#include <stdbool.h>

#include "report/snapshot/snapshot.h"

/* By process id and start, as far as both say so. */
bool tm_snapshot_is_same_process(const struct tm_snapshot *a, const struct tm_snapshot *b);

/* Different processes among COUNT of them, at least 1. */
unsigned tm_snapshot_count_processes(const struct tm_snapshot *const *snapshots, unsigned count);

/* Nanoseconds since the epoch; 0 when the file does not say. */
uint64_t tm_snapshot_time_ns(const struct tm_snapshot *snapshot);

#endif
