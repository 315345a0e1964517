/* SPDX-License-Identifier: MIT */
#include "runtime/track/native_record.h"

#include <string.h>

#include "runtime/track/capture.h"
#include "runtime/track/loose_walk.h"
#include "runtime/track/tally.h"
#include "runtime/track/trace_keep.h"
#include "runtime/unwind/python_stack.h"

static struct tm_native_buffer *take_buffer(struct tm_native_state *state, const struct tm_thread *thread)
{
    const uintptr_t own = ((uintptr_t)thread >> 12) * TM_HASH_MULTIPLIER >> 32; /* threads' are pages apart */
    for (unsigned i = 0; i < TM_NATIVE_BUFFERS; i++) {
        struct tm_native_buffer *buffer = &state->buffers[(own + i) % TM_NATIVE_BUFFERS];
        if (atomic_load_explicit(&buffer->is_taken, memory_order_relaxed) == 0 &&
            atomic_exchange_explicit(&buffer->is_taken, 1, memory_order_acquire) == 0) {
            buffer->known.frames = buffer->frames;
            buffer->known.fresh = buffer->fresh;
            buffer->known.limit = TM_NATIVE_FRAMES;
            return buffer;
        }
    }
    return NULL;
}

static void give_buffer(struct tm_native_buffer *buffer)
{
    atomic_store_explicit(&buffer->is_taken, 0, memory_order_release);
}

static uint64_t hash_of(const struct tm_raw_frame *frames, unsigned count)
{
    uint64_t hash = 0;
    while (count-- > 0) {
        hash = tm_stack_hash(tm_runtime.cache.versions, hash, frames[count].place, frames[count].offset);
    }
    return hash;
}

/* The same of what the GIL's holder keeps. */
static uint64_t hash_of_held(const struct tm_stack_cache *held)
{
    const struct tm_raw_frame *newest = &held->frames[(ptrdiff_t)held->count - 1];
    uint64_t older = tm_stack_cache_older(held);
    return held->count == 0 ? 0 : tm_stack_hash(held->versions, older, newest->place, newest->offset);
}

static void reverse(struct tm_raw_frame *frames, unsigned count)
{
    for (unsigned i = 0; i < count / 2; i++) {
        struct tm_raw_frame swapped = frames[i];
        frames[i] = frames[count - 1 - i];
        frames[count - 1 - i] = swapped;
    }
}

/* What an event is counted in: records of the GIL's holder, of this thread's tally, or of nobody; each with its
 * cache. */
struct place {
    struct tm_trace_key key;
    struct tm_tally *tally;
    bool held;
};

static uint32_t find_record(const struct place *place)
{
    struct tm_trace_cache *cache = &tm_runtime.cache;
    const struct tm_trace_key *key = &place->key;
    if (place->held) {
        return tm_trace_cache_held(cache, key->key, key->check);
    }
    return place->tally != NULL ? tm_tally_find(place->tally, cache, key)
                                : tm_trace_cache_loose(cache, key->key, key->check);
}

static void put_record(struct tm_thread *thread, const struct place *place, uint32_t record)
{
    struct tm_trace_cache *cache = &tm_runtime.cache;
    const struct tm_trace_key *key = &place->key;
    if (place->held) {
        tm_trace_keep(thread, *key, NULL, record);
    } else if (place->tally != NULL) {
        tm_tally_put(place->tally, key, record);
    } else {
        tm_trace_cache_put_loose(cache, key->key, key->check, record);
    }
}

static uint16_t owner_of(const struct place *place)
{
    return place->held ? TM_OWNER_HELD : place->tally != NULL ? place->tally->number : TM_OWNER_NOBODY;
}

/* What an event's stacks are; those of machine frames are in the buffer. */
struct event {
    struct tm_native_buffer *buffer;
    struct tm_two_stacks stacks;
    bool native_is_seen; /* its frames are not in the buffer */
    bool python_is_kept; /* its frames are in the stack of the GIL's holder only */
    unsigned limit;      /* of Python frames */
};

/* What the GIL's holder keeps oldest first. */
static void copy_held(struct tm_raw_frame *frames)
{
    const struct tm_stack_cache *held = &tm_runtime.held_stack;
    for (unsigned i = 0; i < held->count; i++) {
        frames[i] = held->frames[held->count - 1 - i];
    }
}

/* As in event_record.h: the quick way looks at no code. */
static bool may_be_quick(const struct event *event)
{
    return event->stacks.python_count == 0 || tm_event_may_be_quick(event->stacks.row, &event->buffer->python[0]);
}

/* Makes FRAMES what CAPTURED has, and voids the notes of those that are new: no place came to mean another instruction
 * unheard. */
static void update_captured(struct tm_native_captured *captured, const struct tm_raw_frame *frames, unsigned count)
{
    const uint32_t generation = tm_trace_check(&tm_runtime.cache, 0);
    const uint32_t deaths = atomic_load_explicit(&tm_runtime.native.deaths, memory_order_relaxed);
    unsigned kept = 0;
    if (captured->generation == generation && captured->deaths == deaths && !tm_runtime.config.slow) {
        while (kept < count && kept < captured->count && captured->frames[kept].place == frames[kept].place &&
               captured->frames[kept].offset == frames[kept].offset &&
               captured->frames[kept].kind == frames[kept].kind) {
            kept++;
        }
    }
    captured->generation = generation;
    captured->deaths = deaths;
    captured->count = count;
    memset(captured->notes + kept, 0, (count - kept) * sizeof *captured->notes);
    memcpy(captured->frames, frames, count * sizeof *frames); /* of those kept the objects may be others */
}

static void complete_stacks(struct tm_thread *thread, struct event *event)
{
    struct tm_native_buffer *buffer = event->buffer;
    struct tm_native_state *native = &tm_runtime.native;
    if (event->native_is_seen) {
        (void)tm_native_stack_look(thread, &native->steps, &native->own, &buffer->known);
    }
    event->stacks.native_count = buffer->known.count;
    event->stacks.native_end = buffer->known.end;
    tm_native_stack_list(&buffer->known, buffer->native);
    if (event->python_is_kept) {
        copy_held(buffer->python);
    }
}

static uint32_t make_record(struct tm_thread *thread, struct event *event, const struct place *place, uint8_t domain,
                            uint16_t size)
{
    struct tm_raw_frame *merged = event->buffer->merged;
    struct tm_native_captured *captured = &event->buffer->captured;
    bool is_merged;
    complete_stacks(thread, event);
    unsigned count = tm_stacks_merge(&event->stacks, merged, event->limit + TM_NATIVE_FRAMES, &is_merged);
    if (!is_merged) {
        atomic_fetch_add_explicit(&tm_runtime.store.header->native_unmerged, 1, memory_order_relaxed);
    }
    reverse(merged, count);
    update_captured(captured, merged, count);
    const struct tm_captured made =
        tm_capture_record(thread, captured->frames, count, captured->notes, domain, size, owner_of(place));
    if (made.record != 0 && made.may_cache && !tm_runtime.config.slow && may_be_quick(event)) {
        put_record(thread, place, made.record);
    }
    return made.record;
}

/* Finds Python's frames; a hash of them. */
static uint64_t look_at_python(struct event *event, struct tm_caller caller)
{
    struct tm_two_stacks *stacks = &event->stacks;
    struct tm_raw_frame *frames = event->buffer->python;
    stacks->row = tm_runtime.layout;
    stacks->tstate = caller.tstate;
    if (stacks->row == NULL || caller.tstate == 0) {
        return 0;
    }
    if (event->limit != 1 && caller.attachment == TM_HELD && !tm_runtime.config.slow) {
        struct tm_stack_cache *held = &tm_runtime.held_stack;
        tm_stack_cache_look(held, stacks->row, caller.tstate, event->limit);
        tm_watermark_lift(&tm_runtime.watermark);
        event->python_is_kept = true;
        stacks->python_count = held->count;
        return hash_of_held(held);
    }
    stacks->python_count = event->limit == 1 ? tm_python_stack_top(stacks->row, caller.tstate, frames)
                                             : tm_python_stack_walk(stacks->row, caller.tstate, frames, event->limit);
    if (caller.attachment == TM_DETACHED && !tm_loose_walk_is_valid()) {
        stacks->tstate = 0;
        stacks->python_count = 0;
    }
    return hash_of(frames, stacks->python_count);
}

/* Finds the machine frames; a hash of them. */
static uint64_t look_at_machine(struct tm_thread *thread, struct event *event, bool held)
{
    struct tm_native_state *native = &tm_runtime.native;
    struct tm_known_stack *known = &event->buffer->known;
    const struct tm_seen_stack *seen = NULL;
    uint64_t hash;
    if (TM_UNLIKELY(tm_runtime.config.slow)) {
        tm_native_stack_forget(known);
    }
    if (!held || TM_UNLIKELY(tm_runtime.config.slow)) {
        hash = tm_native_stack_look(thread, &native->steps, &native->own, known);
    } else {
        hash = tm_native_stack_look_among(thread, &native->steps, &native->own, known, &native->seen, &seen);
        if (seen == NULL) {
            tm_seen_stacks_keep(&native->seen, known, hash);
        }
    }
    event->native_is_seen = seen != NULL;
    return hash;
}

static uint32_t record_in(struct tm_thread *thread, struct tm_caller caller, uint8_t domain, uint16_t size,
                          struct tm_native_buffer *buffer)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct event event = {.buffer = buffer};
    struct tm_two_stacks *stacks = &event.stacks;
    unsigned limit = __atomic_load_n(&runtime->traceback_limit, __ATOMIC_RELAXED);
    event.limit = limit < TM_NATIVE_LIMIT_MAX ? limit : TM_NATIVE_LIMIT_MAX;
    uint64_t native = look_at_machine(thread, &event, caller.attachment == TM_HELD);
    uint64_t hash = tm_native_join_hashes(native, look_at_python(&event, caller));
    stacks->code = runtime->native.code;
    stacks->native = buffer->native;
    stacks->python = buffer->python;
    stacks->python_is_cut = stacks->python_count == event.limit;
    const struct place place = {
        .key = tm_trace_key_of_stack(&runtime->cache, NULL, hash, domain, size),
        .tally = caller.attachment == TM_HELD ? NULL : tm_tally_of(thread),
        .held = caller.attachment == TM_HELD,
    };
    uint32_t record = find_record(&place);
    return TM_LIKELY(record != 0) ? record : make_record(thread, &event, &place, domain, size);
}

/* The state of a thread without the GIL may be freed by another thread: see loose_walk.h. */
static uint32_t record_safely(struct tm_thread *thread, struct tm_caller caller, uint8_t domain, uint16_t size,
                              struct tm_native_buffer *buffer)
{
    if (caller.attachment != TM_DETACHED || caller.tstate == 0) {
        return record_in(thread, caller, domain, size, buffer);
    }
    _Atomic uint32_t *announced = tm_loose_walk_begin(thread, caller.tstate);
    if (announced == NULL) {
        caller.tstate = 0;
        return record_in(thread, caller, domain, size, buffer);
    }
    uint32_t record = record_in(thread, caller, domain, size, buffer);
    tm_loose_walk_end(announced);
    return record;
}

bool tm_native_record(struct tm_thread *thread, struct tm_caller caller, uint8_t domain, uint16_t size,
                      uint32_t *record)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (runtime->config.native != TM_NATIVE_ALL && domain < TM_DOMAIN_NATIVE) {
        return false;
    }
    thread->guard++;
    struct tm_native_buffer *buffer = take_buffer(&runtime->native, thread);
    if (buffer != NULL) {
        *record = record_safely(thread, caller, domain, size, buffer);
        give_buffer(buffer);
    }
    thread->guard--;
    return buffer != NULL;
}
