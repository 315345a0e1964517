/* SPDX-License-Identifier: MIT */
/* Begins to count from 0, beside threads that go on counting.
 *
 * The holder of the GIL changes the totals by plain additions.  One that is under way in another thread while they
 * become 0 writes back what there was, and all of that would stay counted.  So who begins without the GIL looks a
 * moment later whether that has happened.
 *
 * What stays is the event in which each thread without the GIL is just then, and each other thread where the caller has
 * not the GIL: seen to be of the new epoch or the old one when it began, it moves the totals on the other side of the
 * change, by one block, until the next epoch.  To prevent that each event would have to look again when it is done.
 * Threads  under the life lock, guard up.   errno  kept. */
#ifndef TM_RUNTIME_TRACK_BASE_EPOCH_H
#define TM_RUNTIME_TRACK_BASE_EPOCH_H

#include "runtime/os/thread_state.h"

/* Nothing that is live now is counted any more.  Sleeps, if the calling THREAD has not the GIL, some ten
 * microseconds. */
void tm_base_epoch_begin(struct tm_thread *thread);

/* The peaks become what is live now. */
void tm_peaks_reset(void);

#endif
