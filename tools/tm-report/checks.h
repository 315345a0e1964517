/* SPDX-License-Identifier: MIT */
/* What commands that make rows have in common. */
#ifndef TM_TOOLS_TM_REPORT_CHECKS_H
#define TM_TOOLS_TM_REPORT_CHECKS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "tools/tm-report/options.h"

/* Is the peak asked for, as a figure or as a limit? */
bool tm_asks_for_peak(const struct tm_options *options);

/* Options that do not go together, and the default of --limit.  False: one line was printed to stderr. */
TM_CHECKED bool tm_check_rows(struct tm_options *options);

/* What counts unless it is said: everything for people, Python's own for JSON and in the words of Python's module. */
uint32_t tm_domains_for_people(const struct tm_options *options);

#endif
