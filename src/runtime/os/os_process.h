/* SPDX-License-Identifier: MIT */
/* Facts of this process, from system calls and /proc.  Signal safe; errno kept; what is not known is empty or 0. */
#ifndef TM_RUNTIME_OS_OS_PROCESS_H
#define TM_RUNTIME_OS_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* By system call each time: libc's own may be stale in a raw clone. */
uint32_t tm_process_pid(void);
uint32_t tm_process_parent_pid(void);
uint32_t tm_process_thread_id(void);
uint32_t tm_process_uid(void);

/* False when process PID has no thread of this id (any more). */
bool tm_process_has_thread(uint32_t pid, uint32_t thread_id);

/* Nanoseconds since 1970. */
uint64_t tm_process_time_ns(void);

/* Nanoseconds of a clock that only goes forward, read without a system call; some milliseconds coarse. */
uint64_t tm_process_clock_ns(void);

/* The same clock, read precisely: dearer. */
uint64_t tm_process_precise_ns(void);

/* Lets other threads run for NANOSECONDS, below one second; no cancellation point. */
void tm_process_nap(uint32_t nanoseconds);

/* Threads of this process at this moment; 0 when /proc cannot tell. */
unsigned tm_process_threads(void);

/* Raised rights (setuid, file capabilities): nothing may be traced, opened or written. */
bool tm_process_is_secure(void);

/* Where the program itself (not its libraries) lies in memory: code, data and variables, [*BEGIN, *END).  Nothing is
 * loaded and unloaded there as long as the process lives. */
void tm_process_program(uintptr_t *begin, uintptr_t *end);

/* The command line, arguments separated by zero bytes; the length in bytes. */
size_t tm_process_command(char *buffer, size_t capacity);
size_t tm_process_executable(char *buffer, size_t capacity);
size_t tm_process_folder(char *buffer, size_t capacity);
size_t tm_process_host(char *buffer, size_t capacity);
size_t tm_process_boot_id(char *buffer, size_t capacity);

#endif
