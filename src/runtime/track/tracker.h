/* SPDX-License-Identifier: MIT */
/* Events become counters: what the doors call.
 *
 * Guard    a door calls these with the guard down (thread->guard == 0 on entry of the door); they never call the
 *          application, malloc, stdio or the C API of Python.
 * Order    a free or realloc takes the block out BEFORE the real call (another thread may get the address at once),
 *          a realloc enters the new block after it and puts the old one back when the call failed.
 * errno    kept by every function.
 * Threads  all functions, any thread, no lock in the common case.
 * Signals  safe: an event that interrupts our own work finds the guard up and is passed on unrecorded.
 * Errors   none are shown: what could not be recorded is counted in the store's header. */
#ifndef TM_RUNTIME_TRACK_TRACKER_H
#define TM_RUNTIME_TRACK_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/os/thread_state.h"
#include "tracemalloc/snapshot_format.h"

struct tm_record;

#define TM_TAKEN_TEMPORARY 1U /* was counted as one */

/* A block that was taken out, for putting it back. */
struct tm_taken {
    uint64_t size;   /* bytes, as the application asked for */
    uint32_t record; /* id of its record; 0: it was not traced (taken all the same when only its code was known) */
    uint32_t flags;  /* the tracker's own */
};

/* The block BLOCK of SIZE bytes was handed to the application by DOMAIN's allocator.  BLOCK is not NULL.
 * A block already known at that address had its free missed: it is taken out first. */
void tm_tracker_alloc(struct tm_thread *thread, enum tm_domain domain, const void *block, size_t size);

/* The same with nothing presumed; answers BLOCK. */
void *tm_tracker_alloc_generally(struct tm_thread *thread, uint8_t domain, void *block, size_t size);

/* The same of a native block, first as it mostly is in a thread that runs Python.  THREAD's guard is 0. */
void tm_tracker_alloc_native(struct tm_thread *thread, void *block, size_t size);

/* tm_tracker_take of a native block that was made under the GIL, where THREAD holds it and nothing rare is to be done.
 * False: nothing has happened.  THREAD's guard is 0. */
bool tm_tracker_take_held(struct tm_thread *thread, const void *block);

/* For the former: the word of the record of a block of THREAD, which holds the GIL of the main interpreter, by
 * tm_size_class; 0: none is known; the word of record 0: there is no room for it, the event is dropped and counted. */
uint32_t tm_tracker_held_word(struct tm_thread *thread, uint8_t domain, uint16_t size);

/* The same for DOMAIN mem or obj, first as it mostly is before an interpreter runs its first frame. */
void *tm_tracker_alloc_early(struct tm_thread *thread, uint8_t domain, void *block, size_t size);

/* For tracker_quick.h, where its way ends (tracker_rest.c): tm_tracker_alloc for DOMAIN mem or obj, once for each enum
 * tm_quick_way, and again for what comes from a door for more than one frame, for a stack that stands there but has no
 * known record, and for machine frames; the first three also for what comes from a door that has raised no guard
 * (small: BLOCK may be NULL, or no event); and the same for a small block of the record that WORD names, whose peaks
 * must be saved first, and whose free SLOT is at hand.  All answer BLOCK, so that they can be a door's last act. */
void *tm_tracker_rest(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_deep(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_unknown(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_shared(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_shared_deep(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_shared_unknown(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_deep(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_unknown(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_cframe(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_cframe_deep(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_cframe_unknown(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_small(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_small_deep(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_small_unknown(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_shared_small(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_shared_small_deep(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_shared_small_unknown(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_small(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_small_deep(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_small_unknown(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_cframe_small(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_cframe_small_deep(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_cframe_small_unknown(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_native(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_shared_native(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_native(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_rest_own_cframe_native(struct tm_thread *thread, uint8_t domain, void *block, size_t size);
void *tm_tracker_enter_known(struct tm_thread *thread, void *block, size_t size, _Atomic uint16_t *slot, uint32_t word);

/* The quick ways were opened or closed: chooses how tm_tracker_rest goes on. */
void tm_tracker_choose_rest(void);

/* tm_tracker_take for the block at ADDRESS, of RECORD, whose slot is SLOT and plain, where the caller has seen that a
 * stamp is in force, so that it may look for the GIL of the main interpreter, and holds it.  False: nothing has
 * happened, the general way is to decide. */
bool tm_tracker_take_long(struct tm_thread *thread, uintptr_t address, _Atomic uint16_t *slot, struct tm_record *record,
                          struct tm_taken *taken);

/* BLOCK is about to be freed or moved.  True: it was known and is taken out, *TAKEN says what it was.
 * False: not known here; the door then leaves the guard down, so that the door behind it hears the call.
 * BLOCK may be NULL (false). */
bool tm_tracker_take(struct tm_thread *thread, const void *block, struct tm_taken *taken);

/* The real realloc of BLOCK failed: it is alive after all, with the size and traceback that it had. */
void tm_tracker_put_back(struct tm_thread *thread, const void *block, const struct tm_taken *taken);

/* The SIZE bytes at AREA go back to the kernel, and nothing in them is in use: blocks that are still known there had
 * their frees missed and are taken out, and what the table kept for the area is given back. */
void tm_tracker_forget_area(struct tm_thread *thread, const void *area, size_t size);

/* CPython gives out the object in BLOCK (start of its allocator's block) anew, from a free list or just
 * allocated.  Moves a known block to the current traceback; an unknown one is left unknown. */
void tm_tracker_recycle(struct tm_thread *thread, const void *block);

#endif
