/* SPDX-License-Identifier: MIT */
/* A snapshot or a live store by its name; a fault is one line on stderr. */
#ifndef TM_TOOLS_TM_REPORT_REPORT_LOAD_H
#define TM_TOOLS_TM_REPORT_REPORT_LOAD_H

#include <stdbool.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"
#include "tools/tm-report/options.h"

/* With names for its machine frames, unless OPTIONS say otherwise.  PATH "-" is standard input.  False, and *SNAPSHOT
 * is NULL, when it cannot be read; else *SNAPSHOT is the caller's. */
TM_CHECKED bool tm_report_load(const struct tm_options *options, const char *path, struct tm_snapshot **snapshot);

#endif
