/* SPDX-License-Identifier: MIT */
#include "runtime/hook/snapshot_signal.h"

#include <errno.h>
#include <string.h>

#include "runtime/hook/real_libc.h"
#include "runtime/os/os_message.h"
#include "runtime/os/thread_state.h"
#include "runtime/track/runtime.h"

static void ask(int signal)
{
    (void)signal;
    tm_thread_self()->looks = 0; /* of this thread the next event looks */
    tm_runtime_ask_for_snapshot();
}

void tm_snapshot_signal_begin(void)
{
    int signal = tm_runtime_config()->signal;
    int saved = errno;
    struct sigaction ours, found;
    if (signal == 0) {
        return;
    }
    memset(&ours, 0, sizeof ours);
    ours.sa_handler = ask;
    ours.sa_flags = SA_RESTART | SA_ONSTACK;
    (void)sigemptyset(&ours.sa_mask);
    if (tm_real.sigaction(signal, NULL, &found) == 0 && found.sa_handler == SIG_DFL) {
        (void)tm_real.sigaction(signal, &ours, NULL);
    } else if (found.sa_handler != ask) {
        tm_message("the signal of TRACEMALLOC_SIGNAL is handled or ignored already: it asks for no snapshot", NULL,
                   NULL);
    }
    errno = saved;
}

static void say_taken(void)
{
    if (tm_runtime_owns_process()) { /* not a vfork child: what it sets is not this process's */
        tm_message("the program has set its own action for the signal of TRACEMALLOC_SIGNAL: it asks for no snapshot "
                   "any more",
                   NULL, NULL);
    }
}

void tm_snapshot_signal_was_set(bool is_new, struct sigaction *old_action)
{
    if (old_action->sa_handler == ask) {
        memset(old_action, 0, sizeof *old_action); /* SIG_DFL, no flags, an empty mask */
        if (is_new) {
            say_taken();
        }
    }
}

sighandler_t tm_snapshot_signal_was_replaced(sighandler_t old_handler)
{
    if (old_handler != ask) {
        return old_handler;
    }
    say_taken();
    return SIG_DFL;
}
