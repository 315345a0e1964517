/* SPDX-License-Identifier: MIT */
/* One line that says what went wrong with a process or its store, and what to do.  The caller's memory; any thread. */
#ifndef TM_REPORT_PROCESS_WHY_H
#define TM_REPORT_PROCESS_WHY_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/status.h"

struct tm_why {
    char text[4096 + 256]; /* a path and what is to be said of it */
};

/* Both return false, so that a failing function can end in them. */
TM_COLD TM_PRINTF(2, 3) bool tm_why_say(struct tm_why *why, const char *format, ...);
TM_COLD bool tm_why_fault(struct tm_why *why, const char *path, const struct tm_fault *fault);

#endif
