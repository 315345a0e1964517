/* SPDX-License-Identifier: MIT */
#include "report/stat/trace_forest.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* From (parent, site) to node, while the tree is built.  Open addressing, at most half full; 0 is a free place. */
struct child_map {
    uint32_t *nodes;
    size_t mask;
};

static bool child_map_init(struct child_map *map, size_t items)
{
    size_t capacity = 16;
    while (capacity < items * 2) {
        capacity *= 2;
    }
    map->mask = capacity - 1;
    map->nodes = calloc(capacity, sizeof *map->nodes);
    return map->nodes != NULL;
}

static uint32_t child_of(struct tm_forest *forest, struct child_map *map, uint32_t parent, uint32_t site,
                         uint32_t function)
{
    size_t place = (size_t)tm_hash_word((uint64_t)parent << 32 | site) & map->mask;
    for (; map->nodes[place] != 0; place = (place + 1) & map->mask) {
        const struct tm_node *node = &forest->nodes[map->nodes[place]];
        if (node->parent == parent && node->site == site) {
            return map->nodes[place];
        }
    }
    uint32_t id = forest->node_count++;
    forest->nodes[id] = (struct tm_node){
        .parent = parent, .site = site, .function = function, .depth = forest->nodes[parent].depth + 1};
    map->nodes[place] = id;
    return id;
}

static void add_snapshot(struct tm_forest *forest, struct child_map *map, unsigned s)
{
    const struct tm_snapshot *snapshot = forest->snapshots[s];
    forest->node_of[s][0] = child_of(forest, map, 0, forest->sites.unknown, forest->names.ids[s][0]);
    for (uint32_t i = 1; i < snapshot->traceback_count; i++) {
        const struct tm_traceback_record *record = &snapshot->tracebacks[i];
        uint32_t parent = record->parent != 0 ? forest->node_of[s][record->parent] : 0;
        uint32_t function = forest->names.ids[s][snapshot->frames[record->frame].function];
        forest->node_of[s][i] = child_of(forest, map, parent, forest->sites.ids[s][record->frame], function);
    }
}

struct sibling {
    uint64_t key; /* parent, site */
    uint32_t node;
};

static int compare_siblings(const void *a, const void *b)
{
    uint64_t x = ((const struct sibling *)a)->key, y = ((const struct sibling *)b)->key;
    return (x > y) - (x < y);
}

/* Sizes of subtrees first, from the leaves up; then every node's order is that of its parent, plus one, plus the sizes
 * of its smaller siblings.  Siblings are visited parent by parent, so a parent's order is known before its children. */
static void put_in_order(struct tm_forest *forest, struct sibling *siblings, uint32_t *sizes)
{
    for (uint32_t i = forest->node_count - 1; i > 0; i--) {
        sizes[i] += 1;
        sizes[forest->nodes[i].parent] += sizes[i];
        siblings[i - 1] = (struct sibling){(uint64_t)forest->nodes[i].parent << 32 | forest->nodes[i].site, i};
    }
    sizes[0] += 1;
    qsort(siblings, forest->node_count - 1, sizeof *siblings, compare_siblings);
    forest->nodes[0].end = forest->node_count;
    uint32_t next = 0;
    for (uint32_t i = 0; i + 1 < forest->node_count; i++) {
        struct tm_node *node = &forest->nodes[siblings[i].node];
        if (i == 0 || siblings[i - 1].key >> 32 != siblings[i].key >> 32) {
            next = forest->nodes[node->parent].order + 1;
        }
        node->order = next;
        next += sizes[siblings[i].node];
        node->end = next;
        forest->by_order[node->order] = siblings[i].node;
    }
}

static bool build_nodes(struct tm_forest *forest)
{
    size_t capacity = 1;
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        size_t tracebacks = forest->snapshots[s]->traceback_count;
        capacity += tracebacks;
        forest->node_of[s] = calloc(tracebacks, sizeof *forest->node_of[s]);
        if (forest->node_of[s] == NULL) {
            return false;
        }
    }
    struct child_map map;
    forest->nodes = capacity < UINT32_MAX ? calloc(capacity, sizeof *forest->nodes) : NULL;
    if (forest->nodes == NULL || !child_map_init(&map, capacity)) {
        return false;
    }
    forest->node_count = 1;
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        add_snapshot(forest, &map, s);
    }
    free(map.nodes);
    return true;
}

/* A line may be part of several functions (of a class body and of a method, of a lambda); its name is that of the
 * traceback there that allocated the most. */
static bool name_sites(struct tm_forest *forest)
{
    uint64_t *weights = calloc(forest->node_count, sizeof *weights);
    uint64_t *heaviest = calloc(forest->sites.count, sizeof *heaviest);
    bool memory = weights != NULL && heaviest != NULL;
    for (unsigned s = 0; memory && s < forest->snapshot_count; s++) {
        const struct tm_snapshot *snapshot = forest->snapshots[s];
        for (size_t i = 0; i < snapshot->counter_count; i++) {
            const struct tm_counter_record *c = &snapshot->counters[i];
            weights[forest->node_of[s][c->traceback]] += c->live_bytes / 4 + c->ever_bytes / 4;
        }
    }
    for (uint32_t i = 1; memory && i < forest->node_count; i++) {
        const struct tm_node *node = &forest->nodes[i];
        if (weights[i] > heaviest[node->site]) {
            heaviest[node->site] = weights[i];
            forest->sites.sites[node->site].function = node->function;
        }
    }
    free(weights);
    free(heaviest);
    return memory;
}

static bool order_nodes(struct tm_forest *forest)
{
    struct sibling *siblings = calloc(forest->node_count, sizeof *siblings);
    uint32_t *sizes = calloc(forest->node_count, sizeof *sizes);
    forest->by_order = calloc(forest->node_count, sizeof *forest->by_order);
    bool memory = siblings != NULL && sizes != NULL && forest->by_order != NULL;
    if (memory) {
        put_in_order(forest, siblings, sizes);
    }
    free(siblings);
    free(sizes);
    return memory;
}

struct tm_forest *tm_forest_build(const struct tm_snapshot *const *snapshots, unsigned count)
{
    struct tm_forest *forest = calloc(1, sizeof *forest);
    if (forest == NULL) {
        return NULL;
    }
    forest->snapshot_count = count;
    forest->snapshots = calloc(count, sizeof *forest->snapshots);
    forest->node_of = calloc(count, sizeof *forest->node_of);
    if (forest->snapshots == NULL || forest->node_of == NULL) {
        tm_forest_free(forest);
        return NULL;
    }
    memcpy(forest->snapshots, snapshots, count * sizeof *snapshots);
    if (!tm_name_list_init(&forest->names, snapshots, count) ||
        !tm_site_list_init(&forest->sites, snapshots, count, &forest->names) || !build_nodes(forest) ||
        !order_nodes(forest) || !name_sites(forest)) {
        tm_forest_free(forest);
        return NULL;
    }
    return forest;
}

void tm_forest_free(struct tm_forest *forest)
{
    if (forest == NULL) {
        return;
    }
    tm_name_list_free(&forest->names);
    tm_site_list_free(&forest->sites);
    for (unsigned s = 0; forest->node_of != NULL && s < forest->snapshot_count; s++) {
        free(forest->node_of[s]);
    }
    free(forest->node_of);
    free(forest->snapshots);
    tm_key_list_free(&forest->functions);
    tm_key_list_free(&forest->modules);
    free(forest->nodes);
    free(forest->by_order);
    free(forest);
}
