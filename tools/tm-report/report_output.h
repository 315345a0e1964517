/* SPDX-License-Identifier: MIT */
/* Where the report goes, and what that place can show. */
#ifndef TM_TOOLS_TM_REPORT_REPORT_OUTPUT_H
#define TM_TOOLS_TM_REPORT_REPORT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "report/render/out.h"
#include "tools/tm-report/report_options.h"

struct tm_output {
    struct tm_out out;
    const char *name; /* for messages */
    bool color;
    size_t width; /* columns; SIZE_MAX: not known */
};

/* Opens options->output, or standard output.  It is not opened over a snapshot that the report is made from.  False,
 * with a line on stderr, when it cannot be. */
TM_CHECKED bool tm_output_open(struct tm_output *output, const struct tm_options *options);

/* False when not everything was written; with a line on stderr unless the reader just went away. */
TM_CHECKED bool tm_output_close(struct tm_output *output);

#endif
