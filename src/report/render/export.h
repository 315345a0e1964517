/* SPDX-License-Identifier: MIT */
/* One snapshot in the formats of other programs.  What counts is the report's domains and filters; formats with one
 * figure take the report's, formats with several have them all.
 *
 * Names     any bytes: where a format wants UTF-8, a byte that is none is written as `\xNN` (JSON: as the lone
 *           surrogate that Python has for it).
 * Memory    what is needed to remember which names were written, malloc'ed and freed.
 * Errors    those of OUT; TM_STATUS_NO_MEMORY, and where it is said TM_STATUS_TOO_LARGE.
 * Threads   one. */
#ifndef TM_REPORT_RENDER_EXPORT_H
#define TM_REPORT_RENDER_EXPORT_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/status.h"
#include "report/render/out.h"
#include "report/render/report.h"

/* RFC 4180 with a head line; columns: size, count, in a diff size_diff and count_diff, then filename, lineno (empty for
 * a whole file or function), function of the most recent frame, and when grouped by traceback the whole of it, oldest
 * first, as `file:line;file:line`; grouped by module or domain, its name instead. */
TM_CHECKED enum tm_status tm_export_csv(struct tm_out *out, const struct tm_report *report);

/* One line for each traceback: frames oldest first, separated by semicolons, a space, bytes.  What flamegraph.pl (by
 * Brendan Gregg) and its many readers take.  The report is grouped by traceback. */
TM_CHECKED enum tm_status tm_export_folded(struct tm_out *out, const struct tm_report *report);

/* https://www.speedscope.app/file-format-schema.json: a sampled profile each for live, peak and ever, in bytes. */
TM_CHECKED enum tm_status tm_export_speedscope(struct tm_out *out, const struct tm_report *report);

/* https://github.com/google/pprof/blob/main/proto/profile.proto, gzipped: live_bytes, live_blocks, alloc_bytes,
 * alloc_blocks, peak_bytes; the label `domain` of each sample. */
TM_CHECKED enum tm_status tm_export_pprof(struct tm_out *out, const struct tm_report *report);

/* What tracemalloc.Snapshot.load of CPython 3.6 and later opens: one trace for each block of the figure, whose sizes
 * are the mean of their traceback's (so that sums are equal), or the blocks' own where the snapshot lists all that is
 * live.  TM_STATUS_TOO_LARGE: more blocks than TM_PICKLE_BLOCKS_MAX. */
#define TM_PICKLE_BLOCKS_MAX UINT64_C(500000000)
TM_CHECKED enum tm_status tm_export_pickle(struct tm_out *out, const struct tm_report *report);

/* Does COUNTER, of snapshot number SNAPSHOT, count in REPORT? */
static inline bool tm_export_counts(const struct tm_report *report, unsigned snapshot,
                                    const struct tm_counter_record *counter)
{
    const struct tm_grouping *grouping = &report->grouping;
    return (grouping->domains & TM_DOMAIN_BIT(counter->domain)) != 0 &&
           (grouping->nodes == NULL || grouping->nodes[report->forest->node_of[snapshot][counter->traceback]] != 0);
}

#endif
