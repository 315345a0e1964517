/* SPDX-License-Identifier: MIT */
#include "runtime/hook/libc_memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "runtime/hook/elf_object.h"
#include "runtime/hook/real_libc.h"

/* struct mallinfo2 of glibc 2.33; older headers do not have it. */
struct heap_figures {
    size_t arena;    /* bytes of the heaps */
    size_t ordblks;  /* free chunks */
    size_t smblks;   /* free chunks in fast bins */
    size_t hblks;    /* blocks with a mapping of their own */
    size_t hblkhd;   /* their bytes */
    size_t usmblks;  /* always 0 */
    size_t fsmblks;  /* bytes in fast bins */
    size_t uordblks; /* bytes handed out */
    size_t fordblks; /* bytes free */
    size_t keepcost; /* bytes at the top of the first heap */
};

static struct heap_figures (*ask_heaps)(void);

static bool ask(struct tm_libc_memory *memory)
{
    int saved = errno;
    struct heap_figures figures = ask_heaps();
    memory->used = figures.uordblks;
    memory->free = figures.fordblks;
    memory->mapped = figures.hblkhd;
    errno = saved;
    return true;
}

/* Another allocator in libc's place (jemalloc, tcmalloc) leaves libc's heaps unused: their figures would say
 * nothing. */
static bool is_of_the_same_library(const void *function)
{
    struct tm_elf_object allocator;
    uintptr_t address;
    memcpy(&address, &tm_real.malloc, sizeof address);
    return tm_elf_object_find(address, &allocator) && tm_elf_range_holds(&allocator.all, (uintptr_t)function);
}

void tm_libc_memory_begin(void)
{
    void *found = dlsym(RTLD_DEFAULT, "mallinfo2");
    if (found == NULL) {
        (void)dlerror(); /* the application must not find our message */
    } else if (is_of_the_same_library(found)) {
        memcpy(&ask_heaps, &found, sizeof ask_heaps);
        tm_runtime_ask_libc = ask;
    }
}
