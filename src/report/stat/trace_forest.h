/* SPDX-License-Identifier: MIT */
/* The tracebacks of snapshots as one tree of (file, line): equal tracebacks are one node, whatever their ids
 * in the files are, so that grouping is adding into arrays and comparing tracebacks is comparing numbers.
 *
 * A node is a traceback: its own site is the most recent frame, its parents are the older ones.  Node 0 is the root and
 * no traceback.  The traceback without frames is the node of one frame `<unknown>`, line 0, as in Python's tracemalloc.
 *
 * Memory   malloc'ed; points into the snapshots, which must outlive the forest.     Threads  reading: any. */
#ifndef TM_REPORT_STAT_TRACE_FOREST_H
#define TM_REPORT_STAT_TRACE_FOREST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"
#include "report/stat/key_list.h"
#include "report/stat/name_list.h"
#include "report/stat/site_list.h"

struct tm_node {
    uint32_t parent; /* always a smaller id */
    uint32_t site;
    uint32_t function; /* name id: of the first such frame */
    uint32_t depth;    /* frames */
    uint32_t place;    /* the node of its most recent Python frame; itself where it has machine frames only */
    uint32_t order;    /* position among all nodes in Python's order of tracebacks (oldest frame first) */
    uint32_t end;      /* one past the largest order below this node */
};

struct tm_forest {
    const struct tm_snapshot **snapshots;
    unsigned snapshot_count;
    struct tm_name_list names;
    struct tm_site_list sites;
    struct tm_node *nodes;
    uint32_t node_count;
    uint32_t *by_order;           /* node of each order */
    uint32_t **node_of;           /* by snapshot and traceback id */
    struct tm_key_list functions; /* empty until tm_forest_number_keys is asked for them */
    struct tm_key_list modules;
};

/* SNAPSHOTS: COUNT of them, at least 1.  NULL without memory. */
TM_CHECKED struct tm_forest *tm_forest_build(const struct tm_snapshot *const *snapshots, unsigned count);

/* FOREST may be NULL. */
void tm_forest_free(struct tm_forest *forest);

#endif
