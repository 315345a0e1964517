/* SPDX-License-Identifier: MIT */
#include "runtime/track/trace_keep.h"

void tm_trace_keep_tend(struct tm_trace_cache *cache)
{
    tm_lock_take(&tm_runtime.intern_lock);
    tm_trace_cache_tend(cache);
    tm_lock_release(&tm_runtime.intern_lock);
}
