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
    TM_KEY_FILENAME,  /* key: name id of the file */
    TM_KEY_LINENO,    /* key: site id */
    TM_KEY_TRACEBACK, /* key: node id */
    TM_KEY_FUNCTION,  /* key: place in forest->functions */
    TM_KEY_MODULE,    /* key: place in forest->modules */
    TM_KEY_DOMAIN,    /* key: enum tm_domain */
};

/* Has a key of this type a line?  Others stand for many of them. */
static inline bool tm_key_has_line(enum tm_key_type key_type)
{
    return key_type == TM_KEY_LINENO || key_type == TM_KEY_TRACEBACK;
}

/* Which of the counters are looked at. */
enum tm_figure {
    TM_FIGURE_LIVE,        /* now */
    TM_FIGURE_PEAK_PYTHON, /* when raw + mem + obj were at their highest */
    TM_FIGURE_PEAK_HEAP,   /* when native too was counted */
    TM_FIGURE_EVER,        /* since the start, freed or not */
    TM_FIGURE_TEMPORARY    /* freed before the next allocation of their thread; bytes by the mean of all blocks ever */
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

/* To be called before keys of KEY_TYPE are used.  False without memory. */
TM_CHECKED bool tm_forest_number_keys(struct tm_forest *forest, enum tm_key_type key_type);

/* Number of different keys of a type. */
uint32_t tm_key_count(const struct tm_forest *forest, enum tm_key_type key_type);

/* Files and lines are those of Python frames where a traceback has any: machine frames are passed over. */
static inline bool tm_key_is_of_python(enum tm_key_type key_type)
{
    return key_type == TM_KEY_FILENAME || key_type == TM_KEY_LINENO;
}

/* The key that NODE's traces are counted for; not of domains, which are no property of a traceback. */
uint32_t tm_key_of_node(const struct tm_forest *forest, enum tm_key_type key_type, uint32_t node);

/* How rows are ordered; the largest comes first, locations ascend.  What is equal then is ordered as Python's
 * tracemalloc does: by (size, count, traceback), differences by (|size_diff|, size, |count_diff|, count, traceback). */
enum tm_sort {
    TM_SORT_SIZE,
    TM_SORT_DIFFERENCE,
    TM_SORT_COUNT,
    TM_SORT_AVERAGE,
    TM_SORT_COUNT_DIFFERENCE,
    TM_SORT_LOCATION,
};

/* Are the rows those of a diff, whose differences decide between equal ones? */
struct tm_order {
    enum tm_sort sort;
    bool is_diff;
    bool recent_first; /* tracebacks are compared from their most recent frame on, as CPython 3.6 does */
    bool reverse;      /* the smallest first */
};

void tm_statistics_sort(struct tm_statistics *statistics, struct tm_order order);

/* Puts the first FIRST rows in their order and place; those behind them are in any order.  Less work when FIRST is
 * small. */
void tm_statistics_sort_first(struct tm_statistics *statistics, struct tm_order order, size_t first);

/* Above 0 when A comes before B by what they count, below when behind it, 0 when their keys decide. */
int tm_statistic_compare(const struct tm_statistic *a, const struct tm_statistic *b, struct tm_order order);

/* Takes out rows of fewer than SIZE bytes or COUNT blocks, of a diff those that changed by less; their number. */
size_t tm_statistics_drop_small(struct tm_statistics *statistics, uint64_t size, uint64_t count, bool is_diff);

#endif
