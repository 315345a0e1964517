/* SPDX-License-Identifier: MIT */
/* The table in which CPython's tracemalloc module keeps its traces, found as the module makes it.
 *
 * The module asks it for the block of each object that is born while it traces, by a function whose address the table
 * itself holds: replacing that one is how births are heard where nothing else tells of them.
 *
 * Source   Modules/_tracemalloc.c, Python/tracemalloc.c, Modules/hashtable.c, Python/hashtable.c and their headers, 3.8
 *          to 3.12.
 * Threads  the GIL is held by the caller of everything here. */
#ifndef TM_RUNTIME_HOOK_TRACES_TABLE_H
#define TM_RUNTIME_HOOK_TRACES_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* What the table calls for each look-up, with itself and what stands for the block: from 3.9 on get_entry_func, which
 * returns the entry; in 3.8 hash_func, which returns the hash. */
typedef uintptr_t tm_traces_lookup(void *table, const void *key);

struct tm_traces_table {
    void *address; /* NULL: not found */
    tm_traces_lookup **lookup;
    bool key_is_read; /* KEY points to the block's address and its domain (3.8), else it is that address */
};

/* From here to the end of the catch plain malloc is watched: the module makes its tables by it as it is initialised. */
void tm_traces_table_catch(void);

/* Ends the catch and fills TABLE.  False: none, or more than one, is of the shape expected. */
bool tm_traces_table_found(struct tm_traces_table *table);

/* The block that is looked up, or 0: it is not one of the interpreter's own domains, or the look-up is in a copy of the
 * table. */
uintptr_t tm_traces_table_block(const struct tm_traces_table *table, const void *asked, const void *key);

#endif
