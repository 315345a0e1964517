/* SPDX-License-Identifier: MIT */
/* What /proc says of a process.  Any thread; the process may end at any moment. */
#ifndef TM_REPORT_PROCESS_PROCESS_FACTS_H
#define TM_REPORT_PROCESS_PROCESS_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

#define TM_COMMAND_CAPACITY 256U

struct tm_process_facts {
    pid_t pid;          /* here */
    uint32_t inner_pid; /* in the process's own pid namespace: what it takes itself for */
    uid_t owner;        /* who may look into it, beside root */
    uid_t effective_uid;
    char state; /* R, S, D, T, Z and so on, see proc(5) */
};

/* False when there is no such process. */
TM_CHECKED bool tm_process_facts_read(pid_t pid, struct tm_process_facts *facts);

/* The command line with spaces between its words, cut to CAPACITY; "" when it has none. */
void tm_process_command_line(pid_t pid, char *text, size_t capacity);

/* Decimal digits only, from 1 to what a pid can be. */
TM_CHECKED bool tm_process_parse_pid(const char *text, pid_t *pid);

#endif
