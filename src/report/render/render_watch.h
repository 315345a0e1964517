/* SPDX-License-Identifier: MIT */
/* One picture of a process that is watched: its totals, its domains, its top rows.  No line is longer than the width,
 * and there are no more lines than the height, which is 10 at least. */
#ifndef TM_REPORT_RENDER_RENDER_WATCH_H
#define TM_REPORT_RENDER_RENDER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/render/out.h"
#include "report/stat/live_rows.h"

struct tm_watch {
    const struct tm_snapshot *first;    /* growth counts from here */
    const struct tm_snapshot *previous; /* rates count from here */
    const struct tm_snapshot *now;
    const struct tm_live_rows *rows;
    long pid;            /* as it is known here */
    const char *command; /* of the process */
    enum tm_live_sort sort;
    size_t width;  /* columns */
    size_t height; /* lines */
    bool color;
    const char *last_line; /* keys, or what happened; "": the line is for a row */
    const char *line_end;  /* "\n", or what a terminal needs to clear the rest of a line as well */
};

void tm_render_watch(struct tm_out *out, const struct tm_watch *watch);

#endif
