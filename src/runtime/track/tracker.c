/* SPDX-License-Identifier: MIT */
#include "runtime/track/tracker.h"

#include "runtime/track/block_count.h"
#include "runtime/track/capture.h"
#include "runtime/track/counting.h"
#include "runtime/track/event_log.h"
#include "runtime/track/event_record.h"
#include "runtime/track/fork.h"
#include "runtime/track/loose_walk.h"
#include "runtime/track/sampler.h"
#include "runtime/track/tracker_own.h"
#include "runtime/track/take_quick.h"
#include "runtime/track/tracker_quick.h"

/* Takes what is still in the table where a block of SIZE bytes was handed out at ADDRESS: its free was missed. */
static void drop_stale(struct tm_thread *thread, uintptr_t address, size_t size)
{
    struct tm_block_table *table = &tm_runtime.blocks;
    struct tm_taken taken;
    if (tm_block_is_odd(table, address)) {
        (void)tm_tracker_take(thread, (const void *)address, &taken);
        return;
    }
    uintptr_t stale = tm_block_table_in_the_way(table, address, size);
    while (stale != 0 && tm_tracker_take(thread, (const void *)stale, &taken)) {
        stale = tm_block_table_in_the_way(table, address, size);
    }
}

static TM_COLD bool put_block_slowly(struct tm_thread *thread, uintptr_t address, uint32_t record, size_t size)
{
    drop_stale(thread, address, size);
    thread->guard++; /* the table of odd blocks has a lock */
    bool done = tm_block_table_put(&tm_runtime.blocks, address, record, size);
    thread->guard--;
    if (done) {
        return true;
    }
    if (tm_runtime.sample_rate != 0) {
        tm_sampler_note_gone(&tm_runtime, address);
    }
    atomic_fetch_add_explicit(&tm_runtime.store.header->dropped_events, 1, memory_order_relaxed);
    return false;
}

TM_INLINE bool put_block(struct tm_thread *thread, const void *block, uint32_t record, size_t size)
{
    struct tm_block_table *table = &tm_runtime.blocks;
    uintptr_t address = (uintptr_t)block;
    tm_slot_half *slot = TM_LIKELY(!tm_block_is_odd(table, address)) ? tm_block_slot(table, address) : NULL;
    if (TM_UNLIKELY(tm_runtime.sample_rate != 0)) {
        tm_sampler_note_known(&tm_runtime, address);
        if (slot != NULL) {
            tm_half_touch(slot); /* few blocks are recorded: mostly it is the first in its page */
        }
    }
    if (TM_LIKELY(slot != NULL) && TM_LIKELY(tm_block_table_try_put(table, slot, record, size))) {
        return true;
    }
    return put_block_slowly(thread, address, record, size);
}

TM_INLINE void count_alloc(struct tm_thread *thread, uint8_t domain, const void *block, size_t size, uint32_t record,
                           struct tm_account account)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (TM_UNLIKELY(!put_block(thread, block, record, size))) {
        return;
    }
    tm_event_log(TM_EVENT_ALLOC, &runtime->records.records[record], (uintptr_t)block, size);
    uint64_t bytes = tm_block_count_in(runtime, record, size, account.owner);
    tm_totals_move(runtime, domain, bytes, account);
    thread->last_block = (uintptr_t)block;
    thread->newborn = (uintptr_t)block;
}

/* While the life is not simply TM_LIFE_TRACING. */
static TM_COLD bool may_record(struct tm_thread *thread, size_t size)
{
    return tm_life_may_record(size) && (!tm_runtime.budget.thins || tm_sampler_takes(thread, size));
}

__attribute__((noinline)) void *tm_tracker_alloc_generally(struct tm_thread *thread, uint8_t domain, void *block,
                                                           size_t size)
{
    if (TM_UNLIKELY(tm_life_now() != TM_LIFE_TRACING) && !may_record(thread, size)) {
        return block;
    }
    struct tm_caller caller = tm_event_caller(thread, domain);
    if (caller.attachment != TM_HELD && caller.tstate == 0 && domain == TM_DOMAIN_NATIVE && size <= TM_SMALL_SIZE_MAX &&
        tm_own_count(thread, block, size)) {
        return block;
    }
    tm_block_slot_prefetch(&tm_runtime.blocks, (uintptr_t)block); /* of a large block's nothing is near, mostly */
    uint32_t record = tm_event_record(thread, caller, domain, tm_size_class(size));
    if (TM_LIKELY(record != 0)) {
        count_alloc(thread, domain, block, size, record, tm_event_account(thread, caller));
        if (tm_runtime.sample_rate != 0) {
            tm_sampler_note_made(thread, caller.tstate != 0);
        }
    }
    return block;
}

/* The word of the record of a block of the main interpreter's GIL's holder while no frame of his can be read: domain
 * and size say it.  0: it is not in the cache, or this is not the time for it. */
TM_INLINE uint32_t frameless_word(uint8_t domain, size_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    const struct tm_cpython *python = &runtime->python;
    if (size > TM_SMALL_SIZE_MAX || tm_life_now() != TM_LIFE_TRACING || runtime->layout != NULL ||
        !runtime->python_is_found || runtime->sample_rate != 0 || runtime->held_stack.count != 0 ||
        __atomic_load_n(&runtime->way, __ATOMIC_RELAXED) == TM_WAY_NATIVE ||
        !tm_cpython_getter_is_place(&python->current)) {
        return 0;
    }
    const uintptr_t tstate = tm_cpython_getter_peek(&python->current);
    if (TM_UNLIKELY(tstate == 0) || !tm_cpython_is_main(python, tstate) ||
        (!runtime->layout_is_decided && !tm_cpython_shows_no_frame(python, tstate))) {
        return 0;
    }
    const struct tm_trace_key key = tm_trace_key_of_top(&runtime->cache, NULL, 0, domain, (uint16_t)size);
    return tm_trace_cache_held_word(&runtime->cache, key.key, key.check);
}

/* Its saved peaks and its slot come first, as in the quick ways: where one of them is rare nothing has happened. */
void *tm_tracker_alloc_early(struct tm_thread *thread, uint8_t domain, void *block, size_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    const uintptr_t address = (uintptr_t)block;
    const uint32_t word = frameless_word(domain, size);
    if (TM_UNLIKELY(word == 0) || TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return tm_tracker_alloc_generally(thread, domain, block, size);
    }
    struct tm_record *record = tm_runtime_record_of(runtime, word);
    const uint64_t marks = tm_word_peek(&runtime->totals->marks);
    tm_slot_half *slot = tm_block_slot(&runtime->blocks, address);
    if (TM_UNLIKELY(slot == NULL) || tm_block_is_short(&runtime->blocks, size) ||
        TM_UNLIKELY(tm_slot_load(slot) != 0) ||
        (tm_word_peek(&record->marks) != marks && TM_UNLIKELY(!tm_record_save_usually(runtime, record, marks)))) {
        return tm_tracker_alloc_generally(thread, domain, block, size);
    }
    tm_slot_store(slot, word);
    tm_quick_count(thread, runtime->totals, record, block, size, false);
    return block;
}

void tm_tracker_alloc(struct tm_thread *thread, enum tm_domain domain, const void *block, size_t size)
{
    bool is_python = domain == TM_DOMAIN_OBJ || domain == TM_DOMAIN_MEM;
    if (is_python) {
        (void)tm_quick_alloc_at_door(thread, (uint8_t)domain, (void *)(uintptr_t)block, size, TM_QUICK_ANY,
                                     TM_QUICK_TOP, TM_DOOR_GUARDED);
    } else {
        (void)tm_tracker_alloc_generally(thread, (uint8_t)domain, (void *)(uintptr_t)block, size);
    }
}

/* BY is 1, or -1 as two's complement. */
TM_INLINE void count_temporary(struct tm_record *record, uint64_t by, uint32_t owner)
{
    if (TM_LIKELY(TM_STAMP_OWNER(record->stamp) == owner)) {
        tm_word_add(&record->temporary_blocks, by);
    } else {
        tm_word_add_loose(&record->temporary_blocks, by);
    }
}

/* What belongs to the thread's own tally it may take back without looking for the GIL. */
TM_INLINE struct tm_account account_of_free(struct tm_thread *thread, const struct tm_record *record)
{
    const struct tm_tally *tally = tm_tally_peek(thread);
    if (tally != NULL && TM_LIKELY(TM_STAMP_OWNER(record->stamp) == tally->number)) {
        return (struct tm_account){tally->number, tally->line};
    }
    return tm_event_account(thread, tm_event_caller(thread, record->domain));
}

/* The counters of a block that goes. */
TM_INLINE void uncount(struct tm_thread *thread, uintptr_t address, uint32_t id, uint64_t size, uint32_t *flags)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_record *record = &runtime->records.records[id];
    struct tm_account account = account_of_free(thread, record);
    tm_event_log(TM_EVENT_FREE, record, address, size);
    bool counts = record->epoch >= atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed);
    if (TM_LIKELY(counts)) {
        tm_totals_leave(runtime->totals, account.line, record->domain == TM_DOMAIN_NATIVE);
    }
    struct tm_sample_weight weight = tm_block_give_back(runtime, id, size, 1, account.owner);
    if (TM_LIKELY(counts)) {
        tm_totals_move(runtime, record->domain, 0 - weight.bytes, account);
    }
    if (thread->last_block == address && tm_sampler_none_came(thread)) {
        thread->last_block = 0;
        *flags = TM_TAKEN_TEMPORARY;
        count_temporary(record, weight.blocks, account.owner);
    }
}

/* Whether a block of record ID (0: of none) is freed under the main interpreter's GIL. */
static TM_COLD bool is_held(struct tm_thread *thread, uint32_t id)
{
    return id != 0 && tm_event_caller(thread, tm_runtime.records.records[id].domain).attachment == TM_HELD;
}

/* The block left the table as WORD and SIZE say. */
TM_INLINE bool finish_take(struct tm_thread *thread, uintptr_t address, uint32_t word, uint64_t size,
                           struct tm_taken *taken)
{
    if (TM_UNLIKELY((word & TM_SLOT_IS_CODE) != 0)) {
        tm_loose_walks_wait(thread, address);
        tm_capture_forget_code(thread, address, is_held(thread, word & TM_SLOT_RECORD));
    }
    taken->record = word & TM_SLOT_RECORD;
    taken->size = size;
    taken->flags = 0;
    if (TM_UNLIKELY(tm_runtime.sample_rate != 0)) {
        tm_sampler_note_gone(&tm_runtime, address);
    }
    if (TM_UNLIKELY(taken->record == 0)) {
        return false;
    }
    uncount(thread, address, taken->record, size, &taken->flags);
    return true;
}

static TM_COLD bool take_slowly(struct tm_thread *thread, uintptr_t address, struct tm_taken *taken)
{
    struct tm_block block;
    bool known;
    thread->guard++; /* the table of odd blocks has a lock */
    known = tm_block_table_take(&tm_runtime.blocks, address, &block);
    thread->guard--;
    if (!known) {
        return false;
    }
    uint16_t exact = tm_runtime.records.records[block.word & TM_SLOT_RECORD].size;
    return finish_take(thread, address, block.word, exact == TM_SIZE_VARIES ? block.size : exact, taken);
}

static TM_COLD bool may_take(void)
{
    enum tm_life life = tm_life_now();
    return life == TM_LIFE_STOPPED || life == TM_LIFE_YOUNG || life == TM_LIFE_THINNED ||
           (life == TM_LIFE_UNKNOWN && tm_life_recover());
}

/* A block begins at SLOT. */
static __attribute__((noinline)) bool take_known(struct tm_thread *thread, uintptr_t address, tm_slot_half *slot,
                                                 struct tm_taken *taken)
{
    struct tm_runtime *runtime = &tm_runtime;
    const uint16_t first = tm_half_load(slot);
    if (tm_half_is_short(first)) {
        uint32_t id = tm_short_table_record(&runtime->blocks.shorts, first >> TM_HALF_SHIFT);
        tm_half_store(slot, 0);
        return finish_take(thread, address, id, runtime->records.records[id].size, taken);
    }
    uint32_t word = tm_slot_load(slot);
    if (!tm_slot_is_plain(word) || (word & TM_SLOT_SECOND) == 0) {
        return take_slowly(thread, address, taken);
    }
    uint64_t size = tm_runtime_record_of(runtime, word)->size;
    if (size == TM_SIZE_VARIES) {
        size = tm_slot_size(slot);
        if (size == 0 || size == TM_SLOT_SIZE) {
            return take_slowly(thread, address, taken);
        }
        tm_slot_store(slot + 2, 0);
    }
    tm_slot_store(slot, 0);
    return finish_take(thread, address, tm_slot_record(word), size, taken);
}

/* Each way on is the last act: of a block that Python's door has taken already nothing is known at libc's. */
TM_INLINE bool take_anywhere(struct tm_thread *thread, uintptr_t address, struct tm_taken *taken)
{
    const struct tm_block_table *table = &tm_runtime.blocks;
    if (TM_UNLIKELY(tm_block_is_odd(table, address))) {
        return take_slowly(thread, address, taken);
    }
    tm_slot_half *slot = tm_block_slot(table, address);
    return TM_LIKELY(slot != NULL) && tm_half_is_start(tm_half_load(slot)) && take_known(thread, address, slot, taken);
}

static TM_COLD bool take_rarely(struct tm_thread *thread, const void *block, struct tm_taken *taken)
{
    return may_take() && take_anywhere(thread, (uintptr_t)block, taken);
}

bool tm_tracker_take(struct tm_thread *thread, const void *block, struct tm_taken *taken)
{
    return TM_UNLIKELY(tm_life_now() != TM_LIFE_TRACING) ? take_rarely(thread, block, taken)
                                                         : take_anywhere(thread, (uintptr_t)block, taken);
}

void tm_tracker_forget_area(struct tm_thread *thread, const void *area, size_t size)
{
    struct tm_block_table *table = &tm_runtime.blocks;
    const uintptr_t end = (uintptr_t)area + size;
    struct tm_taken taken;
    if (tm_life_now() < TM_LIFE_STOPPED) {
        return;
    }
    for (uintptr_t at = tm_block_table_first_in(table, (uintptr_t)area, size); at != 0;
         at = tm_block_table_first_in(table, at + 1, end - at - 1)) {
        (void)tm_tracker_take(thread, (const void *)at, &taken);
    }
    tm_block_table_release(table, (uintptr_t)area, size);
}

void tm_tracker_put_back(struct tm_thread *thread, const void *block, const struct tm_taken *taken)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (taken->record == 0 || !put_block(thread, block, taken->record, taken->size)) {
        return;
    }
    struct tm_record *record = &runtime->records.records[taken->record];
    struct tm_account account = account_of_free(thread, record);
    tm_event_log(TM_EVENT_ALLOC, record, (uintptr_t)block, taken->size);
    struct tm_sample_weight weight = tm_block_give_back(runtime, taken->record, taken->size, UINT64_MAX, account.owner);
    if ((taken->flags & TM_TAKEN_TEMPORARY) != 0) {
        count_temporary(record, 0 - weight.blocks, account.owner);
    }
    if (record->epoch >= atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed)) {
        tm_totals_move(runtime, record->domain, weight.bytes, account);
    }
}

void tm_quick_put_back(struct tm_thread *thread, const struct tm_record *record, const void *block)
{
    const struct tm_taken taken = {
        .size = record->size,
        .record = (uint32_t)(record - tm_runtime.records.records),
    };
    tm_tracker_put_back(thread, block, &taken);
}
