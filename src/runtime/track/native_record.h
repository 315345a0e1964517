/* SPDX-License-Identifier: MIT */
/* The record of an event whose traceback has machine frames.
 *
 * Threads  any.   Signals  the guard goes up.   errno  kept. */
#ifndef TM_RUNTIME_TRACK_NATIVE_RECORD_H
#define TM_RUNTIME_TRACK_NATIVE_RECORD_H

#include "runtime/track/event_record.h"

/* tm_event_record with machine frames.  False: none are wanted of DOMAIN, or all buffers are in use; then nothing has
 * happened. */
TM_CHECKED bool tm_native_record(struct tm_thread *thread, struct tm_caller caller, uint8_t domain, uint16_t size,
                                 uint32_t *record);

#endif
