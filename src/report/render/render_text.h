/* SPDX-License-Identifier: MIT */
/* Reports for people: a line of context, an aligned table, what was left out, totals, notes.
 *
 * Errors  those of OUT; false without memory. */
#ifndef TM_REPORT_RENDER_TEXT_H
#define TM_REPORT_RENDER_TEXT_H

#include "report/render/out.h"
#include "report/render/report.h"

/* Rows of one snapshot, or differences of two. */
TM_CHECKED bool tm_render_text(struct tm_out *out, const struct tm_report *report);

/* The biggest tracebacks, frame by frame, with lines of source where the files are there. */
TM_CHECKED bool tm_render_text_tracebacks(struct tm_out *out, const struct tm_report *report);

#endif
