/* SPDX-License-Identifier: MIT */
/* What stands above and below a report for people: the line of context, and what is to be known before believing the
 * figures.     Errors  those of OUT. */
#ifndef TM_REPORT_RENDER_TEXT_FRAME_H
#define TM_REPORT_RENDER_TEXT_FRAME_H

#include "report/render/out.h"
#include "report/render/report.h"

/* One line: file, interpreter, program, moment, live, peak, frames recorded. */
void tm_print_context(struct tm_out *out, const struct tm_snapshot *snapshot, const char *path);

/* The context of every snapshot of REPORT, and an empty line. */
void tm_print_contexts(struct tm_out *out, const struct tm_report *report);

/* Says that the rows are those of the peak, when they are and were not asked for. */
void tm_print_by_peak(struct tm_out *out, const struct tm_report *report);

/* One line for each: more frames needed, hooks lost, the stdlib's tracer ran too, notes of the file, ... */
void tm_print_notes(struct tm_out *out, const struct tm_report *report);

/* Of these, those that say what the file does not have: more frames needed, hooks lost, notes of the file, ... */
void tm_print_file_notes(struct tm_out *out, const struct tm_report *report);

#endif
