/* SPDX-License-Identifier: MIT */
/* Of a forked process, what it got itself.
 *
 * Blocks that it inherited and freed take nothing from what is left: they were never its own.  A block that it
 * inherited and moved or enlarged by realloc is its own from then on. */
#ifndef TM_REPORT_SNAPSHOT_SINCE_FORK_H
#define TM_REPORT_SNAPSHOT_SINCE_FORK_H

#include <stdbool.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"

/* Its file says that the process was forked, and what it inherited. */
bool tm_snapshot_was_forked(const struct tm_snapshot *snapshot);

/* Takes what was inherited out of all counters, and everything that cannot be told of the rest out of the facts: peaks,
 * totals (which are then sums of the counters), classes of sizes and single blocks.  For a process that was forked.
 * Memory   the model's.     Errors  false without memory; the model is then as it was. */
TM_CHECKED bool tm_snapshot_make_since_fork(struct tm_snapshot *snapshot);

#endif
