/* SPDX-License-Identifier: MIT */
/* The lines of Python's own tracemalloc, character for character (checked against CPython 3.6 to 3.13).
 *
 *   top        str(statistic): the oldest frame stands for a traceback since 3.7, the most recent one in 3.6
 *   diff       str(statistic_diff)
 *   traceback  `N memory blocks: X KiB` as in the examples of its documentation, then Traceback.format()
 *
 * File names are written as the bytes that they are.     Errors  those of OUT; false without memory. */
#ifndef TM_REPORT_RENDER_TRACEMALLOC_H
#define TM_REPORT_RENDER_TRACEMALLOC_H

#include "report/render/out.h"
#include "report/render/report.h"

/* Does the interpreter that SNAPSHOT comes from keep the most recent frame first (3.6 and older)? */
bool tm_render_is_recent_first(const struct tm_snapshot *snapshot);

TM_CHECKED bool tm_render_tracemalloc(struct tm_out *out, const struct tm_report *report);
TM_CHECKED bool tm_render_tracemalloc_tracebacks(struct tm_out *out, const struct tm_report *report);

#endif
