/* SPDX-License-Identifier: MIT */
/* The frames of sampled events, and the records of those whose traceback is one frame, by what they were made of
 * (unwind/frame_memo.h): where only sampled blocks are recorded nobody hears code objects die, so that nothing may be
 * remembered by their addresses alone.
 *
 * Void when the trace cache is, since ids are given back.
 * Threads  the intern lock, but for what peeks; the frame is still running.   Signals  the guard is up.   errno  kept.
 * Errors   none. */
#ifndef TM_RUNTIME_TRACK_SAMPLED_FRAMES_H
#define TM_RUNTIME_TRACK_SAMPLED_FRAMES_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/line_cursor.h"
#include "runtime/table/record_table.h"
#include "runtime/unwind/frame_memo.h"

struct tm_runtime;

/* All zero: empty. */
struct tm_sampled_frames {
    struct tm_sampled_frame {
        _Atomic uint32_t version; /* odd while it, or its place in the memo, is written */
        uint32_t voids;           /* of the trace cache, when it was found */
        uint32_t frame;
        uint32_t record; /* of KEY, which has no traceback: this frame alone is it; 0: none */
        struct tm_record_key key;
    } __attribute__((aligned(32))) found[TM_FRAME_MEMO_PLACES]; /* beside the memo's places */
    struct tm_frame_memo memo;
};

/* The id of the frame RAW; 0: it is not known. */
uint32_t tm_sampled_frames_find(const struct tm_runtime *runtime, const struct tm_raw_frame *raw);

/* The record whose traceback is RAW alone; KEY says the rest.  0: it is not known. */
uint32_t tm_sampled_frames_record(const struct tm_runtime *runtime, const struct tm_raw_frame *raw,
                                  const struct tm_record_key *key);

/* The same without the lock, where VOIDS is what the trace cache says: 0 also where that cannot be told at once. */
TM_INLINE uint32_t tm_sampled_frames_peek(const struct tm_sampled_frames *frames,
                                          const struct tm_cpython_layout *layout, const struct tm_raw_frame *raw,
                                          const struct tm_record_key *key, uint32_t voids)
{
    const unsigned place = tm_frame_memo_index(raw);
    const struct tm_sampled_frame *found = &frames->found[place];
    const uint32_t version = atomic_load_explicit(&found->version, memory_order_acquire);
    const uint32_t record = found->record;
    const uint32_t differs = (version & 1U) | (found->voids ^ voids) | (found->key.epoch ^ key->epoch) |
                             (uint32_t)(found->key.size ^ key->size) | (uint32_t)(found->key.domain ^ key->domain) |
                             (uint32_t)(found->key.owner ^ key->owner);
    if (TM_UNLIKELY(differs != 0) ||
        TM_UNLIKELY(!tm_memo_frame_is(&frames->memo.places[place], layout, raw, tm_python_raw_code(layout, raw)))) {
        return 0;
    }
    atomic_thread_fence(memory_order_acquire);
    return TM_LIKELY(atomic_load_explicit(&found->version, memory_order_relaxed) == version) ? record : 0;
}

/* RAW, whose NAMES were found by CURSOR (see tm_frame_memo_keep), is frame ID. */
void tm_sampled_frames_keep(struct tm_runtime *runtime, const struct tm_raw_frame *raw,
                            const struct tm_frame_names *names, const struct tm_line_cursor *cursor, uint32_t id);

/* RECORD is that of RAW alone, and KEY. */
void tm_sampled_frames_keep_record(struct tm_runtime *runtime, const struct tm_raw_frame *raw,
                                   const struct tm_record_key *key, uint32_t record);

#endif
