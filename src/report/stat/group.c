/* SPDX-License-Identifier: MIT */
#include "report/stat/group.h"

#include <stdlib.h>
#include <string.h>

/* Counters know the blocks only: they are taken to be as large as the traceback's blocks are in the mean. */
static struct tm_amount temporary(const struct tm_counter_record *counter)
{
    uint64_t blocks = counter->temporary_blocks, all = counter->ever_blocks;
    if (blocks >= all) {
        return (struct tm_amount){counter->ever_bytes, blocks};
    }
    return (struct tm_amount){(uint64_t)((unsigned __int128)counter->ever_bytes * blocks / all), blocks};
}

struct tm_amount tm_figure_amount(const struct tm_counter_record *counter, enum tm_figure figure)
{
    switch (figure) {
    case TM_FIGURE_PEAK_PYTHON:
        return (struct tm_amount){counter->peak_python_bytes, counter->peak_python_blocks};
    case TM_FIGURE_PEAK_HEAP:
        return (struct tm_amount){counter->peak_heap_bytes, counter->peak_heap_blocks};
    case TM_FIGURE_EVER:
        return (struct tm_amount){counter->ever_bytes, counter->ever_blocks};
    case TM_FIGURE_TEMPORARY:
        return temporary(counter);
    default:
        return (struct tm_amount){counter->live_bytes, counter->live_blocks};
    }
}

/* Sums may only leave the range when a frame counts again and again in a hostile file. */
static void add(struct tm_amount *sum, struct tm_amount amount)
{
    sum->size = amount.size > INT64_MAX - sum->size ? INT64_MAX : sum->size + amount.size;
    sum->count = amount.count > INT64_MAX - sum->count ? INT64_MAX : sum->count + amount.count;
}

/* What COUNTER adds: nothing when it does not pass. */
static struct tm_amount amount_of(const struct tm_forest *forest, unsigned snapshot, const struct tm_grouping *grouping,
                                  const struct tm_counter_record *counter)
{
    uint32_t node = forest->node_of[snapshot][counter->traceback];
    if (!(grouping->domains & TM_DOMAIN_BIT(counter->domain)) || (grouping->nodes != NULL && !grouping->nodes[node])) {
        return (struct tm_amount){0, 0};
    }
    return tm_figure_amount(counter, grouping->figure);
}

struct tm_amount tm_group_total(const struct tm_forest *forest, unsigned snapshot, const struct tm_grouping *grouping)
{
    const struct tm_snapshot *s = forest->snapshots[snapshot];
    struct tm_amount total = {0, 0};
    for (size_t i = 0; i < s->counter_count; i++) {
        add(&total, amount_of(forest, snapshot, grouping, &s->counters[i]));
    }
    return total;
}

static void sum_nodes(const struct tm_forest *forest, unsigned snapshot, const struct tm_grouping *grouping,
                      struct tm_amount *nodes)
{
    const struct tm_snapshot *s = forest->snapshots[snapshot];
    for (size_t i = 0; i < s->counter_count; i++) {
        add(&nodes[forest->node_of[snapshot][s->counters[i].traceback]],
            amount_of(forest, snapshot, grouping, &s->counters[i]));
    }
}

/* Is NODE a Python frame whose older frames are all machine frames?  By file and line these do not count then. */
static bool is_before_python(const struct tm_forest *forest, uint32_t node)
{
    const struct tm_site *sites = forest->sites.sites;
    uint32_t parent = forest->nodes[node].parent;
    uint32_t place = forest->nodes[parent].place;
    return place != 0 && !sites[forest->nodes[node].site].is_native && sites[forest->nodes[place].site].is_native;
}

/* Every node gets what its subtree has: children have larger ids than their parents. */
static void sum_subtrees(const struct tm_forest *forest, enum tm_key_type key_type, struct tm_amount *nodes)
{
    for (uint32_t i = forest->node_count - 1; i > 0; i--) {
        if (!tm_key_is_of_python(key_type) || !is_before_python(forest, i)) {
            add(&nodes[forest->nodes[i].parent], nodes[i]);
        }
    }
}

/* A subtree counts for its key unless it lies inside a larger one of the same key.  In the order of the forest a
 * subtree is a range, so it is enough to know where the last counted range of each key ends. */
static bool add_once(const struct tm_forest *forest, enum tm_key_type key_type, const struct tm_amount *nodes,
                     struct tm_amount *sums)
{
    uint32_t *counted_until = calloc(tm_key_count(forest, key_type), sizeof *counted_until);
    if (counted_until == NULL) {
        return false;
    }
    for (uint32_t order = 1; order < forest->node_count; order++) {
        uint32_t node = forest->by_order[order];
        uint32_t key = tm_key_of_node(forest, key_type, node);
        if (order >= counted_until[key]) {
            counted_until[key] = forest->nodes[node].end;
            add(&sums[key], nodes[node]);
        }
    }
    free(counted_until);
    return true;
}

static void sum_domains(const struct tm_forest *forest, unsigned snapshot, const struct tm_grouping *grouping,
                        struct tm_amount *sums)
{
    const struct tm_snapshot *s = forest->snapshots[snapshot];
    for (size_t i = 0; i < s->counter_count; i++) {
        add(&sums[s->counters[i].domain], amount_of(forest, snapshot, grouping, &s->counters[i]));
    }
}

/* Without a detour over the nodes. */
static void sum_recent(const struct tm_forest *forest, unsigned snapshot, const struct tm_grouping *grouping,
                       struct tm_amount *sums)
{
    const struct tm_snapshot *s = forest->snapshots[snapshot];
    for (size_t i = 0; i < s->counter_count; i++) {
        uint32_t node = forest->node_of[snapshot][s->counters[i].traceback];
        add(&sums[tm_key_of_node(forest, grouping->key_type, node)],
            amount_of(forest, snapshot, grouping, &s->counters[i]));
    }
}

static bool sum_cumulative(const struct tm_forest *forest, unsigned snapshot, const struct tm_grouping *grouping,
                           struct tm_amount *sums)
{
    struct tm_amount *nodes = calloc(forest->node_count, sizeof *nodes);
    bool memory = nodes != NULL;
    if (memory) {
        sum_nodes(forest, snapshot, grouping, nodes);
        sum_subtrees(forest, grouping->key_type, nodes);
    }
    if (memory && grouping->cumulative == TM_CUMULATIVE_ONCE) {
        memory = add_once(forest, grouping->key_type, nodes, sums);
    } else if (memory) {
        for (uint32_t i = 1; i < forest->node_count; i++) {
            bool is_own = !tm_key_is_of_python(grouping->key_type) || forest->nodes[i].place == i;
            add(&sums[tm_key_of_node(forest, grouping->key_type, i)], is_own ? nodes[i] : (struct tm_amount){0, 0});
        }
    }
    free(nodes);
    return memory;
}

struct tm_amount *tm_group_sums(const struct tm_forest *forest, unsigned snapshot, const struct tm_grouping *grouping)
{
    struct tm_amount *sums = calloc((size_t)tm_key_count(forest, grouping->key_type) + 1, sizeof *sums);
    if (sums == NULL) {
        return NULL;
    }
    if (grouping->key_type == TM_KEY_DOMAIN) {
        sum_domains(forest, snapshot, grouping, sums);
    } else if (grouping->cumulative == TM_CUMULATIVE_OFF) {
        sum_recent(forest, snapshot, grouping, sums);
    } else if (!sum_cumulative(forest, snapshot, grouping, sums)) {
        free(sums);
        return NULL;
    }
    return sums;
}

static bool is_nothing(struct tm_amount amount)
{
    return amount.size == 0 && amount.count == 0;
}

/* A row for each key that is in one of the two. */
static bool make_rows(struct tm_statistics *statistics, const struct tm_amount *old, const struct tm_amount *new)
{
    uint32_t keys = tm_key_count(statistics->forest, statistics->key_type);
    size_t count = 0;
    for (uint32_t key = 0; key < keys; key++) {
        count += !is_nothing(new[key]) || (old != NULL && !is_nothing(old[key]));
    }
    statistics->items = calloc(count > 0 ? count : 1, sizeof *statistics->items);
    if (statistics->items == NULL) {
        return false;
    }
    for (uint32_t key = 0; key < keys; key++) {
        struct tm_amount before = old != NULL ? old[key] : (struct tm_amount){0, 0};
        if (is_nothing(new[key]) && is_nothing(before)) {
            continue;
        }
        struct tm_statistic *row = &statistics->items[statistics->count++];
        *row = (struct tm_statistic){.key = key, .size = new[key].size, .count = new[key].count};
        if (old != NULL) {
            row->size_diff = (int64_t) new[key].size - (int64_t)before.size;
            row->count_diff = (int64_t) new[key].count - (int64_t)before.count;
        }
    }
    return true;
}

bool tm_group(const struct tm_forest *forest, unsigned snapshot, const struct tm_grouping *grouping,
              struct tm_statistics *statistics)
{
    *statistics = (struct tm_statistics){.forest = forest, .key_type = grouping->key_type};
    struct tm_amount *sums = tm_group_sums(forest, snapshot, grouping);
    bool made = sums != NULL && make_rows(statistics, NULL, sums);
    free(sums);
    return made;
}

bool tm_group_differences(const struct tm_forest *forest, const struct tm_grouping *grouping,
                          struct tm_statistics *statistics)
{
    *statistics = (struct tm_statistics){.forest = forest, .key_type = grouping->key_type};
    struct tm_amount *old = tm_group_sums(forest, 0, grouping);
    struct tm_amount *new = tm_group_sums(forest, forest->snapshot_count - 1, grouping);
    bool made = old != NULL && new != NULL &&make_rows(statistics, old, new);
    free(old);
    free(new);
    return made;
}
