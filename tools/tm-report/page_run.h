/* SPDX-License-Identifier: MIT */
/* tm-report html: snapshots to one page. */
#ifndef TM_TOOLS_TM_REPORT_PAGE_RUN_H
#define TM_TOOLS_TM_REPORT_PAGE_RUN_H

#include "tools/tm-report/report_options.h"

TM_CHECKED enum tm_exit tm_page_run(const struct tm_options *options);

#endif
