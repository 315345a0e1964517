/* SPDX-License-Identifier: MIT */
/* The distinct (file, line), and (file, function) of machine frames without a line, of snapshots in Python's order of
 * (filename, lineno), so that frames compare as numbers.
 *
 * Memory   malloc'ed.     Threads  reading: any. */
#ifndef TM_REPORT_STAT_SITE_LIST_H
#define TM_REPORT_STAT_SITE_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"
#include "report/stat/name_list.h"

struct tm_site {
    uint32_t file; /* name id */
    uint32_t line;
    uint32_t function; /* name id; several functions may share a line: the forest chooses one */
    bool is_native;    /* a machine frame; without a line it is one site per function */
};

struct tm_site_list {
    struct tm_site *sites; /* by site id, ascending by (file, line) */
    uint32_t count;
    uint32_t unknown; /* site id of (<unknown>, 0) */
    uint32_t **ids;   /* by snapshot and frame id; frame 0 is the unknown one */
    unsigned snapshot_count;
};

/* False without memory; LIST may be freed in any case. */
TM_CHECKED bool tm_site_list_init(struct tm_site_list *list, const struct tm_snapshot *const *snapshots, unsigned count,
                                  const struct tm_name_list *names);
void tm_site_list_free(struct tm_site_list *list);

#endif
