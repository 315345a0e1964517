/* SPDX-License-Identifier: MIT */
/* The doors of libc that are no allocations: moments in the life of the process and of the interpreter. */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/hook/door.h"
#include "runtime/hook/moments.h"
#include "runtime/hook/python_watch.h"
#include "runtime/hook/real_libc.h"
#include "runtime/hook/snapshot_signal.h"
#include "runtime/track/runtime.h"

/* Called before our constructor, by another library's. */
#define NEED(name)                                                                                                     \
    if (tm_real.name == NULL) {                                                                                        \
        tm_real_libc_resolve();                                                                                        \
    }

TM_EXPORT int sigaction(int signal, const struct sigaction *action, struct sigaction *old_action)
{
    NEED(sigaction)
    /* The caller may pass one structure for both. */
    struct sigaction wanted;
    if (action != NULL) {
        wanted = *action;
    }
    struct sigaction before;
    struct sigaction *replaced = old_action != NULL ? old_action : &before;
    int result = tm_real.sigaction(signal, action, replaced);
    if (result == 0 && tm_door_hears(tm_thread_self())) {
        tm_snapshot_signal_was_set(action != NULL, replaced);
        tm_moments_sigaction(signal, action != NULL ? &wanted : NULL, old_action,
                             (uintptr_t)__builtin_return_address(0));
    }
    return result;
}

/* Called by embedding programs and extensions; CPython uses sigaction. */
TM_EXPORT sighandler_t signal(int number, sighandler_t handler)
{
    NEED(signal)
    sighandler_t before = tm_real.signal(number, handler);
    return before != SIG_ERR && tm_door_hears(tm_thread_self()) ? tm_snapshot_signal_was_replaced(before) : before;
}

/* CPython calls it in every initialisation, before its first allocation of a domain's worth. */
TM_EXPORT char *setlocale(int category, const char *locale)
{
    NEED(setlocale)
    char *result = tm_real.setlocale(category, locale);
    struct tm_thread *thread = tm_thread_self();
    if (tm_door_hears(thread)) {
        tm_python_watch_start(thread);
    }
    return result;
}

/* A vfork child that could not exec ends here in its parent's memory: the runtime knows by the pid. */
static void leave(void)
{
    if (tm_door_hears(tm_thread_self())) {
        tm_runtime_exit_snapshot("_exit");
    }
}

TM_EXPORT void _exit(int status)
{
    NEED(_exit)
    leave();
    tm_real._exit(status);
    __builtin_unreachable();
}

TM_EXPORT void _Exit(int status)
{
    NEED(_Exit)
    leave();
    tm_real._Exit(status);
    __builtin_unreachable();
}
