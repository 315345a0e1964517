/* SPDX-License-Identifier: MIT */
/* From arguments to a report: load, filter, group, render. */
#ifndef TM_TOOLS_TM_REPORT_REPORT_RUN_H
#define TM_TOOLS_TM_REPORT_REPORT_RUN_H

#include "tools/tm-report/report_options.h"

/* Prints one line to stderr when it fails. */
TM_CHECKED enum tm_exit tm_report_run(const struct tm_options *options);

#endif
