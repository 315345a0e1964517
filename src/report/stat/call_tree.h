/* SPDX-License-Identifier: MIT */
/* Who called whom, with what each call holds in all that it called.
 *
 * Memory   malloc'ed, by nodes of the forest.     Threads  reading: any. */
#ifndef TM_REPORT_STAT_CALL_TREE_H
#define TM_REPORT_STAT_CALL_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/stat/group.h"

struct tm_call_tree {
    const struct tm_forest *forest;
    struct tm_amount *amounts; /* by node: of its whole subtree; node 0 has everything */
    struct tm_amount *own;     /* by node: of itself */
    uint32_t *children;        /* nodes that count, those of one parent side by side, the largest first */
    uint32_t *first;           /* by node: where its children begin; one more, for the end of the last */
};

/* Of snapshot number SNAPSHOT; GROUPING says figure, domains and nodes.  False without memory; TREE may be freed in any
 * case. */
TM_CHECKED bool tm_call_tree_make(struct tm_call_tree *tree, const struct tm_forest *forest, unsigned snapshot,
                                  const struct tm_grouping *grouping);
void tm_call_tree_free(struct tm_call_tree *tree);

static inline uint32_t tm_call_tree_child_count(const struct tm_call_tree *tree, uint32_t node)
{
    return tree->first[node + 1] - tree->first[node];
}

/* The last call of the chain that begins with NODE: as long as a call holds nothing itself and calls one other only. */
uint32_t tm_call_tree_chain_end(const struct tm_call_tree *tree, uint32_t node);

#endif
