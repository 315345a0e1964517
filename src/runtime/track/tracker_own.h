/* SPDX-License-Identifier: MIT */
/* The commonest events without the GIL in one piece, as tracker_quick.h has those under it: small native blocks of a
 * thread with a tally, of a size that it had before.  Decides first and changes afterwards. */
#ifndef TM_RUNTIME_TRACK_TRACKER_OWN_H
#define TM_RUNTIME_TRACK_TRACKER_OWN_H

#include "runtime/os/thread_state.h"
#include "runtime/track/counting.h"
#include "runtime/track/event_log.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/tally.h"
#include "runtime/track/tracker.h"

/* Enters a block, short or plain, at SLOT into the record that the tally KNOWS, whose peaks are saved; NULL: not done. */
TM_INLINE struct tm_record *tm_own_put(struct tm_runtime *runtime, tm_slot_half *slot, uint32_t known, bool is_short)
{
    uint32_t number;
    struct tm_record *record =
        TM_UNLIKELY(is_short) ? &runtime->records.records[known] : tm_runtime_record_of(runtime, known);
    if (TM_UNLIKELY(!tm_record_is_saved(runtime->totals, record))) {
        return NULL;
    }
    if (TM_UNLIKELY(is_short)) {
        if (tm_half_load(slot) != 0 || !tm_short_table_has(&runtime->blocks.shorts, known, &number)) {
            return NULL;
        }
        tm_half_store(slot, tm_half_of_short(number));
    } else {
        if (TM_UNLIKELY(tm_slot_load(slot) != 0)) {
            return NULL;
        }
        tm_slot_store(slot, known);
    }
    return record;
}

/* tm_tracker_alloc for a native block of at most TM_SMALL_SIZE_MAX bytes, while tracing, in a thread that runs no
 * Python.  False: nothing has happened. */
TM_INLINE bool tm_own_count(struct tm_thread *thread, const void *block, size_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_tally *tally = tm_tally_peek(thread);
    uintptr_t address = (uintptr_t)block;
    if (TM_UNLIKELY(tally == NULL) || TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address)) ||
        TM_UNLIKELY(tally->voids != atomic_load_explicit(&runtime->cache.voids, memory_order_relaxed))) {
        return false;
    }
    uint32_t known = tally->frameless[size];
    tm_slot_half *slot = tm_block_slot(&runtime->blocks, address);
    if (TM_UNLIKELY(known == 0) || TM_UNLIKELY(slot == NULL)) {
        return false;
    }
    struct tm_record *record = tm_own_put(runtime, slot, known, tm_block_is_short(&runtime->blocks, size));
    if (TM_UNLIKELY(record == NULL)) {
        return false;
    }
    thread->last_block = address;
    thread->newborn = address;
    tm_event_log(TM_EVENT_ALLOC, record, address, size);
    tm_word_add(&record->ever_blocks, 1);
    tm_tally_move(runtime->totals, tally->line, true, size);
    return true;
}

/* The same, where it is for this to find out whether it may. */
TM_INLINE bool tm_own_alloc(struct tm_thread *thread, const void *block, size_t size)
{
    if (size >= atomic_load_explicit(&tm_life_page.own_sizes, memory_order_relaxed)) {
        return false;
    }
    TM_ASSUME(size <= TM_SMALL_SIZE_MAX);
    return tm_own_count(thread, block, size);
}

/* True when the maximum of the heap is about to be left by a free of LINE's thread. */
TM_INLINE bool tm_own_is_over(const struct tm_totals *totals, const struct tm_tally_line *line)
{
    uint64_t heap = tm_word_peek(&totals->python_held) + tm_word_peek(&totals->python_loose) +
                    tm_word_peek(&totals->native_held) + tm_word_peek(&totals->native_loose) +
                    tm_word_peek(&line->native) - tm_word_peek(&line->native_told) + tm_word_peek(&line->python) -
                    tm_word_peek(&line->python_told);
    return (int64_t)heap > (int64_t)tm_word_peek(&totals->heap_peak);
}

/* tm_tracker_take of a small native block that the thread has counted in its tally.  False: nothing has happened. */
TM_INLINE bool tm_own_take(struct tm_thread *thread, const void *block)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_tally *tally = tm_tally_peek(thread);
    uintptr_t address = (uintptr_t)block;
    if (tally == NULL || TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return false;
    }
    tm_slot_half *slot = tm_block_slot(&runtime->blocks, address);
    uint32_t word = TM_LIKELY(slot != NULL) ? tm_slot_load(slot) : 0;
    bool is_short = tm_half_is_short((uint16_t)word);
    if (!is_short && (TM_UNLIKELY(!tm_slot_is_plain(word)) || TM_UNLIKELY((word & TM_SLOT_SECOND) == 0))) {
        return false;
    }
    struct tm_record *record =
        is_short ? tm_runtime_record_of_short(runtime, (uint16_t)word) : tm_runtime_record_of(runtime, word);
    struct tm_totals *totals = runtime->totals;
    uint32_t stamp = atomic_load_explicit(&tm_life_page.own_stamp, memory_order_relaxed) | tally->number;
    if (record->stamp != stamp || TM_UNLIKELY(tm_own_is_over(totals, tally->line)) ||
        TM_UNLIKELY(!tm_record_is_saved(totals, record))) {
        return false;
    }
    tm_event_log(TM_EVENT_FREE, record, address, record->size);
    if (is_short) {
        tm_half_store(slot, 0);
    } else {
        tm_slot_store(slot, 0);
    }
    tm_word_add(&record->freed_blocks, 1);
    tm_tally_move(totals, tally->line, true, 0 - (uint64_t)record->size);
    if (thread->last_block == address) {
        thread->last_block = 0;
        tm_word_add(&record->temporary_blocks, 1);
    }
    return true;
}

#endif
