/* SPDX-License-Identifier: MIT */
#include "runtime/track/sampler.h"

#include "runtime/track/counting.h"

_Atomic uint8_t tm_sampler_known[TM_KNOWN_PAGES];
struct tm_sampler_held tm_sampler_held;

void tm_sampler_hold_pages(uintptr_t low, size_t size)
{
    const uintptr_t page = UINT64_C(1) << TM_KNOWN_PAGE_BITS;
    for (uintptr_t at = low & ~(page - 1); at < low + size; at += page) {
        atomic_store_explicit(tm_sampler_known_of(at), UINT8_MAX, memory_order_relaxed);
    }
}

void tm_sampler_note_known(const struct tm_runtime *runtime, uintptr_t address)
{
    if (runtime->config.sample_rate != 0) {
        tm_sampler_one_more(address);
    }
}

void tm_sampler_note_gone(const struct tm_runtime *runtime, uintptr_t address)
{
    if (runtime->config.sample_rate != 0) {
        tm_sampler_one_less(address);
    }
}

/* The generator of SplitMix64: the state is a counter, its step any odd number. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t word = *state += TM_HASH_MULTIPLIER;
    word = (word ^ (word >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94D049BB133111EB);
    return word ^ (word >> 31);
}

/* Several at once: what a logarithm needs has gone from the cache when the next one is wanted. */
static __attribute__((noinline)) void draw_ahead(struct tm_sample_draws *draws)
{
    for (unsigned i = 0; i < TM_SAMPLE_WAYS; i++) {
        draws->ways[i] = tm_sample_way(next_random(&draws->random));
    }
    draws->ahead = TM_SAMPLE_WAYS;
}

static uint64_t draw(struct tm_sample_draws *draws)
{
    if (TM_UNLIKELY(draws->ahead == 0)) {
        draw_ahead(draws);
    }
    return (uint64_t)(int64_t)(draws->ways[--draws->ahead] * (double)(int64_t)tm_runtime.sample_rate);
}

static TM_COLD void seed(struct tm_sample_draws *draws)
{
    uint64_t number = atomic_fetch_add_explicit(&tm_runtime.sample_threads, 1, memory_order_relaxed);
    draws->random = tm_hash_join(tm_runtime.sample_seed, number) | 1; /* 0 means: not begun */
    draws->ahead = 0;
}

/* The count LEFT ran out, or was not begun, at a block of SIZE bytes. */
TM_INLINE bool decide(uint64_t *left, struct tm_sample_draws *draws, uint64_t size)
{
    if (TM_UNLIKELY(draws->random == 0)) {
        seed(draws);
        *left = draw(draws);
        if (tm_sampler_subtract(left, size)) {
            return false;
        }
    }
    *left = draw(draws); /* from the end of this block: the process has no memory */
    return true;
}

TM_SAMPLED_CODE bool tm_sampler_decide(struct tm_thread *thread, uint64_t size)
{
    return decide(&thread->sample_left, &thread->sample_draws, size);
}

TM_SAMPLED_CODE bool tm_sampler_held_decide(uint64_t size)
{
    return decide(&tm_sampler_held.left, &tm_sampler_held.draws, size);
}

void tm_sampler_held_rest(void)
{
    tm_sampler_held.draws.random = 0;
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
    thread->sample_draws.random = 0;
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
