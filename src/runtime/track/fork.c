/* SPDX-License-Identifier: MIT */
#include "runtime/track/fork.h"

#include <string.h>

#include "runtime/os/os_message.h"
#include "runtime/os/os_process.h"
#include "runtime/os/thread_state.h"
#include "runtime/track/event_record.h"
#include "runtime/track/map_tracker.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/sampler.h"
#include "runtime/track/snapshot_series.h"
#include "runtime/track/store_file.h"
#include "runtime/track/store_words.h"

/* Allocations, and bytes that count as one more.  A preexec_fn and the exec behind it were seen to make less than
 * 100. */
#define YOUNG_EVENTS 200U
#define YOUNG_BYTES  4096U

static void note_fork(struct tm_runtime *runtime)
{
    runtime->forked_before = runtime->forked;
    runtime->forked = (struct tm_forked){tm_process_pid(), tm_process_time_ns()};
}

/* Without the locks, which others wait for: it takes longer than all that is done under them. */
static void prepare_image(struct tm_store_fork *fork)
{
    struct tm_live_store *store = &tm_runtime.store;
    tm_lock_take(&store->lock);
    bool is_wanted = store->in_file;
    tm_lock_release(&store->lock);
    if (is_wanted) {
        (void)tm_store_fork_prepare(fork, store);
    }
}

void tm_runtime_before_fork(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    tm_thread_self()->guard++;
    if (tm_life_now() <= TM_LIFE_OFF) {
        runtime->fork_has_locks = false;
        note_fork(runtime);
        return; /* also in a child that forks before its first event: its image is still the right one */
    }
    struct tm_store_fork fork = {.names = NULL};
    prepare_image(&fork);
    tm_lock_take(&runtime->life_lock);
    tm_lock_take(&runtime->intern_lock);
    tm_lock_take(&runtime->store.lock);
    tm_lock_take(&runtime->blocks.odd.lock);
    tm_map_tracker_before_fork();
    runtime->fork_has_locks = true;
    note_fork(runtime);
    if (runtime->store.in_file) {
        (void)tm_store_fork_take(&fork, &runtime->store, tm_aging_has_begun());
    }
    runtime->fork_image = fork;
}

void tm_runtime_after_fork_parent(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    runtime->forked = runtime->forked_before;
    runtime->has_forked = true;
    if (runtime->fork_has_locks) {
        struct tm_store_fork fork = runtime->fork_image;
        memset(&runtime->fork_image, 0,
               sizeof runtime->fork_image); /* a child made past pthread_atfork must not have it */
        tm_map_tracker_after_fork_parent();
        tm_lock_release(&runtime->blocks.odd.lock);
        tm_lock_release(&runtime->store.lock);
        tm_lock_release(&runtime->intern_lock);
        tm_lock_release(&runtime->life_lock);
        tm_store_fork_end(&fork);
    }
    tm_thread_self()->guard--;
}

/* A snapshot of the parent that another thread was making is nobody's here; its pages stay, in what state nobody
 * knows. */
static void reset_locks(struct tm_runtime *runtime)
{
    if (!tm_lock_try(&runtime->snapshot_lock)) {
        runtime->due.is_cut_off = true;
    }
    tm_lock_reset(&runtime->snapshot_lock);
    tm_lock_reset(&runtime->life_lock);
    tm_lock_reset(&runtime->intern_lock);
    tm_lock_reset(&runtime->store.lock);
    tm_block_table_after_fork(&runtime->blocks);
    tm_trace_cache_after_fork(&runtime->cache);
    tm_event_after_fork();
    tm_map_tracker_after_fork_child();
}

void tm_runtime_after_fork_child(void)
{
    struct tm_thread *thread = tm_thread_self();
    if (!tm_runtime.is_disabled && tm_life_now() != TM_LIFE_OFF) {
        reset_locks(&tm_runtime);
        tm_life_set(TM_LIFE_UNKNOWN);
        tm_sampler_after_fork(thread, tm_process_pid()); /* at once: all children have the way to one next point */
    }
    thread->guard--;
}

/* What the header says of the process is the child's own from here on. */
static void describe_child(struct tm_runtime *runtime, uint32_t pid)
{
    struct tm_store_header *header = runtime->store.header;
    const struct tm_forked *forked = &runtime->forked;
    header->forked_from = forked->from != 0 ? forked->from : runtime->pid;
    header->fork_time_ns = forked->time_ns != 0 ? forked->time_ns : tm_process_time_ns();
    runtime->pid = pid;
    tm_sampler_after_fork(tm_thread_self(), pid);
    runtime->exit_snapshot_done = false;
    runtime->may_tell_failures = false;
    runtime->exit_path[0] = '\0';
    runtime->store_attempt = 0;
    tm_snapshot_series_begin();
    tm_tallies_after_fork();
    tm_stack_cache_set_limit(&runtime->held_stack, 0); /* another thread of the parent may have been changing it */
    header->pid = pid;
    header->parent_pid = tm_process_parent_pid();
    header->start_time_ns = tm_process_time_ns();
}

static bool become_child(struct tm_runtime *runtime, uint32_t pid)
{
    if (!tm_live_store_detach(&runtime->store, &runtime->fork_image.image)) {
        runtime->is_disabled = true;
        tm_message("a forked child is not traced: there is no memory for its own store", NULL, NULL);
        return false;
    }
    describe_child(runtime, pid);
    tm_runtime_new_epoch(false);
    tm_store_words_refresh();
    runtime->store.header->fork_epoch = atomic_load_explicit(&runtime->epoch, memory_order_relaxed);
    tm_due_begin();
    atomic_store_explicit(&runtime->young_events, 0, memory_order_relaxed);
    return true;
}

/* FOLLOW is without fork: nothing of this process is traced. */
static bool leave_alone(struct tm_runtime *runtime)
{
    tm_live_store_drop(&runtime->store);
    runtime->is_disabled = true;
    return false;
}

/* A child of the parent's life; young until it has shown that it stays. */
static enum tm_life first_life(const struct tm_runtime *runtime, bool is_child)
{
    bool is_young = is_child && runtime->python_has_begun && runtime->life_before_fork >= TM_LIFE_TRACING;
    return is_young ? TM_LIFE_YOUNG : runtime->life_before_fork;
}

void tm_fork_age(size_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_thread *thread = tm_thread_self();
    /* A sampled one stands for many, where only those come here. */
    bool all_come = runtime->sample_rate == 0 || runtime->budget.thins;
    size_t more = all_come ? size / YOUNG_BYTES : YOUNG_EVENTS;
    uint32_t events = 1 + (more < YOUNG_EVENTS ? (uint32_t)more : YOUNG_EVENTS);
    if (atomic_fetch_add_explicit(&runtime->young_events, events, memory_order_relaxed) + events <= YOUNG_EVENTS) {
        return;
    }
    thread->guard++;
    tm_lock_take(&runtime->life_lock);
    if (tm_life_now() == TM_LIFE_YOUNG) {
        tm_store_file_make();
        tm_life_set(TM_LIFE_TRACING);
    }
    tm_lock_release(&runtime->life_lock);
    thread->guard--;
}

bool tm_life_may_record(size_t size)
{
    if (tm_life_now() == TM_LIFE_UNKNOWN && !tm_life_recover()) {
        return false;
    }
    if (tm_life_now() == TM_LIFE_YOUNG) {
        tm_fork_age(size);
    }
    return tm_life_is_tracing();
}

bool tm_fork_adopt(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_thread *thread = tm_thread_self();
    uint32_t pid = tm_process_pid();
    bool is_child = pid != runtime->pid;
    bool done = true;
    thread->guard++;
    if (is_child) {
        reset_locks(runtime); /* a child made past pthread_atfork has not been here */
    }
    tm_lock_take(&runtime->life_lock);
    if (tm_life_now() != TM_LIFE_UNKNOWN) { /* another thread was faster */
        done = tm_life_now() != TM_LIFE_OFF;
        tm_lock_release(&runtime->life_lock);
        thread->guard--;
        return done;
    }
    if (is_child) {
        done = runtime->config.follow_fork ? become_child(runtime, pid) : leave_alone(runtime);
    }
    tm_store_fork_end(&runtime->fork_image);
    runtime->forked = (struct tm_forked){0, 0};
    tm_life_set(done ? first_life(runtime, is_child) : TM_LIFE_OFF);
    tm_lock_release(&runtime->life_lock);
    thread->guard--;
    return done;
}
