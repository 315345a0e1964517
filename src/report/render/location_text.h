/* SPDX-License-Identifier: MIT */
/* Names on a terminal: nothing in a file name may move the cursor or change colours, and long paths lose their left
 * end.
 *
 * Memory   none.     Threads  one per tm_out. */
#ifndef TM_REPORT_RENDER_LOCATION_TEXT_H
#define TM_REPORT_RENDER_LOCATION_TEXT_H

#include <stddef.h>

#include "report/render/key_frames.h"
#include "report/render/out.h"

/* TEXT with control characters and what is no UTF-8 as `\x1b`. */
void tm_print_text(struct tm_out *out, struct tm_span text);

/* The start of TEXT that takes WIDTH columns at most as tm_print_text prints it. */
struct tm_span tm_cut_text(struct tm_span text, size_t width);

/* `path/file.py:12  function` in at most WIDTH columns if that can be (never fewer than 20 for the path); the line is
 * left out where it is 0 and WITH_LINE is false.  PARTS: that many of the path's last parts are shown; 0: all. */
void tm_print_location(struct tm_out *out, const struct tm_key_frame *frame, bool with_line, size_t width,
                       unsigned parts);

#endif
