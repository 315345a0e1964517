/* SPDX-License-Identifier: MIT */
/* The system calls of the process half that may fail: all are made through TM_OS_CALL, so that a failure is noted for
 * the snapshot, and so that a build for tests (TM_FAULTS) can make each of them fail.
 *
 * Signal safe, any thread.  errno is the call's. */
#ifndef TM_RUNTIME_OS_OS_CALL_H
#define TM_RUNTIME_OS_OS_CALL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* clang-format off */
#define TM_OS_CALLS(X)                                                                                                 \
    X(MMAP, "mmap") X(MUNMAP, "munmap") X(MREMAP, "mremap") X(MADVISE, "madvise") X(MPROTECT, "mprotect")              \
    X(OPEN, "open") X(READ, "read") X(WRITE, "write") X(ALLOCATE, "fallocate") X(SYNC, "fsync")                        \
    X(STAT, "stat") X(MODE, "fchmod") X(RENAME, "rename") X(LINK, "link") X(REMOVE, "unlink") X(LIMIT, "getrlimit")
/* clang-format on */

enum tm_os_call {
#define TM_OS_CALL_NAME(name, text) TM_OS_##name,
    TM_OS_CALLS(TM_OS_CALL_NAME)
#undef TM_OS_CALL_NAME
        TM_OS_CALL_COUNT
};

/* The failures of this process so far, and of those that it was forked from. */
struct tm_os_failures {
    uint32_t count;
    uint32_t first_error; /* errno value of the first one */
    uint32_t last_error;  /* and of the last one */
    const char *first;    /* their calls' names; NULL where count is 0 */
    const char *last;
};

/* Notes that CALL failed with ERROR, unless that error is an answer: a file that is there or is not, a call or a flag
 * that this kernel or file system has not, an interruption.  errno kept. */
void tm_os_failure_note(enum tm_os_call call, int error);

struct tm_os_failures tm_os_failures(void);

/* Called after each failure, by whatever thread had it, which may hold any lock.  NULL: nobody listens. */
extern void (*tm_os_failure_listener)(void);

#ifdef TM_FAULTS
/* True, with errno set, when CALL is to fail now.  See os/faults/os_fault.c. */
bool tm_os_fault_is_due(enum tm_os_call call);
#else
#define tm_os_fault_is_due(call) false
#endif

/* The value of EXPRESSION, the call NAME of TM_OS_CALLS, whose failure is -1 with errno. */
#define TM_OS_CALL(name, expression)                                                                                   \
    __extension__({                                                                                                    \
        const long os_result = tm_os_fault_is_due(TM_OS_##name) ? -1L : (long)(expression);                            \
        if (TM_UNLIKELY(os_result == -1)) {                                                                            \
            tm_os_failure_note(TM_OS_##name, errno);                                                                   \
        }                                                                                                              \
        os_result;                                                                                                     \
    })

#endif
