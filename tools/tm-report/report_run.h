/* SPDX-License-Identifier: MIT */
/* From files to a report: load, filter, group, render. */
#ifndef TM_TOOLS_TM_REPORT_REPORT_RUN_H
#define TM_TOOLS_TM_REPORT_REPORT_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/exit_code.h"
#include "report/render/out.h"
#include "report/render/report.h"
#include "tools/tm-report/options.h"

/* What a command makes of the rows. */
struct tm_report_plan {
    uint32_t domains;  /* what counts unless it is said */
    bool is_series;    /* more than two snapshots, by their time */
    bool prefers_peak; /* where little is left of what was used, and no figure is asked for */
    /* False: one line was printed to stderr. */
    bool (*render)(struct tm_out *out, const struct tm_options *options, const struct tm_report *report);
};

/* Of one snapshot or two, or of a series.  Prints one line to stderr when it fails. */
TM_CHECKED enum tm_exit tm_report_run(const struct tm_options *options, const struct tm_report_plan *plan);

/* A renderer for plans. */
bool tm_report_json(struct tm_out *out, const struct tm_options *options, const struct tm_report *report);

/* Says so on stderr; false. */
bool tm_report_no_memory(void);

#endif
