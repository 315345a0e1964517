/* SPDX-License-Identifier: MIT */
/* Sampled blocks in one piece, as they mostly are: one frame that was sampled before, and words of the caller's own.
 *
 * A sample comes so seldom that nothing of this is in the cache, neither code nor data, and no branch is foreseen: so
 * it is short, in one place, takes no lock, and touches few lines.
 * The laws are those of tracker.h.   Guard  is 0. */
#ifndef TM_RUNTIME_TRACK_TRACKER_SAMPLED_H
#define TM_RUNTIME_TRACK_TRACKER_SAMPLED_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/os/thread_state.h"

/* tm_tracker_alloc of a block that the sampler takes; answers BLOCK. */
void *tm_tracker_alloc_sampled(struct tm_thread *thread, uint8_t domain, void *block, size_t size);

/* tm_tracker_take of a block that was sampled: the id of its record.  0: nothing has happened, the general way is to
 * decide. */
uint32_t tm_tracker_take_sampled(struct tm_thread *thread, const void *block);

#endif
