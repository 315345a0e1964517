/* SPDX-License-Identifier: MIT */
/* Rows of a report: what was counted for one key, and the list of them.
 *
 * Memory   lists are malloc'ed.     Threads  reading: any. */
#ifndef TM_REPORT_STAT_STATISTIC_H
#define TM_REPORT_STAT_STATISTIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/stat/trace_forest.h"

/* What makes two traces one row. */
enum tm_key_type {
    TM_KEY_FILENAME, /* key: name id of the file */
    TM_KEY_LINENO,   /* key: site id */
    TM_KEY_TRACEBACK /* key: node id */
};

/* Which of the counters are looked at. */
enum tm_figure {
    TM_FIGURE_LIVE,        /* now */
    TM_FIGURE_PEAK_PYTHON, /* when raw + mem + obj were at their highest */
    TM_FIGURE_PEAK_HEAP,   /* when native too was counted */
    TM_FIGURE_EVER         /* since the start, freed or not */
};

struct tm_statistic {
    uint32_t key;
    uint64_t size;     /* bytes */
    uint64_t count;    /* blocks */
    int64_t size_diff; /* 0 where nothing is compared */
    int64_t count_diff;
};

struct tm_statistics {
    const struct tm_forest *forest;
    enum tm_key_type key_type;
    struct tm_statistic *items;
    size_t count;
};

void tm_statistics_free(struct tm_statistics *statistics);

/* Number of different keys of a type. */
uint32_t tm_key_count(const struct tm_forest *forest, enum tm_key_type key_type);

/* The key that NODE's traces are counted for. */
uint32_t tm_key_of_node(const struct tm_forest *forest, enum tm_key_type key_type, uint32_t node);

/* How rows are ordered; the largest comes first.  As Python's tracemalloc: by (size, count, traceback), differences by
 * (|size_diff|, size, |count_diff|, count, traceback). */
enum tm_sort {
    TM_SORT_SIZE,
    TM_SORT_DIFFERENCE,
};

/* RECENT_FIRST: tracebacks are compared from their most recent frame on, as CPython 3.6 does; else from the oldest. */
void tm_statistics_sort(struct tm_statistics *statistics, enum tm_sort sort, bool recent_first);

#endif
