/* SPDX-License-Identifier: MIT */
/* Help for a pattern that matches nothing: what may have been meant.
 *
 * Memory   none is kept.     Threads  reading: any. */
#ifndef TM_REPORT_STAT_NEAREST_NAME_H
#define TM_REPORT_STAT_NEAREST_NAME_H

#include "base/compiler.h"
#include "report/stat/trace_filter.h"

enum tm_nearness {
    TM_NEAR_NOTHING,  /* no name is like it */
    TM_NEAR_OLDER,    /* it matches, but older frames than those it looks at */
    TM_NEAR_LINE,     /* it matches NAME, but nothing was allocated in that line */
    TM_NEAR_END,      /* with a star and a slash before it, it matches NAME: the end of a path was given */
    TM_NEAR_PART,     /* with stars around it, it matches NAME */
    TM_NEAR_SPELLING, /* NAME is spelled nearly so */
    TM_NEAR_ITSELF,   /* it matches NAME: something else leaves everything out */
};

struct tm_nearest {
    enum tm_nearness nearness;
    struct tm_span name;
};

/* What FILTER, an inclusive one, comes near to among the names of FOREST.  TM_NEAR_NOTHING also without memory. */
struct tm_nearest tm_nearest_name(const struct tm_forest *forest, const struct tm_filter *filter);

#endif
