/* SPDX-License-Identifier: MIT */
/* A snapshot as a whole: what each domain holds, how sizes are spread, how much was recorded.
 *
 * Errors  those of OUT. */
#ifndef TM_REPORT_RENDER_STATS_H
#define TM_REPORT_RENDER_STATS_H

#include "report/render/out.h"
#include "report/render/report.h"

void tm_render_stats_text(struct tm_out *out, const struct tm_report *report);
void tm_render_stats_json(struct tm_out *out, const struct tm_report *report);

#endif
