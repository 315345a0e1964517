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

static uint32_t place_of(const struct tm_forest *forest, uint32_t id, uint32_t parent, uint32_t site)
{
    const struct tm_site *sites = forest->sites.sites;
    uint32_t place = forest->nodes[parent].place;
    bool is_passed_on = sites[site].is_native && place != 0 && !sites[forest->nodes[place].site].is_native;
    return is_passed_on ? place : id;
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
    forest->nodes[id] = (struct tm_node){.parent = parent,
                                         .site = site,
                                         .function = function,
                                         .depth = forest->nodes[parent].depth + 1,
                                         .place = place_of(forest, id, parent, site)};
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

/* A stable counting sort of nodes: TO gets FROM in ascending order of their keys, which are below KEYS.  COUNTS has
 * room for KEYS + 1. */
static void sort_nodes(uint32_t *to, const uint32_t *from, uint32_t count, uint32_t *counts, uint32_t keys,
                       uint32_t (*key)(const struct tm_node *), const struct tm_node *nodes)
{
    memset(counts, 0, ((size_t)keys + 1) * sizeof *counts);
    for (uint32_t i = 0; i < count; i++) {
        counts[key(&nodes[from[i]]) + 1]++;
    }
    for (uint32_t i = 1; i <= keys; i++) {
        counts[i] += counts[i - 1];
    }
    for (uint32_t i = 0; i < count; i++) {
        to[counts[key(&nodes[from[i]])]++] = from[i];
    }
}

static uint32_t site_of(const struct tm_node *node)
{
    return node->site;
}

static uint32_t parent_of(const struct tm_node *node)
{
    return node->parent;
}

/* SIBLINGS gets all nodes but the root: parent by parent, those of one parent by their sites. */
static void sort_siblings(struct tm_forest *forest, uint32_t *siblings, uint32_t *counts)
{
    uint32_t count = forest->node_count - 1, *by_site = forest->by_order; /* free until the order is known */
    for (uint32_t i = 0; i < count; i++) {
        siblings[i] = i + 1;
    }
    sort_nodes(by_site, siblings, count, counts, forest->sites.count, site_of, forest->nodes);
    sort_nodes(siblings, by_site, count, counts, forest->node_count, parent_of, forest->nodes);
}

/* Sizes of subtrees first, from the leaves up; then every node's order is that of its parent, plus one, plus the sizes
 * of its smaller siblings.  Siblings are visited parent by parent, so a parent's order is known before its children. */
static void put_in_order(struct tm_forest *forest, const uint32_t *siblings, uint32_t *sizes)
{
    memset(sizes, 0, forest->node_count * sizeof *sizes);
    for (uint32_t i = forest->node_count - 1; i > 0; i--) {
        sizes[i] += 1;
        sizes[forest->nodes[i].parent] += sizes[i];
    }
    forest->nodes[0].end = forest->node_count;
    uint32_t next = 0, parent = UINT32_MAX;
    for (uint32_t i = 0; i + 1 < forest->node_count; i++) {
        struct tm_node *node = &forest->nodes[siblings[i]];
        if (node->parent != parent) {
            parent = node->parent;
            next = forest->nodes[parent].order + 1;
        }
        node->order = next;
        next += sizes[siblings[i]];
        node->end = next;
        forest->by_order[node->order] = siblings[i];
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
            weights[forest->nodes[forest->node_of[s][c->traceback]].place] += c->live_bytes / 4 + c->ever_bytes / 4;
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
    size_t keys = forest->sites.count > forest->node_count ? forest->sites.count : forest->node_count;
    uint32_t *siblings = calloc(forest->node_count, sizeof *siblings);
    uint32_t *counts = calloc(keys + 1, sizeof *counts); /* later the sizes of subtrees */
    forest->by_order = calloc(forest->node_count, sizeof *forest->by_order);
    bool memory = siblings != NULL && counts != NULL && forest->by_order != NULL;
    if (memory) {
        sort_siblings(forest, siblings, counts);
        put_in_order(forest, siblings, counts);
    }
    free(siblings);
    free(counts);
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
