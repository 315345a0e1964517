/* SPDX-License-Identifier: MIT */
/* The commonest events in one piece, inlined into the doors: small blocks of mem and obj, under the GIL, of a stack or
 * block that was seen before.  Each decides first and changes afterwards: on false nothing has happened, and the
 * general way in tracker.c begins anew. */
#ifndef TM_RUNTIME_TRACK_TRACKER_QUICK_H
#define TM_RUNTIME_TRACK_TRACKER_QUICK_H

#include "runtime/track/counting.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/trace_key.h"
#include "runtime/os/thread_state.h"
#include "runtime/unwind/python_frame.h"

/* The thread state of the caller, which holds the GIL of the main interpreter; 0 when it is another's. */
TM_INLINE uintptr_t tm_quick_tstate(const struct tm_runtime *runtime)
{
    uintptr_t tstate = tm_cpython_tstate_held(&runtime->python);
    return TM_LIKELY(tstate != 0) && TM_LIKELY(tm_cpython_is_main(&runtime->python, tstate)) ? tstate : 0;
}

/* The record of an event with one frame per traceback, when the cache has it.  A place gets into the cache only from a
 * frame that counts, so a hit tells that the newest frame counts without looking at its code. */
TM_INLINE uint32_t tm_quick_record(const struct tm_runtime *runtime, uint8_t domain, uint16_t size)
{
    const struct tm_cpython_layout *row = &runtime->python.row;
    uintptr_t tstate = tm_quick_tstate(runtime);
    uintptr_t frame = TM_LIKELY(tstate != 0) ? tm_python_frame_newest(row, tstate) : 0;
    if (TM_UNLIKELY(frame == 0)) {
        return 0;
    }
    struct tm_raw_frame top = {.place = tm_python_word(frame, row->frame_instruction), .offset = 0};
    struct tm_trace_key key = tm_trace_key_of_top(&runtime->cache, &top, 1, domain, size);
    return tm_trace_cache_held(&runtime->cache, key.key, key.check);
}

/* tm_tracker_alloc for DOMAIN mem or obj. */
TM_INLINE bool tm_quick_alloc(struct tm_thread *thread, uint8_t domain, const void *block, size_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    uintptr_t address = (uintptr_t)block;
    if (TM_UNLIKELY(atomic_load_explicit(&tm_life_page.is_quick, memory_order_relaxed) == 0) ||
        size > TM_SMALL_SIZE_MAX || TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return false;
    }
    uint32_t id = tm_quick_record(runtime, domain, (uint16_t)size);
    tm_slot_word *slot = tm_block_slot(&runtime->blocks, address);
    if (TM_UNLIKELY(id == 0) || TM_UNLIKELY(slot == NULL) || TM_UNLIKELY(tm_slot_load(slot) != 0)) {
        return false;
    }
    struct tm_record *record = &runtime->records.records[id];
    tm_slot_store(slot, id);
    tm_record_save_peaks(runtime, id, record);
    tm_word_add(&record->ever_blocks, 1);
    tm_word_add(&runtime->totals->python_held, size);
    thread->last_block = address;
    thread->newborn = address;
    return true;
}

/* tm_tracker_take at a door of mem or obj, when nobody asks what was taken. */
TM_INLINE bool tm_quick_take(struct tm_thread *thread, const void *block)
{
    struct tm_runtime *runtime = &tm_runtime;
    uintptr_t address = (uintptr_t)block;
    if (TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return false;
    }
    tm_slot_word *slot = tm_block_slot(&runtime->blocks, address);
    uint32_t id = TM_LIKELY(slot != NULL) ? tm_slot_load(slot) : 0;
    if (TM_UNLIKELY(id > TM_SLOT_RECORD)) {
        return false;
    }
    struct tm_record *record = &runtime->records.records[id];
    if (record->stamp != atomic_load_explicit(&tm_life_page.stamp, memory_order_relaxed) ||
        TM_UNLIKELY(tm_quick_tstate(runtime) == 0)) {
        return false;
    }
    tm_slot_store(slot, 0);
    tm_totals_leave(runtime->totals);
    tm_record_save_peaks(runtime, id, record);
    tm_word_add(&record->freed_blocks, 1);
    tm_word_add(&runtime->totals->python_held, 0 - (uint64_t)record->size);
    if (thread->last_block == address) {
        thread->last_block = 0;
        tm_word_add(&record->temporary_blocks, 1);
    }
    return true;
}

#endif
