/* SPDX-License-Identifier: MIT */
#include "report/stat/statistic.h"

#include <stdlib.h>

void tm_statistics_free(struct tm_statistics *statistics)
{
    free(statistics->items);
    statistics->items = NULL;
    statistics->count = 0;
}

bool tm_forest_number_keys(struct tm_forest *forest, enum tm_key_type key_type)
{
    if (key_type == TM_KEY_FUNCTION && forest->functions.keys == NULL) {
        return tm_key_list_functions(&forest->functions, forest);
    }
    if (key_type == TM_KEY_MODULE && forest->modules.keys == NULL) {
        return tm_key_list_modules(&forest->modules, forest);
    }
    return true;
}

uint32_t tm_key_count(const struct tm_forest *forest, enum tm_key_type key_type)
{
    switch (key_type) {
    case TM_KEY_FILENAME:
        return forest->names.count;
    case TM_KEY_LINENO:
        return forest->sites.count;
    case TM_KEY_FUNCTION:
        return forest->functions.count;
    case TM_KEY_MODULE:
        return forest->modules.count;
    case TM_KEY_DOMAIN:
        return TM_DOMAIN_COUNT;
    default:
        return forest->node_count;
    }
}

uint32_t tm_key_of_node(const struct tm_forest *forest, enum tm_key_type key_type, uint32_t node)
{
    switch (key_type) {
    case TM_KEY_FILENAME:
        return forest->sites.sites[forest->nodes[forest->nodes[node].place].site].file;
    case TM_KEY_LINENO:
        return forest->nodes[forest->nodes[node].place].site;
    case TM_KEY_FUNCTION:
        return forest->functions.of_node[node];
    case TM_KEY_MODULE:
        return forest->modules.of_node[node];
    default:
        return node;
    }
}

struct comparison {
    const struct tm_statistics *statistics;
    struct tm_order order;
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

/* All others are numbered in their order. */
static int compare_keys(const struct comparison *comparison, uint32_t a, uint32_t b)
{
    const struct tm_forest *forest = comparison->statistics->forest;
    if (comparison->statistics->key_type != TM_KEY_TRACEBACK) {
        return compare_numbers(a, b);
    }
    if (comparison->order.recent_first) {
        return compare_recent_first(forest, a, b);
    }
    return compare_numbers(forest->nodes[a].order, forest->nodes[b].order);
}

/* a / b against c / d without rounding; a mean of no blocks is 0. */
static int compare_means(const struct tm_statistic *a, const struct tm_statistic *b)
{
    unsigned __int128 left = a->count > 0 ? (unsigned __int128)a->size * (b->count > 0 ? b->count : 1) : 0;
    unsigned __int128 right = b->count > 0 ? (unsigned __int128)b->size * (a->count > 0 ? a->count : 1) : 0;
    return (left > right) - (left < right);
}

static int compare_asked(const struct tm_statistic *a, const struct tm_statistic *b, enum tm_sort sort)
{
    switch (sort) {
    case TM_SORT_SIZE:
        return compare_numbers(a->size, b->size);
    case TM_SORT_COUNT:
        return compare_numbers(a->count, b->count);
    case TM_SORT_AVERAGE:
        return compare_means(a, b);
    case TM_SORT_COUNT_DIFFERENCE:
        return compare_numbers(magnitude(a->count_diff), magnitude(b->count_diff));
    default:
        return 0;
    }
}

static int compare_amounts(const struct tm_statistic *a, const struct tm_statistic *b, struct tm_order order)
{
    int result = compare_asked(a, b, order.sort);
    if (result == 0 && order.is_diff) {
        result = compare_numbers(magnitude(a->size_diff), magnitude(b->size_diff));
    }
    if (result == 0) {
        result = compare_numbers(a->size, b->size);
    }
    if (result == 0 && order.is_diff) {
        result = compare_numbers(magnitude(a->count_diff), magnitude(b->count_diff));
    }
    return result != 0 ? result : compare_numbers(a->count, b->count);
}

int tm_statistic_compare(const struct tm_statistic *a, const struct tm_statistic *b, struct tm_order order)
{
    int result = order.sort != TM_SORT_LOCATION ? compare_amounts(a, b, order) : 0;
    return order.reverse ? -result : result;
}

static int compare(const void *left, const void *right, void *context)
{
    const struct comparison *comparison = (const struct comparison *)context;
    const struct tm_statistic *a = (const struct tm_statistic *)right, *b = (const struct tm_statistic *)left;
    int result = tm_statistic_compare(a, b, comparison->order);
    if (result != 0) {
        return result;
    }
    bool ascending = (comparison->order.sort == TM_SORT_LOCATION) != comparison->order.reverse;
    return ascending ? compare_keys(comparison, b->key, a->key) : compare_keys(comparison, a->key, b->key);
}

void tm_statistics_sort(struct tm_statistics *statistics, struct tm_order order)
{
    struct comparison comparison = {statistics, order};
    qsort_r(statistics->items, statistics->count, sizeof *statistics->items, compare, &comparison);
}

static void swap(struct tm_statistic *a, struct tm_statistic *b)
{
    struct tm_statistic other = *a;
    *a = *b;
    *b = other;
}

/* ITEMS is a heap whose root comes last in the order, but for what lies at PLACE: sinks it. */
static void sink(struct tm_statistic *items, size_t count, size_t place, struct comparison *comparison)
{
    for (size_t child = 2 * place + 1; child < count; child = 2 * place + 1) {
        child += child + 1 < count && compare(&items[child + 1], &items[child], comparison) > 0;
        if (compare(&items[child], &items[place], comparison) <= 0) {
            return;
        }
        swap(&items[child], &items[place]);
        place = child;
    }
}

void tm_statistics_sort_first(struct tm_statistics *statistics, struct tm_order order, size_t first)
{
    struct comparison comparison = {statistics, order};
    struct tm_statistic *items = statistics->items;
    if (first == 0 || first > statistics->count / 8) { /* where sorting all is no more work */
        tm_statistics_sort(statistics, order);
        return;
    }
    for (size_t i = first / 2; i-- > 0;) {
        sink(items, first, i, &comparison);
    }
    for (size_t i = first; i < statistics->count; i++) {
        if (compare(&items[i], &items[0], &comparison) < 0) {
            swap(&items[i], &items[0]);
            sink(items, first, 0, &comparison);
        }
    }
    qsort_r(items, first, sizeof *items, compare, &comparison);
}

size_t tm_statistics_drop_small(struct tm_statistics *statistics, uint64_t size, uint64_t count, bool is_diff)
{
    size_t kept = 0, all = statistics->count;
    for (size_t i = 0; i < all; i++) {
        const struct tm_statistic *row = &statistics->items[i];
        if ((is_diff ? magnitude(row->size_diff) : row->size) >= size &&
            (is_diff ? magnitude(row->count_diff) : row->count) >= count) {
            statistics->items[kept++] = *row;
        }
    }
    statistics->count = kept;
    return all - kept;
}
