/* SPDX-License-Identifier: MIT */
/* Moving the counters of a record and the totals, and the exact peak in O(1).
 *
 * Held     the caller holds the GIL of the main interpreter: plain loads and stores.
 * Own      a thread without the GIL: plain loads and stores too, in its tally and in records that belong to it.
 * Loose    anybody else, and who frees what another owns: atomic adds to words apart, so that no update is ever lost.
 * A new maximum is noticed just before it is left, that is before a free: local maxima stand nowhere else. */
#ifndef TM_RUNTIME_TRACK_COUNTING_H
#define TM_RUNTIME_TRACK_COUNTING_H

#include "base/sample_chance.h"
#include "runtime/track/peak_limit.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/tally.h"
#include "tracemalloc/snapshot_format.h"

TM_INLINE uint64_t tm_word_load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/* The same where every instruction counts: the compiler may join this load with what is done to the value. */
TM_INLINE uint64_t tm_word_peek(const _Atomic uint64_t *word)
{
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
    return *(const uint64_t *)word;
#else
    return tm_word_load(word);
#endif
}

/* tm_word_peek of a smaller word. */
TM_INLINE uint32_t tm_number_peek(const _Atomic uint32_t *number)
{
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
    return *(const uint32_t *)number;
#else
    return atomic_load_explicit(number, memory_order_relaxed);
#endif
}

TM_INLINE void tm_word_store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

/* Plain addition: one writer.  One instruction where the compiler, which may not join the two halves of an atomic
 * access, would make three. */
TM_INLINE void tm_word_add(_Atomic uint64_t *word, uint64_t value)
{
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
    __asm__("addq %1, %0" : "+m"(*(uint64_t *)word) : "er"(value) : "cc");
#else
    tm_word_store(word, tm_word_load(word) + value);
#endif
}

TM_INLINE void tm_word_subtract(_Atomic uint64_t *word, uint64_t value)
{
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
    __asm__("subq %1, %0" : "+m"(*(uint64_t *)word) : "er"(value) : "cc");
#else
    tm_word_store(word, tm_word_load(word) - value);
#endif
}

TM_INLINE void tm_word_add_loose(_Atomic uint64_t *word, uint64_t value)
{
    atomic_fetch_add_explicit(word, value, memory_order_relaxed);
}

/* What is known of the heap without the tallies: see store_layout.h. */
TM_INLINE uint64_t tm_totals_heap(const struct tm_totals *totals)
{
    return tm_word_load(&totals->python_held) + tm_word_load(&totals->python_loose) +
           tm_word_load(&totals->native_held) + tm_word_load(&totals->native_loose);
}

/* The same of both totals, and never more than there was: a thread may be put to sleep between two words, while one
 * goes down and the other up.  So it looks twice, and the lesser sum counts. */
TM_INLINE void tm_totals_known(const struct tm_totals *totals, uint64_t *python, uint64_t *heap)
{
    const uint64_t python_first = tm_word_peek(&totals->python_held) + tm_word_peek(&totals->python_loose);
    const uint64_t heap_first = python_first + tm_word_peek(&totals->native_held) + tm_word_peek(&totals->native_loose);
    atomic_signal_fence(memory_order_seq_cst); /* who slept sees all that was done meanwhile */
    *python = tm_word_peek(&totals->python_held) + tm_word_peek(&totals->python_loose);
    *heap = *python + tm_word_peek(&totals->native_held) + tm_word_peek(&totals->native_loose);
    *python = (int64_t)(*python - python_first) < 0 ? *python : python_first;
    *heap = (int64_t)(*heap - heap_first) < 0 ? *heap : heap_first;
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

/* A thread may be put to sleep between its look and its store: without the exchange it would take back what was noted
 * meanwhile. */
static inline bool tm_word_raise(_Atomic uint64_t *word, uint64_t value)
{
    uint64_t old = tm_word_load(word);
    while ((int64_t)(value - old) > 0) {
        if (atomic_compare_exchange_weak_explicit(word, &old, value, memory_order_relaxed, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

static __attribute__((noinline)) void tm_totals_note_maximum(struct tm_totals *totals, uint64_t python, uint64_t heap)
{
    uint64_t which = 0;
    which |= tm_word_raise(&totals->python_peak, python) ? TM_MARK_PYTHON : 0;
    which |= tm_word_raise(&totals->heap_peak, heap) ? TM_MARK_HEAP : 0;
    uint64_t marks = tm_word_load(&totals->marks);
    while (which != 0 && !atomic_compare_exchange_weak_explicit(&totals->marks, &marks, tm_marks_move(marks, which),
                                                                memory_order_relaxed, memory_order_relaxed)) {
    }
}

/* True when more is live now than at the last maximum that was noticed; UNTOLD is what the caller has not told yet.
 * The sums may be below 0 for a moment, when a thread has counted a free before another has counted the allocation. */
TM_INLINE bool tm_totals_are_over_with(const struct tm_totals *totals, bool native, uint64_t python_untold,
                                       uint64_t native_untold)
{
    int64_t python =
        (int64_t)(tm_word_peek(&totals->python_held) + tm_word_peek(&totals->python_loose) + python_untold);
    int64_t all =
        python + (int64_t)(tm_word_peek(&totals->native_held) + tm_word_peek(&totals->native_loose) + native_untold);
    return (!native && python > (int64_t)tm_word_peek(&totals->python_peak)) ||
           all > (int64_t)tm_word_peek(&totals->heap_peak);
}

TM_INLINE uint64_t tm_tally_untold(const _Atomic uint64_t *word, const _Atomic uint64_t *told)
{
    return tm_word_load(word) - tm_word_load(told);
}

static __attribute__((noinline)) void tm_totals_tell_maximum(struct tm_totals *totals, struct tm_tally_line *line,
                                                             bool native)
{
    uint64_t python, heap;
    if (line != NULL) {
        tm_tally_tell(totals, line);
    }
    tm_totals_known(totals, &python, &heap);
    tm_totals_note_maximum(totals, native ? 0 : python, heap);
}

/* The same for the owner of LINE, or NULL: nothing is untold. */
TM_INLINE bool tm_totals_are_over(const struct tm_totals *totals, const struct tm_tally_line *line, bool native)
{
    uint64_t python_untold = line == NULL ? 0 : tm_tally_untold(&line->python, &line->python_told);
    uint64_t native_untold = line == NULL ? 0 : tm_tally_untold(&line->native, &line->native_told);
    return tm_totals_are_over_with(totals, native, python_untold, native_untold);
}

/* Notices a maximum that is about to be left by a free, of a NATIVE block or one of Python's.  LINE is the caller's
 * own, or NULL.  A native block leaves no maximum of Python's: who noticed it in passing could be late, and move the
 * mark when the GIL's holder has left the maximum already. */
TM_INLINE void tm_totals_leave(struct tm_totals *totals, struct tm_tally_line *line, bool native)
{
    if (TM_UNLIKELY(tm_totals_are_over(totals, line, native))) {
        tm_totals_tell_maximum(totals, line, native);
    }
}

/* A free of Python's leaves no maximum.  False also when that cannot be told at once: see peak_limit.h. */
TM_INLINE bool tm_limit_is_kept(const struct tm_totals *totals)
{
    return (int64_t)tm_word_peek(&totals->python_held) <= (int64_t)tm_word_peek(&tm_life_page.python_limit);
}

/* A native block of SIZE bytes was counted by the holder of the GIL: the heap's peak leaves less for Python's blocks.  A
 * signal handler's event in between is seen, as in tm_limit_renew. */
TM_INLINE void tm_limit_lower(uint64_t size)
{
    uint64_t most;
    tm_word_subtract(&tm_life_page.heap_limit, size);
    do {
        most = tm_word_load(&tm_life_page.heap_limit);
        if ((int64_t)(tm_word_load(&tm_life_page.python_limit) - most) > 0) {
            tm_word_store(&tm_life_page.python_limit, most);
        }
        atomic_signal_fence(memory_order_seq_cst);
    } while (TM_UNLIKELY(tm_word_load(&tm_life_page.heap_limit) != most));
}

/* It has gone again, while the events of signal handlers are kept out. */
TM_INLINE void tm_limit_raise(const struct tm_totals *totals, uint64_t size)
{
    const uint64_t python = tm_word_load(&totals->python_peak) - tm_word_load(&totals->python_loose);
    tm_word_add(&tm_life_page.heap_limit, size);
    const uint64_t heap = tm_word_load(&tm_life_page.heap_limit);
    tm_word_store(&tm_life_page.python_limit, (int64_t)(python - heap) < 0 ? python : heap);
}

/* What is live in a record now. */
TM_INLINE void tm_record_live(const struct tm_runtime *runtime, uint32_t id, uint64_t *blocks, uint64_t *bytes)
{
    const struct tm_record *record = &runtime->records.records[id];
    const struct tm_record_loose *loose = &runtime->records.loose[id];
    bool varies = record->size == TM_SIZE_VARIES;
    *blocks = tm_word_load(&record->ever_blocks) - tm_word_load(&record->freed_blocks);
    *bytes = tm_word_load(&record->ever_bytes) - tm_word_load(&record->freed_bytes);
    if (TM_UNLIKELY(atomic_load_explicit(&record->has_loose, memory_order_relaxed) != 0)) {
        *blocks += tm_word_load(&loose->ever_blocks) - tm_word_load(&loose->freed_blocks);
        *bytes += tm_word_load(&loose->ever_bytes) - tm_word_load(&loose->freed_bytes);
    }
    if (!varies) {
        bool is_sampled = record->epoch >= runtime->sampled_epoch;
        *bytes = is_sampled ? tm_sample_bytes(*blocks, record->size) : *blocks * record->size;
    }
}

/* Before the first change of a record after a maximum was left: what is live now was live then. */
static __attribute__((noinline)) void tm_record_save(struct tm_runtime *runtime, uint32_t id, struct tm_record *record,
                                                     uint64_t marks)
{
    struct tm_record_peak *peak = &runtime->records.peaks[id];
    uint64_t changed = tm_word_load(&record->marks) ^ marks;
    uint64_t blocks;
    uint64_t bytes;
    tm_record_live(runtime, id, &blocks, &bytes);
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

/* False: tm_record_save has something to do. */
TM_INLINE bool tm_record_is_saved(const struct tm_totals *totals, const struct tm_record *record)
{
    return tm_word_peek(&record->marks) == tm_word_peek(&totals->marks);
}

/* The same without a call, of the usual record: blocks of one size that were not sampled, and nobody else's additions;
 * and since it was saved both maxima were left (of one alone the other's figures stay).  False: nothing has
 * happened. */
TM_INLINE bool tm_record_save_usually(const struct tm_runtime *runtime, struct tm_record *record, uint64_t marks)
{
    const uint64_t changed = tm_word_peek(&record->marks) ^ marks;
    if (TM_UNLIKELY((changed & TM_MARK_PYTHON) == 0) || TM_UNLIKELY((changed & TM_MARK_HEAP) == 0) ||
        TM_UNLIKELY(atomic_load_explicit(&record->has_loose, memory_order_relaxed) != 0) ||
        TM_UNLIKELY(record->size == TM_SIZE_VARIES) || TM_UNLIKELY(record->epoch >= runtime->sampled_epoch)) {
        return false;
    }
    const size_t id = (size_t)(record - runtime->records.records);
    struct tm_record_peak *peak = &runtime->records.peaks[id];
    const uint64_t blocks = tm_word_peek(&record->ever_blocks) - tm_word_peek(&record->freed_blocks);
    const uint64_t bytes = blocks * record->size;
    tm_word_store(&peak->python_blocks, blocks);
    tm_word_store(&peak->python_bytes, bytes);
    tm_word_store(&peak->heap_blocks, blocks);
    tm_word_store(&peak->heap_bytes, bytes);
    tm_word_store(&record->marks, marks);
    return true;
}

TM_INLINE void tm_record_save_peaks(struct tm_runtime *runtime, uint32_t id, struct tm_record *record)
{
    uint64_t marks = tm_word_load(&runtime->totals->marks);
    if (TM_UNLIKELY(tm_word_load(&record->marks) != marks)) {
        tm_record_save(runtime, id, record, marks);
    }
}

static __attribute__((noinline)) void tm_record_add_loose(struct tm_runtime *runtime, uint32_t id, uint64_t blocks,
                                                          uint64_t bytes, bool freed)
{
    struct tm_record_loose *loose = &runtime->records.loose[id];
    atomic_store_explicit(&runtime->records.records[id].has_loose, 1, memory_order_relaxed);
    tm_word_add_loose(freed ? &loose->freed_blocks : &loose->ever_blocks, blocks);
    if (bytes != 0) {
        tm_word_add_loose(freed ? &loose->freed_bytes : &loose->ever_bytes, bytes);
    }
    /* Whoever slept until the record was given back says that it is not untouched: see tm_record_release. */
    atomic_store_explicit(&runtime->records.records[id].has_loose, 1, memory_order_relaxed);
}

/* A block of SIZE bytes was handed out. */
TM_INLINE void tm_record_add(struct tm_runtime *runtime, uint32_t id, uint64_t size, uint32_t owner)
{
    struct tm_record *record = &runtime->records.records[id];
    bool varies = size > TM_SMALL_SIZE_MAX;
    tm_record_save_peaks(runtime, id, record);
    if (TM_LIKELY(TM_STAMP_OWNER(record->stamp) == owner)) {
        tm_word_add(&record->ever_blocks, 1);
        if (TM_UNLIKELY(varies)) {
            tm_word_add(&record->ever_bytes, size);
        }
    } else {
        tm_record_add_loose(runtime, id, 1, varies ? size : 0, false);
    }
}

/* A block of SIZE bytes came back; BLOCKS is 1, or -1 as two's complement to take that back. */
TM_INLINE void tm_record_give_back(struct tm_runtime *runtime, uint32_t id, uint64_t size, uint64_t blocks,
                                   uint32_t owner)
{
    struct tm_record *record = &runtime->records.records[id];
    bool varies = size > TM_SMALL_SIZE_MAX;
    tm_record_save_peaks(runtime, id, record);
    if (TM_LIKELY(TM_STAMP_OWNER(record->stamp) == owner)) {
        tm_word_add(&record->freed_blocks, blocks);
        if (TM_UNLIKELY(varies)) {
            tm_word_add(&record->freed_bytes, size * blocks);
        }
    } else {
        tm_record_add_loose(runtime, id, blocks, varies ? size * blocks : 0, true);
    }
}

/* Of the tally LINE.  True: it has not told for long, tm_tally_tell is to be called. */
TM_INLINE bool tm_tally_moves(struct tm_tally_line *line, bool native, uint64_t bytes)
{
    _Atomic uint64_t *word = native ? &line->native : &line->python;
    tm_word_add(word, bytes);
    uint64_t untold = tm_tally_untold(word, native ? &line->native_told : &line->python_told);
    return untold + TM_TALLY_REACH > 2 * (uint64_t)TM_TALLY_REACH;
}

/* The same, and tells. */
TM_INLINE void tm_tally_move(struct tm_totals *totals, struct tm_tally_line *line, bool native, uint64_t bytes)
{
    if (TM_UNLIKELY(tm_tally_moves(line, native, bytes))) {
        tm_tally_tell(totals, line);
    }
}

static __attribute__((noinline)) void tm_totals_move_shared(struct tm_totals *totals, bool native, uint64_t bytes)
{
    tm_word_add_loose(native ? &totals->native_loose : &totals->python_loose, bytes);
    tm_word_add_loose(native ? &totals->native_shared : &totals->python_shared, bytes);
    if ((int64_t)bytes > 0) {
        tm_limit_void();
    }
}

/* Python's domains are seldom called without the GIL where there is one: they stay exact at each moment. */
TM_INLINE void tm_totals_move(struct tm_runtime *runtime, uint8_t domain, uint64_t bytes, struct tm_account account)
{
    struct tm_totals *totals = runtime->totals;
    bool native = domain == TM_DOMAIN_NATIVE;
    if (account.owner == TM_OWNER_HELD) {
        tm_word_add(native ? &totals->native_held : &totals->python_held, bytes);
        if (native && (int64_t)bytes > 0) {
            tm_limit_lower(bytes);
        }
    } else if (TM_LIKELY(account.line != NULL) && (native || runtime->free_threaded)) {
        tm_tally_move(totals, account.line, native, bytes);
    } else {
        tm_totals_move_shared(totals, native, bytes);
    }
}

#endif
