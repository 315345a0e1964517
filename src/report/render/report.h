/* SPDX-License-Identifier: MIT */
/* What a renderer is given: the rows, where they come from, and how they are to be shown.  Nothing here is owned. */
#ifndef TM_REPORT_RENDER_REPORT_H
#define TM_REPORT_RENDER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/render/source_line.h"
#include "report/stat/group.h"
#include "report/stat/series.h"
#include "report/stat/statistic.h"
#include "report/stat/trace_forest.h"

enum tm_hidden { TM_HIDE_SIZE = 1, TM_HIDE_COUNT = 2, TM_HIDE_AVERAGE = 4 };

struct tm_report {
    const struct tm_forest *forest;
    const char *const *paths; /* of the forest's snapshots, for people */
    struct tm_grouping grouping;
    struct tm_statistics statistics; /* sorted */
    struct tm_order order;           /* in which they are */
    size_t too_small;                /* rows that were dropped from them */
    struct tm_amount total;          /* of the last snapshot: what counts, grouped or not */
    struct tm_amount old_total;      /* of the first one, where two are compared */
    bool is_diff;
    const struct tm_series *series; /* of more than two snapshots, first and last of which are the diff; else NULL */
    size_t limit;                   /* rows to show; SIZE_MAX: all */
    bool color;
    size_t width; /* columns of the terminal; SIZE_MAX: not known, nothing is shortened */
    bool all;     /* no rows are folded */
    struct tm_report_sources {
        bool left_out;
        const struct tm_source_root *roots;
        size_t root_count;
    } sources;
    struct tm_report_frames {
        long limit; /* of each traceback: the newest ones, below 0 the oldest ones; 0: all */
        bool recent_first;
    } frames;
    unsigned hidden;     /* columns: bits of enum tm_hidden */
    unsigned path_parts; /* the last ones are shown; 0: all */
    bool bars;           /* of shares */
    bool plain;          /* no characters but ASCII for lines and bars */
    bool by_peak;        /* the figure is the peak because little is left of it, not because it was asked for */
};

/* The snapshot whose rows are shown: the only one, or the newer one. */
static inline unsigned tm_report_snapshot_number(const struct tm_report *report)
{
    return report->forest->snapshot_count - 1;
}

static inline const struct tm_snapshot *tm_report_snapshot(const struct tm_report *report)
{
    return report->forest->snapshots[tm_report_snapshot_number(report)];
}

/* The whole as a row, without a key. */
static inline struct tm_statistic tm_report_total(const struct tm_report *report)
{
    return (struct tm_statistic){.size = report->total.size,
                                 .count = report->total.count,
                                 .size_diff = (int64_t)report->total.size - (int64_t)report->old_total.size,
                                 .count_diff = (int64_t)report->total.count - (int64_t)report->old_total.count};
}

/* The rows that are shown: the limit or fewer. */
static inline size_t tm_report_shown(const struct tm_report *report)
{
    return report->limit < report->statistics.count ? report->limit : report->statistics.count;
}

/* Is so little left of what SNAPSHOT's program used that its rows should be those of the peak?  So at an exit whose
 * peak in DOMAINS is more than one and a half times what is live, if the file has figures of the peak. */
bool tm_report_prefers_peak(const struct tm_snapshot *snapshot, uint32_t domains);

/* The figure that "peak" means for DOMAINS: with native or mmap among them the peak of the whole heap. */
static inline enum tm_figure tm_report_peak_figure(uint32_t domains)
{
    return domains & ~TM_DOMAINS_PYTHON ? TM_FIGURE_PEAK_HEAP : TM_FIGURE_PEAK_PYTHON;
}

/* For the lines of the report's files; to be freed with tm_source_cache_free. */
struct tm_source_cache tm_report_source_cache(const struct tm_report *report);

/* The frames that are shown of COUNT: from *FIRST on, as many as are returned. */
size_t tm_report_frames_shown(const struct tm_report *report, size_t count, size_t *first);

#endif
