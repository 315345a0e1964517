/* SPDX-License-Identifier: MIT */
#include "runtime/track/sampled_frames.h"

#include "runtime/track/runtime_state.h"

static uint32_t voids(const struct tm_runtime *runtime)
{
    return atomic_load_explicit(&runtime->cache.voids, memory_order_relaxed);
}

/* TM_FRAME_MEMO_NONE: nothing is known of RAW, or no more. */
static unsigned place_of(const struct tm_runtime *runtime, const struct tm_raw_frame *raw)
{
    const struct tm_sampled_frames *frames = &runtime->sampled_frames;
    const unsigned place = tm_frame_memo_find(&frames->memo, runtime->layout, raw);
    return place != TM_FRAME_MEMO_NONE && frames->found[place].voids == voids(runtime) ? place : TM_FRAME_MEMO_NONE;
}

uint32_t tm_sampled_frames_find(const struct tm_runtime *runtime, const struct tm_raw_frame *raw)
{
    const unsigned place = place_of(runtime, raw);
    return place != TM_FRAME_MEMO_NONE ? runtime->sampled_frames.found[place].frame : 0;
}

static bool is_same(const struct tm_record_key *key, const struct tm_record_key *other)
{
    return key->epoch == other->epoch && key->size == other->size && key->domain == other->domain &&
           key->owner == other->owner;
}

uint32_t tm_sampled_frames_record(const struct tm_runtime *runtime, const struct tm_raw_frame *raw,
                                  const struct tm_record_key *key)
{
    const unsigned place = place_of(runtime, raw);
    if (place == TM_FRAME_MEMO_NONE) {
        return 0;
    }
    const struct tm_sampled_frame *found = &runtime->sampled_frames.found[place];
    return is_same(&found->key, key) ? found->record : 0;
}

/* Between these a place is written; who peeks meanwhile knows nothing.  It is odd already where a child was made past
 * pthread_atfork while another thread wrote. */
static void begin_to_write(struct tm_sampled_frame *found)
{
    const uint32_t version = atomic_load_explicit(&found->version, memory_order_relaxed);
    atomic_store_explicit(&found->version, version | 1U, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static void end_to_write(struct tm_sampled_frame *found)
{
    const uint32_t version = atomic_load_explicit(&found->version, memory_order_relaxed);
    atomic_store_explicit(&found->version, version + 1, memory_order_release);
}

void tm_sampled_frames_keep(struct tm_runtime *runtime, const struct tm_raw_frame *raw,
                            const struct tm_frame_names *names, const struct tm_line_cursor *cursor, uint32_t id)
{
    struct tm_sampled_frames *frames = &runtime->sampled_frames;
    struct tm_sampled_frame *found = &frames->found[tm_frame_memo_index(raw)];
    begin_to_write(found);
    if (tm_frame_memo_keep(&frames->memo, runtime->layout, raw, names, cursor) != TM_FRAME_MEMO_NONE) {
        found->voids = voids(runtime);
        found->frame = id;
        found->record = 0;
    }
    end_to_write(found);
}

void tm_sampled_frames_keep_record(struct tm_runtime *runtime, const struct tm_raw_frame *raw,
                                   const struct tm_record_key *key, uint32_t record)
{
    const unsigned place = place_of(runtime, raw);
    if (place != TM_FRAME_MEMO_NONE) {
        struct tm_sampled_frame *found = &runtime->sampled_frames.found[place];
        begin_to_write(found);
        found->key = *key;
        found->record = record;
        end_to_write(found);
    }
}
