/* SPDX-License-Identifier: MIT */
/* A mistyped pattern must not look like a program that uses nothing. */
#ifndef TM_TOOLS_TM_REPORT_UNMATCHED_H
#define TM_TOOLS_TM_REPORT_UNMATCHED_H

#include "report/render/report.h"
#include "tools/tm-report/options.h"

/* A line on stderr when filters let nothing through, with what may have been meant. */
void tm_say_unmatched(const struct tm_options *options, const struct tm_report *report);

#endif
