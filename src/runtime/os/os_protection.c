/* SPDX-License-Identifier: MIT */
#include "runtime/os/os_protection.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/os_call.h"
#include "runtime/os/os_memory.h"

/* The raw call: libc's mprotect is a symbol that we stand in front of. */
static bool protect(void *page, int rights)
{
    return TM_OS_CALL(MPROTECT, syscall(SYS_mprotect, page, (size_t)TM_PAGE_SIZE, rights)) == 0;
}

bool tm_protected_word_set(uintptr_t *place, uintptr_t value, bool is_code)
{
    void *page = (void *)((uintptr_t)place & ~(uintptr_t)(TM_PAGE_SIZE - 1));
    const int rights = PROT_READ | (is_code ? PROT_EXEC : 0);
    int saved = errno;
    bool writable = protect(page, rights | PROT_WRITE);
    if (writable) {
        __atomic_store_n(place, value, __ATOMIC_RELEASE);
        (void)protect(page, rights);
    }
    errno = saved;
    return writable;
}
