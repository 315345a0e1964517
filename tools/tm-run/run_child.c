/* SPDX-License-Identifier: MIT */
#include "tools/tm-run/run_child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NOT_RUN   126
#define EXIT_NOT_THERE 127

int tm_run_exec(char *const *arguments)
{
    (void)execvp(arguments[0], arguments);
    int code = errno == ENOENT ? EXIT_NOT_THERE : EXIT_NOT_RUN;
    (void)fprintf(stderr, "tm-run: %s: %s\n", arguments[0], strerror(errno));
    return code;
}

/* What ends or tells a program when it is sent from outside, and what TRACEMALLOC_SIGNAL may be.  Stopping is left
 * alone: a shell stops the whole group. */
static void signals_to_hand_on(sigset_t *set)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGPROF, SIGWINCH};
    (void)sigemptyset(set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)sigaddset(set, numbers[i]);
    }
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
        (void)sigaddset(set, number);
    }
}

/* A signal of the terminal has reached the child already: it is in the same process group. */
static void hand_on(pid_t child, const siginfo_t *info)
{
    if (info->si_code != SI_KERNEL) {
        (void)kill(child, info->si_signo);
    }
}

static void wait_for(pid_t child, const sigset_t *set, int *status)
{
    siginfo_t info;
    for (;;) {
        /* As the first process of a container this one is given orphans, and nobody else reaps them. */
        int other;
        pid_t ended = waitpid(-1, &other, WNOHANG);
        if (ended == child || (ended < 0 && errno != EINTR)) {
            *status = ended == child ? other : *status;
            return;
        }
        if (ended > 0) {
            continue;
        }
        int number = sigwaitinfo(set, &info);
        if (number > 0 && number != SIGCHLD) {
            hand_on(child, &info);
        }
    }
}

bool tm_run_child(char *const *arguments, pid_t *child, int *status)
{
    sigset_t set, before;
    struct sigaction action = {.sa_handler = SIG_DFL}, child_action;
    signals_to_hand_on(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, &before);
    (void)sigaction(SIGCHLD, &action, &child_action); /* ignored, it would take the child's status away */
    *child = fork();
    if (*child == 0) {
        (void)sigaction(SIGCHLD, &child_action, NULL);
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        _exit(tm_run_exec(arguments));
    }
    if (*child < 0) {
        perror("tm-run: no process for the program");
        return false;
    }
    wait_for(*child, &set, status);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return true;
}

bool tm_run_did_not_begin(int status)
{
    return WIFEXITED(status) && (WEXITSTATUS(status) == EXIT_NOT_RUN || WEXITSTATUS(status) == EXIT_NOT_THERE);
}

_Noreturn void tm_run_end_like(int status)
{
    if (WIFSIGNALED(status)) {
        const struct rlimit no_core = {0, 0}; /* the child has left its own */
        sigset_t set;
        (void)fflush(NULL);
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(WTERMSIG(status), SIG_DFL);
        (void)sigemptyset(&set);
        (void)sigaddset(&set, WTERMSIG(status));
        (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
        (void)raise(WTERMSIG(status));
        exit(128 + WTERMSIG(status));
    }
    exit(WEXITSTATUS(status));
}
