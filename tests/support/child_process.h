/* SPDX-License-Identifier: MIT */
/* A body run in a forked child: limits, signals and forks do not touch the test itself.
 * cmocka's assertions jump back into the parent's runner, so a child uses child_check. */
#ifndef TM_TESTS_CHILD_PROCESS_H
#define TM_TESTS_CHILD_PROCESS_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define child_check(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)dprintf(STDERR_FILENO, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                       \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

/* The wait status: 0 when every check held. */
static inline int child_run(void (*body)(void *argument), void *argument)
{
    int status = -1;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        body(argument);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        abort();
    }
    return status;
}

#endif
