/* SPDX-License-Identifier: MIT */
/* The tracer begun anew in a test, and an interpreter that is nothing but a GIL: no frames, one traceback. */
#ifndef TM_TESTS_FAKE_PYTHON_H
#define TM_TESTS_FAKE_PYTHON_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/os/thread_state.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/tracker.h"
#include "runtime/track/tracker_own.h"
#include "runtime/track/take_quick.h"
#include "runtime/track/tracker_quick.h"
#include "store/store_view.h"

#define FAKE_ENVIRONMENT_MAX 8

static uintptr_t fake_holder;                  /* thread state of who holds the GIL; 0: nobody */
static _Thread_local uintptr_t fake_own_state; /* of this thread */

static inline uintptr_t fake_this_thread(void)
{
    return fake_own_state;
}

/* Forgets all that was traced (its pages stay) and begins with ENVIRONMENT, whose end is NULL. */
static inline void fake_process_begin(const char *const *environment)
{
    static char *variables[FAKE_ENVIRONMENT_MAX + 1];
    unsigned count = 0;
    for (; environment[count] != NULL; count++) {
        if (count == FAKE_ENVIRONMENT_MAX) {
            abort();
        }
        variables[count] = (char *)(uintptr_t)environment[count];
    }
    variables[count] = NULL;
    memset(&tm_runtime, 0, sizeof tm_runtime);
    memset(tm_thread_self(), 0, sizeof(struct tm_thread));
    atomic_store(&tm_life_page.life, TM_LIFE_UNKNOWN);
    char **before = environ;
    environ = variables;
    tm_runtime_begin();
    environ = before;
}

/* With STORE=none and further VARIABLE (may be NULL). */
static inline void fake_process_in_memory(const char *variable)
{
    const char *environment[] = {"TRACEMALLOC_STORE=none", variable, NULL};
    fake_process_begin(environment);
}

static inline void fake_python_found(void)
{
    struct tm_cpython *python = &tm_runtime.python;
    python->current.word = &fake_holder;
    python->this_thread = fake_this_thread;
    python->row.release = 0x0308;
    python->version = 0x030800F0;
    python->refusal = "a fake";
    tm_runtime_python_found();
}

/* What this thread is from now on. */
enum fake_lane {
    FAKE_HELD,    /* holds the GIL */
    FAKE_LOOSE,   /* nobody holds it */
    FAKE_WAITING, /* another thread holds it: raw and native events only */
    FAKE_FOREIGN, /* nobody holds it, and Python does not know this thread */
};
static inline void fake_lane_set(enum fake_lane lane)
{
    fake_holder = lane == FAKE_HELD ? 1000 : lane == FAKE_WAITING ? 2000 : 0;
    fake_own_state = lane == FAKE_FOREIGN ? 0 : 1000;
}

/* Events by address; nothing is ever stored there. */
static inline void fake_alloc(enum tm_domain domain, uintptr_t address, size_t size)
{
    tm_tracker_alloc(tm_thread_self(), domain, (const void *)address, size);
}

/* As libc's free does it first. */
static inline bool fake_take_own(uintptr_t address)
{
    struct tm_thread *thread = tm_thread_self();
    const enum tm_own_taken taken = tm_own_take(thread, (const void *)address);
    struct tm_block known;
    if (taken == TM_OWN_NONE && tm_block_table_find(&tm_runtime.blocks, address, &known)) {
        abort(); /* the door would not look again */
    }
    if (taken == TM_OWN_TELLS) {
        tm_tally_tell(tm_runtime.totals, thread->tally->line);
    }
    return taken == TM_OWN_TAKEN || taken == TM_OWN_TELLS;
}

/* By turns as a door of mem or obj does it and then libc's free, or libc's free, and as all others do. */
static inline bool fake_free(uintptr_t address)
{
    static _Thread_local unsigned turn;
    struct tm_taken taken;
    bool is_quick = turn++ % 2 == 0;
    if (is_quick && fake_holder != 0) {
        const enum tm_quick_take how = (enum tm_quick_take)(turn / 2 % 3);
        const enum tm_quick_taken taken_so =
            tm_quick_take_block(tm_thread_self(), (const void *)address, how, TM_QUICK_ANY, NULL);
        if (taken_so == TM_TAKEN_NOW ||
            (taken_so == TM_TAKEN_LONG && tm_quick_take_long(tm_thread_self(), (const void *)address, TM_QUICK_ANY))) {
            return true;
        }
    }
    if (is_quick && fake_holder != 0 && tm_tracker_take_held(tm_thread_self(), (const void *)address)) {
        return true;
    }
    if (is_quick && fake_holder == 0 && fake_take_own(address)) {
        return true;
    }
    return tm_tracker_take(tm_thread_self(), (const void *)address, &taken);
}

static inline size_t fake_current(void)
{
    size_t current;
    size_t peak;
    tm_runtime_traced_memory(&current, &peak);
    return current;
}

static inline size_t fake_peak(void)
{
    size_t current;
    size_t peak;
    tm_runtime_traced_memory(&current, &peak);
    return peak;
}

static inline uint64_t fake_heap(void)
{
    uint64_t python, heap;
    tm_store_traced(tm_runtime.store.header, &python, &heap);
    return heap;
}

static inline uint64_t fake_heap_peak(void)
{
    uint64_t peak = atomic_load(&tm_runtime.totals->heap_peak);
    uint64_t now = fake_heap();
    return now > peak ? now : peak;
}

#endif
