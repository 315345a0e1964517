/* SPDX-License-Identifier: MIT */
/* What the quick ways of tracker_quick.h leave out and what is yet common: blocks of one granule and blocks of over 512
 * bytes, and stacks that have changed by a call or a return.  The record is known; no function looks for it. */
#include "runtime/track/counting.h"
#include "runtime/track/event_log.h"
#include "runtime/track/event_record.h"
#include "runtime/track/tracker.h"
#include "runtime/track/take_quick.h"
#include "runtime/track/tracker_quick.h"
#include "runtime/unwind/stack_step.h"

#define NOT_KNOWN 0U

/* Of a stack that has changed by more than a call or a return, or of one that was never seen: the word of record 0
 * where there is no room. */
static __attribute__((noinline)) uint32_t follow(struct tm_thread *thread, uint8_t domain, uint16_t size,
                                                 enum tm_quick_way way)
{
    uintptr_t tstate = tm_quick_tstate(&tm_runtime, way);
    return TM_LIKELY(tstate != 0) ? tm_slot_word(tm_event_stack_record(thread, tstate, domain, size)) : NOT_KNOWN;
}

/* Makes STEP; the marked frame is another then. */
TM_INLINE void make_step(struct tm_runtime *runtime, uintptr_t tstate, const struct tm_stack_step *step)
{
    tm_stack_step_make(&runtime->held_stack, step);
    if (TM_UNLIKELY(runtime->watermark.state == TM_WATERMARK_ON)) {
        tm_watermark_put(&runtime->watermark, &runtime->python.row, tstate, step->newest);
    }
}

/* A step to a stack that no record is known of.  STEP by value: were its address known, what takes over as the last act
 * of the caller would be called, not jumped to. */
static __attribute__((noinline)) uint32_t step_to_unknown(struct tm_thread *thread, uintptr_t tstate,
                                                          struct tm_stack_step step, uint8_t domain, uint16_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (!tm_stack_step_counts(&runtime->held_stack, &runtime->python.row, &step)) {
        return NOT_KNOWN;
    }
    make_step(runtime, tstate, &step);
    return tm_slot_word(tm_event_stack_capture(thread, domain, size));
}

/* The word of the record of a stack that at most one step leads to from the one before, or NOT_KNOWN: nothing has
 * happened.  A record that is known proves that the newest frame and its caller count, as for the quick ways. */
TM_INLINE uint32_t stepped_record(struct tm_thread *thread, uint8_t domain, uint16_t size, enum tm_quick_way way)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_stack_cache *stack = &runtime->held_stack;
    const struct tm_cpython_layout *row = &runtime->python.row;
    const uintptr_t tstate = tm_quick_tstate(runtime, way);
    const uintptr_t newest = TM_LIKELY(tstate != 0) ? tm_quick_newest(row, tstate, way) : 0;
    struct tm_stack_step step;
    struct tm_trace_found found;
    uint32_t word = NOT_KNOWN;
    if (TM_UNLIKELY(newest == 0) || !tm_watermark_may_step(&runtime->watermark, stack, row, newest)) {
        return NOT_KNOWN;
    }
    thread->guard++; /* a signal handler's event would find the cache between two stacks, or change it */
    atomic_signal_fence(memory_order_seq_cst);
    if (TM_LIKELY(stack->count != 0) && TM_LIKELY(stack->limit > 1) &&
        TM_LIKELY(stack->limit == __atomic_load_n(&runtime->traceback_limit, __ATOMIC_RELAXED)) &&
        tm_stack_step_find(stack, row, newest, tm_quick_form(row, way), &step)) {
        if (TM_LIKELY(tm_quick_find(&runtime->cache, step.place, step.older, domain, size, &found, way))) {
            word = found.word;
            make_step(runtime, tstate, &step);
        } else {
            word = step_to_unknown(thread, tstate, step, domain, size);
        }
    }
    atomic_signal_fence(memory_order_seq_cst);
    thread->guard--;
    return word;
}

/* The word of the record while a quick way is open, or NOT_KNOWN.  SIZE is a class of tm_size_class. */
TM_INLINE uint32_t known_record(struct tm_thread *thread, uint8_t domain, uint16_t size, enum tm_quick_way way)
{
    struct tm_runtime *runtime = &tm_runtime;
    const bool was_tried = (size_t)size - TM_QUICK_SIZE_MIN <= TM_SMALL_SIZE_MAX - TM_QUICK_SIZE_MIN;
    struct tm_trace_found found;
    if (tm_word_peek(&tm_life_page.top_sizes) != 0) {
        return !was_tried && tm_quick_record(runtime, domain, size, &found, way) ? found.word : NOT_KNOWN;
    }
    if (tm_word_peek(&tm_life_page.stack_sizes) == 0) {
        return NOT_KNOWN;
    }
    if (!was_tried) {
        if (tm_quick_stack_record(runtime, domain, size, &found, way)) {
            return found.word;
        }
        const uint32_t word = stepped_record(thread, domain, size, way);
        if (word != NOT_KNOWN) {
            return word;
        }
    }
    return follow(thread, domain, size, way);
}

uint32_t tm_tracker_held_word(struct tm_thread *thread, uint8_t domain, uint16_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_trace_found found;
    if (tm_word_peek(&tm_life_page.top_sizes) != 0) {
        return tm_quick_record(runtime, domain, size, &found, TM_QUICK_ANY) ? found.word : NOT_KNOWN;
    }
    if (TM_UNLIKELY(tm_word_peek(&tm_life_page.stack_sizes) == 0)) {
        return NOT_KNOWN;
    }
    return tm_quick_stack_record(runtime, domain, size, &found, TM_QUICK_ANY)
               ? found.word
               : stepped_record(thread, domain, size, TM_QUICK_ANY);
}

/* Writes the block of SIZE bytes, of the record WORD, to SLOT.  False: there is no place for it. */
TM_INLINE bool put(struct tm_block_table *table, tm_slot_half *slot, uint32_t word, size_t size)
{
    uint32_t number;
    if (size >= TM_QUICK_SIZE_MIN) {
        return tm_block_try_put_word(slot, word, size);
    }
    if (TM_UNLIKELY(tm_half_load(slot) != 0) ||
        TM_UNLIKELY(!tm_short_table_has(&table->shorts, tm_slot_record(word), &number))) {
        return false;
    }
    tm_half_store(slot, tm_half_of_short(number));
    return true;
}

/* Counts the block in the record of WORD, when it is known and there is nothing in the way. */
TM_INLINE void *count(struct tm_thread *thread, uint8_t domain, void *block, size_t size, uint32_t word)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (TM_UNLIKELY(word == NOT_KNOWN)) {
        return tm_tracker_alloc_generally(thread, domain, block, size);
    }
    if (TM_UNLIKELY(word == tm_slot_word(0))) {
        return block;
    }
    tm_slot_half *slot = tm_block_slot_shifted(&runtime->blocks, (uintptr_t)block, TM_SLOT_SHIFT_16);
    if (TM_UNLIKELY(slot == NULL) || TM_UNLIKELY(!put(&runtime->blocks, slot, word, size))) {
        return tm_tracker_alloc_generally(thread, domain, block, size);
    }
    struct tm_record *record = tm_runtime_record_of(runtime, word);
    tm_record_save_peaks(runtime, tm_slot_record(word), record);
    tm_quick_count(thread, runtime->totals, record, block, size, true);
    return block;
}

TM_INLINE void *rest(struct tm_thread *thread, uint8_t domain, void *block, size_t size, enum tm_quick_way way)
{
    bool is_odd = tm_block_is_odd(&tm_runtime.blocks, (uintptr_t)block);
    if (size > TM_SMALL_SIZE_MAX) {
        tm_block_slot_prefetch(&tm_runtime.blocks, (uintptr_t)block); /* nothing is near, mostly */
    }
    return count(thread, domain, block, size,
                 TM_LIKELY(!is_odd) ? known_record(thread, domain, tm_size_class(size), way) : NOT_KNOWN);
}

/* A block of over TM_SMALL_SIZE_MAX bytes of a known record, whose peaks are saved; RARELY is the last act where
 * anything is wanting. */
TM_INLINE void *rest_large(struct tm_thread *thread, uint8_t domain, void *block, size_t size, enum tm_quick_way way,
                           tm_quick_rest *rarely)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_trace_found found;
    if (TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, (uintptr_t)block))) {
        return rarely(thread, domain, block, size);
    }
    tm_slot_half *slot = tm_block_slot_shifted(&runtime->blocks, (uintptr_t)block, TM_SLOT_SHIFT_16);
    if (TM_UNLIKELY(slot == NULL)) {
        return rarely(thread, domain, block, size);
    }
    __builtin_prefetch(slot, 1); /* nothing is near, mostly */
    bool is_known = tm_word_peek(&tm_life_page.top_sizes) != 0
                        ? tm_quick_record(runtime, domain, TM_SIZE_VARIES, &found, way)
                        : tm_word_peek(&tm_life_page.stack_sizes) != 0 &&
                              tm_quick_stack_record(runtime, domain, TM_SIZE_VARIES, &found, way);
    if (TM_UNLIKELY(!is_known)) {
        return rarely(thread, domain, block, size);
    }
    struct tm_record *record = tm_base_record_scaled(runtime->base, found.scaled);
    if (TM_UNLIKELY(!tm_record_is_saved(runtime->totals, record)) ||
        TM_UNLIKELY(!tm_block_try_put_word(slot, found.word, size))) {
        return rarely(thread, domain, block, size);
    }
    tm_quick_count(thread, runtime->totals, record, block, size, true);
    return block;
}

/* What follows where the quick ways found another stack, or none that they knew; RARELY is the last act where it is not
 * a step away either. */
TM_INLINE void *rest_stepped(struct tm_thread *thread, uint8_t domain, void *block, size_t size, enum tm_quick_way way,
                             tm_quick_rest *rarely)
{
    if (TM_LIKELY(size - TM_QUICK_SIZE_MIN < tm_word_peek(&tm_life_page.stack_sizes)) &&
        TM_LIKELY(!tm_block_is_odd(&tm_runtime.blocks, (uintptr_t)block))) {
        TM_ASSUME(size <= TM_SMALL_SIZE_MAX);
        uint32_t word = stepped_record(thread, domain, (uint16_t)size, way);
        if (TM_LIKELY(word != NOT_KNOWN)) {
            return count(thread, domain, block, size, word);
        }
    }
    return rarely(thread, domain, block, size);
}

/* Takes in the newest frame, which STACK has at another instruction or at the same one, where it counts already.
 * False: it does not count where it is. */
TM_INLINE bool renew_top(struct tm_stack_cache *stack, const struct tm_cpython_layout *row, enum tm_quick_way way)
{
    const struct tm_raw_frame *top = stack->newest;
    return (way != TM_QUICK_ANY && tm_python_word(top->frame, TM_QUICK_INSTRUCTION) == top->place) ||
           tm_stack_cache_renew_top(stack, row);
}

/* The newest frame was just seen to be that of the cache, and no record is known: the word of a new one, or NOT_KNOWN,
 * also where the older frames are others. */
TM_INLINE uint32_t standing_record(struct tm_thread *thread, uint8_t domain, uint16_t size, enum tm_quick_way way)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_stack_cache *stack = &runtime->held_stack;
    const struct tm_cpython_layout *row = &runtime->python.row;
    const uintptr_t tstate = tm_quick_tstate(runtime, way);
    const uintptr_t newest = TM_LIKELY(tstate != 0) ? tm_quick_newest(row, tstate, way) : 0;
    uint32_t word = NOT_KNOWN;
    if (TM_UNLIKELY(newest == 0)) {
        return NOT_KNOWN;
    }
    thread->guard++; /* as in stepped_record */
    atomic_signal_fence(memory_order_seq_cst);
    if (TM_LIKELY(stack->count != 0) && TM_LIKELY(stack->newest->frame == newest) &&
        TM_LIKELY(stack->limit == __atomic_load_n(&runtime->traceback_limit, __ATOMIC_RELAXED)) &&
        TM_LIKELY(tm_watermark_stands(&runtime->watermark, stack, row, tm_quick_form(row, way))) &&
        renew_top(stack, row, way)) {
        word = tm_slot_word(tm_event_stack_capture(thread, domain, size));
    }
    atomic_signal_fence(memory_order_seq_cst);
    thread->guard--;
    return word;
}

TM_INLINE void *rest_unknown(struct tm_thread *thread, uint8_t domain, void *block, size_t size, enum tm_quick_way way,
                             tm_quick_rest *stepped)
{
    TM_ASSUME(size <= TM_SMALL_SIZE_MAX);
    uint32_t word = standing_record(thread, domain, (uint16_t)size, way);
    return TM_LIKELY(word != NOT_KNOWN) ? count(thread, domain, block, size, word)
                                        : stepped(thread, domain, block, size);
}

/* The same with machine frames; ENTRY as for tm_quick_native_record. */
TM_INLINE void *rest_native(struct tm_thread *thread, uint8_t domain, void *block, size_t size, enum tm_quick_way way,
                            const uintptr_t *entry)
{
    bool is_known =
        size < tm_number_peek(&tm_life_page.native_sizes) && !tm_block_is_odd(&tm_runtime.blocks, (uintptr_t)block);
    return count(thread, domain, block, size,
                 TM_LIKELY(is_known) ? tm_quick_native_record(thread, domain, (uint16_t)size, way, entry) : NOT_KNOWN);
}

/* What a door over CPython's own allocator of small blocks leaves to the rest: it has not asked whether there is a
 * BLOCK, and whether this is an event. */
TM_INLINE void *rest_small(struct tm_thread *thread, uint8_t domain, void *block, size_t size, tm_quick_rest *goes_on)
{
    thread->newborn = 0;
    return TM_LIKELY(block != NULL) && TM_LIKELY(thread->guard == 0) ? goes_on(thread, domain, block, size) : block;
}

static tm_quick_rest rest_any; /* RESTS makes it */

#define RESTS(name, whole, way)                                                                                        \
    __attribute__((noinline)) void *name##_native(struct tm_thread *thread, uint8_t domain, void *block, size_t size)  \
    {                                                                                                                  \
        return rest_native(thread, domain, block, size, way, __builtin_frame_address(0));                              \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_rarely(struct tm_thread *thread, uint8_t domain, void *block,        \
                                                         size_t size)                                                  \
    {                                                                                                                  \
        return TM_UNLIKELY(tm_number_peek(&tm_life_page.native_sizes) != 0)                                            \
                   ? name##_native(thread, domain, block, size)                                                        \
                   : rest(thread, domain, block, size, way);                                                           \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_stepped(struct tm_thread *thread, uint8_t domain, void *block,       \
                                                          size_t size)                                                 \
    {                                                                                                                  \
        return rest_stepped(thread, domain, block, size, way, name##_rarely);                                          \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_large(struct tm_thread *thread, uint8_t domain, void *block,         \
                                                        size_t size)                                                   \
    {                                                                                                                  \
        TM_ASSUME(size > TM_SMALL_SIZE_MAX);                                                                           \
        return rest_large(thread, domain, block, size, way, name##_rarely);                                            \
    }                                                                                                                  \
    void *whole(struct tm_thread *thread, uint8_t domain, void *block, size_t size)                                    \
    {                                                                                                                  \
        if (TM_UNLIKELY(size > TM_SMALL_SIZE_MAX)) {                                                                   \
            return name##_large(thread, domain, block, size);                                                          \
        }                                                                                                              \
        return tm_quick_alloc(thread, domain, block, size, way, TM_QUICK_DEEP, TM_DOOR_GUARDED, name##_stepped,        \
                              name##_stepped);                                                                         \
    }                                                                                                                  \
    void *name##_deep(struct tm_thread *thread, uint8_t domain, void *block, size_t size)                              \
    {                                                                                                                  \
        if (TM_UNLIKELY(size > TM_SMALL_SIZE_MAX)) {                                                                   \
            return name##_large(thread, domain, block, size);                                                          \
        }                                                                                                              \
        return tm_quick_alloc(thread, domain, block, size, way, TM_QUICK_TOP, TM_DOOR_GUARDED, name##_stepped,         \
                              name##_stepped);                                                                         \
    }                                                                                                                  \
    void *name##_unknown(struct tm_thread *thread, uint8_t domain, void *block, size_t size)                           \
    {                                                                                                                  \
        return rest_unknown(thread, domain, block, size, way, name##_stepped);                                         \
    }                                                                                                                  \
    void *name##_small(struct tm_thread *thread, uint8_t domain, void *block, size_t size)                             \
    {                                                                                                                  \
        return rest_small(thread, domain, block, size, whole);                                                         \
    }                                                                                                                  \
    void *name##_small_deep(struct tm_thread *thread, uint8_t domain, void *block, size_t size)                        \
    {                                                                                                                  \
        return rest_small(thread, domain, block, size, name##_deep);                                                   \
    }                                                                                                                  \
    void *name##_small_unknown(struct tm_thread *thread, uint8_t domain, void *block, size_t size)                     \
    {                                                                                                                  \
        return rest_small(thread, domain, block, size, name##_unknown);                                                \
    }

RESTS(tm_tracker_rest, rest_any, TM_QUICK_ANY)
RESTS(tm_tracker_rest_shared, tm_tracker_rest_shared, TM_QUICK_SHARED)
RESTS(tm_tracker_rest_own, tm_tracker_rest_own, TM_QUICK_OWN)
RESTS(tm_tracker_rest_own_cframe, tm_tracker_rest_own_cframe, TM_QUICK_OWN_CFRAME)

/* How tm_tracker_rest goes on: as those of the way that this process has do, or as is best while no quick way is
 * open. */
static tm_quick_rest *_Atomic known_rest = rest_any;

void *tm_tracker_rest(struct tm_thread *thread, uint8_t domain, void *block, size_t size)
{
    return atomic_load_explicit(&known_rest, memory_order_relaxed)(thread, domain, block, size);
}

static tm_quick_rest *rest_of(enum tm_quick_way way)
{
    return way == TM_QUICK_SHARED       ? tm_tracker_rest_shared
           : way == TM_QUICK_OWN        ? tm_tracker_rest_own
           : way == TM_QUICK_OWN_CFRAME ? tm_tracker_rest_own_cframe
                                        : rest_any;
}

void tm_tracker_choose_rest(void)
{
    bool is_quick = tm_word_peek(&tm_life_page.top_sizes) != 0 || tm_word_peek(&tm_life_page.stack_sizes) != 0;
    bool is_native = tm_number_peek(&tm_life_page.native_sizes) != 0; /* counts the frames of the doors themselves */
    tm_quick_rest *known = is_quick    ? rest_of(tm_quick_way_of(&tm_runtime.python, &tm_runtime.blocks))
                           : is_native ? rest_any
                                       : tm_tracker_alloc_early;
    atomic_store_explicit(&known_rest, known, memory_order_relaxed);
}

static __attribute__((noinline)) void *enter_saving(struct tm_thread *thread, void *block, size_t size,
                                                    tm_slot_half *slot, uint32_t word)
{
    struct tm_record *record = tm_runtime_record_of(&tm_runtime, word);
    tm_record_save_peaks(&tm_runtime, tm_slot_record(word), record);
    tm_slot_store(slot, word);
    tm_quick_count(thread, tm_runtime.totals, record, block, size, false);
    return block;
}

void *tm_tracker_enter_known(struct tm_thread *thread, void *block, size_t size, tm_slot_half *slot, uint32_t word)
{
    struct tm_record *record = tm_runtime_record_of(&tm_runtime, word);
    if (TM_UNLIKELY(!tm_record_save_usually(&tm_runtime, record, tm_word_load(&tm_runtime.totals->marks)))) {
        return enter_saving(thread, block, size, slot, word);
    }
    tm_slot_store(slot, word);
    tm_quick_count(thread, tm_runtime.totals, record, block, size, false);
    return block;
}

static __attribute__((noinline)) bool take_long_rarely(struct tm_thread *thread, uintptr_t address, tm_slot_half *slot,
                                                       struct tm_record *record, struct tm_taken *taken)
{
    tm_quick_leave(thread, tm_runtime.totals);
    tm_record_save_peaks(&tm_runtime, (uint32_t)(record - tm_runtime.records.records), record);
    tm_quick_count_down_long(thread, address, slot, record, tm_slot_size(slot), taken);
    return true;
}

bool tm_tracker_take_long(struct tm_thread *thread, uintptr_t address, tm_slot_half *slot, struct tm_record *record,
                          struct tm_taken *taken)
{
    const struct tm_totals *totals = tm_runtime.totals;
    const uint32_t size = tm_slot_size(slot);
    if (TM_UNLIKELY(!tm_quick_may_take_long(&tm_runtime, slot, record, size))) {
        return false;
    }
    if (TM_UNLIKELY(tm_number_peek(&tm_life_page.free_stamp) != tm_number_peek(&tm_life_page.stamp)) ||
        TM_UNLIKELY(!tm_limit_is_kept(totals)) || TM_UNLIKELY(!tm_record_is_saved(totals, record))) {
        return take_long_rarely(thread, address, slot, record, taken);
    }
    tm_quick_count_down_long(thread, address, slot, record, size, taken);
    return true;
}
