/* SPDX-License-Identifier: MIT */
#include "runtime/track/due.h"

#include <string.h>

#include "runtime/os/os_process.h"
#include "runtime/os/thread_state.h"
#include "runtime/track/counting.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/snapshot_failure.h"
#include "runtime/track/snapshot_series.h"

/* At most a fifth of the time goes to a snapshot that is under way.  How long a slice is, is a matter of what a request
 * of a service notices. */
#define SLICE_NS UINT64_C(2000000)
#define GAP_NS   (4 * SLICE_NS)

#define NEVER         UINT64_MAX
#define NS_PER_SECOND UINT64_C(1000000000)
#define LONGEST_S     (UINT64_C(1) << 32) /* longer than any process lives, and far from where nanoseconds wrap */

bool tm_due_is_wanted(void)
{
    const struct tm_config *config = &tm_runtime.config;
    return config->interval_s != 0 || config->threshold != 0 || config->signal != 0;
}

/* A maximum that was left again counts as well: the snapshot has its tracebacks. */
static uint64_t traced_bytes(void)
{
    const struct tm_totals *totals = tm_runtime.totals;
    uint64_t now = tm_totals_heap(totals);
    uint64_t peak = tm_word_load(&totals->heap_peak);
    uint64_t most = (int64_t)(now - peak) > 0 ? now : peak;
    return (int64_t)most > 0 ? most : 0;
}

static void set_step(uint64_t bytes)
{
    uint64_t step = tm_runtime.config.threshold;
    tm_word_store(&tm_runtime.due.next_bytes, step == 0 ? NEVER : (bytes / step + 1) * step);
}

/* 0: none. */
static uint64_t interval_ns(void)
{
    uint64_t seconds = tm_runtime.config.interval_s;
    return (seconds < LONGEST_S ? seconds : LONGEST_S) * NS_PER_SECOND;
}

static void set_time(uint64_t from_ns)
{
    uint64_t interval = interval_ns();
    tm_word_store(&tm_runtime.due.next_ns, interval == 0 ? NEVER : from_ns + interval);
}

void tm_due_begin(void)
{
    struct tm_due *due = &tm_runtime.due;
    if (due->is_cut_off) {
        memset(&due->task, 0, sizeof due->task);
        due->is_cut_off = false;
    }
    tm_snapshot_task_end(&due->task);
    atomic_store_explicit(&tm_runtime.name_readers, 0, memory_order_relaxed); /* the others are threads of the parent */
    due->slice_ns = SLICE_NS;
    atomic_store_explicit(&due->is_under_way, false, memory_order_relaxed);
    atomic_store_explicit(&due->is_asked, false, memory_order_relaxed);
    set_time(tm_process_clock_ns());
    set_step(traced_bytes());
}

void tm_due_forget_steps(void)
{
    set_step(0);
}

void tm_runtime_ask_for_snapshot(void)
{
    atomic_store_explicit(&tm_runtime.due.is_asked, true, memory_order_relaxed);
}

/* What is due; NULL: nothing. */
static const char *find_due(void)
{
    const struct tm_due *due = &tm_runtime.due;
    if (atomic_load_explicit(&due->is_asked, memory_order_relaxed)) {
        return "signal";
    }
    if (traced_bytes() >= tm_word_load(&due->next_bytes)) {
        return "threshold";
    }
    uint64_t next_ns = tm_life_now() != TM_LIFE_YOUNG ? tm_word_load(&due->next_ns) : NEVER;
    return next_ns != NEVER && tm_process_clock_ns() >= next_ns ? "interval" : NULL;
}

/* Times that were missed are not made up for. */
static void set_next(void)
{
    uint64_t now_ns = tm_process_clock_ns();
    uint64_t next_ns = tm_word_load(&tm_runtime.due.next_ns);
    set_step(traced_bytes());
    if (next_ns <= now_ns) {
        uint64_t interval = interval_ns();
        tm_word_store(&tm_runtime.due.next_ns, now_ns + interval - (now_ns - next_ns) % interval);
    }
}

static void write_next(const char *moment, const struct tm_encoded *encoded)
{
    tm_snapshot_note_result(tm_snapshot_write_next(moment, encoded));
}

/* Without memory for a copy, or with single blocks, which are not copied: at once. */
static void begin(const char *moment)
{
    struct tm_due *due = &tm_runtime.due;
    atomic_store_explicit(&due->is_asked, false, memory_order_relaxed);
    if (tm_runtime.config.blocks) {
        write_next(moment, NULL);
    } else {
        tm_snapshot_task_begin(&due->task, moment);
        atomic_store_explicit(&due->is_under_way, true, memory_order_relaxed);
    }
    set_next();
}

/* A slice of the one that is under way, or all that is left of it. */
static void go_on(uint64_t slice_ns)
{
    struct tm_due *due = &tm_runtime.due;
    struct tm_snapshot_task *task = &due->task;
    if (!tm_snapshot_task_run(task, slice_ns)) {
        write_next(task->moment, task->status == 0 ? &task->encoded : NULL);
        tm_snapshot_task_end(task);
        atomic_store_explicit(&due->is_under_way, false, memory_order_relaxed);
    }
    tm_word_store(&due->next_slice_ns, tm_process_clock_ns() + GAP_NS);
}

static bool is_under_way(void)
{
    return atomic_load_explicit(&tm_runtime.due.is_under_way, memory_order_relaxed);
}

void tm_due_finish(bool ask_libc)
{
    if (is_under_way()) {
        tm_runtime.due.task.facts.leaves_libc = !ask_libc;
        go_on(UINT64_MAX);
    }
}

/* Under the snapshot lock.  Another thread may have been faster.  What becomes due while one is under way lets that be
 * finished: of a program that grows fast each step has its snapshot. */
static void take(void)
{
    const char *moment = find_due();
    if (!tm_life_is_tracing() || tm_runtime.exit_snapshot_done) {
        return;
    }
    if (moment != NULL) {
        tm_due_finish(true);
        begin(moment);
    }
    if (is_under_way()) {
        go_on(tm_runtime.due.slice_ns);
    }
}

static bool is_wanted_now(void)
{
    return find_due() != NULL ||
           (is_under_way() && tm_process_clock_ns() >= tm_word_load(&tm_runtime.due.next_slice_ns));
}

void tm_runtime_look(struct tm_thread *thread)
{
    struct tm_runtime *runtime = &tm_runtime;
    thread->looks = TM_EVENTS_BETWEEN_LOOKS;
    bool is_time = thread->guard == 0 && tm_life_is_tracing() && !runtime->exit_snapshot_done;
    if (!is_time || !is_wanted_now() || runtime->pid != tm_process_pid()) {
        return;
    }
    if (tm_runtime_check_hooks != NULL) {
        tm_runtime_check_hooks();
    }
    thread->guard++;
    if (tm_lock_try(&runtime->snapshot_lock)) { /* else another snapshot is under way: at the next look */
        take();
        tm_lock_release(&runtime->snapshot_lock);
    }
    thread->guard--;
}
