/* SPDX-License-Identifier: MIT */
/* From the raw stack of an event to its record, without resolving anything: one multiplication and one probe.
 *
 *   slot   key (64 bits)                    check (32 bits)                 record
 *          place, size, domain of the       version of the place (12) | offset + 2 (20)
 *          newest frame, xor fingerprint
 *          of the older ones; or            generation (12) | 0: no frame of Python's, or machine frames
 *
 * With limit 1 key and check say exactly what the event was.  With more frames the fingerprint has 61 bits of all their
 * instructions: two different stacks meet with probability 2^-61 per pair, which is taken for never.
 * A place's version moves when code that lay there dies (base/place_version.h); it is part of the fingerprint too.  The
 * generation moves, and all versions with it, when an epoch begins or when it cannot be told who else holds what the
 * code's death makes void: all older slots are void at once.
 *
 * Two caches: `held` belongs to whoever holds the GIL and has no lock; `loose` serves events without the GIL, a lock
 * per set of slots.   errno  kept.   Errors  none: what cannot be kept is found again the long way. */
#ifndef TM_RUNTIME_TABLE_TRACE_CACHE_H
#define TM_RUNTIME_TABLE_TRACE_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "base/place_version.h"
#include "runtime/table/block_slot.h"

#define TM_CHECK_BITS 20
#define TM_CHECK_MAX  ((UINT32_C(1) << TM_CHECK_BITS) - 1)

/* What a version has in the bits of the offset, so that one addition makes the check: -1 is the smallest offset. */
#define TM_CHECK_OFFSET_0   2U
#define TM_CHECK_OFFSET_MAX ((int32_t)(TM_CHECK_MAX - TM_CHECK_OFFSET_0))

struct tm_trace_slot {
    uint64_t key;
    uint32_t check;
    uint32_t record; /* its id; in held its word, as block_slot.h writes it; 0: free */
};

#define TM_LOOSE_WAYS 3

struct tm_loose_set {
    _Atomic uint32_t lock;
    uint32_t next; /* the way to overwrite next */
    uint64_t reserved;
    struct tm_trace_slot ways[TM_LOOSE_WAYS];
};

struct tm_trace_cache {
    struct tm_trace_slot *held;
    struct tm_loose_set *loose;
    unsigned shift; /* of the held cache: 64 - log2(slots) */
    uint32_t displaced;
    _Atomic uint32_t generation;                  /* already shifted into its place in `check` */
    _Atomic uint32_t voids;                       /* for caches of others, which are void when it moves */
    _Atomic uint32_t versions[TM_PLACE_VERSIONS]; /* shifted likewise, plus TM_CHECK_OFFSET_0 */
};

TM_CHECKED bool tm_trace_cache_init(struct tm_trace_cache *cache);

/* Voids every slot. */
void tm_trace_cache_new_generation(struct tm_trace_cache *cache);

/* Voids what is remembered of PLACE, whose code has died.  Under the intern lock. */
void tm_trace_cache_forget_place(struct tm_trace_cache *cache, uintptr_t place);

/* In a forked child: locks of sets may be left taken. */
void tm_trace_cache_after_fork(struct tm_trace_cache *cache);

size_t tm_trace_cache_bytes(const struct tm_trace_cache *cache);

/* Joins the generation to LOW (0 to TM_CHECK_MAX). */
TM_INLINE uint32_t tm_trace_check(const struct tm_trace_cache *cache, uint32_t low)
{
    return atomic_load_explicit(&cache->generation, memory_order_relaxed) | low;
}

/* The same of what is known by a place, at OFFSET (-1 to TM_CHECK_OFFSET_MAX). */
TM_INLINE uint32_t tm_trace_check_of_place(const struct tm_trace_cache *cache, uintptr_t place, int32_t offset)
{
    return tm_place_version(cache->versions, place) + (uint32_t)offset;
}

/* 0 when it is not there. */
TM_INLINE uint32_t tm_trace_cache_held_word(const struct tm_trace_cache *cache, uint64_t key, uint32_t check)
{
    const struct tm_trace_slot *slot = &cache->held[(key * TM_HASH_MULTIPLIER) >> cache->shift];
    return TM_LIKELY(slot->key == key && slot->check == check) ? slot->record : 0;
}

/* The record's id; 0 when it is not there. */
TM_INLINE uint32_t tm_trace_cache_held(const struct tm_trace_cache *cache, uint64_t key, uint32_t check)
{
    uint32_t word = tm_trace_cache_held_word(cache, key, check);
    return TM_LIKELY(word != 0) ? tm_slot_record(word) : 0;
}

/* The word for a KEY that is not 0; *WORD is set where it answers true, and is then not 0. */
TM_INLINE bool tm_trace_cache_has(const struct tm_trace_cache *cache, uint64_t key, uint32_t check, uint32_t *word)
{
    const struct tm_trace_slot *slot = &cache->held[(key * TM_HASH_MULTIPLIER) >> cache->shift];
    *word = slot->record;
    return TM_LIKELY(slot->key == key) && TM_LIKELY(slot->check == check);
}

/* RECORD is its id. */
void tm_trace_cache_put_held(struct tm_trace_cache *cache, uint64_t key, uint32_t check, uint32_t record);

uint32_t tm_trace_cache_loose(struct tm_trace_cache *cache, uint64_t key, uint32_t check);
void tm_trace_cache_put_loose(struct tm_trace_cache *cache, uint64_t key, uint32_t check, uint32_t record);

#endif
