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
 * per set of slots.  What is void leaves the held one, so that a key alone says all where there are no offsets: when
 * code dies the slots of its zone are emptied, and a new generation puts nothing in the place of the slots until the
 * holder has emptied them.  There its slots have, instead of a check, what the record's place is computed from.   errno
 *  kept.   Errors  none: what cannot be kept is found again the long way. */
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
#include "runtime/table/zone_list.h"

#define TM_CHECK_BITS 20
#define TM_CHECK_MAX  ((UINT32_C(1) << TM_CHECK_BITS) - 1)

/* What a version has in the bits of the offset, so that one addition makes the check: -1 is the smallest offset. */
#define TM_CHECK_OFFSET_0   2U
#define TM_CHECK_OFFSET_MAX ((int32_t)(TM_CHECK_MAX - TM_CHECK_OFFSET_0))

struct tm_trace_slot {
    uint64_t key;
    uint32_t check;  /* in held, where keys say all: the record's id times 8 */
    uint32_t record; /* its id; in held and in a tally its word, as block_slot.h writes it; 0: free */
};

/* A record, twice: what its blocks have in the block table, and its id times 8, which has not to be computed then. */
struct tm_trace_found {
    uint32_t word;
    uint32_t scaled;
};

#define TM_LOOSE_WAYS 3

struct tm_loose_set {
    _Atomic uint32_t lock;
    uint32_t next; /* the way to overwrite next */
    uint64_t reserved;
    struct tm_trace_slot ways[TM_LOOSE_WAYS];
};

struct tm_trace_cache {
    /* First: what every event reads. */
    struct tm_trace_slot *_Atomic held; /* where the holder looks: its slots, or nothing */
    uint64_t mask;                      /* of the held cache: bytes of its slots, less those of one */
    struct tm_loose_set *loose;
    bool keys_say_all; /* of held: no instruction that comes has an offset */
    uint32_t patience; /* so many slots may be taken back until it is tended; 0 also when the lists are full */
    struct tm_trace_slot *slots;   /* of the held cache */
    struct tm_trace_slot *nothing; /* as many, empty */
    struct tm_zone_lists zones;
    _Atomic uint32_t generation;                  /* already shifted into its place in `check` */
    _Atomic uint32_t voids;                       /* for caches of others, which are void when it moves */
    _Atomic uint32_t versions[TM_PLACE_VERSIONS]; /* shifted likewise, plus TM_CHECK_OFFSET_0 */
};

TM_CHECKED bool tm_trace_cache_init(struct tm_trace_cache *cache);

/* Takes the pages of the held cache, which is used all over soon. */
void tm_trace_cache_expect(struct tm_trace_cache *cache);

/* Voids every slot.  Under the intern lock, by anybody. */
void tm_trace_cache_new_generation(struct tm_trace_cache *cache);

/* Voids what is remembered of PLACE, whose code has died.  Under the intern lock, by the holder. */
void tm_trace_cache_forget_place(struct tm_trace_cache *cache, uintptr_t place);

/* From now on instructions have no offsets.  Voids every slot; likewise. */
void tm_trace_cache_have_keys_say_all(struct tm_trace_cache *cache);

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

/* Turned to the right by so much a hash has what makes the place among the slots from bit 4 on: 17 bits that all of a
 * key has part in, its size too (a turn less, and the first of them would be the address's alone: more keys meet in a
 * small cache).  Of 2^18 slots and more the lowest bits follow, which the instruction's address makes; the very
 * lowest tells nothing of keys of one frame at even addresses, which then use every other half. */
#define TM_TRACE_TURN 43U

/* Bytes from the first slot to that of KEY, in a cache with MASK.  A turn and a mask: a shift by a variable costs
 * more. */
TM_INLINE uint64_t tm_trace_place(uint64_t key, uint64_t mask)
{
    const uint64_t hash = key * TM_HASH_MULTIPLIER;
    return ((hash >> TM_TRACE_TURN) | (hash << (64 - TM_TRACE_TURN))) & mask;
}

TM_INLINE struct tm_trace_slot *tm_trace_slot_at(struct tm_trace_slot *slots, uint64_t place)
{
    return (struct tm_trace_slot *)((char *)slots + place);
}

TM_INLINE const struct tm_trace_slot *tm_trace_cache_slot(const struct tm_trace_cache *cache, uint64_t key)
{
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
    struct tm_trace_slot *slots = *(struct tm_trace_slot *const *)&cache->held; /* may join the addition */
#else
    struct tm_trace_slot *slots = atomic_load_explicit(&cache->held, memory_order_relaxed);
#endif
    return tm_trace_slot_at(slots, tm_trace_place(key, cache->mask));
}

TM_INLINE bool tm_trace_slot_is(const struct tm_trace_cache *cache, const struct tm_trace_slot *slot, uint64_t key,
                                uint32_t check)
{
    return TM_LIKELY(slot->key == key) && TM_LIKELY(cache->keys_say_all || slot->check == check);
}

/* 0 when it is not there. */
TM_INLINE uint32_t tm_trace_cache_held_word(const struct tm_trace_cache *cache, uint64_t key, uint32_t check)
{
    const struct tm_trace_slot *slot = tm_trace_cache_slot(cache, key);
    return tm_trace_slot_is(cache, slot, key, check) ? slot->record : 0;
}

/* The record's id; 0 when it is not there. */
TM_INLINE uint32_t tm_trace_cache_held(const struct tm_trace_cache *cache, uint64_t key, uint32_t check)
{
    uint32_t word = tm_trace_cache_held_word(cache, key, check);
    return TM_LIKELY(word != 0) ? tm_slot_record(word) : 0;
}

/* The record for a KEY that is not 0; *FOUND is set where it answers true, and its word is then not 0. */
TM_INLINE bool tm_trace_cache_has(const struct tm_trace_cache *cache, uint64_t key, uint32_t check,
                                  struct tm_trace_found *found)
{
    const struct tm_trace_slot *slot = tm_trace_cache_slot(cache, key);
    *found = (struct tm_trace_found){.word = slot->record, .scaled = (uint32_t)tm_slot_scaled(slot->record)};
    return tm_trace_slot_is(cache, slot, key, check);
}

/* The same where keys say all. */
TM_INLINE bool tm_trace_cache_has_key(const struct tm_trace_cache *cache, uint64_t key, struct tm_trace_found *found)
{
    const struct tm_trace_slot *slot = tm_trace_cache_slot(cache, key);
    *found = (struct tm_trace_found){.word = slot->record, .scaled = slot->check};
    return TM_LIKELY(slot->key == key);
}

/* True when tm_trace_cache_tend has something to do before the next put: to empty the slots, or to make more. */
TM_INLINE bool tm_trace_cache_wants_tending(const struct tm_trace_cache *cache)
{
    return atomic_load_explicit(&cache->held, memory_order_relaxed) != cache->slots || cache->patience == 0;
}

/* Does it.  By the holder, with the guard up, under the intern lock. */
void tm_trace_cache_tend(struct tm_trace_cache *cache);

/* RECORD is its id; PLACE what KEY was made of, 0 where that is machine frames or none.  WAS_KNOWN: the record was
 * there before, so that KEY may have had a slot that another took; more slots are made when that has come often enough.
 *  By the holder, with the guard up. */
TM_INLINE void tm_trace_cache_put_held(struct tm_trace_cache *cache, uint64_t key, uint32_t check, uintptr_t place,
                                       uint32_t record, bool was_known)
{
    struct tm_trace_slot *slot = tm_trace_slot_at(cache->slots, tm_trace_place(key, cache->mask));
    const uint32_t of_largest = (uint32_t)tm_trace_place(key, UINT32_MAX);
    if (TM_LIKELY(place != 0) &&
        TM_UNLIKELY(!tm_zone_lists_add(&cache->zones, tm_place_version_index(place), of_largest))) {
        cache->patience = 0;
        return;
    }
    if (was_known && slot->record != 0 && slot->key != key && cache->patience != 0) {
        cache->patience--;
    }
    *slot = (struct tm_trace_slot){
        .key = key, .check = cache->keys_say_all ? record * 8 : check, .record = tm_slot_word(record)};
}

uint32_t tm_trace_cache_loose(struct tm_trace_cache *cache, uint64_t key, uint32_t check);
void tm_trace_cache_put_loose(struct tm_trace_cache *cache, uint64_t key, uint32_t check, uint32_t record);

#endif
