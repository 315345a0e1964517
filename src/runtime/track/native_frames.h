/* SPDX-License-Identifier: MIT */
/* Machine frames in tracebacks: what is kept for them, and from an instruction to its frame in the store.
 *
 * Threads  as said.   Signals  the guard is up.   errno  kept. */
#ifndef TM_RUNTIME_TRACK_NATIVE_FRAMES_H
#define TM_RUNTIME_TRACK_NATIVE_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/table/code_table.h"
#include "runtime/unwind/merged_stack.h"
#include "runtime/unwind/seen_stacks.h"

#define TM_NATIVE_FRAMES    64U   /* machine frames of a traceback */
#define TM_NATIVE_LIMIT_MAX 1024U /* Python frames of a traceback with machine frames, whatever the limit */
#define TM_NATIVE_BUFFERS   32U   /* events at the same instant that can have machine frames */

/* The stack that a record was last made for, oldest first, and what tm_capture_record noted: the next one mostly
 * differs in its newest frames only. */
struct tm_native_captured {
    struct tm_raw_frame frames[TM_NATIVE_LIMIT_MAX + TM_NATIVE_FRAMES];
    uint32_t notes[TM_NATIVE_LIMIT_MAX + TM_NATIVE_FRAMES];
    uint32_t count;
    uint32_t generation; /* of the trace cache: the notes are void in another */
    uint32_t deaths;     /* likewise, of code */
};

/* The stacks of one event: too much for the stack of a small thread.  A thread takes the same one each time unless
 * another took it meanwhile, so that it mostly finds there the machine stack that it left. */
struct tm_native_buffer {
    _Atomic uint32_t is_taken;
    struct tm_known_stack known;
    struct tm_known_frame frames[TM_NATIVE_FRAMES], fresh[TM_NATIVE_FRAMES];
    struct tm_native_frame native[TM_NATIVE_FRAMES];
    struct tm_raw_frame python[TM_NATIVE_LIMIT_MAX];
    struct tm_raw_frame merged[TM_NATIVE_LIMIT_MAX + TM_NATIVE_FRAMES];
    struct tm_native_captured captured;
};

struct tm_native_state {
    bool is_ready;
    struct tm_step_cache steps;
    struct tm_native_skip own;
    struct tm_eval_code code;
    struct tm_seen_stacks seen;       /* of events under the GIL */
    struct tm_native_buffer *buffers; /* TM_NATIVE_BUFFERS; pages as they are touched */
    _Atomic uint32_t deaths;          /* of known code objects: what is known by their places is void */
    struct tm_code_table places;      /* instruction -> frame id, by object; under the intern lock */
};

struct tm_runtime;

/* In the constructor.  False without memory. */
TM_CHECKED bool tm_native_begin(struct tm_native_state *state);

/* In a forked child: other threads' buffers are nobody's, and what is half written is forgotten. */
void tm_native_after_fork(struct tm_native_state *state);

/* One hash of both stacks. */
TM_INLINE uint64_t tm_native_join_hashes(uint64_t native, uint64_t python)
{
    uint64_t hash = (native ^ (python << 32 | python >> 32)) * TM_HASH_MULTIPLIER;
    return hash ^ (hash >> 31);
}

/* The frame of the instruction PC, found or made; 0 when there is no room.  *MAY_CACHE becomes false when PC may come
 * to mean another instruction unheard.  Under the intern lock. */
uint32_t tm_native_frame_find(struct tm_runtime *runtime, uintptr_t pc, bool *may_cache);

#endif
