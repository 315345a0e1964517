/* SPDX-License-Identifier: MIT */
#include "runtime/os/os_protection.h"

#include <errno.h>
#include <sys/mman.h>

#include "runtime/os/os_memory.h"

bool tm_protected_word_set(uintptr_t *place, uintptr_t value, bool is_code)
{
    void *page = (void *)((uintptr_t)place & ~(uintptr_t)(TM_PAGE_SIZE - 1));
    const int rights = PROT_READ | (is_code ? PROT_EXEC : 0);
    int saved = errno;
    bool writable = mprotect(page, TM_PAGE_SIZE, rights | PROT_WRITE) == 0;
    if (writable) {
        __atomic_store_n(place, value, __ATOMIC_RELEASE);
        (void)!mprotect(page, TM_PAGE_SIZE, rights);
    }
    errno = saved;
    return writable;
}
