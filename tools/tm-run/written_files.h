/* SPDX-License-Identifier: MIT */
/* The last line of tm-run: what the program left, and what to type. */
#ifndef TM_TOOLS_TM_RUN_WRITTEN_FILES_H
#define TM_TOOLS_TM_RUN_WRITTEN_FILES_H

#include <sys/types.h>
#include <time.h>

/* Looks for the snapshots and stores of PID and of its descendants that were written since SINCE, in the folders where
 * the options of the environment put them, and prints one line to stderr. */
void tm_run_say_what_was_written(pid_t pid, const struct timespec *since);

#endif
