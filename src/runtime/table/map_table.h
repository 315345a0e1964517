/* SPDX-License-Identifier: MIT */
/* The address ranges that a program mapped by itself, in order of address: a treap whose nodes lie in one array.
 *
 * Ranges do not overlap: what is put was cut free before.
 * Threads  the caller holds a lock of its own round every function.
 * Errors   false without memory, the table is as it was.   errno  kept. */
#ifndef TM_RUNTIME_TABLE_MAP_TABLE_H
#define TM_RUNTIME_TABLE_MAP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum tm_map_kind {
    TM_MAP_PRIVATE,  /* anonymous, of this process alone */
    TM_MAP_SHARED,   /* anonymous, shared with children */
    TM_MAP_RESERVED, /* addresses without rights: nothing can be there */
    TM_MAP_FILE,     /* a file's pages */
    TM_MAP_KINDS
};

struct tm_map_extent {
    uintptr_t start; /* a page's */
    uintptr_t end;   /* the first address behind */
    uint32_t record; /* that counts it; 0: none does */
    uint32_t kind;   /* enum tm_map_kind */
};

struct tm_map_node {
    struct tm_map_extent extent;
    uint32_t left; /* node index, 0: none */
    uint32_t right;
};

struct tm_map_table {
    struct tm_map_node *nodes; /* the first is unused */
    uint32_t capacity;
    uint32_t used; /* nodes that were ever handed out */
    uint32_t free; /* list by `left` of those that came back */
    uint32_t root;
    uint32_t counts[TM_MAP_KINDS]; /* ranges */
    uint64_t bytes[TM_MAP_KINDS];
};

/* Room for COUNT more ranges, so that the next COUNT puts cannot fail. */
TM_CHECKED bool tm_map_table_reserve(struct tm_map_table *table, unsigned count);

/* EXTENT is not empty and overlaps no range of the table. */
TM_CHECKED bool tm_map_table_put(struct tm_map_table *table, const struct tm_map_extent *extent);

/* The first range that ends behind ADDRESS, in *EXTENT; false: none does. */
bool tm_map_table_next(const struct tm_map_table *table, uintptr_t address, struct tm_map_extent *extent);

/* Takes the range that starts at START out; false: none does. */
bool tm_map_table_take(struct tm_map_table *table, uintptr_t start, struct tm_map_extent *extent);

/* Calls VISIT for each range in order of address. */
void tm_map_table_each(const struct tm_map_table *table,
                       void (*visit)(const struct tm_map_extent *extent, void *context), void *context);

/* Forgets everything; the memory stays. */
void tm_map_table_clear(struct tm_map_table *table);

size_t tm_map_table_bytes(const struct tm_map_table *table);

#endif
