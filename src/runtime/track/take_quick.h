/* SPDX-License-Identifier: MIT */
/* How a block of mem or obj goes, or moves, in one piece: the frees and reallocs of tracker_quick.h, inlined into the
 * doors as its allocations are, under the same rules. */
#ifndef TM_RUNTIME_TRACK_TAKE_QUICK_H
#define TM_RUNTIME_TRACK_TAKE_QUICK_H

#include "runtime/track/tracker_quick.h"

/* How much a quick take does before it leaves the block to another. */
enum tm_quick_take {
    TM_TAKE_SAVED,  /* no maximum is left, and the record's peaks are saved */
    TM_TAKE_SAVING, /* or the record is a usual one, whose peaks are saved without a call */
    TM_TAKE_ANY,    /* also where a maximum is left, any record's peaks, and short blocks */
};

/* Notices the maximum that is about to be left. */
TM_INLINE void tm_quick_leave(const struct tm_thread *thread, struct tm_totals *totals)
{
    const struct tm_tally *tally = tm_tally_peek(thread);
    tm_totals_leave(totals, tally == NULL ? NULL : tally->line, false);
    if (!tm_limit_is_kept(totals) || tm_number_peek(&tm_life_page.free_stamp) != tm_number_peek(&tm_life_page.stamp)) {
        tm_limit_renew(totals);
    }
}

enum tm_quick_taken {
    TM_TAKEN_NOT,     /* nothing has happened */
    TM_TAKEN_UNSAVED, /* the same, and only the record's peaks must be saved */
    TM_TAKEN_LONG,    /* the same, of a block of over TM_SMALL_SIZE_MAX bytes: see tm_quick_take_long */
    TM_TAKEN_NOW,
};

/* Whether RECORD may be counted down where nothing rare is to be done. */
TM_INLINE enum tm_quick_taken tm_quick_may_take(struct tm_runtime *runtime, struct tm_totals *totals,
                                                struct tm_record *record, enum tm_quick_take how, enum tm_quick_way way,
                                                bool asks)
{
    if (TM_UNLIKELY(record->stamp != tm_number_peek(&tm_life_page.free_stamp)) ||
        TM_UNLIKELY(!tm_limit_is_kept(totals)) || (asks && TM_UNLIKELY(tm_quick_tstate(runtime, way) == 0))) {
        return TM_TAKEN_NOT;
    }
    if (how == TM_TAKE_SAVED) {
        return TM_LIKELY(tm_record_is_saved(totals, record)) ? TM_TAKEN_NOW : TM_TAKEN_UNSAVED;
    }
    return tm_record_is_saved(totals, record) || tm_record_save_usually(runtime, record, tm_word_peek(&totals->marks))
               ? TM_TAKEN_NOW
               : TM_TAKEN_NOT;
}

/* The block of RECORD, whose slot is empty now, has come back. */
TM_INLINE void tm_quick_count_down(struct tm_thread *thread, struct tm_totals *totals, struct tm_record *record,
                                   uintptr_t address, struct tm_taken *taken)
{
    tm_word_add(&record->freed_blocks, 1);
    tm_word_subtract(&totals->python_held, record->size);
    bool is_temporary = thread->last_block == address;
    if (is_temporary) {
        thread->last_block = 0;
        tm_word_add(&record->temporary_blocks, 1);
    }
    if (taken != NULL) {
        taken->size = record->size;
        taken->record = (uint32_t)(record - tm_runtime.records.records);
        taken->flags = is_temporary ? TM_TAKEN_TEMPORARY : 0;
    }
}

/* Its records have no stamp, so what the stamp says of others is asked here: that it counts and whose it is.  That one
 * is in force, the caller knows. */
TM_INLINE bool tm_quick_may_take_long(const struct tm_runtime *runtime, const tm_slot_half *slot,
                                      const struct tm_record *record, uint32_t size)
{
    const uint32_t held = (uint32_t)TM_STAMP_NEVER << 16 | TM_OWNER_HELD;
    bool is_python = record->domain == TM_DOMAIN_MEM || record->domain == TM_DOMAIN_OBJ;
    return record->stamp == held && record->size == TM_SIZE_VARIES && is_python &&
           record->epoch >= atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed) &&
           record->epoch < runtime->sampled_epoch && size - 1 < TM_SLOT_SIZE - 1 &&
           (tm_slot_load(slot) & TM_SLOT_SECOND) != 0;
}

/* The block of SIZE bytes goes; no maximum is left, and the peaks of its RECORD are saved. */
TM_INLINE void tm_quick_count_down_long(struct tm_thread *thread, uintptr_t address, tm_slot_half *slot,
                                        struct tm_record *record, uint32_t size, struct tm_taken *taken)
{
    tm_event_log(TM_EVENT_FREE, record, address, size);
    tm_slot_store(slot + 2, 0);
    tm_slot_store(slot, 0);
    tm_word_add(&record->freed_blocks, 1);
    tm_word_add(&record->freed_bytes, size);
    tm_word_subtract(&tm_runtime.totals->python_held, size);
    bool is_temporary = thread->last_block == address;
    if (is_temporary) {
        thread->last_block = 0;
        tm_word_add(&record->temporary_blocks, 1);
    }
    if (taken != NULL) {
        taken->size = size;
        taken->record = (uint32_t)(record - tm_runtime.records.records);
        taken->flags = is_temporary ? TM_TAKEN_TEMPORARY : 0;
    }
}

/* Of BLOCK, which is not odd, the place of its slot and what is there; 0: nothing. */
TM_INLINE uint32_t tm_quick_word(const struct tm_block_table *table, uintptr_t base, const void *block,
                                 enum tm_quick_way way, struct tm_slot_place *slot)
{
    *slot = tm_slot_place_in(tm_base_leaves(base), (uintptr_t)block,
                             way == TM_QUICK_ANY ? table->slot_shift : TM_SLOT_SHIFT_16);
    return TM_LIKELY(slot->leaf != 0) ? tm_slot_load(tm_slot_at(*slot)) : 0;
}

/* Whether the thread state must be looked at: where all interpreters share one GIL, it is the caller's. */
TM_INLINE bool tm_quick_asks(const struct tm_runtime *runtime, enum tm_quick_way way)
{
    return way == TM_QUICK_ANY ? runtime->python.row.tstate_current_is_own : tm_quick_way_is_own(way);
}

/* tm_tracker_take at a door of mem or obj; TAKEN is NULL when nobody asks what was taken. */
TM_INLINE enum tm_quick_taken tm_quick_take_block(struct tm_thread *thread, const void *block, enum tm_quick_take how,
                                                  enum tm_quick_way way, struct tm_taken *taken)
{
    struct tm_runtime *runtime = &tm_runtime;
    uintptr_t address = (uintptr_t)block;
    if (TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return TM_TAKEN_NOT;
    }
    const uintptr_t base = runtime->base;
    struct tm_slot_place slot;
    const uint32_t word = tm_quick_word(&runtime->blocks, base, block, way, &slot);
    bool is_short = how == TM_TAKE_ANY && tm_half_is_short((uint16_t)word);
    if (!is_short && TM_UNLIKELY(!tm_slot_is_plain(word))) {
        return TM_TAKEN_NOT;
    }
    struct tm_record *record =
        is_short ? tm_runtime_record_of_short(runtime, (uint16_t)word) : tm_base_record_of(base, word);
    struct tm_totals *totals = tm_base_totals(base);
    const bool asks = tm_quick_asks(runtime, way);
    if (how == TM_TAKE_ANY) {
        /* With no stamp in force the thread state may not be had this way. */
        if (TM_UNLIKELY(record->stamp != tm_number_peek(&tm_life_page.stamp))) {
            return tm_number_peek(&tm_life_page.stamp) != 0 && (!asks || tm_quick_tstate(runtime, way) != 0) &&
                           tm_tracker_take_long(thread, address, tm_slot_again(slot), record, taken)
                       ? TM_TAKEN_NOW
                       : TM_TAKEN_NOT;
        }
        if (asks && TM_UNLIKELY(tm_quick_tstate(runtime, way) == 0)) {
            return TM_TAKEN_NOT;
        }
        tm_quick_leave(thread, totals);
        tm_record_save_peaks(runtime, (uint32_t)(record - runtime->records.records), record);
    } else {
        enum tm_quick_taken may = tm_quick_may_take(runtime, totals, record, how, way, asks);
        if (TM_UNLIKELY(may != TM_TAKEN_NOW)) {
            return how == TM_TAKE_SAVED && may == TM_TAKEN_NOT && record->size == TM_SIZE_VARIES ? TM_TAKEN_LONG : may;
        }
    }
    tm_event_log(TM_EVENT_FREE, record, address, record->size);
    if (is_short) {
        tm_half_store(tm_slot_again(slot), 0);
    } else {
        tm_slot_store(tm_slot_again(slot), 0);
    }
    tm_quick_count_down(thread, totals, record, address, taken);
    return TM_TAKEN_NOW;
}

/* tm_tracker_take of a long block where TM_TAKE_SAVED would do it of others.  False: nothing has happened. */
TM_INLINE bool tm_quick_take_long(struct tm_thread *thread, const void *block, enum tm_quick_way way)
{
    struct tm_runtime *runtime = &tm_runtime;
    const uintptr_t base = runtime->base;
    const struct tm_totals *totals = tm_base_totals(base);
    struct tm_slot_place place;
    if (TM_UNLIKELY(tm_number_peek(&tm_life_page.free_stamp) == 0) ||
        TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, (uintptr_t)block))) {
        return false;
    }
    const uint32_t word = tm_quick_word(&runtime->blocks, base, block, way, &place);
    if (TM_UNLIKELY(!tm_slot_is_plain(word))) {
        return false;
    }
    tm_slot_half *slot = tm_slot_again(place);
    struct tm_record *record = tm_base_record_of(base, word);
    const uint32_t size = tm_slot_size(slot);
    if (TM_UNLIKELY(!tm_quick_may_take_long(runtime, slot, record, size)) || TM_UNLIKELY(!tm_limit_is_kept(totals)) ||
        TM_UNLIKELY(!tm_record_is_saved(totals, record)) ||
        (tm_quick_asks(runtime, way) && TM_UNLIKELY(tm_quick_tstate(runtime, way) == 0))) {
        return false;
    }
    tm_quick_count_down_long(thread, (uintptr_t)block, slot, record, size, NULL);
    return true;
}

/* The same, as TM_TAKE_SAVED does, of a block that will be moved: its record, or NULL when nothing has happened.
 * Whether it was a temporary is counted when it has moved. */
TM_INLINE struct tm_record *tm_quick_take_to_move(const void *block, enum tm_quick_way way)
{
    struct tm_runtime *runtime = &tm_runtime;
    const uintptr_t base = runtime->base;
    struct tm_totals *totals = tm_base_totals(base);
    struct tm_slot_place slot;
    uint32_t word;
    if (TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, (uintptr_t)block)) ||
        TM_UNLIKELY(!tm_slot_is_plain(word = tm_quick_word(&runtime->blocks, base, block, way, &slot)))) {
        return NULL;
    }
    struct tm_record *record = tm_base_record_of(base, word);
    if (TM_UNLIKELY(tm_quick_may_take(runtime, totals, record, TM_TAKE_SAVED, way, tm_quick_asks(runtime, way)) !=
                    TM_TAKEN_NOW)) {
        return NULL;
    }
    tm_event_log(TM_EVENT_FREE, record, (uintptr_t)block, record->size);
    tm_slot_store(tm_slot_again(slot), 0);
    tm_word_add(&record->freed_blocks, 1);
    tm_word_subtract(&totals->python_held, record->size);
    return record;
}

/* It has moved from BLOCK. */
TM_INLINE void tm_quick_count_moved(struct tm_thread *thread, struct tm_record *record, const void *block)
{
    if (thread->last_block == (uintptr_t)block) {
        thread->last_block = 0; /* another block may lie there before this thread allocates again */
        tm_word_add(&record->temporary_blocks, 1);
    }
}

/* It has not: as tm_tracker_put_back. */
TM_COLD void tm_quick_put_back(struct tm_thread *thread, const struct tm_record *record, const void *block);

#endif
