/* SPDX-License-Identifier: MIT */
/* Mappings become counters of the mmap domain: what the doors of mmap, munmap, mremap and mprotect call.
 *
 * A block of this domain is a range of anonymous pages that the program may touch.  Ranges of files and addresses
 * without rights are known too, in no record: a snapshot says how many bytes they are.  A range that is cut in two is
 * two blocks; one that lost a part has fewer bytes.  The domain is in no total of traced memory.
 *
 * Not heard are the mappings that libc makes by itself: of malloc, of thread stacks, of libraries.
 *
 * Guard    as for the tracker: the doors call these with the guard down, unless it is said.
 * Threads  any; one lock, which no call of the application is made under.
 * errno    kept.   Signals  safe: an event that interrupts our own work is passed on unrecorded.
 * Errors   none are shown: what could not be recorded is counted in the store's header. */
#ifndef TM_RUNTIME_TRACK_MAP_TRACKER_H
#define TM_RUNTIME_TRACK_MAP_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/os/thread_state.h"
#include "runtime/table/map_table.h"

/* SIZE bytes (rounded up to pages here) were mapped at START, replacing what was there. */
void tm_map_tracker_add(struct tm_thread *thread, uintptr_t start, size_t size, enum tm_map_kind kind);

/* The rights of the range were changed: RESERVED, there are none now. */
void tm_map_tracker_protect(struct tm_thread *thread, uintptr_t start, size_t size, bool reserved);

/* A call that takes ranges away: nobody else may get their addresses before the table has forgotten them, so the lock
 * is held from before the real call until what came of it was told.  Without events between. */
void tm_map_tracker_lock(struct tm_thread *thread);
void tm_map_tracker_unlock(struct tm_thread *thread);

/* Between the two: the range is gone. */
void tm_map_tracker_remove(struct tm_thread *thread, uintptr_t start, size_t size);

/* Between the two: the kind of the range in which START lies; TM_MAP_KINDS: it is not known. */
enum tm_map_kind tm_map_tracker_kind(uintptr_t start);

/* True when no range is known: nothing has to be removed.  Any guard. */
bool tm_map_tracker_is_empty(void);

/* Sums for a snapshot. */
struct tm_map_sums {
    uint64_t bytes[TM_MAP_KINDS];
    uint32_t counts[TM_MAP_KINDS]; /* ranges */
    uint64_t resident;             /* bytes of the private ranges with a page behind them; 0: too many to look */
};
/* False: the table is being changed, perhaps by the very thread that a signal handler interrupted. */
TM_CHECKED bool tm_map_tracker_sums(struct tm_map_sums *sums);

/* How many ranges there are in records, about: they may be changed just now. */
size_t tm_map_tracker_count(void);

/* Calls VISIT, which may take no lock, for each range in order of address.  False as above. */
TM_CHECKED bool tm_map_tracker_each(void (*visit)(const struct tm_map_extent *extent, void *context), void *context);

/* pthread_atfork.  The parent does not wait for the lock without end: another thread may hold it inside an allocator's
 * own call, and wait for that allocator's fork handler. */
void tm_map_tracker_before_fork(void);
void tm_map_tracker_after_fork_parent(void);
/* In a forked child, made by whatever way: a table that was being changed is forgotten. */
void tm_map_tracker_after_fork_child(void);

#endif
