/* SPDX-License-Identifier: MIT */
/* Live blocks: which record an address belongs to, and its size.  A shadow of the address space, no hash, no header.
 *
 *   address   47 bits = region (21 bits) | offset in the region (26 bits: 64 MiB)
 *   region    one leaf: 4 bytes for each granule of 16 bytes (8 where CPython's own allocator aligns to 8)
 *
 *   slot      31 30 29                                 0
 *            +--+--+------------------------------------+
 *   record   | 0| c|  record id, 0: not traced          |   at the block's first granule; c: a known code object
 *            +--+--+------------------------------------+
 *   size     | 1|  size in bytes, all ones: see odd     |   at the second granule, blocks over 512 bytes only
 *            +--+---------------------------------------+
 *
 * Blocks of up to 512 bytes may be one granule long, so their size stands in the record.  Blocks at odd addresses
 * (not aligned to a granule, or beyond 47 bits) and of 2 GiB or more are kept in a small hashed table ("odd").
 *
 * Threads  a slot belongs to whoever owns the block, so put and take need no lock; leaves appear by compare-and-swap.
 * Signals  safe.   errno  kept.
 * Memory   leaves are sparse: pages come when touched, at most a quarter (half with granules of 8) of the traced heap.
 * Errors   put: false when no memory was there for the leaf; the block is then unknown. */
#ifndef TM_RUNTIME_TABLE_BLOCK_TABLE_H
#define TM_RUNTIME_TABLE_BLOCK_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/table/odd_block_table.h"
#include "store/store_layout.h"

#define TM_REGION_BITS    26
#define TM_ADDRESS_BITS   47
#define TM_REGION_COUNT   (UINT64_C(1) << (TM_ADDRESS_BITS - TM_REGION_BITS))
#define TM_SMALL_SIZE_MAX TM_EXACT_SIZE_MAX /* bytes; blocks up to here have their size in the record */

#define TM_SLOT_IS_SIZE UINT32_C(0x80000000)
#define TM_SLOT_IS_CODE UINT32_C(0x40000000)
#define TM_SLOT_RECORD  UINT32_C(0x3FFFFFFF)
#define TM_SLOT_SIZE    UINT32_C(0x7FFFFFFF)
#define TM_RECORD_MAX   TM_SLOT_RECORD

#define TM_LEAF_LIST_MAX 1024U /* 64 GiB of traced addresses */

typedef _Atomic uint32_t tm_slot_word;

struct tm_block_table {
    _Atomic(tm_slot_word *) *leaves; /* one per region; NULL until a block of the region is put */
    uint64_t odd_bits;               /* address bits that make a block odd */
    unsigned granule_bits;           /* 4, or 3 */
    struct tm_odd_block_table odd;
    _Atomic uint64_t leaf_count;
    _Atomic(tm_slot_word *) leaf_list[TM_LEAF_LIST_MAX]; /* the first ones made, for counting their pages */
};

/* GRANULE_BITS is 4 or 3.  False when there is no memory for the directory. */
TM_CHECKED bool tm_block_table_init(struct tm_block_table *table, unsigned granule_bits);

/* In a forked child. */
void tm_block_table_after_fork(struct tm_block_table *table);

/* Bytes of memory that leaves and odd table hold: pages that were touched. */
size_t tm_block_table_bytes(const struct tm_block_table *table);

/* Bytes of address space of one leaf. */
size_t tm_block_table_leaf_bytes(const struct tm_block_table *table);

/* The leaf of ADDRESS, made when it is missing; NULL without memory. */
TM_CHECKED tm_slot_word *tm_block_table_make_leaf(struct tm_block_table *table, uintptr_t address);

TM_INLINE bool tm_block_is_odd(const struct tm_block_table *table, uintptr_t address)
{
    return (address & table->odd_bits) != 0;
}

/* The slot of ADDRESS (not odd), or NULL when its region has no leaf. */
TM_INLINE tm_slot_word *tm_block_slot(const struct tm_block_table *table, uintptr_t address)
{
    tm_slot_word *leaf = atomic_load_explicit(&table->leaves[address >> TM_REGION_BITS], memory_order_acquire);
    if (TM_UNLIKELY(leaf == NULL)) {
        return NULL;
    }
    return leaf + ((address & ((UINT64_C(1) << TM_REGION_BITS) - 1)) >> table->granule_bits);
}

TM_INLINE uint32_t tm_slot_load(const tm_slot_word *slot)
{
    return atomic_load_explicit(slot, memory_order_relaxed);
}

TM_INLINE void tm_slot_store(tm_slot_word *slot, uint32_t value)
{
    atomic_store_explicit(slot, value, memory_order_relaxed);
}

/* What is known of the block that begins at ADDRESS.  WORD as in the picture; SIZE is filled for records of varying
 * size only. */
struct tm_block {
    uint32_t word;
    uint64_t size;
};

/* The general forms, for odd blocks and slow paths.  SIZE is kept only when it is above TM_SMALL_SIZE_MAX.
 * take and find return false when nothing is known. */
TM_CHECKED bool tm_block_table_put(struct tm_block_table *table, uintptr_t address, uint32_t word, uint64_t size);
bool tm_block_table_take(struct tm_block_table *table, uintptr_t address, struct tm_block *block);
bool tm_block_table_find(const struct tm_block_table *table, uintptr_t address, struct tm_block *block);

/* Marks the block at ADDRESS as holding a code object, known or not. */
TM_CHECKED bool tm_block_table_mark_code(struct tm_block_table *table, uintptr_t address);

/* The start of the known block that ADDRESS may lie in: the nearest known start at or below ADDRESS, at most REACH
 * bytes below; 0 when there is none. */
uintptr_t tm_block_table_start_below(const struct tm_block_table *table, uintptr_t address, uint64_t reach);

#endif
