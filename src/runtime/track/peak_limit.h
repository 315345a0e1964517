/* SPDX-License-Identifier: MIT */
/* What python_held may be before a free of Python's leaves a maximum: one comparison at a door, instead of the sums of
 * all totals and both peaks.
 *
 * The limit is the lower of what the two peaks leave for python_held.  Peaks rise: then it is lower than it must be,
 * and the next free above it makes a new one.  What makes it too high lowers it under the GIL (a native block; when that
 * goes again the limit rises, for which what the heap's peak leaves is kept apart), or voids it.  Where threads tell
 * native blocks without the GIL it leaves them half of what there is: they void it when native_loose passes
 * native_limit.
 *
 * Threads  tm_limit_renew: the holder of the GIL.  tm_limit_void: any.   Signals  safe.   errno  kept.   Errors
 * none. */
#ifndef TM_RUNTIME_TRACK_PEAK_LIMIT_H
#define TM_RUNTIME_TRACK_PEAK_LIMIT_H

#include "runtime/track/runtime_state.h"

/* What the limit was made of has changed, and it may be too high.  To be called after the change. */
TM_INLINE void tm_limit_void(void)
{
    (void)atomic_exchange_explicit(&tm_life_page.free_stamp, 0, memory_order_acq_rel);
}

/* Makes a new limit, where the old one is void or was passed. */
void tm_limit_renew(const struct tm_totals *totals);

#endif
