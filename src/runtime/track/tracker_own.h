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

/* Enters a block, short or plain, at SLOT into the record that the tally KNOWS, whose peaks are saved; NULL: not
 * done. */
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

/* What became of a block that comes back. */
enum tm_own_taken {
    TM_OWN_LEFT, /* nothing has happened: the general way is to decide */
    TM_OWN_NONE, /* the same, and no block is known there */
    TM_OWN_TAKEN,
    TM_OWN_TELLS, /* taken, and the thread has to tell what it has counted: see tm_tally_tell */
};

/* RECORD is of native blocks of over TM_SMALL_SIZE_MAX bytes, which THREAD's TALLY has counted and which count still.
 * Such a record has no stamp, so what the stamp says of others is asked here. */
TM_INLINE bool tm_own_is_long(const struct tm_runtime *runtime, const struct tm_record *record,
                              const struct tm_tally *tally)
{
    return TM_STAMP_OWNER(record->stamp) == tally->number && record->size == TM_SIZE_VARIES &&
           record->domain == TM_DOMAIN_NATIVE &&
           record->epoch >= atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed);
}

/* Empties SLOT.  The size of the block that was there; 0: nothing has happened. */
TM_INLINE uint64_t tm_own_empty(const struct tm_record *record, tm_slot_half *slot, bool is_long, bool is_short)
{
    uint64_t size = record->size;
    if (is_long) {
        size = tm_slot_size(slot);
        if (TM_UNLIKELY(size == 0) || TM_UNLIKELY(size == TM_SLOT_SIZE)) {
            return 0;
        }
        tm_slot_store(slot + 2, 0);
    }
    if (is_short) {
        tm_half_store(slot, 0);
    } else {
        tm_slot_store(slot, 0);
    }
    return size;
}

/* THREAD, which alone moves the words of RECORD, frees a block of it: SIZE bytes at ADDRESS.  IS_LONG: its size is not
 * the record's. */
TM_INLINE void tm_own_count_freed(struct tm_thread *thread, struct tm_record *record, uintptr_t address, uint64_t size,
                                  bool is_long)
{
    tm_event_log(TM_EVENT_FREE, record, address, size);
    tm_word_add(&record->freed_blocks, 1);
    if (is_long) {
        tm_word_add(&record->freed_bytes, size);
    }
    if (thread->last_block == address) {
        thread->last_block = 0;
        tm_word_add(&record->temporary_blocks, 1);
    }
}

/* tm_tracker_take of a native block that the thread has counted in its tally. */
TM_INLINE enum tm_own_taken tm_own_take(struct tm_thread *thread, const void *block)
{
    struct tm_runtime *runtime = &tm_runtime;
    const struct tm_tally *tally = tm_tally_peek(thread);
    const uintptr_t address = (uintptr_t)block;
    const uint32_t own_stamp = tm_number_peek(&tm_life_page.own_stamp);
    if (tally == NULL || TM_UNLIKELY(own_stamp == 0) || TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return TM_OWN_LEFT;
    }
    tm_slot_half *slot = tm_block_slot(&runtime->blocks, address);
    const uint32_t word = TM_LIKELY(slot != NULL) ? tm_slot_load(slot) : 0;
    const bool is_short = tm_half_is_short((uint16_t)word);
    if (!is_short && (TM_UNLIKELY(!tm_slot_is_plain(word)) || TM_UNLIKELY((word & TM_SLOT_SECOND) == 0))) {
        return word == 0 ? TM_OWN_NONE : TM_OWN_LEFT;
    }
    struct tm_record *record =
        is_short ? tm_runtime_record_of_short(runtime, (uint16_t)word) : tm_runtime_record_of(runtime, word);
    struct tm_totals *totals = runtime->totals;
    const bool is_long = record->stamp != (own_stamp | tally->number);
    if ((is_long && !tm_own_is_long(runtime, record, tally)) || TM_UNLIKELY(tm_own_is_over(totals, tally->line)) ||
        TM_UNLIKELY(!tm_record_is_saved(totals, record))) {
        return TM_OWN_LEFT;
    }
    const uint64_t size = tm_own_empty(record, slot, is_long, is_short);
    if (TM_UNLIKELY(is_long && size == 0)) {
        return TM_OWN_LEFT;
    }
    tm_own_count_freed(thread, record, address, size, is_long);
    return tm_tally_moves(tally->line, true, 0 - size) ? TM_OWN_TELLS : TM_OWN_TAKEN;
}

#endif
