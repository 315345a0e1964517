/* SPDX-License-Identifier: MIT */
/* Live blocks: which record an address belongs to, and its size.  A shadow of the address space, no hash, no header.
 *
 *   address   47 bits = region (21 bits) | offset in the region (26 bits: 64 MiB)
 *   region    one leaf: half a word (see block_slot.h) for each granule of 16 bytes, or of 8 where CPython's own
 *             allocator aligns to 8
 *
 * Blocks of up to 512 bytes may be one granule or two, so their size stands in the record.  Blocks at odd addresses
 * (not aligned to a granule, or beyond 47 bits), the size of those of 1 GiB or more, and blocks of one granule whose
 * record got no short number are kept in a small hashed table ("odd").
 *
 * Threads  a slot belongs to whoever owns the block, so put and take need no lock; leaves appear by compare-and-swap.
 * Signals  safe.   errno  kept.
 * Memory   leaves are sparse: pages come when touched or expected, at most an eighth (a quarter with granules of 8) of
 *          the traced heap.  They go when tm_block_table_release says so.
 * Errors   put: false when no memory was there for the leaf; the block is then unknown. */
#ifndef TM_RUNTIME_TABLE_BLOCK_TABLE_H
#define TM_RUNTIME_TABLE_BLOCK_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/table/block_slot.h"
#include "runtime/table/odd_block_table.h"
#include "runtime/table/short_table.h"
#include "store/store_layout.h"

#define TM_REGION_BITS    26
#define TM_ADDRESS_BITS   47
#define TM_REGION_COUNT   (UINT64_C(1) << (TM_ADDRESS_BITS - TM_REGION_BITS))
#define TM_SMALL_SIZE_MAX TM_EXACT_SIZE_MAX /* bytes; blocks up to here have their size in the record */

/* What this table says and hears of a block: its record id, 0 when it is not traced, and a mark. */
#define TM_SLOT_IS_CODE UINT32_C(0x40000000) /* a known code object */
#define TM_SLOT_RECORD  TM_SLOT_RECORD_MAX
#define TM_SLOT_SIZE    UINT32_C(0x3FFFFFFF) /* bytes; from here on the odd table has the size */
#define TM_RECORD_MAX   TM_SLOT_RECORD

#define TM_SLOT_SHIFT_16 3U /* with granules of 16 */

#define TM_LEAF_LIST_MAX 1024U /* 64 GiB of traced addresses */

struct tm_block_table {
    struct tm_odd_block_table odd;
    _Atomic uint64_t leaf_count;
    _Atomic(tm_slot_half *) leaf_list[TM_LEAF_LIST_MAX]; /* the first ones made, for counting their pages */
    struct tm_short_table shorts;
    unsigned slot_shift;   /* from an address to bytes of leaf: TM_SLOT_SHIFT_16, or 2 */
    unsigned granule_bits; /* 4, or 3 */
    uint64_t short_max;    /* bytes: a granule */
    /* Last: what every event reads, beside what it reads of others, see runtime_state.h. */
    uint64_t odd_bits;         /* address bits that make a block odd */
    _Atomic uintptr_t *leaves; /* one per region, see tm_block_slot; 0 until a block of it is put */
};

#define TM_DIRECTORY_BYTES (TM_REGION_COUNT * sizeof(uintptr_t))

/* GRANULE_BITS is 4 or 3.  False when there is no memory for the directory. */
TM_CHECKED bool tm_block_table_init(struct tm_block_table *table, unsigned granule_bits);

/* The same with the directory at ROOM, TM_DIRECTORY_BYTES of reserved address space. */
TM_CHECKED bool tm_block_table_init_at(struct tm_block_table *table, unsigned granule_bits, void *room);

/* In a forked child. */
void tm_block_table_after_fork(struct tm_block_table *table);

/* Bytes of memory that leaves and odd table hold: pages that were touched. */
size_t tm_block_table_bytes(const struct tm_block_table *table);

/* Bytes of address space of one leaf. */
size_t tm_block_table_leaf_bytes(const struct tm_block_table *table);

/* The leaf of ADDRESS, made when it is missing; NULL without memory. */
TM_CHECKED tm_slot_half *tm_block_table_make_leaf(struct tm_block_table *table, uintptr_t address);

/* Whether an address that nobody asked for by a hint has TM_ADDRESS_BITS at most: so it is on x86-64, where the kernel
 * gives away more than 47 bits for such a hint only. */
#if defined(__x86_64__)
#define TM_ADDRESSES_FIT true
#else
#define TM_ADDRESSES_FIT false
#endif

TM_INLINE bool tm_block_is_odd(const struct tm_block_table *table, uintptr_t address)
{
#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__)
    bool odd; /* without the copy that the compiler makes before it looks at two bits of it */
    __asm__("testq %1, %2" : "=@ccnz"(odd) : "r"(address), "m"(table->odd_bits));
    return odd;
#else
    return (address & table->odd_bits) != 0;
#endif
}

/* Only these have one half.  SIZE in bytes. */
TM_INLINE bool tm_block_is_short(const struct tm_block_table *table, uint64_t size)
{
    return size <= table->short_max;
}

/* The slot of an address in two parts, whose sum less one it is: an access can add them for nothing. */
struct tm_slot_place {
    uintptr_t leaf; /* 0: the region has none */
    uintptr_t offset;
};

/* Of ADDRESS, which is not odd, in a table whose directory is LEAVES.  SHIFT is the table's slot_shift. */
TM_INLINE struct tm_slot_place tm_slot_place_in(const _Atomic uintptr_t *leaves, uintptr_t address, unsigned shift)
{
    return (struct tm_slot_place){
        atomic_load_explicit((_Atomic uintptr_t *)&leaves[address >> TM_REGION_BITS], memory_order_acquire),
        address >> shift};
}

TM_INLINE struct tm_slot_place tm_block_slot_place(const struct tm_block_table *table, uintptr_t address,
                                                   unsigned shift)
{
    return tm_slot_place_in(table->leaves, address, shift);
}

TM_INLINE tm_slot_half *tm_slot_at(struct tm_slot_place place)
{
    uintptr_t slot = place.leaf + place.offset - 1;
    TM_ASSUME(slot != 0);
    return (tm_slot_half *)slot;
}

/* For the second access: the compiler, which would make the sum for both, shall not see that it is the same. */
TM_INLINE tm_slot_half *tm_slot_again(struct tm_slot_place place)
{
    TM_OPAQUE(place.leaf);
    TM_OPAQUE(place.offset);
    return tm_slot_at(place);
}

/* The slot itself, or NULL when its region has no leaf. */
TM_INLINE tm_slot_half *tm_block_slot_shifted(const struct tm_block_table *table, uintptr_t address, unsigned shift)
{
    const struct tm_slot_place place = tm_block_slot_place(table, address, shift);
    return TM_UNLIKELY(place.leaf == 0) ? NULL : tm_slot_at(place);
}

TM_INLINE tm_slot_half *tm_block_slot(const struct tm_block_table *table, uintptr_t address)
{
    return tm_block_slot_shifted(table, address, table->slot_shift);
}

/* The slot of ADDRESS will be written after some other work: it is fetched meanwhile.  Any address; no memory is
 * taken. */
TM_INLINE void tm_block_slot_prefetch(const struct tm_block_table *table, uintptr_t address)
{
    if (TM_UNLIKELY(tm_block_is_odd(table, address))) {
        return; /* it has none, and the directory may end before it */
    }
    __builtin_prefetch(tm_slot_at(tm_block_slot_place(table, address, table->slot_shift)), 1);
}

/* What is known of the block that begins at ADDRESS.  SIZE is filled for records of varying size only. */
struct tm_block {
    uint32_t word; /* record id, and TM_SLOT_IS_CODE */
    uint64_t size; /* bytes */
};

/* The general forms, for odd blocks and slow paths.  SIZE is kept only when it is above TM_SMALL_SIZE_MAX.  put forgets
 * what is in its way, see tm_block_table_in_the_way.  take and find return false when nothing is known. */
TM_CHECKED bool tm_block_table_put(struct tm_block_table *table, uintptr_t address, uint32_t word, uint64_t size);
bool tm_block_table_take(struct tm_block_table *table, uintptr_t address, struct tm_block *block);
bool tm_block_table_find(const struct tm_block_table *table, uintptr_t address, struct tm_block *block);

/* Writes the plain WORD of a block of SIZE bytes, more than one granule, to its SLOT.  False: something stands there,
 * or only the odd table has room for the size; nothing was changed. */
TM_INLINE bool tm_block_try_put_word(tm_slot_half *slot, uint32_t word, uint64_t size)
{
    if (TM_UNLIKELY(tm_slot_load(slot) != 0)) {
        return false;
    }
    if (size > TM_SMALL_SIZE_MAX) {
        if (TM_UNLIKELY(size >= TM_SLOT_SIZE) || TM_UNLIKELY(tm_slot_load(slot + 2) != 0)) {
            return false;
        }
        tm_slot_store_size(slot, (uint32_t)size);
    }
    tm_slot_store(slot, word);
    return true;
}

/* put where that takes neither memory nor a second look: true.  Else false, and nothing was changed.  SLOT is the one
 * of the block, which is not odd. */
TM_INLINE bool tm_block_table_try_put(struct tm_block_table *table, tm_slot_half *slot, uint32_t id, uint64_t size)
{
    if (tm_block_is_short(table, size)) {
        uint32_t number = tm_half_load(slot) == 0 ? tm_short_table_number(&table->shorts, id) : 0;
        if (TM_UNLIKELY(number == 0)) {
            return false;
        }
        tm_half_store(slot, tm_half_of_short(number));
        return true;
    }
    return tm_block_try_put_word(slot, tm_slot_word(id), size);
}

/* The start of a known block that a block of SIZE bytes at ADDRESS (not odd) cannot stand beside: one whose free was
 * missed.  0: none. */
uintptr_t tm_block_table_in_the_way(struct tm_block_table *table, uintptr_t address, uint64_t size);

/* The lowest start of a known block in the SIZE bytes from ADDRESS on, odd ones aside; 0: none. */
uintptr_t tm_block_table_first_in(const struct tm_block_table *table, uintptr_t address, size_t size);

/* The SIZE bytes from ADDRESS on will be filled with blocks: what this table needs for them comes at once, as far as
 * the kernel gives it. */
void tm_block_table_expect(struct tm_block_table *table, uintptr_t address, size_t size);

/* No known block is in the SIZE bytes from ADDRESS on, and none may come meanwhile: their pages go back to the
 * kernel. */
void tm_block_table_release(struct tm_block_table *table, uintptr_t address, size_t size);

/* Marks the block at ADDRESS as holding a code object, known or not. */
TM_CHECKED bool tm_block_table_mark_code(struct tm_block_table *table, uintptr_t address);

/* The start of the known block that ADDRESS may lie in: the nearest known start at or below ADDRESS, at most REACH
 * bytes below; 0 when there is none. */
uintptr_t tm_block_table_start_below(const struct tm_block_table *table, uintptr_t address, uint64_t reach);

#endif
