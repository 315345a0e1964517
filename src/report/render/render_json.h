/* SPDX-License-Identifier: MIT */
/* Reports for other programs.  Frames are oldest first, sizes are bytes, and what is counted is said beside it.
 *
 *   {"snapshot": {...}, "snapshots": [old, new] of a diff, "group_by": "lineno", "cumulative": false, "figure": "live",
 *    "counted": ["raw", "mem", "obj"], "total": {"size", "count", "statistics"},
 *    "statistics": [{"size", "count", "size_diff" and "count_diff" of a diff,
 *                    "traceback": [{"filename", "lineno", "function"}, ...]}, ...]}
 *
 * Errors  those of OUT; false without memory. */
#ifndef TM_REPORT_RENDER_JSON_H
#define TM_REPORT_RENDER_JSON_H

#include "report/render/key_frames.h"
#include "report/render/out.h"
#include "report/render/report.h"

TM_CHECKED bool tm_render_json(struct tm_out *out, const struct tm_report *report);

/* Parts of it: the member "counted" of an object, and one frame of an array of them. */
void tm_json_counted(struct tm_out *out, uint32_t domains);
void tm_json_frame(struct tm_out *out, const struct tm_key_frame *frame, bool first);

#endif
