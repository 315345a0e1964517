/* SPDX-License-Identifier: MIT */
#include "runtime/track/block_count.h"
#include "runtime/track/event_log.h"
#include "runtime/track/event_record.h"
#include "runtime/track/tracker.h"

/* Of the same domain and size class, too. */
static bool is_of_same_trace(const struct tm_record *record, const struct tm_record *other)
{
    return record->traceback == other->traceback && record->epoch == other->epoch;
}

/* Moves the known block at ADDRESS to the current traceback. */
static __attribute__((noinline)) void move_block(struct tm_thread *thread, uintptr_t address)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_block block;
    if (!tm_block_table_find(&runtime->blocks, address, &block) || (block.word & TM_SLOT_RECORD) == 0) {
        return;
    }
    uint32_t from = block.word & TM_SLOT_RECORD;
    const struct tm_record *record = &runtime->records.records[from];
    if (record->epoch < atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed)) {
        return; /* not traced as far as anybody can see */
    }
    struct tm_caller caller = tm_event_caller(thread, record->domain);
    uint32_t to = tm_event_record(thread, caller, record->domain, record->size);
    if (to == 0 || is_of_same_trace(record, &runtime->records.records[to]) ||
        tm_sampler_made(runtime, record) != tm_sampler_made(runtime, &runtime->records.records[to])) {
        return; /* a block that was not sampled stands for itself only, a record of samples cannot say so */
    }
    uint64_t size = record->size == TM_SIZE_VARIES ? block.size : record->size;
    if (!tm_block_table_put(&runtime->blocks, address, to | (block.word & ~TM_SLOT_RECORD), size)) {
        return;
    }
    uint32_t owner = tm_event_account(thread, caller).owner;
    tm_event_log(TM_EVENT_MOVE, &runtime->records.records[to], address, size);
    (void)tm_block_give_back(runtime, from, size, 1, owner);
    (void)tm_block_count_in(runtime, to, size, owner);
    atomic_fetch_add_explicit(&runtime->store.header->recycled_moves, 1, memory_order_relaxed);
}

void tm_tracker_recycle(struct tm_thread *thread, const void *block)
{
    if (TM_LIKELY(thread->newborn == (uintptr_t)block)) {
        thread->newborn = 0; /* just allocated; the next time it comes it was in a free list meanwhile */
        return;
    }
    if (TM_UNLIKELY(tm_life_now() != TM_LIFE_TRACING) && !tm_life_may_record(0)) {
        return;
    }
    thread->guard++; /* the table of odd blocks has a lock */
    move_block(thread, (uintptr_t)block);
    thread->guard--;
}
