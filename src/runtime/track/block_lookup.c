/* SPDX-License-Identifier: MIT */
/* From an address to the traceback of its block, for the control API. */
#include <errno.h>

#include "runtime/os/thread_state.h"
#include "runtime/track/runtime_state.h"

#define REACH (UINT64_C(1) << 40) /* bytes: no block is larger */

/* The record of the live traced block around ADDRESS, 0: none. */
static uint32_t record_around(const struct tm_runtime *runtime, uintptr_t address)
{
    struct tm_block block;
    uintptr_t start = tm_block_table_start_below(&runtime->blocks, address, REACH);
    if (start == 0 || !tm_block_table_find(&runtime->blocks, start, &block)) {
        return 0;
    }
    uint32_t id = block.word & TM_SLOT_RECORD;
    if (id >= tm_record_count(&runtime->records)) {
        return 0; /* read while the block came or went: halves of two */
    }
    const struct tm_record *record = &runtime->records.records[id];
    uint64_t size = record->size == TM_SIZE_VARIES ? block.size : record->size;
    bool counts = record->epoch >= atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed);
    /* A block of no bytes has an address all the same. */
    return id != 0 && counts && address - start < (size == 0 ? 1 : size) ? id : 0;
}

int tm_runtime_traceback_of(const void *address, uint32_t *traceback, unsigned *frames)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_thread *thread = tm_thread_self();
    *traceback = 0;
    *frames = 0;
    if (!tm_runtime_is_tracing()) {
        return ENODATA;
    }
    thread->guard++;
    uint32_t id = record_around(runtime, (uintptr_t)address);
    thread->guard--;
    if (id == 0) {
        return ENOENT;
    }
    *traceback = runtime->records.records[id].traceback;
    for (uint32_t at = *traceback; at != 0; at = tm_traceback_at(&runtime->store, at)->parent) {
        ++*frames;
    }
    return 0;
}

uint32_t tm_runtime_frame_of(uint32_t traceback, struct tm_runtime_frame *frame)
{
    const struct tm_live_store *store = &tm_runtime.store;
    const struct tm_stored_traceback *item = tm_traceback_at(store, traceback);
    const struct tm_stored_frame *stored = tm_frame_at(store, item->frame);
    tm_runtime.aging.texts_are_out = true;
    if (tm_frame_is_native(stored)) {
        *frame = (struct tm_runtime_frame){tm_string_at(store, tm_frame_at(store, stored->file)->file, NULL), "", 0};
        return item->parent;
    }
    frame->filename = tm_string_at(store, stored->file, NULL);
    frame->function = tm_string_at(store, stored->function, NULL);
    frame->line = stored->line;
    return item->parent;
}
