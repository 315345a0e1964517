/* SPDX-License-Identifier: MIT */
/* Faults on order, for tests: not in the library that is installed.
 *
 *   TM_FAULT=mmap:3        the third mmap of the process fails
 *   TM_FAULT=mmap:3+       and all later ones
 *   TM_FAULT_FILE=PATH     is made when a fault was due: a test knows from it that there was such a call
 *
 * A forked child goes on counting where its parent was. */
#include "runtime/os/os_call.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const names[TM_OS_CALL_COUNT] = {
#define TM_OS_CALL_NAME(name, text) [TM_OS_##name] = (text),
    TM_OS_CALLS(TM_OS_CALL_NAME)
#undef TM_OS_CALL_NAME
};

/* The likeliest, of those that are no answers. */
static int error_of(enum tm_os_call call)
{
    switch (call) {
    case TM_OS_WRITE:
    case TM_OS_ALLOCATE:
        return ENOSPC;
    case TM_OS_READ:
    case TM_OS_SYNC:
        return EIO;
    case TM_OS_OPEN:
        return EMFILE;
    case TM_OS_STAT:
    case TM_OS_RENAME:
    case TM_OS_LINK:
    case TM_OS_REMOVE:
    case TM_OS_MPROTECT:
        return EACCES;
    case TM_OS_MODE:
    case TM_OS_LIMIT:
        return EPERM;
    default:
        return ENOMEM;
    }
}

static _Atomic unsigned seen;

/* libc's getenv is a symbol that the program may have replaced. */
static const char *setting(const char *name)
{
    const size_t length = strlen(name);
    for (char **item = environ; item != NULL && *item != NULL; item++) {
        if (strncmp(*item, name, length) == 0 && (*item)[length] == '=') {
            return *item + length + 1;
        }
    }
    return NULL;
}

/* Once: where nothing works any more there may be millions of faults. */
static void leave_sign(void)
{
    static atomic_bool is_left;
    const char *path = setting("TM_FAULT_FILE");
    if (path != NULL && !atomic_exchange_explicit(&is_left, true, memory_order_relaxed)) {
        int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        (void)syscall(SYS_close, descriptor);
    }
}

bool tm_os_fault_is_due(enum tm_os_call call)
{
    const char *order = setting("TM_FAULT");
    const size_t length = strlen(names[call]);
    if (order == NULL || strncmp(order, names[call], length) != 0 || order[length] != ':') {
        return false;
    }
    unsigned wanted = 0;
    const char *at = order + length + 1;
    for (; *at >= '0' && *at <= '9'; at++) {
        wanted = wanted * 10 + (unsigned)(*at - '0');
    }
    unsigned number = 1 + atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed);
    if (number != wanted && !(number > wanted && *at == '+')) {
        return false;
    }
    leave_sign();
    errno = error_of(call);
    return true;
}
