/* SPDX-License-Identifier: MIT */
/* Constructor, forks, destructor. */
#include <pthread.h>
#include <stdlib.h>

#include "runtime/hook/boot_pool.h"
#include "runtime/hook/door.h"
#include "runtime/hook/libc_memory.h"
#include "runtime/hook/map_hooks.h"
#include "runtime/hook/outer_malloc.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/hook/python_watch.h"
#include "runtime/hook/real_libc.h"
#include "runtime/hook/recycle_hooks.h"
#include "runtime/os/os_process.h"
#include "runtime/track/runtime.h"

/* Our handlers are the first that were registered: the prepare handler runs last, the others first.  So the guard is up
 * while fork itself works, and for nobody else's handlers. */
static void before_fork(void)
{
    tm_door_guard_up(tm_thread_self());
    tm_runtime_before_fork();
}

static void after_fork_parent(void)
{
    tm_runtime_after_fork_parent();
    tm_door_guard_down(tm_thread_self());
}

static void after_fork_child(void)
{
    tm_runtime_after_fork_child();
    tm_door_guard_down(tm_thread_self());
}

static void check_hooks(void)
{
    tm_python_hooks_check();
    tm_recycle_hooks_check();
}

/* quick_exit runs no destructors. */
static void leave_quickly(void)
{
    if (tm_thread_self()->guard == 0 && tm_doors_are_open) {
        tm_runtime_exit_snapshot("quick_exit");
    }
}

__attribute__((constructor(101))) static void library_begin(void)
{
    struct tm_thread *thread = tm_thread_self();
    tm_door_guard_up(thread);
    tm_real_libc_resolve();
    if (!tm_process_is_secure()) {
        tm_runtime_begin();
    }
    if (!tm_process_is_secure() && !tm_runtime_is_disabled()) {
        tm_runtime_check_hooks = check_hooks;
        (void)!pthread_atfork(before_fork, after_fork_parent, after_fork_child);
        (void)!at_quick_exit(leave_quickly);
        tm_libc_memory_begin();
        tm_runtime_note_malloc(tm_outer_malloc());
        tm_doors_sample = tm_runtime_config()->sample_rate != 0;
        if (tm_doors_sample) {
            tm_boot_pool_visit(tm_sampler_hold_pages); /* so that their frees are looked at */
        }
        tm_map_hooks_begin();
        tm_python_watch_now(thread);
        tm_doors_are_open = true;
        tm_doors_hear_all = !tm_doors_sample;
    }
    tm_door_guard_down(thread);
}

__attribute__((destructor)) static void library_end(void)
{
    if (tm_thread_self()->guard == 0 && tm_doors_are_open) {
        tm_runtime_exit_snapshot("destructor");
    }
}
