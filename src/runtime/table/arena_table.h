/* SPDX-License-Identifier: MIT */
/* The arenas that CPython's small-block allocator has now: where they lie, so that their pages can be counted.
 *
 * Private memory of the process, one word for each arena, taken when the first one comes.
 * Threads  all functions, without locks.   Signals  safe.   errno  kept.
 * Errors   an arena for which there is no room is in the sum of bytes only. */
#ifndef TM_RUNTIME_TABLE_ARENA_TABLE_H
#define TM_RUNTIME_TABLE_ARENA_TABLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define TM_ARENA_MAX 65536U /* 64 GiB in arenas of 1 MiB */

struct tm_arena {
    _Atomic uintptr_t address; /* 0: free place */
    _Atomic size_t size;       /* bytes */
};

struct tm_arena_table {
    _Atomic(struct tm_arena *) arenas;
    _Atomic uint32_t used;   /* places that were ever taken */
    _Atomic uint32_t lowest; /* where to look for a free place first: only a hint */
    _Atomic size_t count;
    _Atomic size_t bytes;
};

void tm_arena_table_add(struct tm_arena_table *table, uintptr_t address, size_t size);
void tm_arena_table_remove(struct tm_arena_table *table, uintptr_t address, size_t size);

/* Bytes of all arenas that have a page behind them.  One system call an arena. */
size_t tm_arena_table_resident(const struct tm_arena_table *table);

#endif
