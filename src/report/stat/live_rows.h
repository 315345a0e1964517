/* SPDX-License-Identifier: MIT */
/* Rows of a process that is watched: what is live now, how that grew since a first look, and what was allocated since
 * the look before.
 *
 * Memory   malloc'ed; points into the snapshots, which must outlive the rows.     Threads  one. */
#ifndef TM_REPORT_STAT_LIVE_ROWS_H
#define TM_REPORT_STAT_LIVE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/stat/group.h"

enum tm_live_sort {
    TM_LIVE_SORT_SIZE,
    TM_LIVE_SORT_GROWTH, /* what shrank is last */
    TM_LIVE_SORT_RATE,
};

struct tm_live_row {
    struct tm_statistic statistic; /* with the differences to the first look */
    struct tm_amount allocated;    /* since the look before, freed or not */
};

struct tm_live_rows {
    struct tm_forest *forest; /* of the first look and now: what keys mean */
    enum tm_key_type key_type;
    struct tm_live_row *rows; /* sorted */
    size_t count;
};

/* GROUPING says key type, cumulation and domains; its figure and nodes are not looked at.  The snapshots may be one and
 * the same.  False without memory; ROWS may be freed in any case. */
TM_CHECKED bool tm_live_rows_make(struct tm_live_rows *rows, const struct tm_snapshot *first,
                                  const struct tm_snapshot *previous, const struct tm_snapshot *now,
                                  const struct tm_grouping *grouping, enum tm_live_sort sort);
void tm_live_rows_free(struct tm_live_rows *rows);

#endif
