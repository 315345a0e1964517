/* SPDX-License-Identifier: MIT */
/* The machine frames of merged snapshots, and the strings, of which those that the loader made for frames without a
 * name come last.  Part of merge.c. */
#ifndef TM_REPORT_STAT_MERGE_NATIVE_H
#define TM_REPORT_STAT_MERGE_NATIVE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"
#include "report/stat/trace_forest.h"

/* Memory that SNAPSHOT owns: COUNT items and one more, all zeros.  NULL without memory. */
void *tm_merge_get(struct tm_snapshot *snapshot, size_t count, size_t size);

/* Gives SNAPSHOT the names of FOREST as strings; *STRING_OF has the string id of each name and is the caller's to
 * free. */
TM_CHECKED bool tm_merge_strings(struct tm_snapshot *snapshot, const struct tm_forest *forest, uint32_t **string_of);

/* Gives SNAPSHOT the modules and machine frames.  FRAMES are its frames, SITE_OF has the site of each.  Where several
 * machine frames are one site (calls in one line of source), it is one of them. */
TM_CHECKED bool tm_merge_natives(struct tm_snapshot *snapshot, const struct tm_forest *forest,
                                 struct tm_frame_record *frames, const uint32_t *site_of, const uint32_t *string_of);

#endif
