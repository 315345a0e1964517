/* SPDX-License-Identifier: MIT */
#include "runtime/track/trace_keep.h"

#include "runtime/track/runtime_state.h"

/* A generation that began since KEY was made has moved its version, and has what is put before the next tending emptied. */
static bool is_still_true(const struct tm_trace_cache *cache, const struct tm_trace_key *key,
                          const struct tm_raw_frame *frame)
{
    return key->check ==
           (frame == NULL ? tm_trace_check(cache, 0) : tm_trace_check_of_place(cache, frame->place, frame->offset));
}

void tm_trace_keep(struct tm_thread *thread, const struct tm_trace_key *key, const struct tm_raw_frame *frame,
                   uint32_t record)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_trace_cache *cache = &runtime->cache;
    thread->guard++; /* a signal handler must not come back in here */
    if (TM_UNLIKELY(tm_trace_cache_wants_tending(cache))) {
        tm_lock_take(&runtime->intern_lock);
        tm_trace_cache_tend(cache);
        tm_lock_release(&runtime->intern_lock);
    }
    if (is_still_true(cache, key, frame)) {
        tm_trace_cache_put_held(cache, key->key, key->check, frame == NULL ? 0 : frame->place, record);
    }
    thread->guard--;
}
