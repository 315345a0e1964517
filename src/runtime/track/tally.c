/* SPDX-License-Identifier: MIT */
#include "runtime/track/tally.h"

#include <string.h>

#include "runtime/os/os_memory.h"
#include "runtime/os/os_process.h"
#include "runtime/track/counting.h"
#include "runtime/track/runtime_state.h"

#define WAYS   (1U << TM_TALLY_WAY_BITS)
#define PLACES ((size_t)WAYS << TM_TALLY_SET_BITS)
/* An even number of words, so that what follows is aligned. */
#define FRAMELESS_BYTES ((TM_TALLY_FRAMELESS + TM_TALLY_FRAMELESS % 2) * sizeof(uint32_t))

#define PLACE_BYTES (PLACES * sizeof(struct tm_trace_slot) + FRAMELESS_BYTES + sizeof(struct tm_loose_stack))

/* Events of a thread that found no tally, until it looks again. */
#define EVENTS_BETWEEN_LOOKS 4096U

/* The store's line comes with the tally's first thread. */
static bool is_complete(struct tm_tally *tally, unsigned index)
{
    if (tally->places == NULL) {
        tally->places = tm_pages_map(PLACE_BYTES);
    }
    tally->number = (uint16_t)(index + 1);
    tally->line = &tm_runtime.store.header->tallies[index];
    tally->frameless = (uint32_t *)(void *)(tally->places + PLACES);
    tally->stack = (struct tm_loose_stack *)(void *)((char *)tally->frameless + FRAMELESS_BYTES);
    return tally->places != NULL;
}

/* TALLY becomes that of the calling THREAD when nobody lives who has it. */
static bool try_to_take(struct tm_tally *tally, unsigned index, struct tm_thread *thread, uint32_t own_id)
{
    uint32_t holder = atomic_load_explicit(&tally->thread_id, memory_order_relaxed);
    if (holder != 0 && holder != own_id && tm_process_has_thread(tm_runtime.pid, holder)) {
        return false;
    }
    if (!atomic_compare_exchange_strong_explicit(&tally->thread_id, &holder, own_id, memory_order_acquire,
                                                 memory_order_relaxed)) {
        return false;
    }
    if (!is_complete(tally, index)) {
        atomic_store_explicit(&tally->thread_id, 0, memory_order_relaxed);
        return false;
    }
    atomic_store_explicit(&tally->line->is_used, 1, memory_order_relaxed);
    atomic_store_explicit(&tally->owner, thread, memory_order_relaxed);
    return true;
}

struct tm_tally *tm_tally_take(struct tm_thread *thread)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (thread->tally_wait != 0) {
        thread->tally_wait--;
        return NULL;
    }
    thread->tally = NULL;
    /* A vfork child runs in its parent's memory, under an id that is soon gone. */
    if (tm_process_pid() == runtime->pid) {
        uint32_t own_id = tm_process_thread_id();
        for (unsigned i = 0; i < TM_TALLY_MAX; i++) {
            if (try_to_take(&runtime->tallies[i], i, thread, own_id)) {
                thread->tally = &runtime->tallies[i];
                return thread->tally;
            }
        }
    }
    thread->tally_wait = EVENTS_BETWEEN_LOOKS;
    return NULL;
}

void tm_tally_give_back(struct tm_thread *thread)
{
    struct tm_tally *tally = tm_tally_peek(thread);
    if (tally != NULL) {
        tm_tally_tell(tm_runtime.totals, tally->line);
        thread->tally = NULL;
        atomic_store_explicit(&tally->line->is_used, 0, memory_order_relaxed);
        atomic_store_explicit(&tally->owner, NULL, memory_order_relaxed);
        atomic_store_explicit(&tally->thread_id, 0, memory_order_release);
    }
}

void tm_tallies_after_fork(void)
{
    for (unsigned i = 0; i < TM_TALLY_MAX; i++) {
        atomic_store_explicit(&tm_runtime.tallies[i].owner, NULL, memory_order_relaxed);
        atomic_store_explicit(&tm_runtime.tallies[i].thread_id, 0, memory_order_relaxed);
    }
}

void tm_tallies_new_base(void)
{
    for (unsigned i = 0; i < TM_TALLY_MAX; i++) {
        struct tm_tally_line *line = &tm_runtime.store.header->tallies[i];
        uint64_t python = tm_word_load(&line->python);
        uint64_t native = tm_word_load(&line->native);
        tm_word_store(&line->python_base, python);
        tm_word_store(&line->native_base, native);
        tm_word_store(&line->python_told, python);
        tm_word_store(&line->native_told, native);
    }
}

size_t tm_tallies_bytes(void)
{
    size_t sum = 0;
    for (unsigned i = 0; i < TM_TALLY_MAX; i++) {
        sum +=
            atomic_load_explicit(&tm_runtime.store.header->tallies[i].is_used, memory_order_relaxed) ? PLACE_BYTES : 0;
    }
    return sum;
}

/* Puts AFTER into TOLD where BEFORE is, in one instruction, which a signal handler's event cannot come into: what it
 * has told stays.  Without a lock on the bus, which would wait for all that the allocator has just written: another
 * thread writes TOLD only where a base epoch begins, and meeting that one is as wrong between this and the addition
 * to the total. */
TM_INLINE bool replace(_Atomic uint64_t *told, uint64_t before, uint64_t after)
{
#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__) && !defined(__SANITIZE_THREAD__)
    bool done;
    __asm__ volatile("cmpxchgq %3, %1" : "=@ccz"(done), "+m"(*(uint64_t *)told), "+a"(before) : "r"(after) : "memory");
    return done;
#else
    return atomic_compare_exchange_strong_explicit(told, &before, after, memory_order_relaxed, memory_order_relaxed);
#endif
}

/* What TOTAL has grown by, as a signed number; *NOW is what it is then. */
TM_INLINE int64_t tell(_Atomic uint64_t *total, const _Atomic uint64_t *word, _Atomic uint64_t *told, uint64_t *now)
{
    const uint64_t before = tm_word_load(told);
    const uint64_t after = tm_word_load(word);
    if (after == before || !replace(told, before, after)) {
        return 0;
    }
    *now = after - before + atomic_fetch_add_explicit(total, after - before, memory_order_seq_cst);
    return (int64_t)(after - before);
}

void tm_tally_tell(struct tm_totals *totals, struct tm_tally_line *line)
{
    uint64_t now;
    bool is_over = tell(&totals->python_loose, &line->python, &line->python_told, &now) > 0;
    if (tell(&totals->native_loose, &line->native, &line->native_told, &now) > 0) {
        /* In one order with the addition: see put_native_limit. */
        is_over |= (int64_t)(now - atomic_load_explicit(&tm_life_page.native_limit, memory_order_seq_cst)) > 0;
    }
    if (is_over) {
        tm_limit_void();
    }
}

void tm_tally_forget(struct tm_tally *tally, const struct tm_trace_cache *cache)
{
    tally->voids = atomic_load_explicit(&cache->voids, memory_order_relaxed);
    memset(tally->places, 0, PLACE_BYTES);
}

void tm_tally_put(struct tm_tally *tally, const struct tm_trace_key *key, uint32_t record)
{
    struct tm_trace_slot *ways = tm_tally_set(tally, key->key);
    unsigned way = 0;
    while (way < WAYS && ways[way].record != 0) {
        way++;
    }
    if (way == WAYS) {
        way = tally->next++ % WAYS;
    }
    ways[way] = (struct tm_trace_slot){.key = key->key, .check = key->check, .record = tm_slot_word(record)};
}
