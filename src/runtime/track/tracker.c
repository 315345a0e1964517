/* SPDX-License-Identifier: MIT */
#include "runtime/track/tracker.h"

#include "base/hash.h"
#include "runtime/track/capture.h"
#include "runtime/track/counting.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/trace_key.h"
#include "runtime/track/tracker_quick.h"
#include "runtime/unwind/python_stack.h"

/* Frames that an event without the GIL keeps on its own C stack; longer tracebacks share one buffer. */
#define LOOSE_FRAMES 96U

static struct tm_lock loose_frames_lock;
static struct tm_raw_frame loose_frames[TM_TRACEBACK_LIMIT_MAX];

/* Who runs this event. */
struct caller {
    uintptr_t tstate; /* 0: no Python frames */
    bool held;        /* the GIL of the main interpreter */
};

/* The row of the interpreter is trusted once it was checked against real frames. */
static TM_COLD void check_layout(struct tm_thread *thread, uintptr_t tstate)
{
    struct tm_runtime *runtime = &tm_runtime;
    thread->guard++;
    tm_lock_take(&runtime->intern_lock);
    if (runtime->layout == NULL && runtime->python.layout != NULL &&
        tm_cpython_check_frames(&runtime->python, tstate)) {
        runtime->layout = runtime->python.layout;
        runtime->layout_is_decided = true;
        tm_runtime_decide_quick();
        if (runtime->layout == NULL) {
            tm_runtime_say("notes", runtime->python.refusal);
        }
    }
    tm_lock_release(&runtime->intern_lock);
    thread->guard--;
}

TM_INLINE struct caller find_caller(struct tm_thread *thread, uint8_t domain)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct caller caller = {0, false};
    if (TM_UNLIKELY(!runtime->python_is_found)) {
        return caller;
    }
    if (domain == TM_DOMAIN_OBJ || domain == TM_DOMAIN_MEM) {
        caller.tstate = tm_cpython_tstate_held(&runtime->python);
        caller.held = caller.tstate != 0;
    } else {
        thread->guard++; /* a libpython loaded by dlopen: the first touch of its thread-local storage calls malloc */
        caller.tstate = tm_cpython_tstate_own(&runtime->python, &caller.held);
        thread->guard--;
    }
    caller.held = caller.held && tm_cpython_is_main(&runtime->python, caller.tstate);
    if (TM_UNLIKELY(!runtime->layout_is_decided) && caller.tstate != 0) {
        check_layout(thread, caller.tstate);
    }
    return caller;
}

TM_INLINE uint16_t size_class(size_t size)
{
    return size <= TM_SMALL_SIZE_MAX ? (uint16_t)size : TM_SIZE_VARIES;
}

TM_INLINE uint64_t hash_stack(const struct tm_raw_frame *frames, unsigned count)
{
    uint64_t hash = 0;
    while (count-- > 0) {
        hash = tm_stack_hash(hash, frames[count].place, frames[count].offset);
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
                                       unsigned count, unsigned limit, uint8_t domain, uint16_t size)
{
    return limit == 1 ? tm_trace_key_of_top(&runtime->cache, frames, count, domain, size)
                      : tm_trace_key_of_stack(&runtime->cache, hash_stack(frames, count), count, domain, size);
}

/* With one frame the quick way takes a place in the cache as proof that the frame counts.  That is so unless the place
 * is one of those that count in a generator only. */
TM_INLINE bool may_be_quick(const struct tm_runtime *runtime, const struct tm_raw_frame *frames, unsigned count)
{
    const struct tm_cpython_layout *layout = runtime->layout;
    if (runtime->traceback_limit != 1 || count == 0 || layout->chain == TM_CHAIN_OBJECT) {
        return true;
    }
    uintptr_t code = tm_python_word(frames[0].frame, layout->frame_code) & ~layout->frame_code_mask;
    return frames[0].place >=
           code + layout->code_bytes + 2 * (uintptr_t)(uint32_t)tm_python_int(code, layout->code_firsttraceable);
}

static uint32_t capture_held(struct tm_thread *thread, const struct tm_raw_frame *frames, unsigned count,
                             const struct tm_trace_key *key, uint8_t domain, uint16_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    bool may_cache;
    uint32_t record = tm_capture_record(thread, frames, count, domain, size, &may_cache);
    if (record != 0 && may_cache && key->is_exact && may_be_quick(runtime, frames, count)) {
        thread->guard++; /* the cache may grow: a signal handler must not come back in here */
        tm_trace_cache_put_held(&runtime->cache, key->key, key->check, record);
        thread->guard--;
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
    return record != 0 ? record : capture_held(thread, &top, count, &key, domain, size);
}

TM_INLINE uint32_t stack_record_held(struct tm_thread *thread, uintptr_t tstate, uint8_t domain, uint16_t size,
                                     uint32_t limit)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_stack_cache *stack = &runtime->held_stack;
    uint64_t hash = 0;
    thread->guard++; /* until the frames were used: a signal handler's event would walk over them */
    atomic_signal_fence(memory_order_seq_cst);
    if (TM_LIKELY(runtime->layout != NULL)) {
        hash = tm_stack_cache_look(stack, runtime->layout, tstate, limit);
    } else {
        stack->count = 0;
    }
    struct tm_trace_key key = tm_trace_key_of_stack(&runtime->cache, hash, stack->count, domain, size);
    uint32_t record = tm_trace_cache_held(&runtime->cache, key.key, key.check);
    if (TM_UNLIKELY(record == 0)) {
        record = capture_held(thread, stack->frames, stack->count, &key, domain, size);
    }
    atomic_signal_fence(memory_order_seq_cst);
    thread->guard--;
    return record;
}

TM_INLINE uint32_t record_held(struct tm_thread *thread, uintptr_t tstate, uint8_t domain, uint16_t size)
{
    const uint32_t limit = __atomic_load_n(&tm_runtime.traceback_limit, __ATOMIC_RELAXED);
    return limit == 1 ? top_record_held(thread, tstate, domain, size)
                      : stack_record_held(thread, tstate, domain, size, limit);
}

static void reverse(struct tm_raw_frame *frames, unsigned count)
{
    for (unsigned i = 0; i < count / 2; i++) {
        struct tm_raw_frame swapped = frames[i];
        frames[i] = frames[count - 1 - i];
        frames[count - 1 - i] = swapped;
    }
}

static uint32_t record_loose_in(struct tm_thread *thread, uintptr_t tstate, uint8_t domain, uint16_t size,
                                struct tm_raw_frame *frames, unsigned limit)
{
    struct tm_runtime *runtime = &tm_runtime;
    unsigned count = walk(runtime, tstate, frames, limit);
    struct tm_trace_key key = make_key(runtime, frames, count, limit, domain, size);
    uint32_t record = key.is_exact ? tm_trace_cache_loose(&runtime->cache, key.key, key.check) : 0;
    if (record == 0) {
        reverse(frames, count);
        bool may_cache;
        record = tm_capture_record(thread, frames, count, domain, size, &may_cache);
        if (record != 0 && may_cache && key.is_exact) {
            tm_trace_cache_put_loose(&runtime->cache, key.key, key.check, record);
        }
    }
    return record;
}

static __attribute__((noinline)) uint32_t record_loose(struct tm_thread *thread, uintptr_t tstate, uint8_t domain,
                                                       uint16_t size)
{
    const unsigned limit = __atomic_load_n(&tm_runtime.traceback_limit, __ATOMIC_RELAXED);
    uint32_t record;
    thread->guard++; /* a set of the loose cache is locked: a signal handler must not come back in here */
    if (limit <= LOOSE_FRAMES) {
        struct tm_raw_frame frames[LOOSE_FRAMES];
        record = record_loose_in(thread, tstate, domain, size, frames, limit);
    } else {
        tm_lock_take(&loose_frames_lock);
        record = record_loose_in(thread, tstate, domain, size, loose_frames, limit);
        tm_lock_release(&loose_frames_lock);
    }
    thread->guard--;
    return record;
}

TM_INLINE uint32_t find_record(struct tm_thread *thread, struct caller caller, uint8_t domain, uint16_t size)
{
    return TM_LIKELY(caller.held) ? record_held(thread, caller.tstate, domain, size)
                                  : record_loose(thread, caller.tstate, domain, size);
}

/* Takes a block that is still in the table at an address that was handed out again: its free was missed. */
static TM_COLD void drop_stale(struct tm_thread *thread, const void *block)
{
    struct tm_taken taken;
    (void)tm_tracker_take(thread, block, &taken);
}

static TM_COLD bool put_block_slowly(struct tm_thread *thread, uintptr_t address, uint32_t record, size_t size)
{
    thread->guard++; /* the table of odd blocks has a lock */
    bool done = tm_block_table_put(&tm_runtime.blocks, address, record, size);
    thread->guard--;
    if (done) {
        return true;
    }
    atomic_fetch_add_explicit(&tm_runtime.store.header->dropped_events, 1, memory_order_relaxed);
    return false;
}

TM_INLINE bool put_block(struct tm_thread *thread, const void *block, uint32_t record, size_t size)
{
    struct tm_block_table *table = &tm_runtime.blocks;
    uintptr_t address = (uintptr_t)block;
    if (TM_LIKELY(!tm_block_is_odd(table, address))) {
        tm_slot_word *slot = tm_block_slot(table, address);
        if (TM_LIKELY(slot != NULL)) {
            if (TM_UNLIKELY(tm_slot_load(slot) != 0)) {
                drop_stale(thread, block);
            }
            if (TM_LIKELY(size <= TM_SMALL_SIZE_MAX)) {
                tm_slot_store(slot, record);
                return true;
            }
            if (TM_LIKELY(size < TM_SLOT_SIZE)) {
                tm_slot_store(slot + 1, TM_SLOT_IS_SIZE | (uint32_t)size);
                tm_slot_store(slot, record);
                return true;
            }
        }
    } else {
        drop_stale(thread, block);
    }
    return put_block_slowly(thread, address, record, size);
}

static TM_COLD bool may_record(void)
{
    return tm_life_now() == TM_LIFE_UNKNOWN && tm_life_recover() && tm_life_now() == TM_LIFE_TRACING;
}

TM_INLINE void count_alloc(struct tm_thread *thread, uint8_t domain, const void *block, size_t size, uint32_t record,
                           bool held)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (TM_UNLIKELY(!put_block(thread, block, record, size))) {
        return;
    }
    tm_record_add(runtime, record, size, held);
    tm_totals_move(runtime->totals, domain, size, held);
    thread->last_block = (uintptr_t)block;
    thread->newborn = (uintptr_t)block;
}

static __attribute__((noinline)) void alloc_generally(struct tm_thread *thread, uint8_t domain, const void *block,
                                                      size_t size)
{
    if (TM_UNLIKELY(tm_life_now() != TM_LIFE_TRACING) && !may_record()) {
        return;
    }
    struct caller caller = find_caller(thread, domain);
    uint32_t record = find_record(thread, caller, domain, size_class(size));
    if (TM_LIKELY(record != 0)) {
        count_alloc(thread, domain, block, size, record, caller.held);
    }
}

void tm_tracker_alloc(struct tm_thread *thread, enum tm_domain domain, const void *block, size_t size)
{
    bool is_python = domain == TM_DOMAIN_OBJ || domain == TM_DOMAIN_MEM;
    if (!is_python || !tm_quick_alloc(thread, (uint8_t)domain, block, size)) {
        alloc_generally(thread, (uint8_t)domain, block, size);
    }
}

#define TAKEN_TEMPORARY 1U /* was counted as one */

/* BY is 1, or -1 as two's complement. */
TM_INLINE void count_temporary(struct tm_record *record, uint64_t by, bool held)
{
    if (held) {
        tm_word_add(&record->temporary_blocks, by);
    } else {
        tm_word_add_loose(&record->temporary_blocks, by);
    }
}

/* The counters of a block that goes. */
TM_INLINE void uncount(struct tm_thread *thread, uintptr_t address, uint32_t id, uint64_t size, uint32_t *flags)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_record *record = &runtime->records.records[id];
    struct caller caller = find_caller(thread, record->domain);
    bool counts = record->epoch >= atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed);
    if (TM_LIKELY(counts)) {
        tm_totals_leave(runtime->totals);
    }
    tm_record_give_back(runtime, id, size, 1, caller.held);
    if (TM_LIKELY(counts)) {
        tm_totals_move(runtime->totals, record->domain, 0 - size, caller.held);
    }
    if (thread->last_block == address) {
        thread->last_block = 0;
        *flags = TAKEN_TEMPORARY;
        count_temporary(record, 1, caller.held);
    }
}

/* The block left the table as WORD and SIZE say. */
TM_INLINE bool finish_take(struct tm_thread *thread, uintptr_t address, uint32_t word, uint64_t size,
                           struct tm_taken *taken)
{
    if (TM_UNLIKELY((word & TM_SLOT_IS_CODE) != 0)) {
        tm_capture_forget_code(thread, address);
    }
    taken->record = word & TM_SLOT_RECORD;
    taken->size = size;
    taken->flags = 0;
    if (TM_UNLIKELY(taken->record == 0)) {
        return false;
    }
    uncount(thread, address, taken->record, size, &taken->flags);
    return true;
}

static TM_COLD bool take_slowly(struct tm_thread *thread, uintptr_t address, struct tm_taken *taken)
{
    struct tm_block block;
    bool known;
    thread->guard++; /* the table of odd blocks has a lock */
    known = tm_block_table_take(&tm_runtime.blocks, address, &block);
    thread->guard--;
    if (!known) {
        return false;
    }
    uint16_t exact = tm_runtime.records.records[block.word & TM_SLOT_RECORD].size;
    return finish_take(thread, address, block.word, exact == TM_SIZE_VARIES ? block.size : exact, taken);
}

static TM_COLD bool may_take(void)
{
    enum tm_life life = tm_life_now();
    return life == TM_LIFE_STOPPED || (life == TM_LIFE_UNKNOWN && tm_life_recover());
}

bool tm_tracker_take(struct tm_thread *thread, const void *block, struct tm_taken *taken)
{
    struct tm_runtime *runtime = &tm_runtime;
    uintptr_t address = (uintptr_t)block;
    if (TM_UNLIKELY(tm_life_now() != TM_LIFE_TRACING) && !may_take()) {
        return false;
    }
    if (TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return take_slowly(thread, address, taken);
    }
    tm_slot_word *slot = tm_block_slot(&runtime->blocks, address);
    if (TM_UNLIKELY(slot == NULL)) {
        return false;
    }
    uint32_t word = tm_slot_load(slot);
    if (word == 0 || (word & TM_SLOT_IS_SIZE) != 0) {
        return false;
    }
    uint64_t size = runtime->records.records[word & TM_SLOT_RECORD].size;
    if (size == TM_SIZE_VARIES || (word & TM_SLOT_RECORD) == 0) {
        return take_slowly(thread, address, taken);
    }
    tm_slot_store(slot, 0);
    return finish_take(thread, address, word, size, taken);
}

void tm_tracker_put_back(struct tm_thread *thread, const void *block, const struct tm_taken *taken)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (taken->record == 0 || !put_block(thread, block, taken->record, taken->size)) {
        return;
    }
    struct tm_record *record = &runtime->records.records[taken->record];
    struct caller caller = find_caller(thread, record->domain);
    tm_record_give_back(runtime, taken->record, taken->size, UINT64_MAX, caller.held);
    if ((taken->flags & TAKEN_TEMPORARY) != 0) {
        count_temporary(record, UINT64_MAX, caller.held);
    }
    if (record->epoch >= atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed)) {
        tm_totals_move(runtime->totals, record->domain, taken->size, caller.held);
    }
}

/* Moves the known block at ADDRESS to the current traceback. */
static __attribute__((noinline)) void move_block(struct tm_thread *thread, uintptr_t address)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_block block;
    if (!tm_block_table_find(&runtime->blocks, address, &block) || (block.word & TM_SLOT_RECORD) == 0) {
        return;
    }
    uint32_t from = block.word & TM_SLOT_RECORD;
    const struct tm_record *record = &runtime->records.records[from];
    if (record->epoch < atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed)) {
        return; /* not traced as far as anybody can see */
    }
    struct caller caller = find_caller(thread, record->domain);
    uint32_t to = find_record(thread, caller, record->domain, record->size);
    if (to == 0 || to == from) {
        return;
    }
    uint64_t size = record->size == TM_SIZE_VARIES ? block.size : record->size;
    if (!tm_block_table_put(&runtime->blocks, address, to | (block.word & ~TM_SLOT_RECORD), size)) {
        return;
    }
    tm_record_give_back(runtime, from, size, 1, caller.held);
    tm_record_add(runtime, to, size, caller.held);
    atomic_fetch_add_explicit(&runtime->store.header->recycled_moves, 1, memory_order_relaxed);
}

void tm_tracker_recycle(struct tm_thread *thread, const void *block)
{
    if (TM_LIKELY(thread->newborn == (uintptr_t)block)) {
        thread->newborn = 0; /* just allocated; the next time it comes it was in a free list meanwhile */
        return;
    }
    if (TM_UNLIKELY(tm_life_now() != TM_LIFE_TRACING) && !may_record()) {
        return;
    }
    thread->guard++; /* the table of odd blocks has a lock */
    move_block(thread, (uintptr_t)block);
    thread->guard--;
}

void tm_tracker_after_fork(void)
{
    tm_lock_reset(&loose_frames_lock);
}
