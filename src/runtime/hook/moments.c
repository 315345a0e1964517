/* SPDX-License-Identifier: MIT */
#include "runtime/hook/moments.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "runtime/hook/door.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/hook/recycle_hooks.h"
#include "runtime/hook/snapshot_signal.h"
#include "runtime/os/os_process.h"
#include "runtime/track/runtime.h"
#include "runtime/unwind/getter_code.h"
#include "runtime/unwind/python_stack.h"

#define LAST_SIGNAL 64 /* of Linux: where CPython's loop over all signals ends */

/* While the watch forgets and finds the interpreter anew the first hook waits; once a hook was called nothing is
 * forgotten any more. */
enum beginning {
    NOT_BEGUN,
    HELD_OFF,
    HAS_BEGUN, /* a hook was called: this is a Python process */
};

#define NAPS      10000U /* about a second in all: a forked child may find itself held off by nobody */
#define NAP_NANOS 100000U

static struct tm_elf_range python_code;
static _Atomic int beginning;  /* enum beginning */
static bool start_is_awaited;  /* START=python */
static bool sigint_is_pythons; /* so it will be given back when the interpreter ends */
static bool sigint_was_taken;  /* when init asked, somebody ignored or handled it: init leaves it alone */
static bool has_ended;         /* this interpreter life has had its exit moment */
static bool was_initialized;

const int *tm_moments_initialized;

void tm_moments_begin(const struct tm_elf_object *object)
{
    python_code = object->code;
    start_is_awaited = tm_runtime_config()->start == TM_START_PYTHON;
}

static void begin_tracing(const char *how)
{
    if (start_is_awaited) {
        start_is_awaited = false;
        tm_runtime_start_moment(how);
    }
}

/* Initialisation installs its signal handlers. */
static void start(const char *how)
{
    tm_recycle_hooks_initializing();
    begin_tracing(how);
}

static void end(const char *how)
{
    if (!has_ended) {
        has_ended = true;
        tm_runtime_exit_snapshot(how);
        tm_recycle_hooks_end();
    }
}

/* 2.7 has no flag that says so, but is no longer initialised by then. */
static bool is_ending(const struct tm_cpython *python)
{
    if (python->is_finalizing == NULL && python->finalizing_word == NULL) {
        return was_initialized && !tm_cpython_is_initialized(python);
    }
    return tm_cpython_is_finalizing(python);
}

static bool begin_from(int state)
{
    return atomic_compare_exchange_strong(&beginning, &state, HAS_BEGUN);
}

static void begin_python(struct tm_thread *thread)
{
    for (unsigned i = 0; i < NAPS && !begin_from(NOT_BEGUN) && !tm_moments_have_begun(); i++) {
        tm_process_nap(NAP_NANOS);
    }
    (void)begin_from(HELD_OFF);
    tm_door_guard_up(thread);
    tm_cpython_pin(tm_runtime_python());
    tm_runtime_python_found();
    tm_door_guard_down(thread);
    tm_runtime_python_begins();
    tm_snapshot_signal_begin();
    tm_moments_initialized = was_initialized ? NULL : tm_getter_int(tm_runtime_python()->is_initialized);
}

/* 2.7 and 3.6 call themselves initialised from the start of their initialisation.  There the first frame tells that is
 * not of what they run before they install signal handlers: frozen code, and the codecs of their file names. */
static bool runs_own_code(const struct tm_cpython *python)
{
    static const char *const early[] = {"<frozen", "/encodings/", "/codecs.py"};
    struct tm_raw_frame frame;
    struct tm_frame_names names;
    char text[1024];
    bool holds_gil;
    uintptr_t tstate = tm_cpython_tstate_own(python, &holds_gil);
    if (python->layout == NULL || tstate == 0 || !tm_python_stack_top(python->layout, tstate, &frame) ||
        !tm_python_frame_names(python->layout, &frame, &names)) {
        return false;
    }
    size_t length = tm_python_text(python->layout, names.filename, text, sizeof text - 1);
    text[length < sizeof text ? length : sizeof text - 1] = '\0';
    for (unsigned i = 0; i < TM_COUNT_OF(early); i++) {
        if (strstr(text, early[i]) != NULL) {
            return false;
        }
    }
    return true;
}

/* Where no signal handlers are installed (Py_InitializeEx(0)). */
static bool is_past_start(const struct tm_cpython *python)
{
    return python->version >= 0x03070000 || runs_own_code(python);
}

void tm_moments_look(struct tm_thread *thread)
{
    const struct tm_cpython *python = tm_runtime_python();
    if (!tm_moments_have_begun()) {
        begin_python(thread);
    }
    if (is_ending(python)) {
        if (!sigint_is_pythons) {
            end("finalizing flag");
        }
        return;
    }
    if (!tm_cpython_is_initialized(python)) {
        if (!start_is_awaited && !tm_recycle_tracer_is_awaited) {
            tm_python_hooks_await_start();
        }
        return;
    }
    if (has_ended) {
        has_ended = false;
        tm_runtime_python_begins_again();
    }
    was_initialized = true;
    tm_moments_initialized = NULL;
    if (start_is_awaited && is_past_start(python)) {
        begin_tracing("initialized");
    }
    if (start_is_awaited || tm_recycle_tracer_is_awaited) {
        return;
    }
    if (sigint_is_pythons) {
        tm_python_hooks_set_careful(false);
    } else {
        tm_python_hooks_await_end();
    }
}

bool tm_moments_are_before_start(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    return !was_initialized && tm_moments_have_begun() && python->is_initialized != NULL &&
           python->is_initialized() == 0;
}

bool tm_moments_have_begun(void)
{
    return atomic_load_explicit(&beginning, memory_order_acquire) == HAS_BEGUN;
}

bool tm_moments_hold_off(void)
{
    int state = NOT_BEGUN;
    return atomic_compare_exchange_strong(&beginning, &state, HELD_OFF);
}

void tm_moments_let_begin(void)
{
    int state = HELD_OFF;
    (void)atomic_compare_exchange_strong(&beginning, &state, NOT_BEGUN);
}

void tm_moments_tick(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    if (tm_moments_have_begun() && !sigint_is_pythons && is_ending(python)) {
        end("finalizing flag");
    }
}

static void asked(int signal, const struct sigaction *old_action)
{
    if (signal == SIGINT && old_action != NULL) {
        sigint_was_taken = old_action->sa_handler != SIG_DFL;
    } else if (signal == LAST_SIGNAL && sigint_was_taken) {
        start("signals asked");
    }
}

void tm_moments_sigaction(int signal, const struct sigaction *action, const struct sigaction *old_action,
                          uintptr_t caller)
{
    int saved = errno;
    if (!tm_elf_range_holds(&python_code, caller)) {
        return;
    }
    if (action == NULL) {
        asked(signal, old_action);
    } else if (action->sa_handler == SIG_DFL && is_ending(tm_runtime_python())) {
        end("finalization");
        sigint_is_pythons = false; /* another life may begin, without handlers */
        tm_python_hooks_set_careful(true);
    } else if (signal == SIGINT) {
        sigint_is_pythons = action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
        if (sigint_is_pythons) {
            start("SIGINT handler");
            tm_python_hooks_end_is_told();
        } else {
            tm_python_hooks_set_careful(true);
        }
    }
    errno = saved;
}
