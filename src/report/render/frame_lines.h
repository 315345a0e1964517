/* SPDX-License-Identifier: MIT */
/* The frames of one traceback with their source lines, as Python's own tracebacks look.     Errors  those of OUT. */
#ifndef TM_REPORT_RENDER_FRAME_LINES_H
#define TM_REPORT_RENDER_FRAME_LINES_H

#include "report/render/key_frames.h"
#include "report/render/out.h"
#include "report/render/report.h"

/* Those of FRAMES that the report shows; the others are counted. */
void tm_print_frame_lines(struct tm_out *out, const struct tm_report *report, const struct tm_key_frames *frames,
                          struct tm_source_cache *sources);

#endif
