/* SPDX-License-Identifier: MIT */
/* What the shadow of the block table says of a granule: half a word of 16 bits.
 *
 *   half     15 14                            2 1 0
 *           +--+-------------------------------+---+
 *   plain   | 0|  record id, its low 13 bits   |0 1|   first granule of a block
 *   code    | 0|  record id, its low 13 bits   |1 0|   the same, and a code object may lie there; id 0: not traced
 *   short   | 0|  place in the table of shorts |1 1|   a block of one granule: it has no second half
 *   odd     | 0|  1                            |0 0|   a block of one granule that the odd table knows
 *   later   | 1|  record id, its high 15 bits      |   second granule of a plain one, or of code
 *   later   | 1|  size, 15 bits                    |   third and fourth, blocks over 512 bytes only
 *           +--+-----------------------------------+
 *   nothing    0
 *
 * So each half says by itself whether a block begins there, and no two blocks share one: a block longer than a granule
 * reaches over its second granule, and one of over 512 bytes over its fourth.
 *
 * First and second half together are the word of a block.  Its numbers are chosen so that two instructions make an
 * index of it: the word of a plain block plus its own low half, less a constant, is the record id times 8. */
#ifndef TM_RUNTIME_TABLE_BLOCK_SLOT_H
#define TM_RUNTIME_TABLE_BLOCK_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#define TM_HALF_LATER      UINT16_C(0x8000)
#define TM_HALF_KIND       UINT16_C(3)
#define TM_HALF_PLAIN      UINT16_C(1)
#define TM_HALF_CODE       UINT16_C(2)
#define TM_HALF_SHORT      UINT16_C(3)
#define TM_HALF_ODD        UINT16_C(4)
#define TM_HALF_SHIFT      2
#define TM_HALF_RECORD     13 /* bits of a record id in the first half */
#define TM_SLOT_SECOND     UINT32_C(0x80000000)
#define TM_SLOT_UNSCALED   (TM_SLOT_SECOND + 2U * TM_HALF_PLAIN)
#define TM_SLOT_RECORD_MAX UINT32_C(0x0FFFFFFF)

typedef _Atomic uint16_t tm_slot_half;

TM_INLINE uint16_t tm_half_load(const tm_slot_half *slot)
{
    return atomic_load_explicit(slot, memory_order_relaxed);
}

/* Nothing changes, but its page is there to be written to: a load first would be a fault of its own. */
TM_INLINE void tm_half_touch(tm_slot_half *slot)
{
    uint16_t nothing = 0;
    (void)atomic_compare_exchange_strong_explicit(slot, &nothing, 0, memory_order_relaxed, memory_order_relaxed);
}

TM_INLINE void tm_half_store(tm_slot_half *slot, uint16_t value)
{
    atomic_store_explicit(slot, value, memory_order_relaxed);
}

TM_INLINE bool tm_half_is_start(uint16_t half)
{
    return half != 0 && (half & TM_HALF_LATER) == 0;
}

/* The half of a short block: NUMBER is its record's in the table of shorts. */
TM_INLINE uint16_t tm_half_of_short(uint32_t number)
{
    return (uint16_t)((number << TM_HALF_SHIFT) | TM_HALF_SHORT);
}

TM_INLINE bool tm_half_is_short(uint16_t half)
{
    return (half & (TM_HALF_LATER | TM_HALF_KIND)) == TM_HALF_SHORT;
}

/* Both halves at once.  They belong to whoever owns the block: another reader may see the halves of two blocks. */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
struct tm_slot_pair {
    uint32_t word;
} __attribute__((packed, may_alias));

TM_INLINE uint32_t tm_slot_load(const tm_slot_half *slot)
{
    return ((const struct tm_slot_pair *)slot)->word;
}

TM_INLINE void tm_slot_store(tm_slot_half *slot, uint32_t word)
{
    ((struct tm_slot_pair *)slot)->word = word;
}
#else
TM_INLINE uint32_t tm_slot_load(const tm_slot_half *slot)
{
    return tm_half_load(slot) | ((uint32_t)tm_half_load(slot + 1) << 16);
}

TM_INLINE void tm_slot_store(tm_slot_half *slot, uint32_t word)
{
    tm_half_store(slot, (uint16_t)word);
    tm_half_store(slot + 1, (uint16_t)(word >> 16));
}
#endif

/* The word of record ID as a plain block, 0 to TM_SLOT_RECORD_MAX. */
TM_INLINE uint32_t tm_slot_word(uint32_t id)
{
    uint32_t low = id & ((UINT32_C(1) << TM_HALF_RECORD) - 1);
    return TM_SLOT_SECOND | ((id >> TM_HALF_RECORD) << 16) | (low << TM_HALF_SHIFT) | TM_HALF_PLAIN;
}

/* The third and fourth half: SIZE has 30 bits. */
TM_INLINE void tm_slot_store_size(tm_slot_half *slot, uint32_t size)
{
    tm_slot_store(slot + 2, TM_SLOT_SECOND | ((size >> 15) << 16) | TM_HALF_LATER | (size & (TM_HALF_LATER - 1U)));
}

/* The size in the third and fourth half of a block that has them; 0: it has none. */
TM_INLINE uint32_t tm_slot_size(const tm_slot_half *slot)
{
    uint32_t word = tm_slot_load(slot + 2);
    uint32_t size = (word & (TM_HALF_LATER - 1U)) | ((word >> 1) & ((TM_HALF_LATER - 1U) << 15));
    return (word & TM_HALF_LATER) != 0 ? size : 0;
}

/* The record id times 8 of the plain WORD.  Two instructions where the compiler, which does not see that the sum is a
 * clean 64-bit number already, would make three. */
TM_INLINE uint64_t tm_slot_scaled(uint32_t word)
{
    uint64_t scaled = (uint16_t)word;
#if defined(__x86_64__)
    __asm__("leal %c2(%0,%q1), %k0" : "+r"(scaled) : "r"(word), "i"((int32_t)(0U - TM_SLOT_UNSCALED)));
    return scaled;
#else
    return (uint32_t)(scaled + word - TM_SLOT_UNSCALED);
#endif
}

/* False: empty, of another kind than plain, or the later half of a block.  A word with an empty first half wraps. */
TM_INLINE bool tm_slot_is_plain(uint32_t word)
{
    return ((word - TM_HALF_PLAIN) & (TM_HALF_LATER | TM_HALF_KIND)) == 0;
}

/* The record id of the plain WORD. */
TM_INLINE uint32_t tm_slot_record(uint32_t word)
{
    return (uint32_t)(tm_slot_scaled(word) >> 3);
}

#endif
