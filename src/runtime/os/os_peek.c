/* SPDX-License-Identifier: MIT */
#include "runtime/os/os_peek.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

unsigned tm_memory_peek_words(const uintptr_t *at, uintptr_t *words, unsigned count)
{
    const int saved_errno = errno;
    const struct iovec local = {words, count * sizeof *words};
    struct iovec remote[TM_PEEK_MOST];
    for (unsigned i = 0; i < count; i++) {
        remote[i] = (struct iovec){(void *)at[i], sizeof *words};
        words[i] = 0;
    }
    ssize_t got = syscall(SYS_process_vm_readv, (long)getpid(), &local, 1L, remote, (long)count, 0L);
    const int error = got < 0 ? errno : 0;
    errno = saved_errno;
    if (error == EPERM || error == ENOSYS || error == EACCES) {
        for (unsigned i = 0; i < count; i++) {
            memcpy(&words[i], (const void *)at[i], sizeof *words);
        }
        return count;
    }
    return got < 0 ? 0 : (unsigned)((size_t)got / sizeof *words);
}

bool tm_memory_peek(uintptr_t address, void *target, size_t size)
{
    const int saved_errno = errno;
    const struct iovec local = {target, size};
    const struct iovec remote = {(void *)address, size};
    const ssize_t got = syscall(SYS_process_vm_readv, (long)getpid(), &local, 1L, &remote, 1L, 0L);
    const int error = got < 0 ? errno : 0;
    errno = saved_errno;
    if (error == EPERM || error == ENOSYS || error == EACCES) {
        memcpy(target, (const void *)address, size);
        return true;
    }
    return got == (ssize_t)size;
}
