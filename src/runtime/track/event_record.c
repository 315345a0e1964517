/* SPDX-License-Identifier: MIT */
#include "runtime/track/event_record.h"

#include <string.h>

#include "runtime/track/capture.h"
#include "runtime/track/loose_walk.h"
#include "runtime/track/native_record.h"
#include "runtime/track/recall.h"
#include "runtime/track/tracker_quick.h"
#include "runtime/track/trace_keep.h"
#include "runtime/track/trace_key.h"
#include "runtime/unwind/python_stack.h"

/* Frames that an event without the GIL keeps on its own C stack; longer tracebacks share one buffer. */
#define LOOSE_FRAMES 96U

static struct tm_lock loose_frames_lock;
static struct tm_raw_frame loose_frames[TM_TRACEBACK_LIMIT_MAX];

/* The row of the interpreter is trusted once it was checked against real frames. */
void tm_event_check_layout(struct tm_thread *thread, uintptr_t tstate)
{
    struct tm_runtime *runtime = &tm_runtime;
    thread->guard++;
    tm_lock_take(&runtime->intern_lock);
    if (runtime->layout == NULL && runtime->python.layout != NULL &&
        tm_cpython_check_frames(&runtime->python, tstate)) {
        runtime->layout = runtime->python.layout;
        runtime->layout_is_decided = true;
        if (tm_quick_way_of(&runtime->python, &runtime->blocks) != TM_QUICK_ANY) {
            tm_trace_cache_have_keys_say_all(&runtime->cache);
        }
        tm_runtime_decide_quick();
        if (runtime->layout == NULL) {
            tm_runtime_say("notes", runtime->python.refusal);
        }
    }
    tm_lock_release(&runtime->intern_lock);
    thread->guard--;
}

/* Of FRAMES, newest first, all but the first. */
TM_INLINE uint64_t hash_older(const struct tm_runtime *runtime, const struct tm_raw_frame *frames, unsigned count)
{
    uint64_t hash = 0;
    while (count > 1) {
        count--;
        hash = tm_stack_hash(runtime->cache.versions, hash, frames[count].place, frames[count].offset);
    }
    return hash;
}

TM_INLINE unsigned walk(const struct tm_runtime *runtime, uintptr_t tstate, struct tm_raw_frame *frames, unsigned limit)
{
    const struct tm_cpython_layout *layout = runtime->layout;
    if (TM_UNLIKELY(layout == NULL) || tstate == 0) {
        return 0;
    }
    if (limit == 1) {
        return tm_python_stack_top(layout, tstate, frames) ? 1 : 0;
    }
    return tm_python_stack_walk(layout, tstate, frames, limit);
}

TM_INLINE struct tm_trace_key make_key(const struct tm_runtime *runtime, const struct tm_raw_frame *frames,
                                       unsigned count, uint8_t domain, uint16_t size)
{
    return tm_trace_key_of_stack(&runtime->cache, count == 0 ? NULL : frames, hash_older(runtime, frames, count),
                                 domain, size);
}

TM_INLINE uint32_t capture_held(struct tm_thread *thread, const struct tm_raw_frame *frames, unsigned count,
                                uint32_t *notes, struct tm_trace_key key, uint8_t domain, uint16_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    const struct tm_captured made = tm_capture_record(thread, frames, count, notes, domain, size, TM_OWNER_HELD);
    const struct tm_raw_frame *newest = count == 0 ? NULL : &frames[count - 1];
    if (TM_LIKELY(made.record != 0) && TM_LIKELY(made.may_cache) && TM_LIKELY(key.is_exact) &&
        TM_LIKELY(!runtime->config.slow) && (newest == NULL || tm_event_may_be_quick(runtime->layout, newest))) {
        tm_trace_keep(thread, key, newest, made.record);
    }
    return made.record;
}

/* The notes of the present stack.  They say what the trace cache says, in parts, and are void when all of it is: a
 * place may have come to mean another instruction.  So are those of a window that has moved: its tracebacks begin
 * elsewhere. */
TM_INLINE uint32_t *valid_notes(struct tm_runtime *runtime)
{
    struct tm_stack_cache *stack = &runtime->held_stack;
    uint32_t generation = tm_trace_check(&runtime->cache, 0);
    if (runtime->notes_generation != generation || stack->noted != stack->notes) {
        memset(stack->notes, 0, stack->count * sizeof *stack->notes);
        runtime->notes_generation = generation;
        stack->noted = stack->notes;
    }
    return stack->notes;
}

/* The record of the present stack, the long way. */
static __attribute__((noinline)) uint32_t capture_stack(struct tm_thread *thread, struct tm_trace_key key,
                                                        uint8_t domain, uint16_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    const struct tm_stack_cache *stack = &runtime->held_stack;
    const uint32_t count = stack->count;
    uint32_t *notes = valid_notes(runtime);
    struct tm_recall recall;
    const bool recalls = count >= 2 && TM_UNLIKELY(notes[count - 2] == 0) && !runtime->config.slow;
    if (recalls) {
        tm_recall_begin(runtime, &recall);
    }
    uint32_t record = capture_held(thread, stack->frames, count, notes, key, domain, size);
    if (recalls) {
        tm_recall_end(runtime, &recall);
    }
    return record;
}

static uint32_t top_record_held(struct tm_thread *thread, uintptr_t tstate, uint8_t domain, uint16_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_raw_frame top;
    unsigned count = walk(runtime, tstate, &top, 1);
    struct tm_trace_key key = tm_trace_key_of_top(&runtime->cache, &top, count, domain, size);
    uint32_t record = key.is_exact ? tm_trace_cache_held(&runtime->cache, key.key, key.check) : 0;
    return record != 0 ? record : capture_held(thread, count == 0 ? NULL : &top, count, NULL, key, domain, size);
}

/* With marks in the frames, where that works; says so when that has turned out. */
static __attribute__((noinline)) void look_marking(struct tm_runtime *runtime, uintptr_t tstate, uint32_t limit)
{
    struct tm_watermark *watermark = &runtime->watermark;
    enum tm_watermark_state before = watermark->state;
    tm_watermark_look(watermark, &runtime->held_stack, runtime->layout, tstate, limit);
    if (TM_UNLIKELY(watermark->state != before)) {
        tm_runtime_watermark_has_changed();
    }
}

uint32_t tm_event_stack_record(struct tm_thread *thread, uintptr_t tstate, uint8_t domain, uint16_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_stack_cache *stack = &runtime->held_stack;
    const uint32_t limit = __atomic_load_n(&runtime->traceback_limit, __ATOMIC_RELAXED);
    thread->guard++; /* until the frames were used: a signal handler's event would walk over them */
    atomic_signal_fence(memory_order_seq_cst);
    if (TM_UNLIKELY(runtime->config.slow)) {
        tm_stack_cache_clear(stack);
    }
    if (TM_UNLIKELY(runtime->layout == NULL)) {
        tm_stack_cache_clear(stack);
    } else if (TM_LIKELY(runtime->watermark.state == TM_WATERMARK_OFF)) {
        tm_stack_cache_look(stack, runtime->layout, tstate, limit);
    } else {
        look_marking(runtime, tstate, limit);
    }
    const struct tm_raw_frame *newest = stack->count == 0 ? NULL : &stack->frames[stack->count - 1];
    struct tm_trace_key key = tm_trace_key_of_stack(&runtime->cache, newest, tm_stack_cache_older(stack), domain, size);
    uint32_t record = key.is_exact ? tm_trace_cache_held(&runtime->cache, key.key, key.check) : 0;
    if (TM_UNLIKELY(record == 0)) {
        record = capture_stack(thread, key, domain, size);
    }
    atomic_signal_fence(memory_order_seq_cst);
    thread->guard--;
    return record;
}

uint32_t tm_event_stack_capture(struct tm_thread *thread, uint8_t domain, uint16_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    const struct tm_stack_cache *stack = &runtime->held_stack;
    TM_ASSUME(stack->newest != NULL);
    return capture_stack(
        thread, tm_trace_key_of_stack(&runtime->cache, stack->newest, tm_stack_cache_older(stack), domain, size),
        domain, size);
}

/* With machine frames, where they are wanted. */
static __attribute__((noinline)) uint32_t native_record_held(struct tm_thread *thread, struct tm_caller caller,
                                                             uint8_t domain, uint16_t size)
{
    const uint32_t limit = __atomic_load_n(&tm_runtime.traceback_limit, __ATOMIC_RELAXED);
    uint32_t record;
    if (tm_native_record(thread, caller, domain, size, &record)) {
        return record;
    }
    return limit == 1 ? top_record_held(thread, caller.tstate, domain, size)
                      : tm_event_stack_record(thread, caller.tstate, domain, size);
}

TM_INLINE uint32_t record_held(struct tm_thread *thread, struct tm_caller caller, uint8_t domain, uint16_t size)
{
    const uint32_t way = __atomic_load_n(&tm_runtime.way, __ATOMIC_RELAXED);
    if (way == 1) {
        return top_record_held(thread, caller.tstate, domain, size);
    }
    return TM_UNLIKELY(way == TM_WAY_NATIVE) ? native_record_held(thread, caller, domain, size)
                                             : tm_event_stack_record(thread, caller.tstate, domain, size);
}

static void reverse(struct tm_raw_frame *frames, unsigned count)
{
    for (unsigned i = 0; i < count / 2; i++) {
        struct tm_raw_frame swapped = frames[i];
        frames[i] = frames[count - 1 - i];
        frames[count - 1 - i] = swapped;
    }
}

/* Threads without a tally share a cache, and records that are nobody's. */
TM_INLINE uint32_t find_loose(struct tm_tally *tally, const struct tm_trace_key *key)
{
    struct tm_trace_cache *cache = &tm_runtime.cache;
    return TM_LIKELY(tally != NULL) ? tm_tally_find(tally, cache, key)
                                    : tm_trace_cache_loose(cache, key->key, key->check);
}

static void put_loose(struct tm_tally *tally, const struct tm_trace_key *key, uint32_t record)
{
    const struct tm_record *known = &tm_runtime.records.records[record];
    if (tally != NULL) {
        tm_tally_put(tally, key, record);
        bool is_frameless = known->traceback == 0 && tm_runtime.way != TM_WAY_NATIVE && tm_runtime.sample_rate == 0;
        if (is_frameless && known->domain == TM_DOMAIN_NATIVE && known->size != TM_SIZE_VARIES) {
            tally->frameless[known->size] =
                tm_block_is_short(&tm_runtime.blocks, known->size) ? record : tm_slot_word(record);
        }
    } else {
        tm_trace_cache_put_loose(&tm_runtime.cache, key->key, key->check, record);
    }
}

static uint32_t record_walked(struct tm_thread *thread, struct tm_caller caller, uint8_t domain, uint16_t size,
                              struct tm_raw_frame *frames, unsigned limit)
{
    struct tm_runtime *runtime = &tm_runtime;
    unsigned count = walk(runtime, caller.tstate, frames, limit);
    if (caller.attachment == TM_DETACHED && count != 0 && !tm_loose_walk_is_valid()) {
        count = 0;
    }
    struct tm_trace_key key = make_key(runtime, frames, count, domain, size);
    struct tm_tally *tally = tm_tally_of(thread);
    uint32_t record = key.is_exact ? find_loose(tally, &key) : 0;
    if (TM_UNLIKELY(record == 0)) {
        reverse(frames, count);
        const struct tm_captured made = tm_capture_record(thread, frames, count, NULL, domain, size,
                                                          tally != NULL ? tally->number : TM_OWNER_NOBODY);
        record = made.record;
        if (record != 0 && made.may_cache && key.is_exact && !runtime->config.slow) {
            put_loose(tally, &key, record);
        }
    }
    return record;
}

/* The state of a thread without the GIL may be freed by another thread. */
static uint32_t record_loose_in(struct tm_thread *thread, struct tm_caller caller, uint8_t domain, uint16_t size,
                                struct tm_raw_frame *frames, unsigned limit)
{
    if (caller.attachment != TM_DETACHED || caller.tstate == 0) {
        return record_walked(thread, caller, domain, size, frames, limit);
    }
    _Atomic uint32_t *announced = tm_loose_walk_begin(thread, caller.tstate);
    if (announced == NULL) {
        caller.tstate = 0;
        return record_walked(thread, caller, domain, size, frames, limit);
    }
    uint32_t record = record_walked(thread, caller, domain, size, frames, limit);
    tm_loose_walk_end(announced);
    return record;
}

static __attribute__((noinline)) uint32_t record_loose(struct tm_thread *thread, struct tm_caller caller,
                                                       uint8_t domain, uint16_t size)
{
    unsigned limit = __atomic_load_n(&tm_runtime.way, __ATOMIC_RELAXED);
    uint32_t record;
    if (TM_UNLIKELY(limit == TM_WAY_NATIVE)) {
        if (tm_native_record(thread, caller, domain, size, &record)) {
            return record;
        }
        limit = __atomic_load_n(&tm_runtime.traceback_limit, __ATOMIC_RELAXED);
    }
    thread->guard++; /* a set of the loose cache is locked: a signal handler must not come back in here */
    if (limit <= LOOSE_FRAMES) {
        struct tm_raw_frame frames[LOOSE_FRAMES];
        record = record_loose_in(thread, caller, domain, size, frames, limit);
    } else {
        tm_lock_take(&loose_frames_lock);
        record = record_loose_in(thread, caller, domain, size, loose_frames, limit);
        tm_lock_release(&loose_frames_lock);
    }
    thread->guard--;
    return record;
}

uint32_t tm_event_record(struct tm_thread *thread, struct tm_caller caller, uint8_t domain, uint16_t size)
{
    return TM_LIKELY(caller.attachment == TM_HELD) ? record_held(thread, caller, domain, size)
                                                   : record_loose(thread, caller, domain, size);
}

void tm_event_after_fork(void)
{
    tm_lock_reset(&loose_frames_lock);
    tm_loose_walks_after_fork();
    tm_native_after_fork(&tm_runtime.native);
}
