/* SPDX-License-Identifier: MIT */
#include "runtime/os/os_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/os_call.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_READ  22 /* Linux 5.14, glibc 2.35 */
#define MADV_POPULATE_WRITE 23
#endif

static _Atomic size_t total;

/* The raw calls: libc's mmap and mremap are symbols that we and other preloaded libraries stand in front of.
 * ThreadSanitizer does: it has to learn that memory which comes again is not the memory that went. */
#if defined(__SANITIZE_THREAD__)
static long map_call(void *at, size_t size, int protection, int flags)
{
    return (long)mmap(at, size, protection, flags, -1, 0);
}

static int unmap_call(void *at, size_t size)
{
    return munmap(at, size);
}

static long move_call(void *from, size_t old_size, size_t new_size, int flags, void *to)
{
    return (long)mremap(from, old_size, new_size, flags, to);
}
#else
static long map_call(void *at, size_t size, int protection, int flags)
{
    return syscall(SYS_mmap, at, size, protection, flags, -1, 0L);
}

static int unmap_call(void *at, size_t size)
{
    return (int)syscall(SYS_munmap, at, size);
}

static long move_call(void *from, size_t old_size, size_t new_size, int flags, void *to)
{
    return syscall(SYS_mremap, from, old_size, new_size, flags, to);
}
#endif

static void *map(void *at, size_t size, int protection, int flags)
{
    int saved = errno;
    long result = TM_OS_CALL(MMAP, map_call(at, size, protection, flags));
    errno = saved;
    return result == -1 ? NULL : (void *)result;
}

static bool advise(void *at, size_t size, int advice)
{
    int saved = errno;
    bool done = TM_OS_CALL(MADVISE, madvise(at, size, advice)) == 0;
    errno = saved;
    return done;
}

static void *map_counted(size_t size, int more_flags)
{
    size = tm_page_round(size);
    void *pages = map(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | more_flags);
    if (pages != NULL) {
        atomic_fetch_add_explicit(&total, size, memory_order_relaxed);
    }
    return pages;
}

void *tm_pages_map(size_t size)
{
    return map_counted(size, 0);
}

void *tm_pages_map_populated(size_t size)
{
    return map_counted(size, MAP_POPULATE);
}

void *tm_pages_map_sparse(size_t size)
{
    size = tm_page_round(size);
    void *pages = map(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    if (pages != NULL) {
        (void)advise(pages, size, MADV_NOHUGEPAGE);
    }
    return pages;
}

bool tm_pages_map_sparse_at(void *at, size_t size)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    if (map(at, size, PROT_READ | PROT_WRITE, flags) == NULL) {
        return false;
    }
    (void)advise(at, size, MADV_NOHUGEPAGE);
    return true;
}

void *tm_pages_reserve(size_t size)
{
    return map(NULL, tm_page_round(size), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
}

bool tm_pages_map_at(void *at, size_t size)
{
    return map(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED) != NULL;
}

bool tm_pages_move(void *from, size_t size, void *to)
{
    int saved = errno;
    long result = TM_OS_CALL(MREMAP, move_call(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to));
    errno = saved;
    return result != -1;
}

void *tm_pages_grow(void *from, size_t old_size, size_t new_size)
{
    int saved = errno;
    old_size = tm_page_round(old_size);
    new_size = tm_page_round(new_size);
    long result = TM_OS_CALL(MREMAP, move_call(from, old_size, new_size, MREMAP_MAYMOVE, NULL));
    errno = saved;
    if (result == -1) {
        return NULL;
    }
    atomic_fetch_add_explicit(&total, new_size - old_size, memory_order_relaxed);
    return (void *)result;
}

static bool unmap(void *at, size_t size)
{
    int saved = errno;
    bool done = TM_OS_CALL(MUNMAP, unmap_call(at, size)) == 0;
    errno = saved;
    return done;
}

void tm_pages_unmap(void *at, size_t size)
{
    size = tm_page_round(size);
    if (unmap(at, size)) {
        atomic_fetch_sub_explicit(&total, size, memory_order_relaxed);
    }
}

void tm_pages_unmap_sparse(void *at, size_t size)
{
    (void)unmap(at, tm_page_round(size));
}

void tm_pages_touch(void *at, size_t size)
{
    if (!advise(at, size, MADV_POPULATE_WRITE)) {
        for (size_t i = 0; i < size; i += TM_PAGE_SIZE) {
            *((volatile uint8_t *)at + i) = 0;
        }
    }
}

void tm_pages_expect_few(void *at, size_t size)
{
    (void)advise(at, size, MADV_RANDOM);
}

void tm_pages_wipe_on_fork(void *at, size_t size)
{
    (void)advise(at, size, MADV_WIPEONFORK);
}

bool tm_pages_forget(void *at, size_t size)
{
    uintptr_t first = ((uintptr_t)at + TM_PAGE_SIZE - 1) & ~(uintptr_t)(TM_PAGE_SIZE - 1);
    uintptr_t end = ((uintptr_t)at + size) & ~(uintptr_t)(TM_PAGE_SIZE - 1);
    return first >= end || advise((void *)first, end - first, MADV_DONTNEED);
}

static void populate(void *at, size_t size, int advice)
{
    uintptr_t first = (uintptr_t)at & ~(uintptr_t)(TM_PAGE_SIZE - 1);
    (void)advise((void *)first, tm_page_round((uintptr_t)at + size - first), advice);
}

void tm_pages_populate(void *at, size_t size)
{
    populate(at, size, MADV_POPULATE_WRITE);
}

void tm_pages_populate_in_memory(void *at, size_t size)
{
    populate(at, size, MADV_POPULATE_READ);
}

/* Of what mincore says of COUNT pages, how many are there. */
static size_t count_pages(const unsigned char *pages, size_t count)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    size_t sum = 0, i = 0;
    for (; count - i >= sizeof each; i += sizeof each) {
        uint64_t eight;
        memcpy(&eight, pages + i, sizeof eight);
        sum += (size_t)((eight & each) * each >> 56);
    }
    for (; i < count; i++) {
        sum += pages[i] & 1U;
    }
    return sum;
}

size_t tm_pages_resident(const void *at, size_t size)
{
    unsigned char pages[1024];
    size_t resident = 0;
    int saved = errno;
    for (size_t done = 0; done < size; done += sizeof pages * TM_PAGE_SIZE) {
        size_t part = size - done < sizeof pages * TM_PAGE_SIZE ? size - done : sizeof pages * TM_PAGE_SIZE;
        if (mincore((char *)(uintptr_t)at + done, part, pages) == 0) {
            resident += count_pages(pages, part / TM_PAGE_SIZE) * TM_PAGE_SIZE;
        }
    }
    errno = saved;
    return resident;
}

size_t tm_pages_total(void)
{
    return atomic_load_explicit(&total, memory_order_relaxed);
}

static size_t limit_of(__rlimit_resource_t resource)
{
    struct rlimit limit;
    int saved = errno;
    bool known = TM_OS_CALL(LIMIT, getrlimit(resource, &limit)) == 0;
    errno = saved;
    return !known || limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : (size_t)limit.rlim_cur;
}

size_t tm_pages_limit(void)
{
    return limit_of(RLIMIT_AS);
}

size_t tm_pages_room(void)
{
    size_t space = limit_of(RLIMIT_AS);
    size_t data = limit_of(RLIMIT_DATA);
    return space < data ? space : data;
}
