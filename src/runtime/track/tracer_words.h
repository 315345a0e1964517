/* SPDX-License-Identifier: MIT */
/* What the tracer's own memory beside the store is, kept in the store's header for readers outside. */
#ifndef TM_RUNTIME_TRACK_TRACER_WORDS_H
#define TM_RUNTIME_TRACK_TRACER_WORDS_H

#include <stddef.h>

#include "runtime/track/runtime_state.h"

/* Bytes of the tables that are there in whole, other than the block table's.  Under the intern lock. */
size_t tm_tracer_whole_bytes(const struct tm_runtime *runtime);

/* Brings the header up to date; a few loads and stores, and one lock.  Under the intern lock. */
void tm_tracer_words_update(struct tm_runtime *runtime);

#endif
