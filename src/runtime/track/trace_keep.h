/* SPDX-License-Identifier: MIT */
/* What a capture has found goes into the cache of whoever holds the GIL, where it is still true. */
#ifndef TM_RUNTIME_TRACK_TRACE_KEEP_H
#define TM_RUNTIME_TRACK_TRACE_KEEP_H

#include "runtime/os/thread_state.h"
#include "runtime/track/trace_key.h"

/* KEY, made before the capture of the newest Python frame FRAME (NULL: of machine frames, or of none), is of RECORD.
 * THREAD holds the GIL and none of our locks.  errno kept; what cannot be kept is found again. */
void tm_trace_keep(struct tm_thread *thread, const struct tm_trace_key *key, const struct tm_raw_frame *frame,
                   uint32_t record);

#endif
