/* SPDX-License-Identifier: MIT */
/* More than two snapshots of one process: how each row grew.
 *
 * Memory   malloc'ed: eight bytes for each key and snapshot.     Threads  reading: any. */
#ifndef TM_REPORT_STAT_SERIES_H
#define TM_REPORT_STAT_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/stat/group.h"

struct tm_series {
    unsigned count;   /* snapshots */
    double *hours;    /* since the first one; all 0 when not every snapshot says when it was taken */
    uint64_t **sizes; /* by snapshot and key: bytes */
    uint64_t *totals; /* by snapshot */
};

/* The snapshots of FOREST in their order.  False without memory; SERIES may be freed in any case. */
TM_CHECKED bool tm_series_make(struct tm_series *series, const struct tm_forest *forest,
                               const struct tm_grouping *grouping);
void tm_series_free(struct tm_series *series);

/* Do the snapshots say over which time they were taken? */
bool tm_series_is_timed(const struct tm_series *series);

/* Bytes per hour: the slope of the straight line that fits best (least squares); 0 when it is not timed.  Slopes of
 * rows add up to that of the total, unless rows are cumulative. */
double tm_series_slope(const struct tm_series *series, uint32_t key);
double tm_series_total_slope(const struct tm_series *series);

/* Has KEY grown from each snapshot to the next, three of them at least?  That is how a leak looks. */
bool tm_series_grew(const struct tm_series *series, uint32_t key);

#endif
