/* SPDX-License-Identifier: MIT */
#include "report/stat/call_tree.h"

#include <stdlib.h>
#include <string.h>

static bool counts(struct tm_amount amount)
{
    return amount.size != 0 || amount.count != 0;
}

static int compare_children(const void *left, const void *right, void *context)
{
    const struct tm_call_tree *tree = (const struct tm_call_tree *)context;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    const struct tm_node *x = &tree->forest->nodes[a], *y = &tree->forest->nodes[b];
    if (x->parent != y->parent) {
        return x->parent < y->parent ? -1 : 1;
    }
    const struct tm_amount *m = &tree->amounts[a], *n = &tree->amounts[b];
    if (m->size != n->size) {
        return m->size > n->size ? -1 : 1;
    }
    if (m->count != n->count) {
        return m->count > n->count ? -1 : 1;
    }
    return (x->order > y->order) - (x->order < y->order);
}

static void collect_children(struct tm_call_tree *tree)
{
    uint32_t count = 0, nodes = tree->forest->node_count;
    for (uint32_t i = 1; i < nodes; i++) {
        if (counts(tree->amounts[i])) {
            tree->children[count++] = i;
        }
    }
    qsort_r(tree->children, count, sizeof *tree->children, compare_children, tree);
    uint32_t at = 0;
    for (uint32_t parent = 0; parent < nodes; parent++) {
        tree->first[parent] = at;
        while (at < count && tree->forest->nodes[tree->children[at]].parent == parent) {
            at++;
        }
    }
    tree->first[nodes] = at;
}

bool tm_call_tree_make(struct tm_call_tree *tree, const struct tm_forest *forest, unsigned snapshot,
                       const struct tm_grouping *grouping)
{
    struct tm_grouping by_node = *grouping;
    by_node.key_type = TM_KEY_TRACEBACK;
    by_node.cumulative = TM_CUMULATIVE_OFF;
    size_t nodes = forest->node_count;
    *tree = (struct tm_call_tree){.forest = forest,
                                  .amounts = calloc(nodes, sizeof *tree->amounts),
                                  .own = tm_group_sums(forest, snapshot, &by_node),
                                  .children = calloc(nodes, sizeof *tree->children),
                                  .first = calloc(nodes + 1, sizeof *tree->first)};
    if (tree->amounts == NULL || tree->own == NULL || tree->children == NULL || tree->first == NULL) {
        return false;
    }
    memcpy(tree->amounts, tree->own, nodes * sizeof *tree->amounts);
    for (size_t i = nodes - 1; i > 0; i--) {
        struct tm_amount *parent = &tree->amounts[forest->nodes[i].parent];
        parent->size += tree->amounts[i].size;
        parent->count += tree->amounts[i].count;
    }
    collect_children(tree);
    return true;
}

void tm_call_tree_free(struct tm_call_tree *tree)
{
    free(tree->amounts);
    free(tree->own);
    free(tree->children);
    free(tree->first);
    *tree = (struct tm_call_tree){.forest = NULL};
}

uint32_t tm_call_tree_chain_end(const struct tm_call_tree *tree, uint32_t node)
{
    while (!counts(tree->own[node]) && tm_call_tree_child_count(tree, node) == 1) {
        node = tree->children[tree->first[node]];
    }
    return node;
}
