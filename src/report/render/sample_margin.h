/* SPDX-License-Identifier: MIT */
/* How far figures of sampled snapshots may be from the truth.  Pure, any thread. */
#ifndef TM_REPORT_RENDER_SAMPLE_MARGIN_H
#define TM_REPORT_RENDER_SAMPLE_MARGIN_H

#include <stdbool.h>

#include "report/render/out.h"
#include "report/render/report.h"

/* The bytes on average between two samples of SNAPSHOT; 0: every block was recorded. */
uint64_t tm_sample_rate(const struct tm_snapshot *snapshot);

/* One of the report's snapshots was sampled. */
bool tm_report_is_sampled(const struct tm_report *report);

/* Bytes to either side of the row's size, or where two snapshots are compared of its size_diff, within which the truth
 * is in at least 95 of 100 cases; 0 where nothing was sampled.  The samples of two snapshots are taken for independent:
 * between two of one process the truth is nearer. */
double tm_row_margin(const struct tm_report *report, const struct tm_statistic *row);

/* A line that says what the column means, where there is one. */
void tm_print_sampling(struct tm_out *out, const struct tm_report *report);

#endif
