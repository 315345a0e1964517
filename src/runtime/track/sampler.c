/* SPDX-License-Identifier: MIT */
#include "runtime/track/sampler.h"

#include "runtime/track/counting.h"

_Atomic uint8_t tm_sampler_known[TM_KNOWN_PAGES];

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
static uint64_t next_random(struct tm_thread *thread)
{
    uint64_t word = thread->sample_random += TM_HASH_MULTIPLIER;
    word = (word ^ (word >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94D049BB133111EB);
    return word ^ (word >> 31);
}

static void draw(struct tm_thread *thread)
{
    thread->sample_left = tm_sample_distance(next_random(thread), tm_runtime.sample_rate);
}

static TM_COLD void seed_thread(struct tm_thread *thread)
{
    uint64_t number = atomic_fetch_add_explicit(&tm_runtime.sample_threads, 1, memory_order_relaxed);
    thread->sample_random = tm_hash_join(tm_runtime.sample_seed, number) | 1; /* 0 means: not begun */
}

bool tm_sampler_decide(struct tm_thread *thread, uint64_t size)
{
    if (TM_UNLIKELY(thread->sample_random == 0)) {
        seed_thread(thread);
        draw(thread);
        if (thread->sample_left >= size) {
            thread->sample_left -= size;
            return false;
        }
    }
    draw(thread); /* from the end of this block: the process has no memory */
    thread->sample_after = thread->sample_left;
    return true;
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
