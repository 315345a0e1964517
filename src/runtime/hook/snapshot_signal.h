/* SPDX-License-Identifier: MIT */
/* TRACEMALLOC_SIGNAL: a signal that asks for a snapshot.
 *
 * The handler only notes that one is due; a door takes it.  It is installed when Python begins, and only where the
 * signal has its default action: what the program handles or ignores is the program's.  A program that asks is told the
 * default action, as without us; one that sets an action of its own has it, and one line says that the option has
 * ended.
 * Threads  any.   errno  kept. */
#ifndef TM_RUNTIME_HOOK_SNAPSHOT_SIGNAL_H
#define TM_RUNTIME_HOOK_SNAPSHOT_SIGNAL_H

#include <signal.h>
#include <stdbool.h>

/* Python begins. */
void tm_snapshot_signal_begin(void);

/* A call of sigaction has succeeded, with a new action or to ask: OLD_ACTION, what was before, may be ours. */
void tm_snapshot_signal_was_set(bool is_new, struct sigaction *old_action);

/* A call of signal answered OLD_HANDLER; what to answer instead. */
sighandler_t tm_snapshot_signal_was_replaced(sighandler_t old_handler);

#endif
