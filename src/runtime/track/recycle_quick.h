/* SPDX-License-Identifier: MIT */
/* The commonest birth of a recycled object: it is born where the object before it in the same block was born, so that
 * its block stays with its trace.  Decided as in tracker_quick.h, and by it; of the block and its counters nothing is
 * changed.
 *
 * Threads  any: only the holder of the main interpreter's GIL gets a yes, notes his newest frame, or marks it.
 * Signals  those of the doors' quick ways. */
#ifndef TM_RUNTIME_TRACK_RECYCLE_QUICK_H
#define TM_RUNTIME_TRACK_RECYCLE_QUICK_H

#include "runtime/track/tracker_quick.h"

/* True: the block at ADDRESS belongs to the trace of the present stack.  False: it may have to move. */
TM_INLINE bool tm_recycle_stays(uintptr_t address, enum tm_quick_way way)
{
    struct tm_runtime *runtime = &tm_runtime;
    const size_t top_sizes = atomic_load_explicit(&tm_life_page.top_sizes, memory_order_relaxed);
    const size_t stack_sizes = atomic_load_explicit(&tm_life_page.stack_sizes, memory_order_relaxed);
    struct tm_trace_found now;
    if (TM_UNLIKELY(tm_block_is_odd(&runtime->blocks, address))) {
        return false;
    }
    const tm_slot_half *slot = tm_block_slot(&runtime->blocks, address);
    const uint32_t word = TM_LIKELY(slot != NULL) ? tm_slot_load(slot) : 0;
    if (TM_UNLIKELY(!tm_slot_is_plain(word))) {
        return false;
    }
    const struct tm_record *record = tm_runtime_record_of(runtime, word);
    const size_t size = record->size;
    if (size - TM_QUICK_SIZE_MIN < top_sizes) {
        return tm_quick_record(runtime, record->domain, (uint16_t)size, &now, way) && now.word == word;
    }
    if (size - TM_QUICK_SIZE_MIN >= stack_sizes) {
        return false;
    }
    const enum tm_quick_stack stack =
        TM_LIKELY(runtime->watermark.state == TM_WATERMARK_OFF)
            ? tm_quick_stack_look(runtime, record->domain, (uint16_t)size, &now, way, false)
            : tm_quick_stack_look(runtime, record->domain, (uint16_t)size, &now, way, true);
    return stack == TM_STACK_KNOWN && now.word == word;
}

#endif
