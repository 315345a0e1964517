/* SPDX-License-Identifier: MIT */
/* Does a file name match a shell pattern as Python's tracemalloc.Filter compares them?  The meaning is that of the
 * module fnmatch (checked on CPython 3.6 to 3.13): `*`, `?`, `[seq]`, `[!seq]`, no escape; `*` crosses slashes; a `[`
 * that is never closed is itself; code points, not bytes.  Before that, a `.pyc` at the end of either is read as
 * `.py` (`.pyo` no longer is since 3.5).
 *
 * Memory   a pattern is kept as its code points, malloc'ed.     Threads  matching: any. */
#ifndef TM_REPORT_STAT_FILENAME_PATTERN_H
#define TM_REPORT_STAT_FILENAME_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"

struct tm_pattern {
    uint32_t *points;
    size_t length;
};

/* False without memory.  TEXT has LENGTH bytes. */
TM_CHECKED bool tm_pattern_init(struct tm_pattern *pattern, const char *text, size_t length);
void tm_pattern_free(struct tm_pattern *pattern);

bool tm_pattern_match(const struct tm_pattern *pattern, struct tm_span filename);

#endif
