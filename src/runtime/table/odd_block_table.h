/* SPDX-License-Identifier: MIT */
/* The few blocks that the shadow cannot hold: odd addresses and sizes of 2 GiB and more.  A hashed table.
 *
 * Threads  every function takes the table's lock; the guard must be up or the caller inside a door.
 * Errors   put: false without memory, the table unchanged.   errno  kept. */
#ifndef TM_RUNTIME_TABLE_ODD_BLOCK_TABLE_H
#define TM_RUNTIME_TABLE_ODD_BLOCK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/os/os_lock.h"

struct tm_odd_block {
    uintptr_t address; /* 0: free place */
    uint64_t size;     /* bytes */
    uint32_t word;     /* as a record slot of the block table */
    uint32_t reserved;
};

struct tm_odd_block_table {
    struct tm_lock lock;
    struct tm_odd_block *places;
    size_t capacity; /* power of two, or 0 */
    size_t count;
};

TM_CHECKED bool tm_odd_block_table_put(struct tm_odd_block_table *table, uintptr_t address, uint32_t word,
                                       uint64_t size);
bool tm_odd_block_table_take(struct tm_odd_block_table *table, uintptr_t address, uint32_t *word, uint64_t *size);
bool tm_odd_block_table_find(const struct tm_odd_block_table *table, uintptr_t address, uint32_t *word, uint64_t *size);
/* Nearest start at or below ADDRESS, at most REACH bytes below; 0 when there is none.  Looks at every place. */
uintptr_t tm_odd_block_table_start_below(const struct tm_odd_block_table *table, uintptr_t address, uint64_t reach);
/* Copies the first CAPACITY blocks, in no order; answers how many there are. */
size_t tm_odd_block_table_copy(const struct tm_odd_block_table *table, struct tm_odd_block *to, size_t capacity);
size_t tm_odd_block_table_bytes(const struct tm_odd_block_table *table);

#endif
