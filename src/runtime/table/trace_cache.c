/* SPDX-License-Identifier: MIT */
#include "runtime/table/trace_cache.h"

#include <string.h>

#include "runtime/os/os_memory.h"

#define FIRST_BITS 11 /* 2,048 slots */
#define LAST_BITS  20
#define LOOSE_BITS 10

/* What one instruction that is gone leaves free, more or less: what was displaced may then stay. */
#define PLACE_SLOTS 4U

#define LOOSE_SETS ((size_t)1 << LOOSE_BITS)

#define FORGOTTEN_FROM (64U << 10) /* bytes of slots: fewer are sooner written over than given back */

#define NODES_PER_SLOT 4U /* of the lists of zones; when they are used all begins anew */

_Static_assert(sizeof(struct tm_trace_slot) == 1U << 4, "see TM_TRACE_TURN");

static uint32_t slot_count(const struct tm_trace_cache *cache)
{
    return (uint32_t)(cache->mask / sizeof *cache->slots) + 1;
}

static uint64_t mask_of(uint32_t count)
{
    return (uint64_t)(count - 1) * sizeof(struct tm_trace_slot);
}

static size_t held_bytes(const struct tm_trace_cache *cache)
{
    return slot_count(cache) * sizeof *cache->slots;
}

static uint32_t patience(const struct tm_trace_cache *cache)
{
    return slot_count(cache) / 4;
}

/* Bytes of COUNT slots, and behind them of as many that are never written. */
static size_t slots_size(uint32_t count)
{
    return 2 * (size_t)count * sizeof(struct tm_trace_slot);
}

bool tm_trace_cache_init(struct tm_trace_cache *cache)
{
    cache->mask = mask_of(UINT32_C(1) << FIRST_BITS);
    cache->patience = patience(cache);
    for (unsigned i = 0; i < TM_PLACE_VERSIONS; i++) {
        atomic_store_explicit(&cache->versions[i], TM_CHECK_OFFSET_0, memory_order_relaxed);
    }
    const size_t slots_bytes = slots_size(slot_count(cache));
    char *pages = tm_pages_map(slots_bytes + LOOSE_SETS * sizeof *cache->loose);
    if (pages == NULL) {
        return false;
    }
    cache->slots = (struct tm_trace_slot *)(void *)pages;
    cache->loose = (struct tm_loose_set *)(void *)(pages + slots_bytes);
    cache->nothing = cache->slots + slot_count(cache);
    atomic_store_explicit(&cache->held, cache->slots, memory_order_relaxed);
    return tm_zone_lists_init(&cache->zones);
}

void tm_trace_cache_expect(struct tm_trace_cache *cache)
{
    tm_pages_populate(cache->slots, held_bytes(cache));
}

static void lock_set(struct tm_loose_set *set)
{
    while (atomic_exchange_explicit(&set->lock, 1, memory_order_acquire) != 0) {
        TM_PAUSE();
    }
}

static void release_set(struct tm_loose_set *set)
{
    atomic_store_explicit(&set->lock, 0, memory_order_release);
}

static void clear_loose(struct tm_trace_cache *cache)
{
    for (size_t i = 0; i < LOOSE_SETS; i++) {
        lock_set(&cache->loose[i]);
        memset(cache->loose[i].ways, 0, sizeof cache->loose[i].ways);
        release_set(&cache->loose[i]);
    }
}

static void void_held(struct tm_trace_cache *cache)
{
    atomic_store_explicit(&cache->held, cache->nothing, memory_order_release);
}

static bool is_void(const struct tm_trace_cache *cache)
{
    return atomic_load_explicit(&cache->held, memory_order_relaxed) != cache->slots;
}

static void empty_slot(uint32_t place, void *cache)
{
    const struct tm_trace_cache *of = cache;
    *tm_trace_slot_at(of->slots, place & of->mask) = (struct tm_trace_slot){.key = 0};
}

/* True when the next value of WORD is one that it had before. */
static bool move(_Atomic uint32_t *word)
{
    uint32_t next = atomic_load_explicit(word, memory_order_relaxed) + (UINT32_C(1) << TM_CHECK_BITS);
    atomic_store_explicit(word, next, memory_order_relaxed);
    return next >> TM_CHECK_BITS == 0;
}

/* One caller at a time: the intern lock. */
void tm_trace_cache_new_generation(struct tm_trace_cache *cache)
{
    bool begins_anew = move(&cache->generation);
    for (unsigned i = 0; i < TM_PLACE_VERSIONS; i++) {
        begins_anew |= move(&cache->versions[i]);
    }
    if (begins_anew) {
        clear_loose(cache); /* none of the last round may be taken for one of this */
    }
    atomic_fetch_add_explicit(&cache->voids, 1, memory_order_relaxed);
    void_held(cache); /* last: who puts after it has the new versions */
}

void tm_trace_cache_have_keys_say_all(struct tm_trace_cache *cache)
{
    cache->keys_say_all = true; /* what is put from here on is emptied with all that is there, before it can be found */
    tm_trace_cache_new_generation(cache);
}

void tm_trace_cache_forget_place(struct tm_trace_cache *cache, uintptr_t place)
{
    const size_t zone = tm_place_version_index(place);
    if (move(&cache->versions[zone])) {
        clear_loose(cache);
        atomic_fetch_add_explicit(&cache->voids, 1, memory_order_relaxed);
        void_held(cache);
    }
    if (!is_void(cache)) { /* else all will be emptied; in a forked child nobody knows in what state the lists are */
        tm_zone_lists_forget(&cache->zones, zone, empty_slot, cache);
    }
    cache->patience += cache->patience < patience(cache) && cache->patience != 0 ? PLACE_SLOTS : 0;
}

void tm_trace_cache_after_fork(struct tm_trace_cache *cache)
{
    for (size_t i = 0; i < LOOSE_SETS; i++) {
        if (atomic_load_explicit(&cache->loose[i].lock, memory_order_relaxed) != 0) {
            memset(&cache->loose[i], 0, sizeof cache->loose[i]);
        }
    }
}

size_t tm_trace_cache_bytes(const struct tm_trace_cache *cache)
{
    return held_bytes(cache) + LOOSE_SETS * sizeof *cache->loose + tm_zone_lists_bytes(&cache->zones);
}

/* Twice the slots; the kept ones move to their new places.  The old ones stay readable, as free ones: a look without
 * guard or lock may be under way there, of the event that a signal handler's interrupted or that a fork cut off. */
static void grow(struct tm_trace_cache *cache)
{
    const uint32_t count = slot_count(cache);
    const uint64_t mask = mask_of(2 * count);
    struct tm_trace_slot *larger = count < UINT32_C(1) << LAST_BITS ? tm_pages_map(slots_size(2 * count)) : NULL;
    if (larger == NULL) {
        return;
    }
    tm_pages_populate(larger, 2 * count * sizeof *larger); /* the slots that move go everywhere */
    for (uint32_t i = 0; i < count; i++) {
        const struct tm_trace_slot *slot = &cache->slots[i];
        if (slot->record != 0) {
            *tm_trace_slot_at(larger, tm_trace_place(slot->key, mask)) = *slot;
        }
    }
    struct tm_trace_slot *outgrown = cache->slots;
    cache->slots = larger;
    atomic_store_explicit(&cache->held, larger, memory_order_relaxed);
    cache->nothing = larger + 2 * (size_t)count;
    atomic_signal_fence(memory_order_seq_cst); /* the larger ones have the places of either mask */
    cache->mask = mask;
    tm_pages_forget(outgrown, count * sizeof *outgrown);
}

/* A forked child would copy each page of a large one before it wrote over it. */
static void begin_anew(struct tm_trace_cache *cache)
{
    const size_t bytes = held_bytes(cache);
    if (bytes < FORGOTTEN_FROM || !tm_pages_forget(cache->slots, bytes)) {
        memset(cache->slots, 0, bytes);
    }
    tm_zone_lists_clear(&cache->zones);
    atomic_store_explicit(&cache->held, cache->slots, memory_order_relaxed);
}

void tm_trace_cache_tend(struct tm_trace_cache *cache)
{
    if (is_void(cache)) {
        begin_anew(cache);
    } else if (!tm_zone_lists_are_full(&cache->zones)) {
        grow(cache);
    } else if (!tm_zone_lists_grow(&cache->zones, NODES_PER_SLOT * slot_count(cache))) {
        begin_anew(cache);
    }
    cache->patience = patience(cache);
}

static struct tm_loose_set *set_of(struct tm_trace_cache *cache, uint64_t key)
{
    return &cache->loose[(key * TM_HASH_MULTIPLIER) >> (64 - LOOSE_BITS)];
}

uint32_t tm_trace_cache_loose(struct tm_trace_cache *cache, uint64_t key, uint32_t check)
{
    struct tm_loose_set *set = set_of(cache, key);
    uint32_t record = 0;
    lock_set(set);
    for (unsigned i = 0; i < TM_LOOSE_WAYS; i++) {
        if (set->ways[i].key == key && set->ways[i].check == check) {
            record = set->ways[i].record;
            break;
        }
    }
    release_set(set);
    return record;
}

void tm_trace_cache_put_loose(struct tm_trace_cache *cache, uint64_t key, uint32_t check, uint32_t record)
{
    struct tm_loose_set *set = set_of(cache, key);
    lock_set(set);
    set->ways[set->next] = (struct tm_trace_slot){.key = key, .check = check, .record = record};
    set->next = (set->next + 1) % TM_LOOSE_WAYS;
    release_set(set);
}
