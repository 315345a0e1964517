/* SPDX-License-Identifier: MIT */
/* The facts (META) of merged snapshots.  Part of merge.c. */
#ifndef TM_REPORT_STAT_MERGE_FACTS_H
#define TM_REPORT_STAT_MERGE_FACTS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"
#include "report/stat/trace_forest.h"

/* What all agree on is kept; limits and times are the largest; losses are added up; notes are kept, each once. */
TM_CHECKED bool tm_merge_facts(struct tm_snapshot *snapshot, const struct tm_forest *forest);

#endif
