/* SPDX-License-Identifier: MIT */
/* Running the program as a child, as if there were nobody between it and who started tm-run. */
#ifndef TM_TOOLS_TM_RUN_RUN_CHILD_H
#define TM_TOOLS_TM_RUN_RUN_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"

/* Replaces this process by ARGUMENTS.  Comes back when that fails, having said so, with the exit code. */
TM_CHECKED int tm_run_exec(char *const *arguments);

/* Runs ARGUMENTS as a child, hands on every signal that is sent to this process, and waits.  *STATUS is waitpid's.
 * False when no child could be made, one line on stderr then. */
TM_CHECKED bool tm_run_child(char *const *arguments, pid_t *child, int *status);

/* The child's exit code is the one for a program that is not there or cannot be run. */
bool tm_run_did_not_begin(int status);

/* Ends as the child did: the same exit code, or death by the same signal. */
_Noreturn void tm_run_end_like(int status);

#endif
