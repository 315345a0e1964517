/* SPDX-License-Identifier: MIT */
/* The long way from raw frames to a record: names, frame, traceback, record, each found or made.
 *
 * Taken when the cache does not know the stack.  Raises the guard and takes the intern lock.   errno  kept. */
#ifndef TM_RUNTIME_TRACK_CAPTURE_H
#define TM_RUNTIME_TRACK_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/os/thread_state.h"
#include "runtime/unwind/raw_frame.h"

struct tm_captured {
    uint32_t record; /* 0: there is no room for one more, the event is dropped and counted */
    bool may_cache;  /* the death of every code object of the stack will be heard: RECORD may be remembered for it */
};

/* FRAMES are COUNT frames of the calling thread, oldest first, still running.  NOTES[i] is the traceback of the frames
 * 0 to i, or 0 when it is not known; those that may be remembered are filled in.  NOTES may be NULL.  SIZE is exact or
 * TM_SIZE_VARIES. OWNER is that of the record. */
struct tm_captured tm_capture_record(struct tm_thread *thread, const struct tm_raw_frame *frames, unsigned count,
                                     uint32_t *notes, uint8_t domain, uint16_t size, uint16_t owner);

/* The block at CODE was freed: if it was a known code object, all that was learned of it is void.  HELD: by who holds
 * the GIL of the main interpreter; otherwise more is void, for it cannot be told what others remember. */
void tm_capture_forget_code(struct tm_thread *thread, uintptr_t code, bool held);

#endif
