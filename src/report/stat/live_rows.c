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

/* What is counted for each key, in numbers of one forest. */
struct sums {
    struct tm_amount *before;
    struct tm_amount *after;
};

static bool sums_make(struct sums *sums, const struct tm_forest *forest, const struct tm_grouping *grouping,
                      enum tm_figure figure)
{
    struct tm_grouping asked = *grouping;
    asked.figure = figure;
    asked.nodes = NULL;
    sums->before = tm_group_sums(forest, 0, &asked);
    sums->after = tm_group_sums(forest, 1, &asked);
    return sums->before != NULL && sums->after != NULL;
}

static void sums_free(struct sums *sums)
{
    free(sums->before);
    free(sums->after);
}

static struct tm_live_row make_row(const struct join *join, uint32_t key, const struct sums *live,
                                   const struct sums *ever)
{
    const struct tm_amount *before = &live->before[key], *after = &live->after[key];
    struct tm_live_row row = {.statistic = {.key = key,
                                            .size = after->size,
                                            .count = after->count,
                                            .size_diff = (int64_t)(after->size - before->size),
                                            .count_diff = (int64_t)(after->count - before->count)}};
    if (join->keys[key] != 0) {
        uint32_t other = join->keys[key] - 1;
        row.allocated = (struct tm_amount){gain(ever->before[other].size, ever->after[other].size),
                                           gain(ever->before[other].count, ever->after[other].count)};
    }
    return row;
}

/* A place that frees all that it allocates has a row too: it may be the busiest one. */
static bool is_shown(const struct tm_live_row *row)
{
    return row->statistic.size != 0 || row->statistic.count != 0 || row->statistic.size_diff != 0 ||
           row->statistic.count_diff != 0 || row->allocated.count != 0;
}

static bool fill(struct tm_live_rows *rows, const struct join *join, const struct sums *live, const struct sums *ever)
{
    uint32_t keys = tm_key_count(rows->forest, rows->key_type);
    rows->rows = calloc((size_t)keys + 1, sizeof *rows->rows);
    for (uint32_t key = 0; rows->rows != NULL && key < keys; key++) {
        struct tm_live_row row = make_row(join, key, live, ever);
        if (is_shown(&row)) {
            rows->rows[rows->count++] = row;
        }
    }
    return rows->rows != NULL;
}

static bool make_rows(struct tm_live_rows *rows, const struct tm_forest *recent, const struct tm_grouping *grouping)
{
    struct join join = {.growth = rows->forest, .recent = recent, .key_type = grouping->key_type};
    struct sums live = {NULL, NULL}, ever = {NULL, NULL};
    bool memory = sums_make(&live, rows->forest, grouping, TM_FIGURE_LIVE) &&
                  sums_make(&ever, recent, grouping, TM_FIGURE_EVER) && join_keys(&join) &&
                  fill(rows, &join, &live, &ever);
    free(join.keys);
    sums_free(&live);
    sums_free(&ever);
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
    const struct tm_snapshot *const growth_pair[] = {first, now}, *const recent_pair[] = {previous, now};
    *rows = (struct tm_live_rows){.key_type = grouping->key_type, .forest = tm_forest_build(growth_pair, 2)};
    struct tm_forest *recent = tm_forest_build(recent_pair, 2);
    bool memory = rows->forest != NULL && recent != NULL && make_rows(rows, recent, grouping);
    if (memory) {
        qsort(rows->rows, rows->count, sizeof *rows->rows, orders[sort]);
    }
    tm_forest_free(recent);
    return memory;
}

void tm_live_rows_free(struct tm_live_rows *rows)
{
    free(rows->rows);
    tm_forest_free(rows->forest);
    *rows = (struct tm_live_rows){.rows = NULL};
}
