/* SPDX-License-Identifier: MIT */
/* Rows as people see them: a report's rows with what else is known of each, and the rows of the import system as one.
 *
 * Memory   malloc'ed.     Threads  one per list. */
#ifndef TM_REPORT_RENDER_TEXT_ROW_H
#define TM_REPORT_RENDER_TEXT_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/render/report.h"

struct tm_text_row {
    struct tm_statistic statistic; /* the key is that of the largest where several are one */
    struct tm_amount live;
    double slope;         /* of a series: bytes per hour */
    bool grew;            /* of a series: from each snapshot to the next */
    uint64_t native_size; /* bytes of `size` that are not Python's own */
    size_t places;        /* rows in this one; 0: it is one row, not a folded one */
};

struct tm_text_rows {
    struct tm_text_row *rows; /* in the order of the report */
    size_t count;
    size_t unchanged; /* rows of a diff that have no difference and are left out */
    size_t imports; /* cumulative rows of the import system that are left out: they call everything that is imported */
};

/* Differences of a hostile file's cumulative rows may leave the range when they are summed; nobody looks at that
 * sum. */
static inline int64_t tm_add_wrapping(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* Unless the report shows all: folds what lies in the import system (frozen modules, importlib) and what has no Python
 * frame, if it is not grouped by traceback or module, or leaves the import system out of cumulative rows; and leaves
 * out what did not change.  False without memory. */
TM_CHECKED bool tm_text_rows_make(struct tm_text_rows *rows, const struct tm_report *report);
void tm_text_rows_free(struct tm_text_rows *rows);

#endif
