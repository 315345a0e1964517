/* SPDX-License-Identifier: MIT */
/* The commonest native blocks in one piece, as tracker_own.h has them of threads that run no Python: of a thread that
 * has let the GIL go, as extensions do round a call that takes long, where its tally knows the record of its stack.
 * Decides first and changes afterwards; where anything is rare the general way is the last act. */
#include "runtime/track/counting.h"
#include "runtime/track/event_log.h"
#include "runtime/track/event_record.h"
#include "runtime/track/loose_walk.h"
#include "runtime/unwind/loose_stack.h"
#include "runtime/track/tracker.h"

/* Who makes the block: the state of the calling thread, and whether it holds the GIL of the main interpreter. */
struct maker {
    uintptr_t tstate; /* 0: it has none, or holds the GIL of another interpreter */
    bool is_held;
};

TM_INLINE struct maker find_maker(const struct tm_cpython *python)
{
    const uintptr_t current = tm_cpython_getter_peek(&python->current);
    if (python->row.tstate_current_is_own && current != 0) {
        return (struct maker){tm_cpython_is_main(python, current) ? current : 0, true};
    }
    const uintptr_t own = python->this_thread();
    return (struct maker){own, own == current};
}

/* The word of the record that TALLY knows for the stack of TSTATE, whose walk is announced; 0: none. */
TM_INLINE uint32_t find_walking(struct tm_runtime *runtime, struct tm_tally *tally, uintptr_t tstate, uint32_t limit,
                                uint16_t size)
{
    struct tm_loose_stack *stack = tally->stack;
    const struct tm_cpython_layout *row = &runtime->python.row;
    const uint32_t deaths = tm_number_peek(&runtime->native.deaths);
    tm_tally_refresh(tally, &runtime->cache);
    const bool stands = tm_loose_stack_stands(stack, row, tstate, limit, deaths);
    if ((TM_UNLIKELY(!stands) && TM_UNLIKELY(!tm_loose_stack_read(stack, row, tstate, limit))) ||
        TM_UNLIKELY(!tm_loose_walk_is_valid())) {
        return 0;
    }
    if (TM_LIKELY(stands) && TM_LIKELY(stack->size == size)) {
        return stack->word;
    }
    const struct tm_raw_frame *newest = tm_loose_stack_newest(stack);
    if (!stands) {
        uint64_t older = 0;
        for (const struct tm_raw_frame *frame = newest - (stack->count - 1); frame != newest; frame++) {
            older = tm_stack_hash(runtime->cache.versions, older, frame->place, 0);
        }
        stack->older = older;
    }
    const struct tm_trace_key key =
        tm_trace_key_of_stack(&runtime->cache, newest, stack->older, TM_DOMAIN_NATIVE, size);
    const uint32_t word = TM_LIKELY(key.is_exact) ? tm_tally_word(tally, &runtime->cache, &key) : 0;
    if (TM_LIKELY(word != 0)) {
        stack->word = word;
        stack->size = size;
        stack->deaths = deaths;
        stack->limit = limit;
    }
    return word;
}

/* The same with the walk; 0 also where the calling THREAD holds its GIL.  THREAD's guard is 0: it goes up, for a signal
 * handler's event would announce and end one, too, and asking for the state may call malloc, as in tm_event_caller. */
TM_INLINE uint32_t find(struct tm_thread *thread, struct tm_tally *tally, uint32_t limit, uint16_t size)
{
    uint32_t word = 0;
    thread->guard = 1;
    atomic_signal_fence(memory_order_seq_cst);
    const struct maker maker = find_maker(&tm_runtime.python);
    if (TM_LIKELY(maker.tstate != 0) && !maker.is_held && TM_LIKELY(tm_loose_walk_try(thread, tally, maker.tstate))) {
        word = find_walking(&tm_runtime, tally, maker.tstate, limit, size);
        tm_loose_walk_end_own(tally);
    }
    atomic_signal_fence(memory_order_seq_cst);
    thread->guard = 0;
    return word;
}

/* Counts BLOCK at SLOT in the record of WORD, which THREAD's tally owns.  False: nothing has happened. */
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

void tm_tracker_alloc_detached(struct tm_thread *thread, void *block, size_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    const uint32_t limit = tm_number_peek(&tm_life_page.detached_limit);
    struct tm_tally *tally = tm_tally_peek(thread);
    tm_slot_half *slot;
    if (TM_LIKELY(limit != 0) && tally != NULL &&
        TM_LIKELY((slot = fetch_slot(&runtime->blocks, block, size)) != NULL)) {
        const uint32_t word = find(thread, tally, limit, tm_size_class(size));
        if (TM_LIKELY(word != 0) && TM_LIKELY(count(thread, slot, word, block, size))) {
            tm_tally_move(runtime->totals, tally->line, true, size);
            return;
        }
    }
    (void)tm_tracker_alloc_generally(thread, TM_DOMAIN_NATIVE, block, size);
}
