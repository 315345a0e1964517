/* SPDX-License-Identifier: MIT */
/* Which traces count: filters by file name and line as Python's tracemalloc.Filter, by the name of the function, and a
 * set of domains.
 *
 * A trace counts when its domain is in the set, one of the inclusive filters (if there are any) matches, one of the
 * functions (if there are any) does, and none of the exclusive filters does.
 *
 * Memory   the caller's; patterns are tm_pattern's.     Threads  one thread while a selection is made. */
#ifndef TM_REPORT_STAT_TRACE_FILTER_H
#define TM_REPORT_STAT_TRACE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/stat/filename_pattern.h"
#include "report/stat/trace_forest.h"

/* Sets of domains: one bit for each. */
#define TM_DOMAIN_BIT(domain) (1U << (domain))
#define TM_DOMAINS_PYTHON     (TM_DOMAIN_BIT(TM_DOMAIN_RAW) | TM_DOMAIN_BIT(TM_DOMAIN_MEM) | TM_DOMAIN_BIT(TM_DOMAIN_OBJ))
#define TM_DOMAINS_HEAP       (TM_DOMAINS_PYTHON | TM_DOMAIN_BIT(TM_DOMAIN_NATIVE))

struct tm_filter {
    const char *text;       /* as it was given; the caller's, for messages */
    size_t text_length;     /* of the pattern in it */
    struct tm_pattern name; /* of the file or of the function */
    bool by_function;
    bool inclusive;
    bool all_frames; /* any frame may match, not the most recent one only */
    bool has_line;
    uint32_t line;
};

/* TEXT is PATTERN or PATTERN:LINE.  False without memory; FILTER then needs no tm_filter_free. */
TM_CHECKED bool tm_filter_init(struct tm_filter *filter, const char *text, bool inclusive, bool all_frames);

/* Inclusive, by the qualified name of the function of the most recent frame; where traces of several functions share a
 * line, that of the first one. */
TM_CHECKED bool tm_filter_init_function(struct tm_filter *filter, const char *text);
void tm_filter_free(struct tm_filter *filter);

/* By node: 1 where the filters let it pass, else 0.  malloc'ed; NULL without memory. */
TM_CHECKED uint8_t *tm_filter_nodes(const struct tm_forest *forest, const struct tm_filter *filters, size_t count);

#endif
