/* SPDX-License-Identifier: MIT */
/* Moving the counters of a record and the totals, and the exact peak in O(1).
 *
 * Held     the caller holds the GIL of the main interpreter: plain loads and stores.
 * Loose    anybody else: atomic adds to words of their own, so that no update is ever lost; the peak is then exact up
 *          to what other threads do at the same instant.
 * A new maximum is noticed just before it is left, that is before a free: local maxima stand nowhere else. */
#ifndef TM_RUNTIME_TRACK_COUNTING_H
#define TM_RUNTIME_TRACK_COUNTING_H

#include "runtime/track/runtime_state.h"
#include "tracemalloc/snapshot_format.h"

TM_INLINE uint64_t tm_word_load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

TM_INLINE void tm_word_store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

/* Plain addition: one writer. */
TM_INLINE void tm_word_add(_Atomic uint64_t *word, uint64_t value)
{
    tm_word_store(word, tm_word_load(word) + value);
}

TM_INLINE void tm_word_add_loose(_Atomic uint64_t *word, uint64_t value)
{
    atomic_fetch_add_explicit(word, value, memory_order_relaxed);
}

TM_INLINE uint64_t tm_totals_python(const struct tm_totals *totals)
{
    return tm_word_load(&totals->python_held) + tm_word_load(&totals->python_loose);
}

TM_INLINE uint64_t tm_totals_heap(const struct tm_totals *totals)
{
    return tm_totals_python(totals) + tm_word_load(&totals->native_held) + tm_word_load(&totals->native_loose);
}

#define TM_MARK_PYTHON UINT64_C(0x00000000FFFFFFFF)
#define TM_MARK_HEAP   UINT64_C(0xFFFFFFFF00000000)

/* Moves the halves of MARKS that are in WHICH. */
TM_INLINE uint64_t tm_marks_move(uint64_t marks, uint64_t which)
{
    uint64_t python = (marks + ((which & 1U) != 0)) & TM_MARK_PYTHON;
    uint64_t heap = (marks & TM_MARK_HEAP) + ((which >> 63) << 32);
    return heap | python;
}

/* Notices a maximum that is about to be left. */
TM_INLINE void tm_totals_leave(struct tm_totals *totals)
{
    uint64_t python = tm_totals_python(totals);
    uint64_t heap = python + tm_word_load(&totals->native_held) + tm_word_load(&totals->native_loose);
    uint64_t which = 0;
    if ((int64_t)(python - tm_word_load(&totals->python_peak)) > 0) {
        tm_word_store(&totals->python_peak, python);
        which |= TM_MARK_PYTHON;
    }
    if ((int64_t)(heap - tm_word_load(&totals->heap_peak)) > 0) {
        tm_word_store(&totals->heap_peak, heap);
        which |= TM_MARK_HEAP;
    }
    if (which != 0) {
        tm_word_store(&totals->marks, tm_marks_move(tm_word_load(&totals->marks), which));
    }
}

/* Before the first change of a record after a maximum was left: what is live now was live then. */
TM_INLINE void tm_record_save_peaks(struct tm_runtime *runtime, uint32_t id, struct tm_record *record)
{
    uint64_t marks = tm_word_load(&runtime->totals->marks);
    uint64_t changed = tm_word_load(&record->marks) ^ marks;
    if (TM_LIKELY(changed == 0)) {
        return;
    }
    const struct tm_record_loose *loose = &runtime->records.loose[id];
    struct tm_record_peak *peak = &runtime->records.peaks[id];
    uint64_t blocks = tm_word_load(&record->live_blocks) + tm_word_load(&loose->live_blocks);
    uint64_t bytes = tm_word_load(&record->live_bytes) + tm_word_load(&loose->live_bytes);
    if ((changed & TM_MARK_PYTHON) != 0) {
        tm_word_store(&peak->python_blocks, blocks);
        tm_word_store(&peak->python_bytes, bytes);
    }
    if ((changed & TM_MARK_HEAP) != 0) {
        tm_word_store(&peak->heap_blocks, blocks);
        tm_word_store(&peak->heap_bytes, bytes);
    }
    tm_word_store(&record->marks, marks);
}

/* BLOCKS (1, or -1 as two's complement) of together BYTES (likewise) become live; EVER counts them as handed out. */
TM_INLINE void tm_record_move(struct tm_runtime *runtime, uint32_t id, uint64_t blocks, uint64_t bytes, bool ever,
                              bool held)
{
    struct tm_record *record = &runtime->records.records[id];
    tm_record_save_peaks(runtime, id, record);
    if (TM_LIKELY(held)) {
        tm_word_add(&record->live_blocks, blocks);
        tm_word_add(&record->live_bytes, bytes);
        if (ever) {
            tm_word_add(&record->ever_blocks, blocks);
            tm_word_add(&record->ever_bytes, bytes);
        }
    } else {
        struct tm_record_loose *loose = &runtime->records.loose[id];
        tm_word_add_loose(&loose->live_blocks, blocks);
        tm_word_add_loose(&loose->live_bytes, bytes);
        if (ever) {
            tm_word_add_loose(&loose->ever_blocks, blocks);
            tm_word_add_loose(&loose->ever_bytes, bytes);
        }
    }
}

TM_INLINE void tm_totals_move(struct tm_totals *totals, uint8_t domain, uint64_t bytes, bool held)
{
    bool native = domain == TM_DOMAIN_NATIVE;
    if (TM_LIKELY(held)) {
        tm_word_add(native ? &totals->native_held : &totals->python_held, bytes);
    } else {
        tm_word_add_loose(native ? &totals->native_loose : &totals->python_loose, bytes);
    }
}

#endif
