/* SPDX-License-Identifier: MIT */
/* Where the report goes, and what that place can show. */
#ifndef TM_TOOLS_TM_REPORT_REPORT_OUTPUT_H
#define TM_TOOLS_TM_REPORT_REPORT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "report/render/out.h"
#include "tools/tm-report/options.h"

struct tm_output {
    struct tm_out out;
    const char *name; /* for messages */
    char *target;     /* the file that the part becomes; malloc'ed; NULL: the stream writes where it is to be read */
    char *part;       /* malloc'ed */
    bool color;
    bool bars;    /* a person looks at it */
    bool plain;   /* the locale has ASCII only */
    size_t width; /* columns; SIZE_MAX: not known */
};

/* Opens options->output, or standard output.  A regular file is written beside its place and put there whole by
 * tm_output_close.  It is not made over a snapshot that the report is made from.  False, with a line on stderr, when it
 * cannot be. */
TM_CHECKED bool tm_output_open(struct tm_output *output, const struct tm_options *options);

/* KEEP: what was written is good; else a regular file stays as it was.
 * False when not everything was written; with a line on stderr unless the reader just went away. */
TM_CHECKED bool tm_output_close(struct tm_output *output, bool keep);

#endif
