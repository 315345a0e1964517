/* SPDX-License-Identifier: MIT */
/* Snapshots of several processes as one: equal tracebacks are one, and everything that is counted is added up.  The
 * peak of the whole is not known, so it is the sum of the peaks, which is never less.
 *
 * Memory   malloc'ed.     Threads  any. */
#ifndef TM_REPORT_STAT_MERGE_H
#define TM_REPORT_STAT_MERGE_H

#include "report/snapshot/snapshot.h"
#include "report/stat/trace_forest.h"

/* Facts that all of them agree on are kept, others left out; a note says what was merged.  The snapshot points into
 * FOREST and its snapshots, which must outlive it; tm_snapshot_free.  NULL without memory. */
struct tm_snapshot *tm_merge(const struct tm_forest *forest);

#endif
