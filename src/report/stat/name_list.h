/* SPDX-License-Identifier: MIT */
/* The distinct strings of snapshots in Python's order of text, so that names compare as numbers.
 *
 * Memory   malloc'ed; names point into the snapshots, which must outlive the list.     Threads  reading: any. */
#ifndef TM_REPORT_STAT_NAME_LIST_H
#define TM_REPORT_STAT_NAME_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"

/* What frames say that are not known. */
#define TM_UNKNOWN_NAME "<unknown>"

struct tm_name_list {
    struct tm_span *names; /* by name id, ascending */
    uint32_t count;
    uint32_t unknown; /* name id of TM_UNKNOWN_NAME */
    uint32_t **ids;   /* by snapshot and string id */
    unsigned snapshot_count;
};

/* False without memory; LIST may be freed in any case. */
TM_CHECKED bool tm_name_list_init(struct tm_name_list *list, const struct tm_snapshot *const *snapshots,
                                  unsigned count);
void tm_name_list_free(struct tm_name_list *list);

#endif
