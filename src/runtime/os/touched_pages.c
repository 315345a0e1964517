/* SPDX-License-Identifier: MIT */
#include "runtime/os/touched_pages.h"

#include <errno.h>
#include <string.h>

#include "runtime/os/os_file.h"
#include "runtime/os/os_memory.h"
#include "runtime/os/page_map.h"

#define IS_THERE (TM_PAGE_IS_PRESENT | TM_PAGE_IS_SWAPPED)
#define AT_ONCE  256U

void tm_pages_touched(const void *at, size_t count, bool *touched)
{
    uint64_t entries[AT_ONCE];
    int saved = errno;
    int descriptor = tm_page_map_open();
    memset(touched, true, count * sizeof *touched);
    for (size_t done = 0; descriptor >= 0 && done < count; done += AT_ONCE) {
        size_t part = count - done < AT_ONCE ? count - done : AT_ONCE;
        if (!tm_page_map_read(descriptor, (uintptr_t)at + done * TM_PAGE_SIZE, part, entries)) {
            break;
        }
        for (size_t i = 0; i < part; i++) {
            touched[done + i] = (entries[i] & IS_THERE) != 0;
        }
    }
    if (descriptor >= 0) {
        tm_file_close(descriptor);
    }
    errno = saved;
}
