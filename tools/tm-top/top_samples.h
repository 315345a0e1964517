/* SPDX-License-Identifier: MIT */
/* The looks at the process that a picture needs: the first, the one before, and the last. */
#ifndef TM_TOOLS_TM_TOP_TOP_SAMPLES_H
#define TM_TOOLS_TM_TOP_TOP_SAMPLES_H

#include "report/process/process_facts.h"
#include "report/process/why.h"
#include "report/snapshot/snapshot.h"

struct tm_top_samples {
    struct tm_snapshot *first; /* two or all three of them may be the same */
    struct tm_snapshot *previous;
    struct tm_snapshot *now;
};

/* Looks at PID.  False and one line in *WHY when that failed; the samples are as they were then.  A program that began
 * anew (exec) begins a new row of looks. */
TM_CHECKED bool tm_top_sample(struct tm_top_samples *samples, pid_t pid, struct tm_why *why);

/* Growth counts from the last look. */
void tm_top_samples_restart(struct tm_top_samples *samples);

void tm_top_samples_free(struct tm_top_samples *samples);

#endif
