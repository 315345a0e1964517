/* SPDX-License-Identifier: MIT */
#include "report/stat/live_rows.h"

#include <stdlib.h>
#include <string.h>

/* Each forest numbers its keys by itself; both have the snapshot of now, whose tracebacks join them. */
struct join {
    const struct tm_forest *growth;
    const struct tm_forest *recent;
    enum tm_key_type key_type;
    uint32_t *keys; /* by key of `growth`: the key of `recent` and 1; 0: not in the snapshot of now */
};

static void join_traceback(struct join *join, uint32_t traceback)
{
    uint32_t node = join->growth->node_of[1][traceback], other = join->recent->node_of[1][traceback];
    while (node != 0 && other != 0) {
        uint32_t key = tm_key_of_node(join->growth, join->key_type, node);
        join->keys[key] = tm_key_of_node(join->recent, join->key_type, other) + 1;
        node = join->growth->nodes[node].parent;
        other = join->recent->nodes[other].parent;
    }
}

static bool join_keys(struct join *join)
{
    const struct tm_snapshot *now = join->growth->snapshots[1];
    join->keys = calloc((size_t)tm_key_count(join->growth, join->key_type) + 1, sizeof *join->keys);
    for (size_t i = 0; join->keys != NULL && i < now->counter_count; i++) {
        join_traceback(join, now->counters[i].traceback);
    }
    return join->keys != NULL;
}

static uint64_t gain(uint64_t before, uint64_t after)
{
    return after > before ? after - before : 0; /* clear_traces begins anew */
}

static void take_rates(struct tm_live_rows *rows, const struct join *join, const struct tm_amount *before,
                       const struct tm_amount *after)
{
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t key = join->keys[rows->rows[i].statistic.key];
        if (key != 0) {
            rows->rows[i].allocated = (struct tm_amount){gain(before[key - 1].size, after[key - 1].size),
                                                         gain(before[key - 1].count, after[key - 1].count)};
        }
    }
}

static bool add_rates(struct tm_live_rows *rows, const struct tm_snapshot *previous, const struct tm_snapshot *now,
                      const struct tm_grouping *grouping)
{
    const struct tm_snapshot *const snapshots[] = {previous, now};
    struct tm_grouping ever = *grouping;
    ever.figure = TM_FIGURE_EVER;
    struct tm_forest *recent = tm_forest_build(snapshots, 2);
    struct join join = {.growth = rows->forest, .recent = recent, .key_type = grouping->key_type};
    struct tm_amount *before = recent == NULL ? NULL : tm_group_sums(recent, 0, &ever);
    struct tm_amount *after = recent == NULL ? NULL : tm_group_sums(recent, 1, &ever);
    bool memory = before != NULL && after != NULL && join_keys(&join);
    if (memory) {
        take_rates(rows, &join, before, after);
    }
    free(join.keys);
    free(before);
    free(after);
    tm_forest_free(recent);
    return memory;
}

static int descending(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

static int compare_size(const void *a, const void *b)
{
    const struct tm_live_row *first = a, *second = b;
    int order = descending(first->statistic.size, second->statistic.size);
    return order != 0 ? order
                      : (first->statistic.key > second->statistic.key) - (first->statistic.key < second->statistic.key);
}

static int compare_growth(const void *a, const void *b)
{
    const struct tm_live_row *first = a, *second = b;
    int64_t x = first->statistic.size_diff, y = second->statistic.size_diff;
    return x != y ? (x < y) - (x > y) : compare_size(a, b);
}

static int compare_rate(const void *a, const void *b)
{
    const struct tm_live_row *first = a, *second = b;
    int order = descending(first->allocated.size, second->allocated.size);
    return order != 0 ? order : compare_size(a, b);
}

bool tm_live_rows_make(struct tm_live_rows *rows, const struct tm_snapshot *first, const struct tm_snapshot *previous,
                       const struct tm_snapshot *now, const struct tm_grouping *grouping, enum tm_live_sort sort)
{
    static int (*const orders[])(const void *, const void *) = {
        [TM_LIVE_SORT_SIZE] = compare_size, [TM_LIVE_SORT_GROWTH] = compare_growth, [TM_LIVE_SORT_RATE] = compare_rate};
    const struct tm_snapshot *const snapshots[] = {first, now};
    struct tm_statistics statistics = {.items = NULL};
    struct tm_grouping live = *grouping;
    live.figure = TM_FIGURE_LIVE;
    live.nodes = NULL;
    *rows = (struct tm_live_rows){.key_type = grouping->key_type, .forest = tm_forest_build(snapshots, 2)};
    bool memory = rows->forest != NULL && tm_group_differences(rows->forest, &live, &statistics);
    rows->rows = memory ? calloc(statistics.count + 1, sizeof *rows->rows) : NULL;
    if (rows->rows != NULL) {
        rows->count = statistics.count;
        for (size_t i = 0; i < statistics.count; i++) {
            rows->rows[i].statistic = statistics.items[i];
        }
        memory = add_rates(rows, previous, now, &live);
        qsort(rows->rows, rows->count, sizeof *rows->rows, orders[sort]);
    }
    tm_statistics_free(&statistics);
    return memory && rows->rows != NULL;
}

void tm_live_rows_free(struct tm_live_rows *rows)
{
    free(rows->rows);
    tm_forest_free(rows->forest);
    *rows = (struct tm_live_rows){.rows = NULL};
}
