/* SPDX-License-Identifier: MIT */
/* Lines of source files as Python's linecache gives them to traceback.format: UTF-8 (or what the coding cookie says),
 * universal line ends, no white space around.
 *
 * Only regular files are opened; names like `<string>` are not looked for.  The last file read is kept.
 * Memory   malloc'ed.     Threads  one thread per cache. */
#ifndef TM_REPORT_RENDER_SOURCE_LINE_H
#define TM_REPORT_RENDER_SOURCE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/snapshot/snapshot.h"

/* Names that begin with FROM are looked for under TO: of a program that ran on another machine. */
struct tm_source_root {
    const char *from;
    size_t from_length;
    const char *to;
};

struct tm_source_cache {
    const struct tm_source_root *roots; /* the first that fits counts */
    size_t root_count;
    uint64_t taken_ns;     /* when the snapshot was taken; 0: not known */
    bool changed;          /* the file in memory is newer than that */
    struct tm_span folder; /* relative names are looked for here first, then in the current folder; may be empty */
    char *name;            /* of the file in memory */
    uint8_t *bytes;        /* its lines as UTF-8; NULL: it could not be read */
    size_t size;
};

/* Line number LINE (from 1) of FILENAME, stripped; length 0 when it is not there or blank.  Valid until the next
 * call. */
struct tm_span tm_source_line(struct tm_source_cache *cache, struct tm_span filename, uint32_t line);
void tm_source_cache_free(struct tm_source_cache *cache);

#endif
