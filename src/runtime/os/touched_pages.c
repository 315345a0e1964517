/* SPDX-License-Identifier: MIT */
#include "runtime/os/touched_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/os_call.h"
#include "runtime/os/os_file.h"
#include "runtime/os/os_memory.h"

#define IS_THERE (UINT64_C(3) << 62)
#define AT_ONCE  256U

/* Of a process that gave up its user's rights the map is root's: then the kernel does not tell, which is no failure. */
static long open_map(void)
{
    long descriptor = tm_os_fault_is_due(TM_OS_OPEN)
                          ? -1L
                          : syscall(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
    if (descriptor == -1 && errno != EACCES && errno != EPERM) {
        tm_os_failure_note(TM_OS_OPEN, errno);
    }
    return descriptor;
}

/* The entries of COUNT pages from the one numbered FIRST on.  False: not told. */
static bool read_entries(int descriptor, uintptr_t first, size_t count, uint64_t *entries)
{
    size_t size = count * sizeof *entries;
    long got = TM_OS_CALL(READ, syscall(SYS_pread64, descriptor, entries, size, first * sizeof *entries));
    return got >= 0 && (size_t)got == size;
}

void tm_pages_touched(const void *at, size_t count, bool *touched)
{
    uint64_t entries[AT_ONCE];
    int saved = errno;
    long descriptor = open_map();
    memset(touched, true, count * sizeof *touched);
    for (size_t done = 0; descriptor >= 0 && done < count; done += AT_ONCE) {
        size_t part = count - done < AT_ONCE ? count - done : AT_ONCE;
        if (!read_entries((int)descriptor, (uintptr_t)at / TM_PAGE_SIZE + done, part, entries)) {
            break;
        }
        for (size_t i = 0; i < part; i++) {
            touched[done + i] = (entries[i] & IS_THERE) != 0;
        }
    }
    if (descriptor >= 0) {
        tm_file_close((int)descriptor);
    }
    errno = saved;
}
