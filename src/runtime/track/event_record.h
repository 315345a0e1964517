/* SPDX-License-Identifier: MIT */
/* Who runs an event, and which record it belongs to: the stack, the cache of known stacks, or the long way.
 *
 * For the tracker.   Threads  any.   errno  kept.   Signals  the guard goes up where a handler must not come in. */
#ifndef TM_RUNTIME_TRACK_EVENT_RECORD_H
#define TM_RUNTIME_TRACK_EVENT_RECORD_H

#include "runtime/os/thread_state.h"
#include "runtime/track/runtime_state.h"
#include "runtime/unwind/stack_cache.h"
#include "tracemalloc/snapshot_format.h"

enum tm_attachment {
    TM_DETACHED,
    TM_ATTACHED, /* holds the GIL of its interpreter, or is attached in a free-threaded build: tstate stays */
    TM_HELD,     /* the same, and it is the GIL of the main interpreter */
};

/* Two words, so that it is handed over in registers as it is: smaller members, stored one by one and loaded at once,
 * wait for the stores. */
struct tm_caller {
    uintptr_t tstate; /* 0: no Python frames */
    enum tm_attachment attachment;
};

/* The row of the interpreter is trusted once it was checked against real frames: those of TSTATE. */
TM_COLD void tm_event_check_layout(struct tm_thread *thread, uintptr_t tstate);

/* DOMAIN tells what the door knows: mem and obj are called under the GIL. */
TM_INLINE struct tm_caller tm_event_caller(struct tm_thread *thread, uint8_t domain)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_caller caller = {0, TM_DETACHED};
    bool is_attached;
    if (TM_UNLIKELY(!runtime->python_is_found)) {
        return caller;
    }
    if (domain == TM_DOMAIN_OBJ || domain == TM_DOMAIN_MEM) {
        caller.tstate = tm_cpython_tstate_held(&runtime->python);
        is_attached = caller.tstate != 0;
    } else {
        thread->guard++; /* a libpython loaded by dlopen: the first touch of its thread-local storage calls malloc */
        caller.tstate = tm_cpython_tstate_own(&runtime->python, &is_attached);
        thread->guard--;
    }
    if (is_attached) {
        caller.attachment = tm_cpython_is_main(&runtime->python, caller.tstate) ? TM_HELD : TM_ATTACHED;
    }
    if (TM_UNLIKELY(!runtime->layout_is_decided) && caller.tstate != 0 &&
        !(caller.attachment == TM_HELD && tm_cpython_shows_no_frame(&runtime->python, caller.tstate))) {
        tm_event_check_layout(thread, caller.tstate);
    }
    return caller;
}

/* Whose words an event of THREAD, which is CALLER, moves. */
TM_INLINE struct tm_account tm_event_account(struct tm_thread *thread, struct tm_caller caller)
{
    const struct tm_tally *tally;
    if (TM_LIKELY(caller.attachment == TM_HELD)) {
        tally = tm_tally_peek(thread);
        return (struct tm_account){TM_OWNER_HELD, tally == NULL ? NULL : tally->line};
    }
    tally = tm_tally_of(thread);
    return TM_LIKELY(tally != NULL) ? (struct tm_account){tally->number, tally->line}
                                    : (struct tm_account){TM_OWNER_NONE, NULL};
}

TM_INLINE uint16_t tm_size_class(size_t size)
{
    return size <= TM_SMALL_SIZE_MAX ? (uint16_t)size : TM_SIZE_VARIES;
}

/* The quick ways take a place in the cache as proof that the newest frame counts.  NEWEST is a frame that counts. */
TM_INLINE bool tm_event_may_be_quick(const struct tm_cpython_layout *layout, const struct tm_raw_frame *newest)
{
    return tm_stack_counts_anywhere(layout, newest);
}

/* The record of an event of the calling thread now; 0: there was no room for one, the event is dropped and counted. */
uint32_t tm_event_record(struct tm_thread *thread, struct tm_caller caller, uint8_t domain, uint16_t size);

/* The same of an event that holds the GIL of the main interpreter, whose thread state is TSTATE, while tracebacks have
 * more than one frame and no machine frames are wanted. */
uint32_t tm_event_stack_record(struct tm_thread *thread, uintptr_t tstate, uint8_t domain, uint16_t size);

/* The same where the stack cache was brought to the present stack, not an empty one, and the trace cache does not know
 * it.  THREAD's guard is up since. */
uint32_t tm_event_stack_capture(struct tm_thread *thread, uint8_t domain, uint16_t size);

/* In a forked child. */
void tm_event_after_fork(void);

#endif
