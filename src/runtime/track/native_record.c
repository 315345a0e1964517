/* SPDX-License-Identifier: MIT */
#include "runtime/track/native_record.h"

#include "runtime/track/capture.h"
#include "runtime/track/loose_walk.h"
#include "runtime/track/tally.h"
#include "runtime/track/trace_key.h"
#include "runtime/unwind/python_stack.h"

static struct tm_native_buffer *take_buffer(struct tm_native_state *state)
{
    for (unsigned i = 0; i < TM_NATIVE_BUFFERS; i++) {
        _Atomic uint32_t *is_taken = &state->buffers[i].is_taken;
        if (atomic_load_explicit(is_taken, memory_order_relaxed) == 0 &&
            atomic_exchange_explicit(is_taken, 1, memory_order_acquire) == 0) {
            return &state->buffers[i];
        }
    }
    return NULL;
}

static void give_buffer(struct tm_native_buffer *buffer)
{
    atomic_store_explicit(&buffer->is_taken, 0, memory_order_release);
}

static uint64_t hash_of(const struct tm_two_stacks *stacks)
{
    uint64_t hash = 1;
    for (unsigned i = 0; i < stacks->native_count; i++) {
        hash = tm_stack_hash(tm_runtime.cache.versions, hash, stacks->native[i].pc, 0);
    }
    for (unsigned i = 0; i < stacks->python_count; i++) {
        hash = tm_stack_hash(tm_runtime.cache.versions, hash, stacks->python[i].place, stacks->python[i].offset);
    }
    return hash;
}

static void reverse(struct tm_raw_frame *frames, unsigned count)
{
    for (unsigned i = 0; i < count / 2; i++) {
        struct tm_raw_frame swapped = frames[i];
        frames[i] = frames[count - 1 - i];
        frames[count - 1 - i] = swapped;
    }
}

/* What an event is counted in: records of the GIL's holder, of this thread's tally, or of nobody; each with its cache. */
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

static void put_record(const struct place *place, uint32_t record)
{
    struct tm_trace_cache *cache = &tm_runtime.cache;
    const struct tm_trace_key *key = &place->key;
    if (place->held) {
        tm_trace_cache_put_held(cache, key->key, key->check, record);
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

static uint32_t make_record(struct tm_thread *thread, const struct tm_two_stacks *stacks, struct tm_raw_frame *merged,
                            unsigned limit, const struct place *place, uint8_t domain, uint16_t size)
{
    bool is_merged;
    bool may_cache;
    unsigned count = tm_stacks_merge(stacks, merged, limit, &is_merged);
    if (!is_merged) {
        atomic_fetch_add_explicit(&tm_runtime.store.header->native_unmerged, 1, memory_order_relaxed);
    }
    reverse(merged, count);
    uint32_t record = tm_capture_record(thread, merged, count, NULL, domain, size, owner_of(place), &may_cache);
    if (record != 0 && may_cache && !tm_runtime.config.slow) {
        put_record(place, record);
    }
    return record;
}

static unsigned walk_python(struct tm_two_stacks *stacks, struct tm_caller caller, struct tm_raw_frame *frames,
                            unsigned limit)
{
    stacks->row = tm_runtime.layout;
    stacks->tstate = caller.tstate;
    if (stacks->row == NULL || caller.tstate == 0) {
        return 0;
    }
    unsigned count = tm_python_stack_walk(stacks->row, caller.tstate, frames, limit);
    if (!caller.attached && !tm_loose_walk_is_valid()) {
        stacks->tstate = 0;
        return 0;
    }
    return count;
}

static uint32_t record_in(struct tm_thread *thread, struct tm_caller caller, uint8_t domain, uint16_t size,
                          struct tm_native_buffer *buffer)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_two_stacks stacks = {.code = runtime->native.code, .native = buffer->native, .python = buffer->python};
    unsigned limit = __atomic_load_n(&runtime->traceback_limit, __ATOMIC_RELAXED);
    limit = limit < TM_NATIVE_LIMIT_MAX ? limit : TM_NATIVE_LIMIT_MAX;
    stacks.native_count = tm_native_stack_walk(thread, &runtime->native.steps, &runtime->native.own, buffer->native,
                                               TM_NATIVE_FRAMES, &stacks.native_end);
    stacks.python_count = walk_python(&stacks, caller, buffer->python, limit);
    stacks.python_is_cut = stacks.python_count == limit;
    const struct place place = {
        .key = tm_trace_key_of_stack(&runtime->cache, hash_of(&stacks), stacks.native_count + stacks.python_count,
                                     domain, size),
        .tally = caller.held ? NULL : tm_tally_of(thread),
        .held = caller.held,
    };
    uint32_t record = find_record(&place);
    return TM_LIKELY(record != 0)
               ? record
               : make_record(thread, &stacks, buffer->merged, limit + TM_NATIVE_FRAMES, &place, domain, size);
}

/* The state of a thread without the GIL may be freed by another thread: see loose_walk.h. */
static uint32_t record_safely(struct tm_thread *thread, struct tm_caller caller, uint8_t domain, uint16_t size,
                              struct tm_native_buffer *buffer)
{
    if (caller.attached || caller.tstate == 0) {
        return record_in(thread, caller, domain, size, buffer);
    }
    if (!tm_loose_walk_begin(thread, caller.tstate)) {
        caller.tstate = 0;
        return record_in(thread, caller, domain, size, buffer);
    }
    uint32_t record = record_in(thread, caller, domain, size, buffer);
    tm_loose_walk_end();
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
    struct tm_native_buffer *buffer = take_buffer(&runtime->native);
    if (buffer != NULL) {
        *record = record_safely(thread, caller, domain, size, buffer);
        give_buffer(buffer);
    }
    thread->guard--;
    return buffer != NULL;
}
