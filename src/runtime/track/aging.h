/* SPDX-License-Identifier: MIT */
/* Code that is made anew for ever (exec, templates, reloaded modules) must not fill the store for ever: what is known
 * of code that is gone, and of which no block is live, becomes one trace, (aged out), which keeps the sums.
 *
 * A frame has died when code that had it died and no code that is known has it now.  Of the tracebacks with such a
 * frame those go that have no live block and no child that has one; their records' figures are added to those of (aged
 * out) of the same domain and size; then the frames and names go that nothing else has.  Ids are given out again, in
 * the second round after the one in which they came back.
 *
 * Safe  because an event's own stack keeps its code alive: nobody counts an allocation for a traceback that goes.  A
 *       free has been counted when its record has no live block.
 * Cost  one pass over the store, when an eighth of what is in it may go, and 8192 frames at least, and as many as the
 *       last pass found to have died and had to keep.
 * Not   while sampling (nobody hears code die then) nor in a process that was given texts of frames (the control API
 *       promises that they stay): there names stay. */
#ifndef TM_RUNTIME_TRACK_AGING_H
#define TM_RUNTIME_TRACK_AGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/os/thread_state.h"
#include "runtime/table/id_set.h"

#define TM_AGING_FRAMES_MIN 8192U

struct tm_aging {
    struct tm_id_set died;   /* frames; under the intern lock */
    uint32_t next_count;     /* so many: a round */
    uint32_t next_records;   /* so many in use: look for those of older epochs */
    bool texts_are_out;      /* somebody outside has pointers to names */
    uint32_t aged_traceback; /* (aged out), once it was made */
};

/* After a capture, with the guard up or down and without our locks: begins a round when it is time.  Need not be called
 * while fewer frames than TM_AGING_FRAMES_MIN have died. */
void tm_aging_look(struct tm_thread *thread);

/* A base epoch begins: when records have become twice as many as the last time, those from before EPOCH are given back
 * of which no block is live.  So a program that clears or starts for ever has no more records than it has blocks and
 * traces. EPOCH is the base epoch that ends, so that no event is under way that could still count in one of them.
 * Under the life and the intern lock. */
void tm_aging_release_old_epochs(uint32_t epoch);

/* Bytes of its own memory, under the intern lock. */
size_t tm_aging_bytes(void);

/* A fork's image needs the names too: they may be others when the child looks. */
bool tm_aging_has_begun(void);

#endif
