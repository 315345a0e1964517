/* SPDX-License-Identifier: MIT */
/* Keys of rows that the forest itself does not number: the functions of its frames, and their modules.
 *
 * Memory   malloc'ed; names point into the snapshots.     Threads  reading: any. */
#ifndef TM_REPORT_STAT_KEY_LIST_H
#define TM_REPORT_STAT_KEY_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"

struct tm_forest;

struct tm_key {
    struct tm_span file; /* of a function; of a module: its name */
    struct tm_span function;
};

struct tm_key_list {
    struct tm_key *keys; /* ascending by (file, function) in Python's order of text */
    uint32_t count;
    uint32_t *of_node; /* by node of the forest: the key of its most recent frame */
};

/* A function is a file and a name: methods of equal names in one file differ by their class where the release knows
 * qualified names.  False without memory; LIST may be freed in any case. */
TM_CHECKED bool tm_key_list_functions(struct tm_key_list *list, const struct tm_forest *forest);

/* By tm_module_name. */
TM_CHECKED bool tm_key_list_modules(struct tm_key_list *list, const struct tm_forest *forest);

void tm_key_list_free(struct tm_key_list *list);

#endif
