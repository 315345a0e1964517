/* SPDX-License-Identifier: MIT */
/* Small numbers for the records of blocks of one granule, whose slot is only half a word.  A hashed table: a record's
 * number is its place in it, so that it answers both ways.  Records stay in it for ever.
 *
 * Threads  all functions, without locks.   Signals  safe.   errno  kept.
 * Errors   number: 0 when the table is as full as it may be; the block then goes to the odd table. */
#ifndef TM_RUNTIME_TABLE_SHORT_TABLE_H
#define TM_RUNTIME_TABLE_SHORT_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"

#define TM_SHORT_BITS 13
#define TM_SHORT_MAX  ((UINT32_C(1) << TM_SHORT_BITS) - 1)

struct tm_short_table {
    _Atomic uint32_t records[TM_SHORT_MAX + 1]; /* 0: free; the first place stays so */
    _Atomic uint32_t count;
};

/* The number of record ID (not 0), 1 to TM_SHORT_MAX, given when it has none. */
uint32_t tm_short_table_give(struct tm_short_table *table, uint32_t id);

TM_INLINE uint32_t tm_short_table_home(uint32_t id)
{
    return (uint32_t)((id * TM_HASH_MULTIPLIER) >> (64 - TM_SHORT_BITS));
}

/* The number of record ID (not 0), if it can be told at once. */
TM_INLINE bool tm_short_table_has(const struct tm_short_table *table, uint32_t id, uint32_t *number)
{
    *number = tm_short_table_home(id);
    return TM_LIKELY(atomic_load_explicit(&table->records[*number], memory_order_relaxed) == id);
}

/* The number of record ID (not 0), given when it has none. */
TM_INLINE uint32_t tm_short_table_number(struct tm_short_table *table, uint32_t id)
{
    uint32_t number;
    return tm_short_table_has(table, id, &number) ? number : tm_short_table_give(table, id);
}

/* The record whose number NUMBER is; 0: no one's. */
TM_INLINE uint32_t tm_short_table_record(const struct tm_short_table *table, uint32_t number)
{
    return atomic_load_explicit(&table->records[number & TM_SHORT_MAX], memory_order_relaxed);
}

#endif
