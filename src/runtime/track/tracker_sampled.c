/* SPDX-License-Identifier: MIT */
/* Decides first and changes afterwards; where anything is rare the general way is the last act. */
#include "runtime/track/tracker_sampled.h"

#include "runtime/track/counting.h"
#include "runtime/track/event_log.h"
#include "runtime/track/event_record.h"
#include "runtime/track/loose_walk.h"
#include "runtime/track/maker.h"
#include "runtime/track/sampler.h"
#include "runtime/track/tracker.h"
#include "runtime/unwind/python_frame.h"

/* A record that an event may move plainly, and whose words beside it; id 0: there is none. */
struct known {
    uint32_t id;
    struct tm_account account;
};

/* The record of the newest frame of TSTATE's thread. */
TM_INLINE uint32_t record_of_top(uintptr_t tstate, uint8_t domain, uint16_t size, uint32_t owner)
{
    const struct tm_runtime *runtime = &tm_runtime;
    const struct tm_record_key key = {
        .epoch = tm_number_peek(&runtime->epoch), .size = size, .domain = domain, .owner = (uint16_t)owner};
    const struct tm_cpython_layout *row = &runtime->python.row;
    const uintptr_t frame = tm_python_frame_newest(row, tstate);
    struct tm_raw_frame top = {.frame = frame};
    TM_ASSUME(row->chain != TM_CHAIN_OBJECT && row->code_tlbc == 0);
    if (TM_UNLIKELY(frame == 0) || TM_UNLIKELY((top.place = tm_python_frame_place(row, frame)) == 0)) {
        return 0; /* an older one may count */
    }
    return tm_sampled_frames_peek(&runtime->sampled_frames, row, &top, &key, tm_number_peek(&runtime->cache.voids));
}

/* The guard is up, as for tm_event_caller. */
TM_INLINE struct known find(struct tm_thread *thread, uint8_t domain, uint16_t size)
{
    const struct tm_maker maker = tm_maker_find(&tm_runtime.python);
    struct tm_tally *tally = tm_tally_peek(thread);
    struct known known = {0, {TM_OWNER_HELD, tally == NULL ? NULL : tally->line}};
    if (TM_UNLIKELY(maker.tstate == 0)) {
        return known;
    }
    if (maker.is_held) {
        known.id = record_of_top(maker.tstate, domain, size, TM_OWNER_HELD);
    } else if (TM_LIKELY(tally != NULL) && TM_LIKELY(tm_loose_walk_try(thread, tally, maker.tstate))) {
        known.account.owner = tally->number;
        known.id = record_of_top(maker.tstate, domain, size, tally->number);
        known.id = TM_LIKELY(tm_loose_walk_is_valid()) ? known.id : 0;
        tm_loose_walk_end_own(tally);
    }
    return known;
}

TM_INLINE struct known find_guarded(struct tm_thread *thread, uint8_t domain, uint16_t size)
{
    thread->guard = 1;
    atomic_signal_fence(memory_order_seq_cst);
    const struct known known = find(thread, domain, size);
    atomic_signal_fence(memory_order_seq_cst);
    thread->guard = 0;
    return known;
}

TM_INLINE void count(struct tm_thread *thread, uint8_t domain, uintptr_t address, size_t size,
                     const struct tm_sample_weight *weight, const struct known *known)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_record *record = &runtime->records.records[known->id];
    tm_event_log(TM_EVENT_ALLOC, record, address, size);
    tm_record_save_peaks(runtime, known->id, record);
    tm_word_add(&record->ever_blocks, weight->blocks);
    if (size > TM_SMALL_SIZE_MAX) {
        tm_word_add(&record->ever_bytes, weight->bytes);
    }
    tm_totals_move(runtime, domain, weight->bytes, known->account);
    thread->last_block = address;
    thread->newborn = address;
    tm_sampler_note_made(thread, true);
}

/* The slot, which was mostly used long ago, is fetched first and looked at as late as may be.  The page is counted
 * early: an exchange waits for what was asked of memory before it. */
TM_SAMPLED_CODE void *tm_tracker_alloc_sampled(struct tm_thread *thread, uint8_t domain, void *block, size_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    const uintptr_t address = (uintptr_t)block;
    if (TM_UNLIKELY(tm_number_peek(&tm_life_page.sampled_allocs) == 0) ||
        TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return tm_tracker_alloc_generally(thread, domain, block, size);
    }
    tm_sampler_one_more(address);
    tm_slot_half *slot = tm_block_slot(&runtime->blocks, address);
    __builtin_prefetch(slot, 1);
    const struct known known = find_guarded(thread, domain, tm_size_class(size));
    const struct tm_sample_weight weight = tm_sample_weight_of(size, runtime->sample_rate);
    if (TM_UNLIKELY(known.id == 0) || TM_UNLIKELY(slot == NULL) ||
        TM_UNLIKELY(!tm_block_table_try_put(&runtime->blocks, slot, known.id, size))) {
        tm_sampler_one_less(address);
        return tm_tracker_alloc_generally(thread, domain, block, size);
    }
    count(thread, domain, address, size, &weight, &known);
    return block;
}

/* Of a block of RECORD that THREAD frees; owner TM_OWNER_NONE: the general way is to find out. */
TM_INLINE struct tm_account account_of(struct tm_thread *thread, const struct tm_record *record)
{
    const uint32_t owner = TM_STAMP_OWNER(record->stamp);
    const struct tm_tally *tally = tm_tally_peek(thread);
    struct tm_account account = {TM_OWNER_NONE, tally == NULL ? NULL : tally->line};
    if (tally != NULL && owner == tally->number) {
        account.owner = owner;
    } else if (owner == TM_OWNER_HELD) {
        thread->guard = 1; /* as in find_guarded */
        atomic_signal_fence(memory_order_seq_cst);
        const struct tm_maker maker = tm_maker_find(&tm_runtime.python);
        atomic_signal_fence(memory_order_seq_cst);
        thread->guard = 0;
        account.owner = TM_LIKELY(maker.is_held) && TM_LIKELY(maker.tstate != 0) ? owner : TM_OWNER_NONE;
    }
    return account;
}

/* The bytes of the block of RECORD at SLOT; 0: it has not been sampled, or does not count any more, or only the odd
 * table knows. */
TM_INLINE uint64_t size_of(const struct tm_runtime *runtime, const struct tm_record *record, const tm_slot_half *slot)
{
    const uint64_t size = record->size == TM_SIZE_VARIES ? tm_slot_size(slot) : record->size;
    const bool counts = record->epoch >= runtime->sampled_epoch &&
                        record->epoch >= atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed);
    return TM_LIKELY(counts) && TM_LIKELY(size != TM_SLOT_SIZE) ? size : 0;
}

TM_INLINE void uncount(struct tm_thread *thread, struct tm_record *record, uint32_t id, uintptr_t address,
                       uint64_t size, struct tm_account account)
{
    struct tm_runtime *runtime = &tm_runtime;
    const struct tm_sample_weight weight = tm_sample_weight_of(size, runtime->sample_rate);
    tm_totals_leave(runtime->totals, account.line, record->domain == TM_DOMAIN_NATIVE);
    tm_record_save_peaks(runtime, id, record);
    tm_word_add(&record->freed_blocks, weight.blocks);
    if (size > TM_SMALL_SIZE_MAX) {
        tm_word_add(&record->freed_bytes, weight.bytes);
    }
    tm_totals_move(runtime, record->domain, 0 - weight.bytes, account);
    if (thread->last_block == address && tm_sampler_none_came(thread)) {
        thread->last_block = 0;
        tm_word_add(&record->temporary_blocks, weight.blocks);
    }
}

TM_SAMPLED_CODE uint32_t tm_tracker_take_sampled(struct tm_thread *thread, const void *block)
{
    struct tm_runtime *runtime = &tm_runtime;
    const uintptr_t address = (uintptr_t)block;
    if (TM_UNLIKELY(tm_number_peek(&tm_life_page.sampled_frees) == 0) ||
        TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return 0;
    }
    tm_slot_half *slot = tm_block_slot(&runtime->blocks, address);
    const uint32_t word = TM_LIKELY(slot != NULL) ? tm_slot_load(slot) : 0;
    if (TM_UNLIKELY(!tm_slot_is_plain(word)) || TM_UNLIKELY((word & TM_SLOT_SECOND) == 0)) {
        return 0;
    }
    struct tm_record *record = tm_runtime_record_of(runtime, word);
    const uint64_t size = size_of(runtime, record, slot);
    const struct tm_account account = account_of(thread, record);
    if (TM_UNLIKELY(size == 0) || TM_UNLIKELY(account.owner == TM_OWNER_NONE)) {
        return 0;
    }
    tm_event_log(TM_EVENT_FREE, record, address, size);
    if (record->size == TM_SIZE_VARIES) {
        tm_slot_store(slot + 2, 0);
    }
    tm_slot_store(slot, 0);
    tm_sampler_one_less(address);
    uncount(thread, record, tm_slot_record(word), address, size, account);
    return tm_slot_record(word);
}
