/* SPDX-License-Identifier: MIT */
/* The commonest events in one piece, inlined into the doors: small blocks of mem and obj, under the GIL, of a stack or
 * block that was seen before.  Each decides first and changes afterwards: where it cannot decide nothing has happened,
 * and the general way in tracker.c begins anew.
 *
 * Cost  every instruction here is paid at each event.  No function is called on the way, save as the last act: so the
 *       doors need not save registers.  What is rare (a new maximum, the first change of a record after one) is left
 *       to the general way. */
#ifndef TM_RUNTIME_TRACK_TRACKER_QUICK_H
#define TM_RUNTIME_TRACK_TRACKER_QUICK_H

#include "runtime/track/counting.h"
#include "runtime/track/event_log.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/trace_key.h"
#include "runtime/track/tracker.h"
#include "runtime/os/thread_state.h"
#include "runtime/unwind/python_frame.h"

/* How the caller's thread state and newest frame are found.  The doors of mem and obj have functions for each way, so
 * that what is the same at all events of a process is asked when they are installed. */
enum tm_quick_way {
    TM_QUICK_ANY,    /* as the row says */
    TM_QUICK_SHARED, /* one GIL for all interpreters: its holder's state is in a word; the frames are behind a cframe */
    TM_QUICK_OWN, /* the state is in thread-local storage, the main interpreter's in a word; the frames are behind it */
    TM_QUICK_OWN_CFRAME, /* the same with the frames behind a cframe */
};
#define TM_QUICK_WAYS 4U

/* How much of the stack a door looks at.  False and true: whether there is more than one frame. */
enum tm_quick_depth {
    TM_QUICK_TOP,
    TM_QUICK_DEEP,
    TM_QUICK_MARKED, /* deep, where the running frame is marked: see watermark.h */
    TM_QUICK_NATIVE, /* all of it, and the machine's */
};

/* What all releases of a way have in common is a constant in its doors.  SHARED is 3.11, OWN_CFRAME 3.12, OWN 3.13 and
 * later. */
#define TM_QUICK_INTERP      16U
#define TM_QUICK_CFRAME      56U
#define TM_QUICK_FRAME       72U
#define TM_QUICK_INSTRUCTION 56U
#define TM_QUICK_MARK        64U /* where there is one */

TM_INLINE unsigned tm_quick_cframe_current(enum tm_quick_way way)
{
    return way == TM_QUICK_SHARED ? 8 : 0;
}

/* Where a frame of a way points to the one below it. */
TM_INLINE unsigned tm_quick_previous(enum tm_quick_way way)
{
    return way == TM_QUICK_SHARED ? 48 : 8;
}

TM_INLINE struct tm_stack_form tm_quick_form(const struct tm_cpython_layout *row, enum tm_quick_way way)
{
    return way == TM_QUICK_ANY ? tm_stack_form_of(row, TM_GAP_ENTRY)
                               : (struct tm_stack_form){tm_quick_previous(way), TM_QUICK_INSTRUCTION, TM_QUICK_MARK,
                                                        way == TM_QUICK_SHARED ? TM_GAP_NONE : TM_GAP_ENTRY};
}

TM_INLINE bool tm_quick_row_is_of(const struct tm_cpython_layout *row, enum tm_quick_way way)
{
    bool has_place = way == TM_QUICK_OWN
                         ? row->tstate_frame == TM_QUICK_FRAME
                         : row->tstate_cframe == TM_QUICK_CFRAME && row->cframe_current == tm_quick_cframe_current(way);
    return has_place && row->tstate_interp == TM_QUICK_INTERP && row->frame_instruction == TM_QUICK_INSTRUCTION &&
           row->frame_previous == tm_quick_previous(way) &&
           (row->frame_stacktop == 0 || row->frame_stacktop == TM_QUICK_MARK);
}

TM_INLINE enum tm_quick_way tm_quick_way_with(const struct tm_cpython_layout *row, enum tm_quick_way way)
{
    return tm_quick_row_is_of(row, way) ? way : TM_QUICK_ANY;
}

/* The way for PYTHON, as found, with the granules of BLOCKS. */
TM_INLINE enum tm_quick_way tm_quick_way_of(const struct tm_cpython *python, const struct tm_block_table *blocks)
{
    const struct tm_cpython_getter *current = &python->current;
    if (python->row.release == 0 || blocks->slot_shift != TM_SLOT_SHIFT_16) {
        return TM_QUICK_ANY;
    }
    const enum tm_frame_chain chain = python->row.chain;
    if (!python->row.tstate_current_is_own) {
        return current->tls_offset == 0 && current->word != NULL && chain == TM_CHAIN_CFRAME
                   ? tm_quick_way_with(&python->row, TM_QUICK_SHARED)
                   : TM_QUICK_ANY;
    }
    if (current->tls_offset == 0 || python->main_interpreter.tls_offset != 0 || python->main_interpreter.word == NULL) {
        return TM_QUICK_ANY;
    }
    return chain == TM_CHAIN_INTERPRETER ? tm_quick_way_with(&python->row, TM_QUICK_OWN)
           : chain == TM_CHAIN_CFRAME    ? tm_quick_way_with(&python->row, TM_QUICK_OWN_CFRAME)
                                         : TM_QUICK_ANY;
}

/* The words of PYTHON that a way which is known reads at each event. */
TM_INLINE struct tm_quick_python tm_quick_python_of(const struct tm_cpython *python)
{
    return (struct tm_quick_python){
        .state = python->row.tstate_current_is_own ? (union tm_quick_state){.own = python->current.tls_offset}
                                                   : (union tm_quick_state){.holders = python->current.word},
        .main_interpreter = python->main_interpreter.word,
    };
}

TM_INLINE bool tm_quick_way_is_own(enum tm_quick_way way)
{
    return way == TM_QUICK_OWN || way == TM_QUICK_OWN_CFRAME;
}

/* The thread state of the caller, which holds the GIL of the main interpreter; 0 when it is another's.  Rows with one
 * GIL for all interpreters need not ask whose it is; free-threaded builds, and those whose thread state can only be
 * had by a call, never come here. */
TM_INLINE uintptr_t tm_quick_tstate(const struct tm_runtime *runtime, enum tm_quick_way way)
{
    const struct tm_cpython *python = &runtime->python;
    const struct tm_cpython_layout *row = &python->row;
    const struct tm_quick_python *quick = &runtime->quick_python;
    if (way == TM_QUICK_SHARED) {
        return __atomic_load_n(quick->state.holders, __ATOMIC_RELAXED);
    }
    if (tm_quick_way_is_own(way)) {
        uintptr_t own = tm_thread_local_word(quick->state.own);
        return TM_LIKELY(own != 0) && TM_LIKELY(tm_python_word(own, TM_QUICK_INTERP) == *quick->main_interpreter) ? own
                                                                                                                  : 0;
    }
    uintptr_t tstate = tm_cpython_getter_peek(&python->current);
    if (row->tstate_current_is_own && TM_LIKELY(tstate != 0) &&
        TM_UNLIKELY(tm_python_word(tstate, row->tstate_interp) != tm_cpython_getter_peek(&python->main_interpreter))) {
        return 0;
    }
    return tstate;
}

/* The newest frame of TSTATE, which is not 0; 0: none. */
TM_INLINE uintptr_t tm_quick_newest(const struct tm_cpython_layout *row, uintptr_t tstate, enum tm_quick_way way)
{
    if (way == TM_QUICK_OWN) {
        return tm_python_word(tstate, TM_QUICK_FRAME);
    }
    if (way == TM_QUICK_SHARED || way == TM_QUICK_OWN_CFRAME) {
        /* CPython always has one; extensions that switch C stacks take it away while they allocate for the switch. */
        const uintptr_t cframe = tm_python_word(tstate, TM_QUICK_CFRAME);
        return TM_LIKELY(cframe != 0) ? tm_python_word(cframe, tm_quick_cframe_current(way)) : 0;
    }
    return tm_python_frame_newest(row, tstate);
}

/* The record that the cache has for the block, made at PLACE under frames whose hash is OLDER.  Ways that are known
 * have no offsets, so that the key says all. */
TM_INLINE bool tm_quick_find(const struct tm_trace_cache *cache, uintptr_t place, uint64_t older, uint8_t domain,
                             uint16_t size, struct tm_trace_found *found, enum tm_quick_way way)
{
    if (way == TM_QUICK_ANY) {
        const struct tm_raw_frame top = {.place = place, .offset = 0};
        const struct tm_trace_key key = tm_trace_key_of_stack(cache, &top, older, domain, size);
        return tm_trace_cache_has(cache, key.key, key.check, found);
    }
    return tm_trace_cache_has_key(cache, (place | tm_trace_key_of_block(domain, size)) ^ older, found);
}

/* The record of an event with one frame per traceback, when the cache has it.  A place gets into the cache
 * only from a frame that counts, so a hit tells that the newest frame counts without looking at its code. */
TM_INLINE bool tm_quick_record(struct tm_runtime *runtime, uint8_t domain, uint16_t size, struct tm_trace_found *found,
                               enum tm_quick_way way)
{
    const struct tm_cpython_layout *row = &runtime->python.row;
    uintptr_t tstate = tm_quick_tstate(runtime, way);
    const uintptr_t newest = TM_LIKELY(tstate != 0) ? tm_quick_newest(row, tstate, way) : 0;
    uintptr_t frame = __atomic_load_n(&runtime->top_frame, __ATOMIC_RELAXED);
    if (TM_UNLIKELY(tm_stack_is_another(newest, frame))) {
        if (TM_UNLIKELY(newest == 0)) {
            return false;
        }
        __atomic_store_n(&runtime->top_frame, newest, __ATOMIC_RELAXED);
        frame = newest;
    }
    const uintptr_t place = tm_python_word(frame, way == TM_QUICK_ANY ? row->frame_instruction : TM_QUICK_INSTRUCTION);
    return tm_quick_find(&runtime->cache, place, 0, domain, size, found, way);
}

/* What a look at a stack of more frames came to. */
enum tm_quick_stack {
    TM_STACK_OTHER,   /* it does not stand as in the cache */
    TM_STACK_UNKNOWN, /* its newest frame is that of the cache, but no record is known */
    TM_STACK_KNOWN,   /* one is, and the stack stands there */
};

/* tm_quick_record with more frames.  MARKED: frames are. */
TM_INLINE enum tm_quick_stack tm_quick_stack_look(struct tm_runtime *runtime, uint8_t domain, uint16_t size,
                                                  struct tm_trace_found *found, enum tm_quick_way way, bool marked)
{
    const struct tm_cpython_layout *row = &runtime->python.row;
    const struct tm_stack_form form = tm_quick_form(row, way);
    uintptr_t tstate = tm_quick_tstate(runtime, way);
    uintptr_t newest = TM_LIKELY(tstate != 0) ? tm_quick_newest(row, tstate, way) : 0;
    const struct tm_stack_cache *stack = &runtime->held_stack;
    uintptr_t place;
    uint64_t older;
    if (marked) {
        if (TM_UNLIKELY(!tm_watermark_try(&runtime->watermark, stack, row, tstate, newest, form, &place, &older))) {
            return TM_STACK_OTHER;
        }
    } else if (TM_UNLIKELY(!tm_stack_cache_try_top(stack, newest, form, &place))) {
        return TM_STACK_OTHER;
    } else {
        older = tm_stack_cache_older(stack);
    }
    /* First what is at the end of a chain of loads: the frames are compared meanwhile. */
    if (TM_UNLIKELY(!tm_quick_find(&runtime->cache, place, older, domain, size, found, way))) {
        return TM_STACK_UNKNOWN;
    }
    /* A signal handler's event may have brought another stack up to date since OLDER was read. */
    return marked || (TM_LIKELY(tm_stack_cache_stands(stack, row, stack->newest, form)) &&
                      TM_LIKELY(*(const volatile uint64_t *)&stack->older == older))
               ? TM_STACK_KNOWN
               : TM_STACK_OTHER;
}

TM_INLINE bool tm_quick_stack_record(struct tm_runtime *runtime, uint8_t domain, uint16_t size,
                                     struct tm_trace_found *found, enum tm_quick_way way)
{
    return tm_quick_stack_look(runtime, domain, size, found, way, runtime->watermark.state == TM_WATERMARK_ON) ==
           TM_STACK_KNOWN;
}

/* A hash of the Python frames of a traceback with machine frames.  False: they do not stand as at the last event. */
TM_INLINE bool tm_quick_python_hash(const struct tm_runtime *runtime, uintptr_t newest, enum tm_quick_way way,
                                    uint64_t *hash)
{
    const struct tm_stack_cache *stack = &runtime->held_stack;
    uintptr_t place;
    uint64_t older = 0;
    if (__atomic_load_n(&runtime->traceback_limit, __ATOMIC_RELAXED) == 1) {
        place = tm_python_word(newest, runtime->python.row.frame_instruction);
    } else if (!tm_stack_cache_try(stack, &runtime->python.row, newest, tm_quick_form(&runtime->python.row, way),
                                   &place, &older)) {
        return false;
    }
    *hash = tm_stack_hash(runtime->cache.versions, older, place, 0);
    return true;
}

/* With machine frames, when both stacks stand as they did before; 0: they do not, or are not known.  ENTRY is the frame
 * address of a function that code which is not ours called: the frame pointer and the return address of the caller lie
 * there.  THREAD's guard is 0 and goes up: a signal handler's event may write a stack that was seen. */
TM_INLINE uint32_t tm_quick_native_record(struct tm_thread *thread, uint8_t domain, uint16_t size,
                                          enum tm_quick_way way, const uintptr_t *entry)
{
    struct tm_runtime *runtime = &tm_runtime;
    uintptr_t tstate = tm_quick_tstate(runtime, way);
    uintptr_t newest = TM_LIKELY(tstate != 0) ? tm_quick_newest(&runtime->python.row, tstate, way) : 0;
    uint32_t word = 0;
    uint64_t hash;
    if (TM_UNLIKELY(newest == 0)) {
        return 0;
    }
    thread->guard = 1;
    atomic_signal_fence(memory_order_seq_cst);
    const struct tm_seen_stack *seen =
        tm_seen_stack_find(&runtime->native.seen, thread, tm_step_cache_generation(&runtime->native.steps),
                           entry[1] - 1, (uintptr_t)(entry + 2), entry[0]);
    if (TM_LIKELY(seen != NULL) && TM_LIKELY(tm_quick_python_hash(runtime, newest, way, &hash))) {
        struct tm_trace_key key =
            tm_trace_key_of_stack(&runtime->cache, NULL, tm_native_join_hashes(seen->hash, hash), domain, size);
        word = tm_trace_cache_held_word(&runtime->cache, key.key, key.check);
    }
    atomic_signal_fence(memory_order_seq_cst);
    thread->guard = 0;
    return word;
}

/* Counts BLOCK, whose slot is written, in RECORD, whose peaks are saved.  MAY_BE_LONG: SIZE may be above
 * TM_SMALL_SIZE_MAX.  What belongs together moves together, for a kill may come between. */
TM_INLINE void tm_quick_count(struct tm_thread *thread, struct tm_totals *totals, struct tm_record *record,
                              const void *block, size_t size, bool may_be_long)
{
    tm_event_log(TM_EVENT_ALLOC, record, (uintptr_t)block, size);
    tm_word_add(&record->ever_blocks, 1);
    if (may_be_long && size > TM_SMALL_SIZE_MAX) {
        tm_word_add(&record->ever_bytes, size);
    }
    tm_word_add(&totals->python_held, size);
    thread->last_block = (uintptr_t)block;
    atomic_signal_fence(memory_order_seq_cst); /* two stores: the compiler's one takes three instructions */
    thread->newborn = (uintptr_t)block;
}

/* What takes over where a quick way ends. */
typedef void *tm_quick_rest(struct tm_thread *thread, uint8_t domain, void *block, size_t size);

/* From what kind of door a block comes. */
enum tm_quick_door {
    TM_DOOR_GUARDED,
    /* Over CPython's own allocator of small blocks, with newborn TM_NEWBORN_COMING: its sizes were looked at, its blocks
     * are aligned. */
    TM_DOOR_SMALL,
};

/* Records BLOCK of DOMAIN mem or obj with one frame per traceback, or DEEP: with more; answers BLOCK.  REST is the last
 * act where it does not, or UNKNOWN where only the record is wanting. */
TM_INLINE void *tm_quick_alloc(struct tm_thread *thread, uint8_t domain, void *block, size_t size,
                               enum tm_quick_way way, enum tm_quick_depth deep, enum tm_quick_door door,
                               tm_quick_rest *rest, tm_quick_rest *unknown)
{
    struct tm_runtime *runtime = &tm_runtime;
    TM_LIKE_ANSWER(block);
    uintptr_t address = (uintptr_t)block;
    struct tm_trace_found found;
    if (door == TM_DOOR_SMALL) {
        if (TM_UNLIKELY(block == NULL) || (!TM_ADDRESSES_FIT && tm_block_is_odd(&runtime->blocks, address))) {
            return rest(thread, domain, block, size);
        }
    } else if (TM_UNLIKELY(size - TM_QUICK_SIZE_MIN >=
                           tm_word_peek(deep ? &tm_life_page.stack_sizes : &tm_life_page.top_sizes)) ||
               TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return rest(thread, domain, block, size);
    }
    TM_ASSUME(size <= TM_SMALL_SIZE_MAX);
    if (deep) {
        enum tm_quick_stack stack =
            tm_quick_stack_look(runtime, domain, (uint16_t)size, &found, way, deep == TM_QUICK_MARKED);
        if (TM_UNLIKELY(stack != TM_STACK_KNOWN)) {
            return stack == TM_STACK_UNKNOWN ? unknown(thread, domain, block, size) : rest(thread, domain, block, size);
        }
    } else if (TM_UNLIKELY(!tm_quick_record(runtime, domain, (uint16_t)size, &found, way))) {
        return rest(thread, domain, block, size);
    }
    const uintptr_t base = runtime->base;
    const struct tm_slot_place slot = tm_slot_place_in(tm_base_leaves(base), address, TM_SLOT_SHIFT_16);
    if (TM_UNLIKELY(slot.leaf == 0) || TM_UNLIKELY(tm_slot_load(tm_slot_at(slot)) != 0)) {
        return rest(thread, domain, block, size);
    }
    struct tm_record *record = tm_base_record_scaled(base, found.scaled);
    struct tm_totals *totals = tm_base_totals(base);
    if (TM_UNLIKELY(!tm_record_is_saved(totals, record))) {
        return tm_tracker_enter_known(thread, block, size, tm_slot_again(slot), found.word);
    }
    tm_slot_store(tm_slot_again(slot), found.word);
    tm_quick_count(thread, totals, record, block, size, false);
    TM_LIKE_ANSWER(block);
    return block;
}

/* At a door for tracebacks with machine frames.  What it calls, as its last act, finds the door's caller where a
 * caller's own return address lies. */
TM_INLINE void *tm_quick_native_at_door(struct tm_thread *thread, uint8_t domain, void *block, size_t size,
                                        enum tm_quick_way way)
{
    return way == TM_QUICK_SHARED       ? tm_tracker_rest_shared_native(thread, domain, block, size)
           : way == TM_QUICK_OWN        ? tm_tracker_rest_own_native(thread, domain, block, size)
           : way == TM_QUICK_OWN_CFRAME ? tm_tracker_rest_own_cframe_native(thread, domain, block, size)
                                        : tm_tracker_rest_native(thread, domain, block, size);
}

/* tm_quick_alloc of what follows, where REST and the functions named after it take over. */
#define TM_QUICK_ALLOC_WITH(rest)                                                                                      \
    tm_quick_alloc(thread, domain, block, size, way, deep, door,                                                       \
                   door == TM_DOOR_SMALL ? (deep ? rest##_small_deep : rest##_small) : (deep ? rest##_deep : rest),    \
                   door == TM_DOOR_SMALL ? rest##_small_unknown : rest##_unknown)

/* At a door for tracebacks of one frame, or DEEP: of more.  The limit may have changed since it was installed: so the
 * rest looks at the other quick way first. */
TM_INLINE void *tm_quick_alloc_at_door(struct tm_thread *thread, uint8_t domain, void *block, size_t size,
                                       enum tm_quick_way way, enum tm_quick_depth deep, enum tm_quick_door door)
{
    switch (way) {
    case TM_QUICK_SHARED:
        return TM_QUICK_ALLOC_WITH(tm_tracker_rest_shared);
    case TM_QUICK_OWN:
        return TM_QUICK_ALLOC_WITH(tm_tracker_rest_own);
    case TM_QUICK_OWN_CFRAME:
        return TM_QUICK_ALLOC_WITH(tm_tracker_rest_own_cframe);
    case TM_QUICK_ANY:
        break;
    }
    return tm_quick_alloc(thread, domain, block, size, TM_QUICK_ANY, TM_QUICK_TOP, TM_DOOR_GUARDED, tm_tracker_rest,
                          tm_tracker_rest);
}

#undef TM_QUICK_ALLOC_WITH

#endif
