/* SPDX-License-Identifier: MIT */
/* The life of the tracer in its process: begin, Python found, fork, snapshots, end.
 *
 * What the doors and the control API call beside the tracker.  struct tm_runtime itself is in runtime_state.h.
 * Threads  as said per function; the slow ones take one lock.
 * errno    kept by all. */
#ifndef TM_RUNTIME_TRACK_RUNTIME_H
#define TM_RUNTIME_TRACK_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/os/thread_state.h"
#include "base/config.h"
#include "runtime/unwind/cpython_runtime.h"

/* Constructor: reads the options, makes the tables and begins to trace if the options say so.  Called once, by the
 * first thread, with the guard up. */
void tm_runtime_begin(void);

/* True for ever when the options were wrong or the process runs with raised rights: the doors only forward. */
bool tm_runtime_is_disabled(void);
void tm_runtime_disable(void);

const struct tm_config *tm_runtime_config(void);

/* The interpreter of this process as tm_cpython_find filled it; the caller fills it, then calls _python_found. */
struct tm_cpython *tm_runtime_python(void);
void tm_runtime_python_found(void);

/* The first call of a hook of a CPython domain: from here on this is a Python process and the store gets its file.
 * Cheap when repeated. */
void tm_runtime_python_begins(void);

/* The moment at which `-X tracemalloc` starts; HOW goes to the snapshot.  Ignored unless START=python waits for it. */
void tm_runtime_start_moment(const char *how);

/* The interpreter was made once more after its end: that life will have an exit snapshot of its own. */
void tm_runtime_python_begins_again(void);

/* Writes the exit snapshot, once per process and interpreter life; does nothing in a process that is not the store's
 * own (vfork children), or where no Python ran.  EXIT_MOMENT is a word for the snapshot. */
void tm_runtime_exit_snapshot(const char *exit_moment);

/* A look whether a snapshot is due (see due.h), and taking it.  THREAD is the caller's; called by the doors of mem and
 * obj where tm_runtime_is_watched: after each allocation of so many bytes, and whenever thread->looks has come to 0. */
#define TM_EVENTS_BETWEEN_LOOKS 15U
#define TM_SIZE_TO_LOOK         32768U
TM_COLD void tm_runtime_look(struct tm_thread *thread);
bool tm_runtime_is_watched(void);

/* Whether tracebacks of blocks from CPython's allocators have machine frames (TRACEMALLOC_NATIVE=1).  Does not
 * change. */
bool tm_runtime_has_native_of_python(void);

/* One is due now.  Signal safe. */
void tm_runtime_ask_for_snapshot(void);

/* False in a child of vfork, which runs in the memory of the process that is traced. */
bool tm_runtime_owns_process(void);

/* True in a child of vfork, not in one that has a memory of its own.  Signal safe. */
bool tm_runtime_borrows_memory(void);

/* The word to be handed to a program that gets ENVIRONMENT otherwise, to TO (CAPACITY bytes), see origin.h.  False:
 * nothing is to be handed to it.  Signal safe. */
bool tm_runtime_origin(char *const *environment, char *to, size_t capacity);

/* Programs run by exec are traced as well: not when FOLLOW says so and Python runs here or did in an ancestor. */
bool tm_runtime_follows_exec(void);

/* Called before each snapshot, so that what it says of the hooks is true: set by the doors, may be NULL. */
extern void (*tm_runtime_check_hooks)(void);

/* Bytes of libc's malloc: handed out from its heaps, free in them, blocks that have a mapping of their own. */
struct tm_libc_memory {
    uint64_t used;
    uint64_t free;
    uint64_t mapped;
};

/* How a snapshot asks for them: set by the doors, NULL where this libc does not tell. */
extern bool (*tm_runtime_ask_libc)(struct tm_libc_memory *memory);

/* Objects may have been unloaded: nothing that is known of addresses of code is known any more. */
void tm_runtime_unloaded(void);

/* CPython's small-block allocator got an arena of SIZE bytes, or is about to give it back: UNTRACED where no block in
 * it was ever recorded, which spares the look for those whose frees were missed. */
enum tm_arena_news { TM_ARENA_NEW, TM_ARENA_LEFT, TM_ARENA_UNTRACED };
void tm_runtime_note_arena(const void *arena, size_t size, enum tm_arena_news news);

/* The process has changed its RLIMIT_AS: gives back reserved address space that is out of proportion now.  Nothing in a
 * process that is not the store's own. */
void tm_runtime_room_changed(void);

/* What the doors found out, for the snapshot's header. */
void tm_runtime_note_hooks(unsigned reinstalled, unsigned lost);
void tm_runtime_note_recycled(const char *how);
void tm_runtime_note_stdlib_tracing(void);
/* TRACEMALLOC_WATERMARK=1 cannot be had, for the reason WHY, a static text; nothing where nobody asked for it. */
void tm_runtime_decline_watermark(const char *why);
/* The interpreter is found, and its running frames are marked, or will be once that was tried. */
bool tm_runtime_marks_frames(void);
/* The object whose malloc the program calls instead of ours, a path that stays; NULL: there is none. */
void tm_runtime_note_malloc(const char *path);

/* TRACEMALLOC_MEMORY_LIMIT: looks how near the tracer is.  Any thread; cheap unless much has come since the last
 * look. */
void tm_runtime_look_at_budget(struct tm_thread *thread);

/* pthread_atfork handlers. */
void tm_runtime_before_fork(void);
void tm_runtime_after_fork_parent(void);
void tm_runtime_after_fork_child(void);

/* The control API, see tracemalloc.h; 0 or an errno value. */
int tm_runtime_start(unsigned traceback_limit);
void tm_runtime_stop(void);
bool tm_runtime_is_tracing(void);
unsigned tm_runtime_traceback_limit(void);
void tm_runtime_clear(void);
void tm_runtime_traced_memory(size_t *current, size_t *peak);
void tm_runtime_reset_peak(void);
size_t tm_runtime_tracer_bytes(void);
size_t tm_runtime_tracer_bytes_with(size_t *block_table); /* and of them, those of the table of blocks */
int tm_runtime_take_snapshot(const char *path, bool blocks);

/* The traceback (id) of the block in which ADDRESS lies, and its number of frames.  0, ENODATA or ENOENT. */
int tm_runtime_traceback_of(const void *address, uint32_t *traceback, unsigned *frames);

/* The most recent frame of a traceback that has one; returns the traceback of the older frames.  The texts stay. */
struct tm_runtime_frame {
    const char *filename;
    const char *function;
    uint32_t line;
};
uint32_t tm_runtime_frame_of(uint32_t traceback, struct tm_runtime_frame *frame);

#endif
