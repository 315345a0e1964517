/* SPDX-License-Identifier: MIT */
#include "runtime/table/map_table.h"

#include <string.h>

#include "base/hash.h"
#include "runtime/os/os_memory.h"

#define FIRST_CAPACITY 128U

/* Heap order by a hash of the start keeps the tree balanced whatever the order of calls. */
static uint64_t priority(const struct tm_map_table *table, uint32_t node)
{
    return tm_hash_word(table->nodes[node].extent.start);
}

static bool has_room(const struct tm_map_table *table, unsigned count)
{
    uint32_t fresh = table->capacity == 0 ? 0 : table->capacity - 1 - table->used;
    for (uint32_t node = table->free; fresh < count && node != 0; node = table->nodes[node].left) {
        fresh++;
    }
    return fresh >= count;
}

bool tm_map_table_reserve(struct tm_map_table *table, unsigned count)
{
    if (has_room(table, count)) {
        return true;
    }
    uint32_t capacity = table->capacity == 0 ? FIRST_CAPACITY : table->capacity * 2;
    size_t size = capacity * sizeof *table->nodes;
    void *nodes = table->capacity == 0 ? tm_pages_map(size)
                                       : tm_pages_grow(table->nodes, table->capacity * sizeof *table->nodes, size);
    if (nodes == NULL) {
        return false;
    }
    table->nodes = nodes;
    table->capacity = capacity;
    return true;
}

static uint32_t new_node(struct tm_map_table *table)
{
    uint32_t node = table->free;
    if (node == 0) {
        return ++table->used;
    }
    table->free = table->nodes[node].left;
    return node;
}

/* Divides the tree ROOT into what starts below AT and the rest. */
static void split(struct tm_map_table *table, uint32_t root, uintptr_t at, uint32_t *low, uint32_t *high)
{
    while (root != 0) {
        struct tm_map_node *node = &table->nodes[root];
        if (node->extent.start < at) {
            *low = root;
            low = &node->right;
            root = node->right;
        } else {
            *high = root;
            high = &node->left;
            root = node->left;
        }
    }
    *low = 0;
    *high = 0;
}

/* All of LOW starts before all of HIGH: hangs both below LINK. */
static void merge(struct tm_map_table *table, uint32_t low, uint32_t high, uint32_t *link)
{
    while (low != 0 && high != 0) {
        if (priority(table, low) > priority(table, high)) {
            *link = low;
            link = &table->nodes[low].right;
            low = *link;
        } else {
            *link = high;
            link = &table->nodes[high].left;
            high = *link;
        }
    }
    *link = low != 0 ? low : high;
}

static void count(struct tm_map_table *table, const struct tm_map_extent *extent, bool more)
{
    uint64_t bytes = extent->end - extent->start;
    table->counts[extent->kind] += more ? 1U : UINT32_MAX;
    table->bytes[extent->kind] += more ? bytes : 0 - bytes;
}

bool tm_map_table_put(struct tm_map_table *table, const struct tm_map_extent *extent)
{
    if (!tm_map_table_reserve(table, 1)) {
        return false;
    }
    uint32_t new = new_node(table);
    struct tm_map_node *node = &table->nodes[new];
    node->extent = *extent;
    uint32_t *link = &table->root;
    while (*link != 0 && priority(table, *link) >= priority(table, new)) {
        struct tm_map_node *above = &table->nodes[*link];
        link = above->extent.start < extent->start ? &above->right : &above->left;
    }
    uint32_t below = *link;
    split(table, below, extent->start, &node->left, &node->right);
    *link = new;
    count(table, extent, true);
    return true;
}

bool tm_map_table_next(const struct tm_map_table *table, uintptr_t address, struct tm_map_extent *extent)
{
    uint32_t best = 0;
    for (uint32_t at = table->root; at != 0;) {
        const struct tm_map_node *node = &table->nodes[at];
        if (node->extent.end > address) {
            best = at;
            at = node->left;
        } else {
            at = node->right;
        }
    }
    if (best != 0) {
        *extent = table->nodes[best].extent;
    }
    return best != 0;
}

bool tm_map_table_take(struct tm_map_table *table, uintptr_t start, struct tm_map_extent *extent)
{
    uint32_t *link = &table->root;
    while (*link != 0 && table->nodes[*link].extent.start != start) {
        struct tm_map_node *node = &table->nodes[*link];
        link = node->extent.start < start ? &node->right : &node->left;
    }
    uint32_t found = *link;
    if (found == 0) {
        return false;
    }
    struct tm_map_node *node = &table->nodes[found];
    *extent = node->extent;
    merge(table, node->left, node->right, link);
    node->left = table->free;
    table->free = found;
    count(table, extent, false);
    return true;
}

void tm_map_table_each(const struct tm_map_table *table,
                       void (*visit)(const struct tm_map_extent *extent, void *context), void *context)
{
    struct tm_map_extent extent;
    for (uintptr_t at = 0; tm_map_table_next(table, at, &extent); at = extent.end) {
        visit(&extent, context);
    }
}

void tm_map_table_clear(struct tm_map_table *table)
{
    table->root = table->used = table->free = 0;
    memset(table->counts, 0, sizeof table->counts);
    memset(table->bytes, 0, sizeof table->bytes);
}

size_t tm_map_table_bytes(const struct tm_map_table *table)
{
    return table->capacity * sizeof *table->nodes;
}
