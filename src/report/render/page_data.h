/* SPDX-License-Identifier: MIT */
/* The data of the page: what src/report/web/page/model.js reads.  JSON in which no `<` stands, so that it may lie
 * inside a <script> of HTML whatever the names are.
 *
 *   {"snapshots": [{"facts": as in JSON reports, "strings": [...], "frames": [file, function, line, ...],
 *                   "native": [frame, number in native_modules, ...], "native_modules": [...],   where there are any
 *                   "modules": [file, its module, ...],
 *                   "tracebacks": [parent, frame, ...],
 *                   "counters": [traceback, domain, bytes and blocks live, at the peak of Python's domains, at the peak
 *                                of the heap, ever, and temporary, ...]}, ...],
 *    "sources": {file name: text, ...}}
 *
 * Numbers above 2^53 lose their last digits in a browser.
 * Memory   what is needed to remember which sources and modules were written.
 * Errors   those of OUT; false without memory.     Threads  one. */
#ifndef TM_REPORT_RENDER_PAGE_DATA_H
#define TM_REPORT_RENDER_PAGE_DATA_H

#include <stdbool.h>

#include "base/compiler.h"
#include "report/render/out.h"
#include "report/render/source_line.h"

struct tm_page {
    const struct tm_snapshot *const *snapshots;
    const char *const *paths; /* of the snapshots, for people */
    unsigned count;
    bool sources; /* source files that are there now go in */
    const struct tm_source_root *roots;
    size_t root_count;
};

TM_CHECKED bool tm_page_data(struct tm_out *out, const struct tm_page *page);

/* The whole page.  False, with nothing written, also where tm_page_is_built() is false. */
TM_CHECKED bool tm_render_page(struct tm_out *out, const struct tm_page *page);

/* Was the page built into this program? */
bool tm_page_is_built(void);

#endif
