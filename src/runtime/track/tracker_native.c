/* SPDX-License-Identifier: MIT */
/* The commonest native blocks in one piece, as tracker_own.h has them of threads that run no Python: of a thread that
 * has let the GIL go, as extensions do round a call that takes long, where its tally knows the record of its stack; and
 * of one that holds it, as extensions do mostly.
 * Decides first and changes afterwards; where anything is rare the general way is the last act. */
#include "runtime/track/counting.h"
#include "runtime/track/event_log.h"
#include "runtime/track/event_record.h"
#include "runtime/track/maker.h"
#include "runtime/track/loose_walk.h"
#include "runtime/track/tracker.h"
#include "runtime/track/tracker_own.h"
#include "runtime/unwind/loose_stack.h"

TM_INLINE uint64_t hash_older(const struct tm_runtime *runtime, struct tm_loose_stack *stack)
{
    const struct tm_raw_frame *newest = tm_loose_stack_newest(stack);
    uint64_t older = 0;
    for (const struct tm_raw_frame *frame = newest - (stack->count - 1); frame != newest; frame++) {
        older = tm_stack_hash(runtime->cache.versions, older, frame->place, 0);
    }
    return older;
}

/* Of blocks of another SIZE than the last one's, or of another stack: not STANDS. */
static __attribute__((noinline)) uint32_t find_anew(struct tm_tally *tally, uintptr_t tstate, uint32_t limit,
                                                    uint16_t size, bool stands)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_loose_stack *stack = tally->stack;
    const uint32_t deaths = tm_number_peek(&runtime->native.deaths);
    if (!stands && TM_UNLIKELY(!tm_loose_stack_read(stack, &runtime->python.row, tstate, limit))) {
        return 0;
    }
    if (TM_UNLIKELY(!tm_loose_walk_is_valid())) {
        return 0;
    }
    if (!stands) {
        stack->older = hash_older(runtime, stack);
    }
    const struct tm_trace_key key =
        tm_trace_key_of_stack(&runtime->cache, tm_loose_stack_newest(stack), stack->older, TM_DOMAIN_NATIVE, size);
    const uint32_t word = TM_LIKELY(key.is_exact) ? tm_tally_word(tally, &runtime->cache, &key) : 0;
    if (TM_LIKELY(word != 0)) {
        stack->word = word;
        stack->size = size;
        stack->deaths = deaths;
        stack->limit = limit;
    }
    return word;
}

/* The word of the record that TALLY knows for the stack of TSTATE, whose walk is announced; 0: none. */
TM_INLINE uint32_t find_walking(struct tm_tally *tally, uintptr_t tstate, uint32_t limit, uint16_t size)
{
    const struct tm_runtime *runtime = &tm_runtime;
    struct tm_loose_stack *stack = tally->stack;
    tm_tally_refresh(tally, &runtime->cache);
    const bool stands =
        tm_loose_stack_stands(stack, &runtime->python.row, tstate, limit, tm_number_peek(&runtime->native.deaths));
    if (TM_LIKELY(stands) && TM_LIKELY(stack->size == size)) {
        return TM_LIKELY(tm_loose_walk_is_valid()) ? stack->word : 0;
    }
    return find_anew(tally, tstate, limit, size, stands);
}

/* What is known of a block that a thread makes. */
struct found {
    uint32_t word; /* of its record, or of record 0: there is no room for it, it was dropped; 0: none is known */
    bool is_held;
};

/* THREAD's guard is 0: it goes up, for a signal handler's event would announce and end a walk, too, and asking for the
 * state may call malloc, as in tm_event_caller. */
TM_INLINE struct found find(struct tm_thread *thread, struct tm_tally *tally, uint32_t limit, uint16_t size)
{
    uint32_t word = 0;
    thread->guard = 1;
    atomic_signal_fence(memory_order_seq_cst);
    const struct tm_maker maker = tm_maker_find(&tm_runtime.python);
    if (maker.is_held) {
        word = TM_LIKELY(maker.tstate != 0) ? tm_tracker_held_word(thread, TM_DOMAIN_NATIVE, size) : 0;
    } else if (TM_LIKELY(maker.tstate != 0) && tally != NULL &&
               TM_LIKELY(tm_loose_walk_try(thread, tally, maker.tstate))) {
        word = find_walking(tally, maker.tstate, limit, size);
        tm_loose_walk_end_own(tally);
    }
    atomic_signal_fence(memory_order_seq_cst);
    thread->guard = 0;
    return (struct found){word, maker.is_held};
}

/* Counts BLOCK at SLOT in the record of WORD, which is the thread's own or the GIL's.  False: nothing has happened. */
TM_INLINE bool count(struct tm_thread *thread, tm_slot_half *slot, uint32_t word, const void *block, size_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_record *record = tm_runtime_record_of(runtime, word);
    if (TM_UNLIKELY(!tm_record_is_saved(runtime->totals, record)) ||
        TM_UNLIKELY(!tm_block_try_put_word(slot, word, size))) {
        return false;
    }
    tm_event_log(TM_EVENT_ALLOC, record, (uintptr_t)block, size);
    tm_word_add(&record->ever_blocks, 1);
    if (size > TM_SMALL_SIZE_MAX) {
        tm_word_add(&record->ever_bytes, size);
    }
    thread->last_block = (uintptr_t)block;
    atomic_signal_fence(memory_order_seq_cst); /* as in tm_quick_count */
    thread->newborn = (uintptr_t)block;
    return true;
}

/* The slot of BLOCK, which is fetched: of a large block's nothing is near, mostly.  NULL: it is none of a plain
 * block. */
TM_INLINE tm_slot_half *fetch_slot(const struct tm_block_table *table, const void *block, size_t size)
{
    if (TM_UNLIKELY(size < TM_QUICK_SIZE_MIN) || TM_UNLIKELY(tm_block_is_odd(table, (uintptr_t)block))) {
        return NULL;
    }
    tm_slot_half *slot = tm_block_slot_shifted(table, (uintptr_t)block, TM_SLOT_SHIFT_16);
    __builtin_prefetch(slot, 1);
    return slot;
}

void tm_tracker_alloc_native(struct tm_thread *thread, void *block, size_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    const uint32_t limit = tm_number_peek(&tm_life_page.native_frames);
    struct tm_tally *tally = tm_tally_peek(thread);
    tm_slot_half *slot;
    if (TM_LIKELY(limit != 0) && TM_LIKELY((slot = fetch_slot(&runtime->blocks, block, size)) != NULL)) {
        const struct found found = find(thread, tally, limit, tm_size_class(size));
        if (TM_UNLIKELY(found.word == tm_slot_word(0))) {
            return;
        }
        if (TM_LIKELY(found.word != 0) && TM_LIKELY(count(thread, slot, found.word, block, size))) {
            if (found.is_held) {
                tm_totals_move(runtime, TM_DOMAIN_NATIVE, size, (struct tm_account){TM_OWNER_HELD, NULL});
            } else {
                tm_tally_move(runtime->totals, tally->line, true, size);
            }
            return;
        }
    }
    (void)tm_tracker_alloc_generally(thread, TM_DOMAIN_NATIVE, block, size);
}

/* Of RECORD: native blocks that were made under the GIL and that count still.  Such a record has no stamp. */
TM_INLINE bool is_of_held(const struct tm_runtime *runtime, const struct tm_record *record)
{
    return record->stamp == ((uint32_t)TM_STAMP_NEVER << 16 | TM_OWNER_HELD) && record->domain == TM_DOMAIN_NATIVE &&
           record->epoch >= atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed) &&
           record->epoch < runtime->sampled_epoch;
}

/* Under the GIL the block of RECORD at SLOT goes.  False: nothing has happened. */
TM_INLINE bool take_held(struct tm_thread *thread, tm_slot_half *slot, struct tm_record *record, uintptr_t address)
{
    struct tm_totals *totals = tm_runtime.totals;
    const struct tm_tally *tally = tm_tally_peek(thread);
    const bool is_long = record->size == TM_SIZE_VARIES;
    uint64_t size;
    if (TM_UNLIKELY(!tm_record_is_saved(totals, record)) ||
        TM_UNLIKELY(tm_totals_are_over(totals, tally == NULL ? NULL : tally->line, true)) ||
        TM_UNLIKELY((size = tm_own_empty(record, slot, is_long, false)) == 0)) {
        return false;
    }
    tm_own_count_freed(thread, record, address, size, is_long);
    tm_word_subtract(&totals->native_held, size);
    tm_limit_raise(totals, size);
    return true;
}

bool tm_tracker_take_held(struct tm_thread *thread, const void *block)
{
    struct tm_runtime *runtime = &tm_runtime;
    const uintptr_t address = (uintptr_t)block;
    if (TM_UNLIKELY(tm_number_peek(&tm_life_page.native_stamp) == 0) ||
        TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return false;
    }
    tm_slot_half *slot = tm_block_slot(&runtime->blocks, address);
    const uint32_t word = TM_LIKELY(slot != NULL) ? tm_slot_load(slot) : 0;
    if (!tm_slot_is_plain(word) || TM_UNLIKELY((word & TM_SLOT_SECOND) == 0)) {
        return false;
    }
    struct tm_record *record = tm_runtime_record_of(runtime, word);
    if (!is_of_held(runtime, record)) {
        return false;
    }
    thread->guard = 1; /* as in find; and what a signal handler's event did to the limit would be lost */
    atomic_signal_fence(memory_order_seq_cst);
    const struct tm_maker maker = tm_maker_find(&runtime->python);
    const bool done = maker.is_held && maker.tstate != 0 && take_held(thread, slot, record, address);
    atomic_signal_fence(memory_order_seq_cst);
    thread->guard = 0;
    return done;
}
