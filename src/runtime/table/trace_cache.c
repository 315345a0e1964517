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

static size_t held_bytes(const struct tm_trace_cache *cache)
{
    return ((size_t)1 << (64 - cache->shift)) * sizeof *cache->held;
}

bool tm_trace_cache_init(struct tm_trace_cache *cache)
{
    cache->shift = 64 - FIRST_BITS;
    for (unsigned i = 0; i < TM_PLACE_VERSIONS; i++) {
        atomic_store_explicit(&cache->versions[i], TM_CHECK_OFFSET_0, memory_order_relaxed);
    }
    cache->held = tm_pages_map(held_bytes(cache));
    cache->loose = tm_pages_map(LOOSE_SETS * sizeof *cache->loose);
    return cache->held != NULL && cache->loose != NULL;
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

static void clear(struct tm_trace_cache *cache)
{
    memset(cache->held, 0, held_bytes(cache));
    for (size_t i = 0; i < LOOSE_SETS; i++) {
        lock_set(&cache->loose[i]);
        memset(cache->loose[i].ways, 0, sizeof cache->loose[i].ways);
        release_set(&cache->loose[i]);
    }
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
        clear(cache); /* none of the last round may be taken for one of this */
    }
    atomic_fetch_add_explicit(&cache->voids, 1, memory_order_relaxed);
}

void tm_trace_cache_forget_place(struct tm_trace_cache *cache, uintptr_t place)
{
    if (move(&cache->versions[tm_place_version_index(place)])) {
        clear(cache);
        atomic_fetch_add_explicit(&cache->voids, 1, memory_order_relaxed);
    }
    cache->displaced -= cache->displaced < PLACE_SLOTS ? cache->displaced : PLACE_SLOTS;
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
    return held_bytes(cache) + LOOSE_SETS * sizeof *cache->loose;
}

/* Twice the slots; the kept ones move to their new places.  The old ones stay readable, as free ones: a look without
 * guard or lock may be under way there, of the event that a signal handler's interrupted or that a fork cut off. */
static void grow(struct tm_trace_cache *cache)
{
    struct tm_trace_cache larger = {.shift = cache->shift - 1};
    larger.held = tm_pages_map(held_bytes(&larger));
    cache->displaced = 0;
    if (larger.held == NULL) {
        return;
    }
    size_t count = held_bytes(cache) / sizeof *cache->held;
    for (size_t i = 0; i < count; i++) {
        const struct tm_trace_slot *slot = &cache->held[i];
        if (slot->record != 0) {
            larger.held[(slot->key * TM_HASH_MULTIPLIER) >> larger.shift] = *slot;
        }
    }
    struct tm_trace_slot *outgrown = cache->held;
    cache->held = larger.held;
    atomic_signal_fence(memory_order_seq_cst); /* the larger one has the places of either shift */
    cache->shift = larger.shift;
    tm_pages_forget(outgrown, count * sizeof *outgrown);
}

void tm_trace_cache_put_held(struct tm_trace_cache *cache, uint64_t key, uint32_t check, uint32_t record)
{
    struct tm_trace_slot *slot = &cache->held[(key * TM_HASH_MULTIPLIER) >> cache->shift];
    if (slot->record != 0 && (slot->check ^ check) <= TM_CHECK_MAX) {
        cache->displaced++;
    }
    *slot = (struct tm_trace_slot){.key = key, .check = check, .record = tm_slot_word(record)};
    if (cache->displaced > (UINT32_C(1) << (64 - cache->shift)) / 4 && cache->shift > 64 - LAST_BITS) {
        grow(cache);
    }
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
