/* SPDX-License-Identifier: MIT */
/* Limits that a user sets for a report, as in a test that must fail when memory grows. */
#ifndef TM_REPORT_RENDER_RENDER_LIMITS_H
#define TM_REPORT_RENDER_RENDER_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "report/render/out.h"
#include "report/render/report.h"

/* In bytes; UINT64_MAX: no limit.  What counts is what the report's domains and filters let through. */
struct tm_limits {
    uint64_t growth; /* of a diff */
    bool per_line;   /* the growth of each row, not of the whole */
    uint64_t peak;
    uint64_t live;
};

#define TM_NO_LIMITS ((struct tm_limits){UINT64_MAX, false, UINT64_MAX, UINT64_MAX})

/* A line for each limit that is passed, with --per-line for each row that does; true when there was none. */
bool tm_render_limits(struct tm_out *out, const struct tm_report *report, const struct tm_limits *limits);

#endif
