/* SPDX-License-Identifier: MIT */
#include "runtime/os/page_map.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/os_call.h"
#include "runtime/os/os_memory.h"

/* Of a process that gave up its user's rights the map is root's: then the kernel does not tell, which is no failure. */
int tm_page_map_open(void)
{
    long descriptor = tm_os_fault_is_due(TM_OS_OPEN)
                          ? -1L
                          : syscall(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
    if (descriptor == -1 && errno != EACCES && errno != EPERM) {
        tm_os_failure_note(TM_OS_OPEN, errno);
    }
    return (int)descriptor;
}

bool tm_page_map_read(int descriptor, uintptr_t address, size_t count, uint64_t *entries)
{
    size_t size = count * sizeof *entries;
    long got =
        TM_OS_CALL(READ, syscall(SYS_pread64, descriptor, entries, size, address / TM_PAGE_SIZE * sizeof *entries));
    return got >= 0 && (size_t)got == size;
}
