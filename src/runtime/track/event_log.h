/* SPDX-License-Identifier: MIT */
/* A log of all events that the tracker counts, in a file that outlives the process: for tests, which compare what the
 * counters say with what a replay of the log says.  Not in the library that is installed: without TM_EVENT_LOG these
 * calls are nothing.
 *
 *   TM_EVENT_LOG_FILE=PATH   is made, and the events go there
 *
 * An entry is complete before the event moves the first counter.  So of a process that was killed each thread has at
 * most one event in the log that was not counted, or not in full, and none that was counted but not logged.
 * The layout is event_layout.h's.  Any thread, no lock.  A forked child logs nothing. */
#ifndef TM_RUNTIME_TRACK_EVENT_LOG_H
#define TM_RUNTIME_TRACK_EVENT_LOG_H

#ifdef TM_EVENT_LOG
#include <stdint.h>

#include "store/store_layout.h"

enum tm_event_kind { TM_EVENT_ALLOC, TM_EVENT_FREE, TM_EVENT_MOVE };

void tm_event_log_begin(void);

/* The block at ADDRESS of SIZE bytes came, went, or was moved to another traceback; RECORD is its record from now on,
 * of a free until now. */
void tm_event_log(enum tm_event_kind kind, const struct tm_record *record, uintptr_t address, uint64_t size);
#else
#define tm_event_log_begin()                      ((void)0)
#define tm_event_log(kind, record, address, size) ((void)0)
#endif

#endif
