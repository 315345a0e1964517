/* SPDX-License-Identifier: MIT */
/* Traces to rows: PEP 454's Snapshot.statistics and Snapshot.compare_to.
 *
 * Memory   results are malloc'ed.     Threads  any, on a forest that does not change. */
#ifndef TM_REPORT_STAT_GROUP_H
#define TM_REPORT_STAT_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/stat/statistic.h"
#include "report/stat/trace_filter.h"

enum tm_cumulative {
    TM_CUMULATIVE_OFF,    /* a trace counts for its most recent frame */
    TM_CUMULATIVE_ONCE,   /* for every frame, but once for each key */
    TM_CUMULATIVE_STDLIB, /* for every frame, as often as it is there: recursion counts again and again */
};

struct tm_grouping {
    enum tm_key_type key_type;
    enum tm_cumulative cumulative; /* not with TM_KEY_TRACEBACK and TM_KEY_DOMAIN */
    enum tm_figure figure;
    uint32_t domains;     /* TM_DOMAIN_BIT of each that counts */
    const uint8_t *nodes; /* of tm_filter_nodes; NULL: all pass */
};

/* Bytes and blocks of one counter or of a whole report. */
struct tm_amount {
    uint64_t size;
    uint64_t count;
};

struct tm_amount tm_figure_amount(const struct tm_counter_record *counter, enum tm_figure figure);

/* What counts in snapshot number SNAPSHOT of FOREST, in all. */
struct tm_amount tm_group_total(const struct tm_forest *forest, unsigned snapshot, const struct tm_grouping *grouping);

/* By key: what counts for each.  malloc'ed; NULL without memory. */
TM_CHECKED struct tm_amount *tm_group_sums(const struct tm_forest *forest, unsigned snapshot,
                                           const struct tm_grouping *grouping);

/* The rows of snapshot number SNAPSHOT, in no order.  False without memory. */
TM_CHECKED bool tm_group(const struct tm_forest *forest, unsigned snapshot, const struct tm_grouping *grouping,
                         struct tm_statistics *statistics);

/* The rows of the last snapshot with their differences to the first one, and what is gone since, in no order.  False
 * without memory. */
TM_CHECKED bool tm_group_differences(const struct tm_forest *forest, const struct tm_grouping *grouping,
                                     struct tm_statistics *statistics);

#endif
