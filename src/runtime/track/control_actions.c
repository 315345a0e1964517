/* SPDX-License-Identifier: MIT */
/* What the control API does, and the moments at which the tracer acts by itself.  Each takes the life lock, and before
 * it the snapshot lock where a snapshot is written. */
#include <errno.h>
#include <string.h>

#include "runtime/os/os_memory.h"
#include "runtime/os/os_process.h"
#include "runtime/os/thread_state.h"
#include "runtime/track/counting.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/snapshot_failure.h"
#include "runtime/track/snapshot_writer.h"
#include "runtime/track/store_file.h"
#include "runtime/track/tracer_words.h"
#include "store/store_view.h"

/* For what writes a snapshot, or ends one: before `enter`. */
static void enter_snapshot(void)
{
    tm_thread_self()->guard++;
    tm_lock_take(&tm_runtime.snapshot_lock);
}

static void leave_snapshot(void)
{
    tm_lock_release(&tm_runtime.snapshot_lock);
    tm_thread_self()->guard--;
}

static struct tm_thread *enter(void)
{
    struct tm_thread *thread = tm_thread_self();
    thread->guard++;
    tm_lock_take(&tm_runtime.life_lock);
    return thread;
}

static void leave(struct tm_thread *thread)
{
    tm_lock_release(&tm_runtime.life_lock);
    thread->guard--;
}

/* False when nothing can be done: disabled, or not begun. */
static bool is_usable(void)
{
    return tm_runtime.store.header != NULL && !tm_runtime.is_disabled &&
           (tm_life_now() != TM_LIFE_UNKNOWN || tm_life_recover());
}

static void begin_tracing(const char *moment)
{
    struct tm_runtime *runtime = &tm_runtime;
    tm_runtime_new_epoch(true);
    runtime->start_moment = moment;
    runtime->start_is_pending = false;
    if (runtime->python_has_begun) {
        tm_store_file_make();
    }
    tm_life_set(TM_LIFE_TRACING);
}

int tm_runtime_start(unsigned traceback_limit)
{
    struct tm_runtime *runtime = &tm_runtime;
    int status = 0;
    if (traceback_limit < 1 || traceback_limit > TM_TRACEBACK_LIMIT_MAX) {
        return EINVAL;
    }
    if (!is_usable()) {
        return ENOTSUP;
    }
    struct tm_thread *thread = enter();
    if (!tm_life_is_tracing()) {
        if (tm_runtime_set_limit(traceback_limit)) {
            runtime->store.header->traceback_limit = traceback_limit;
            begin_tracing("api");
        } else {
            status = ENOMEM;
        }
    }
    leave(thread);
    return status;
}

void tm_runtime_stop(void)
{
    if (is_usable()) {
        enter_snapshot();
        if (tm_life_is_tracing()) {
            tm_due_finish(true);
        }
        struct tm_thread *thread = enter();
        if (tm_life_is_tracing()) {
            tm_life_set(TM_LIFE_STOPPED);
            tm_runtime_new_epoch(true);
        }
        tm_runtime.start_is_pending = false;
        leave(thread);
        leave_snapshot();
    }
}

bool tm_runtime_is_tracing(void)
{
    return is_usable() && tm_life_is_tracing();
}

unsigned tm_runtime_traceback_limit(void)
{
    return tm_runtime.traceback_limit;
}

void tm_runtime_clear(void)
{
    if (tm_runtime_is_tracing()) {
        struct tm_thread *thread = enter();
        tm_runtime_new_epoch(true);
        leave(thread);
    }
}

void tm_runtime_traced_memory(size_t *current, size_t *peak)
{
    *current = 0;
    *peak = 0;
    if (tm_runtime_is_tracing()) {
        uint64_t python, heap;
        tm_store_traced(tm_runtime.store.header, &python, &heap);
        uint64_t highest = tm_word_load(&tm_runtime.totals->python_peak);
        *current = (size_t)python;
        *peak = highest > *current ? (size_t)highest : *current;
    }
}

void tm_runtime_reset_peak(void)
{
    if (tm_runtime_is_tracing()) {
        struct tm_thread *thread = enter();
        struct tm_totals *totals = tm_runtime.totals;
        uint64_t python, heap;
        tm_store_traced(tm_runtime.store.header, &python, &heap);
        tm_runtime.breaks++;
        tm_word_store(&totals->python_peak, python);
        tm_word_store(&totals->heap_peak, heap);
        tm_word_store(&totals->marks, tm_marks_move(tm_word_load(&totals->marks), UINT64_MAX));
        tm_limit_void();
        leave(thread);
    }
}

size_t tm_runtime_tracer_bytes_with(size_t *block_table)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_thread *thread = tm_thread_self();
    *block_table = 0;
    if (runtime->store.header == NULL) {
        return 0;
    }
    thread->guard++;
    tm_lock_take(&runtime->intern_lock);
    *block_table = tm_block_table_bytes(&runtime->blocks);
    size_t sum = tm_live_store_bytes(&runtime->store) + *block_table + tm_tracer_whole_bytes(runtime);
    tm_lock_release(&runtime->intern_lock);
    thread->guard--;
    return sum;
}

size_t tm_runtime_tracer_bytes(void)
{
    size_t block_table;
    return tm_runtime_tracer_bytes_with(&block_table);
}

static void check_hooks(void)
{
    if (tm_runtime_check_hooks != NULL) {
        tm_runtime_check_hooks();
    }
}

int tm_runtime_take_snapshot(const char *path, bool blocks)
{
    if (!tm_runtime_is_tracing()) {
        return ENODATA;
    }
    check_hooks();
    enter_snapshot();
    int status = tm_snapshot_write(path, "api", blocks);
    leave_snapshot();
    return -status;
}

void tm_runtime_start_moment(const char *how)
{
    if (!is_usable()) {
        return;
    }
    struct tm_thread *thread = enter();
    if (tm_runtime.start_is_pending) {
        begin_tracing(how);
    }
    leave(thread);
}

void tm_runtime_python_begins_again(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (!is_usable() || runtime->pid != tm_process_pid()) {
        return;
    }
    struct tm_thread *thread = enter();
    if (runtime->exit_snapshot_done) {
        runtime->exit_snapshot_done = false;
        runtime->may_tell_failures = false;
        tm_store_file_make_again();
    }
    leave(thread);
}

void tm_runtime_exit_snapshot(const char *exit_moment)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (runtime->store.header == NULL || runtime->is_disabled || !tm_life_is_tracing() || !runtime->python_has_begun ||
        tm_life_now() == TM_LIFE_YOUNG || runtime->pid != tm_process_pid()) {
        return;
    }
    check_hooks();
    enter_snapshot();
    if (!runtime->exit_snapshot_done) {
        tm_due_finish(strcmp(exit_moment, "_exit") != 0);
    }
    struct tm_thread *thread = enter();
    if (!runtime->exit_snapshot_done) {
        runtime->exit_snapshot_done = true;
        int status = tm_snapshot_write_exit(exit_moment);
        tm_snapshot_note_result(status);
        if (status != 0 && !tm_live_store_is_whole(&runtime->store)) {
            tm_live_store_remove_file(&runtime->store); /* nobody can read a part of it */
        }
        runtime->may_tell_failures = status == 0;
    }
    if (runtime->may_tell_failures) {
        tm_snapshot_tell_late_failures();
    }
    leave(thread);
    leave_snapshot();
}
