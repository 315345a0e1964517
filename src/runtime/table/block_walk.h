/* SPDX-License-Identifier: MIT */
/* All that the shadow of a block table knows, in order of address, while blocks come and go: a block that is there all
 * the while is visited once, another one once or not at all.
 *
 * Only pages of the table that were touched are read, see os/touched_pages.h.
 * Threads  any.   Signals  safe.   errno  kept.   Errors  none. */
#ifndef TM_RUNTIME_TABLE_BLOCK_WALK_H
#define TM_RUNTIME_TABLE_BLOCK_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/os/os_memory.h"
#include "runtime/table/block_table.h"

/* What a walk writes down; the caller's, for one walk. */
struct tm_block_walk {
    bool directory[TM_DIRECTORY_BYTES / TM_PAGE_SIZE];
    bool leaf[(UINT64_C(1) << TM_REGION_BITS) / 4 / TM_PAGE_SIZE]; /* two bytes for 8 */
};

/* Calls VISIT with the start of each block that is not odd. */
void tm_block_table_each(const struct tm_block_table *table, struct tm_block_walk *walk,
                         void (*visit)(uintptr_t address, void *context), void *context);

/* What is known of the block at ADDRESS, both halves of one time: false when it comes or goes just now. */
bool tm_block_table_find_steady(const struct tm_block_table *table, uintptr_t address, struct tm_block *block);

#endif
