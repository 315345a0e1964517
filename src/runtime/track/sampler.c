/* SPDX-License-Identifier: MIT */
#include "runtime/track/sampler.h"

#include "runtime/track/counting.h"

_Atomic uint8_t tm_sampler_known[TM_KNOWN_PAGES];
struct tm_sampler_held tm_sampler_held;

/* A count that is full is not counted any more: nobody knows what it stands for. */
static void count_known(const struct tm_runtime *runtime, uintptr_t address, bool is_gone)
{
    _Atomic uint8_t *count = tm_sampler_known_of(address);
    uint8_t before = atomic_load_explicit(count, memory_order_relaxed);
    if (runtime->config.sample_rate == 0) {
        return;
    }
    while (before != UINT8_MAX && !(is_gone && before == 0) &&
           !atomic_compare_exchange_weak_explicit(count, &before, (uint8_t)(is_gone ? before - 1 : before + 1),
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

void tm_sampler_hold_pages(uintptr_t low, size_t size)
{
    const uintptr_t page = UINT64_C(1) << TM_KNOWN_PAGE_BITS;
    for (uintptr_t at = low & ~(page - 1); at < low + size; at += page) {
        atomic_store_explicit(tm_sampler_known_of(at), UINT8_MAX, memory_order_relaxed);
    }
}

void tm_sampler_note_known(const struct tm_runtime *runtime, uintptr_t address)
{
    count_known(runtime, address, false);
}

void tm_sampler_note_gone(const struct tm_runtime *runtime, uintptr_t address)
{
    count_known(runtime, address, true);
}

/* The generator of SplitMix64: the state is a counter, its step any odd number. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t word = *state += TM_HASH_MULTIPLIER;
    word = (word ^ (word >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94D049BB133111EB);
    return word ^ (word >> 31);
}

static uint64_t draw(uint64_t *state)
{
    return tm_sample_distance(next_random(state), tm_runtime.sample_rate);
}

static TM_COLD uint64_t seed_of_next(void)
{
    uint64_t number = atomic_fetch_add_explicit(&tm_runtime.sample_threads, 1, memory_order_relaxed);
    return tm_hash_join(tm_runtime.sample_seed, number) | 1; /* 0 means: not begun */
}

/* LEFT and RANDOM are a count that ran out, or was not begun, at a block of SIZE bytes. */
TM_INLINE bool decide(uint64_t *left, uint64_t *random, uint64_t size)
{
    if (TM_UNLIKELY(*random == 0)) {
        *random = seed_of_next();
        *left = draw(random);
        if (tm_sampler_subtract(left, size)) {
            return false;
        }
    }
    *left = draw(random); /* from the end of this block: the process has no memory */
    return true;
}

TM_INLINE bool note_taken(struct tm_thread *thread, bool is_taken)
{
    if (is_taken) {
        thread->sample_after = thread->sample_left;
        thread->held_after = tm_sampler_held.left;
    }
    return is_taken;
}

bool tm_sampler_decide(struct tm_thread *thread, uint64_t size)
{
    return note_taken(thread, decide(&thread->sample_left, &thread->sample_random, size));
}

bool tm_sampler_held_decide(struct tm_thread *thread, uint64_t size)
{
    return note_taken(thread, decide(&tm_sampler_held.left, &tm_sampler_held.random, size));
}

void tm_sampler_held_rest(void)
{
    tm_sampler_held.random = 0;
    tm_sampler_held.left = 0;
}

void tm_sampler_begin(uint64_t rate, uint64_t seed, uint32_t later)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_store_header *header = runtime->store.header;
    runtime->sample_rate = rate;
    runtime->sample_seed = seed;
    runtime->sampled_epoch = atomic_load_explicit(&runtime->epoch, memory_order_relaxed) + later;
    atomic_store_explicit(&header->sampled_epoch, runtime->sampled_epoch, memory_order_relaxed);
    atomic_store_explicit(&header->sample_rate, rate, memory_order_relaxed);
    tm_runtime_decide_quick();
}

void tm_sampler_after_fork(struct tm_thread *thread, uint64_t seed)
{
    tm_runtime.sample_seed = tm_hash_join(tm_runtime.sample_seed, seed);
    thread->sample_random = 0;
    /* So that the next block draws: the way to the parent's next point would end without a sample. */
    thread->sample_after = thread->sample_after == thread->sample_left ? 0 : UINT64_MAX;
    thread->sample_left = 0;
    if (thread->held_after != TM_HELD_NOT) {
        thread->held_after = thread->held_after == tm_sampler_held.left ? 0 : TM_HELD_NOT - 1;
    }
    tm_sampler_held_rest();
}

void tm_sampler_count(struct tm_runtime *runtime, uint32_t id, const struct tm_sample_weight *weight, bool is_freed,
                      uint64_t by, uint32_t owner)
{
    struct tm_record *record = &runtime->records.records[id];
    uint64_t bytes = record->size == TM_SIZE_VARIES ? weight->bytes * by : 0;
    tm_record_save_peaks(runtime, id, record);
    if (TM_STAMP_OWNER(record->stamp) != owner) {
        tm_record_add_loose(runtime, id, weight->blocks * by, bytes, is_freed);
        return;
    }
    tm_word_add(is_freed ? &record->freed_blocks : &record->ever_blocks, weight->blocks * by);
    tm_word_add(is_freed ? &record->freed_bytes : &record->ever_bytes, bytes);
}
