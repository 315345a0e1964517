/* SPDX-License-Identifier: MIT */
#include "report/stat/statistic.h"

#include <stdlib.h>

void tm_statistics_free(struct tm_statistics *statistics)
{
    free(statistics->items);
    statistics->items = NULL;
    statistics->count = 0;
}

uint32_t tm_key_count(const struct tm_forest *forest, enum tm_key_type key_type)
{
    switch (key_type) {
    case TM_KEY_FILENAME:
        return forest->names.count;
    case TM_KEY_LINENO:
        return forest->sites.count;
    default:
        return forest->node_count;
    }
}

uint32_t tm_key_of_node(const struct tm_forest *forest, enum tm_key_type key_type, uint32_t node)
{
    switch (key_type) {
    case TM_KEY_FILENAME:
        return forest->sites.sites[forest->nodes[node].site].file;
    case TM_KEY_LINENO:
        return forest->nodes[node].site;
    default:
        return node;
    }
}

struct comparison {
    const struct tm_statistics *statistics;
    enum tm_sort sort;
    bool recent_first;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* Walks both from the most recent frame to the oldest; what ends first is the smaller. */
static int compare_recent_first(const struct tm_forest *forest, uint32_t a, uint32_t b)
{
    while (a != b && a != 0 && b != 0) {
        const struct tm_node *x = &forest->nodes[a], *y = &forest->nodes[b];
        if (x->site != y->site) {
            return compare_numbers(x->site, y->site);
        }
        a = x->parent;
        b = y->parent;
    }
    return a == b ? 0 : compare_numbers(a != 0, b != 0);
}

/* Files and sites are numbered in their order. */
static int compare_keys(const struct comparison *comparison, uint32_t a, uint32_t b)
{
    const struct tm_forest *forest = comparison->statistics->forest;
    if (comparison->statistics->key_type != TM_KEY_TRACEBACK) {
        return compare_numbers(a, b);
    }
    if (comparison->recent_first) {
        return compare_recent_first(forest, a, b);
    }
    return compare_numbers(forest->nodes[a].order, forest->nodes[b].order);
}

static int compare(const void *left, const void *right, void *context)
{
    const struct comparison *comparison = (const struct comparison *)context;
    const struct tm_statistic *a = (const struct tm_statistic *)right, *b = (const struct tm_statistic *)left;
    bool difference = comparison->sort == TM_SORT_DIFFERENCE;
    int result = difference ? compare_numbers(magnitude(a->size_diff), magnitude(b->size_diff)) : 0;
    if (result == 0) {
        result = compare_numbers(a->size, b->size);
    }
    if (result == 0 && difference) {
        result = compare_numbers(magnitude(a->count_diff), magnitude(b->count_diff));
    }
    if (result == 0) {
        result = compare_numbers(a->count, b->count);
    }
    return result != 0 ? result : compare_keys(comparison, a->key, b->key);
}

void tm_statistics_sort(struct tm_statistics *statistics, enum tm_sort sort, bool recent_first)
{
    struct comparison comparison = {statistics, sort, recent_first};
    qsort_r(statistics->items, statistics->count, sizeof *statistics->items, compare, &comparison);
}
