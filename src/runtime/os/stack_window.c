/* SPDX-License-Identifier: MIT */
#include "runtime/os/stack_window.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/os_memory.h"

#define GAP_MAX ((uintptr_t)64 * TM_PAGE_SIZE)

/* The kernel reads the set before it looks at the command, of which there is none of this number: nothing is
 * changed. */
#define NO_COMMAND (-1)
#define SET_SIZE   8

static bool is_readable(uintptr_t page)
{
    int saved = errno;
    long status = syscall(SYS_rt_sigprocmask, NO_COMMAND, (const void *)page, NULL, SET_SIZE);
    bool readable = status == 0 || errno != EFAULT;
    errno = saved;
    return readable;
}

/* All pages from LOW to HIGH. */
static bool are_readable(uintptr_t low, uintptr_t high)
{
    for (; low < high; low += TM_PAGE_SIZE) {
        if (!is_readable(low)) {
            return false;
        }
    }
    return true;
}

bool tm_stack_window_widen(struct tm_thread *thread, uintptr_t address)
{
    uintptr_t page = address & ~(uintptr_t)(TM_PAGE_SIZE - 1);
    uintptr_t low = thread->stack_low;
    uintptr_t high = low + thread->stack_size;
    if (!is_readable(page)) {
        return false;
    }
    if (page >= high && page - high <= GAP_MAX && are_readable(high, page)) {
        high = page + TM_PAGE_SIZE;
    } else if (page < low && low - page <= GAP_MAX && are_readable(page, low)) {
        low = page;
    } else {
        low = page;
        high = page + TM_PAGE_SIZE;
    }
    thread->stack_low = low;
    thread->stack_size = high - low;
    return true;
}
