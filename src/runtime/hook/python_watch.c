/* SPDX-License-Identifier: MIT */
#include "runtime/hook/python_watch.h"

#include <errno.h>
#include <string.h>

#include "runtime/hook/door.h"
#include "runtime/hook/elf_object.h"
#include "runtime/hook/moments.h"
#include "runtime/hook/python27_hooks.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/hook/recycle_hooks.h"
#include "runtime/os/os_lock.h"
#include "runtime/os/os_process.h"
#include "runtime/track/runtime.h"

/* Events of a thread between two looks. */
#define TICKS_STARTING  63U /* CPython's start may reset its allocators; so often was enough on every release tried */
#define TICKS_RUNNING   4095U
#define TICKS_NO_PYTHON 255U

#define NAPS      200U /* for a thread that looks just now; it may be one that a fork left behind */
#define NAP_NANOS 100000U

static struct tm_lock watch_lock;
static struct tm_elf_object known; /* its object */
static bool is_permanent;          /* loaded with the program: it cannot be unloaded */
static bool is_known;              /* the interpreter was found and is hooked */
static struct tm_loaded_search search;

/* The loader lists a library before it has relocated it, and calls malloc in between. */
static bool is_ready(struct tm_elf_object *object)
{
    if (!tm_loaded_library_find("Py_GetVersion", &search)) {
        return false;
    }
    uintptr_t function = (uintptr_t)tm_loaded_symbol(&search.library, "Py_GetVersion", NULL);
    if (!tm_elf_object_find(function, object) || !tm_elf_object_is_relocated(object)) {
        search.generation = 0; /* look again next time */
        return false;
    }
    return true;
}

static void find_python(void)
{
    struct tm_cpython *python = tm_runtime_python();
    struct tm_elf_object object;
    if (!is_ready(&object) || (python->version == 0 && !tm_cpython_find(python))) {
        return;
    }
    known = object;
    is_permanent = !tm_doors_are_open;
    tm_moments_begin(&object);
    if (!tm_python_hooks_begin()) {
        tm_python27_hooks_begin(&object);
    }
    tm_recycle_hooks_begin(&object);
    is_known = true;
}

static bool is_loaded(void)
{
    struct tm_elf_object object;
    return tm_elf_object_find(known.all.low, &object) && object.base == known.base && object.dynamic == known.dynamic;
}

/* The same library may be closed and opened again at the same address. */
static bool has_loaded_more(void)
{
    uint64_t before = search.generation;
    (void)tm_loaded_library_find("Py_GetVersion", &search);
    return search.generation != before;
}

static void forget_python(void)
{
    tm_python_hooks_forget();
    tm_recycle_hooks_forget();
    memset(tm_runtime_python(), 0, sizeof *tm_runtime_python());
    memset(&search, 0, sizeof search);
    is_known = false;
}

/* A library that came by dlopen may go by dlclose until the interpreter is used for the first time; then it is pinned.
 * While the loader's list is visited nothing on it is unloaded, so all is done during the visit of the first object. */
static bool look(const struct tm_elf_object *object, void *data)
{
    (void)object;
    (void)data;
    bool holds_off = is_known && !is_permanent && tm_moments_hold_off();
    if (holds_off && (!is_loaded() || has_loaded_more())) {
        forget_python();
    }
    if (is_known) {
        tm_python_hooks_ensure();
    } else {
        find_python();
    }
    if (holds_off) {
        tm_moments_let_begin();
    }
    return false;
}

static bool take_lock(unsigned naps)
{
    while (!tm_lock_try(&watch_lock)) {
        if (naps-- == 0) {
            return false;
        }
        tm_process_nap(NAP_NANOS);
    }
    return true;
}

static void watch(struct tm_thread *thread, unsigned naps)
{
    int saved = errno;
    tm_door_guard_up(thread);
    if (take_lock(naps)) {
        if (is_known && (is_permanent || tm_moments_have_begun())) {
            tm_python_hooks_ensure();
        } else {
            tm_elf_object_visit(look, NULL);
        }
        tm_lock_release(&watch_lock);
    }
    tm_door_guard_down(thread);
    errno = saved;
}

void tm_python_watch_now(struct tm_thread *thread)
{
    watch(thread, 0);
}

void tm_python_watch_start(struct tm_thread *thread)
{
    watch(thread, NAPS);
}

void tm_python_watch_tick(struct tm_thread *thread)
{
    if (!is_known) {
        thread->ticks = TICKS_NO_PYTHON;
        tm_python_watch_now(thread);
    } else if (tm_moments_have_begun() && tm_cpython_is_initialized(tm_runtime_python())) {
        thread->ticks = TICKS_RUNNING;
        tm_moments_tick();
        tm_runtime_look_at_budget(thread);
    } else {
        thread->ticks = TICKS_STARTING;
        tm_python_watch_now(thread);
    }
}
