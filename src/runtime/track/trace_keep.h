/* SPDX-License-Identifier: MIT */
/* What a capture has found goes into the cache of whoever holds the GIL, where it is still true. */
#ifndef TM_RUNTIME_TRACK_TRACE_KEEP_H
#define TM_RUNTIME_TRACK_TRACE_KEEP_H

#include "runtime/os/thread_state.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/trace_key.h"

/* tm_trace_cache_tend, and the lock that it wants. */
TM_COLD void tm_trace_keep_tend(struct tm_trace_cache *cache);

/* KEY, made before the capture of the newest Python frame FRAME (NULL: of machine frames, or of none), is of RECORD.
 * THREAD holds the GIL and none of our locks.  errno kept; what cannot be kept is found again. */
TM_INLINE void tm_trace_keep(struct tm_thread *thread, struct tm_trace_key key, const struct tm_raw_frame *frame,
                             uint32_t record)
{
    struct tm_trace_cache *cache = &tm_runtime.cache;
    thread->guard++; /* a signal handler must not come back in here */
    if (TM_UNLIKELY(tm_trace_cache_wants_tending(cache))) {
        tm_trace_keep_tend(cache);
    }
    /* A generation that began since KEY was made has moved its version, and has what is put before the next tending
     * emptied. */
    const uint32_t check =
        frame == NULL ? tm_trace_check(cache, 0) : tm_trace_check_of_place(cache, frame->place, frame->offset);
    if (TM_LIKELY(key.check == check)) {
        const bool was_known =
            atomic_load_explicit(&tm_runtime.records.records[record].ever_blocks, memory_order_relaxed) != 0;
        tm_trace_cache_put_held(cache, key.key, check, frame == NULL ? 0 : frame->place, record, was_known);
    }
    thread->guard--;
}

#endif
