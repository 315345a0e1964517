/* SPDX-License-Identifier: MIT */
#include "runtime/hook/real_libc.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "runtime/hook/boot_pool.h"
#include "runtime/os/os_memory.h"

/* dlsym is declared a leaf function: without volatile the compiler may keep these in registers across its call of
 * us. */
static volatile bool is_resolved;
static volatile bool is_resolving;

/* True when the real functions are known; resolves them unless this is resolution's own call. */
static bool resolved_now(void)
{
    if (!is_resolving) {
        tm_real_libc_resolve();
    }
    return is_resolved;
}

static void *boot_malloc(size_t size)
{
    return resolved_now() ? tm_real.malloc(size) : tm_boot_pool_allocate(0, size);
}

static void boot_free(void *block)
{
    if (block != NULL && resolved_now()) {
        tm_real.free(block);
    }
}

static void *boot_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (resolved_now()) {
        return tm_real.calloc(count, size);
    }
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : tm_boot_pool_allocate(0, bytes);
}

static void *boot_realloc(void *block, size_t size)
{
    return resolved_now() ? tm_real.realloc(block, size) : tm_real_libc_move_boot_block(block, size);
}

static void *boot_reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (resolved_now()) {
        return tm_real.reallocarray(block, count, size);
    }
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : tm_real_libc_move_boot_block(block, bytes);
}

static void *boot_aligned_alloc(size_t alignment, size_t size)
{
    return resolved_now() ? tm_real.aligned_alloc(alignment, size) : tm_boot_pool_allocate(alignment, size);
}

static void *boot_memalign(size_t alignment, size_t size)
{
    return resolved_now() ? tm_real.memalign(alignment, size) : tm_boot_pool_allocate(alignment, size);
}

static void *boot_valloc(size_t size)
{
    return resolved_now() ? tm_real.valloc(size) : tm_boot_pool_allocate(TM_PAGE_SIZE, size);
}

static void *boot_pvalloc(size_t size)
{
    return resolved_now() ? tm_real.pvalloc(size) : tm_boot_pool_allocate(TM_PAGE_SIZE, tm_page_round(size));
}

static int boot_posix_memalign(void **block, size_t alignment, size_t size)
{
    if (resolved_now()) {
        return tm_real.posix_memalign(block, alignment, size);
    }
    *block = tm_boot_pool_allocate(alignment, size);
    return *block == NULL ? ENOMEM : 0;
}

/* In the place of functions that this libc does not have. */
static void free_any(void *block)
{
    tm_real.free(block);
}

static void free_any_sized(void *block, size_t size)
{
    (void)size;
    tm_real.free(block);
}

static void free_any_aligned_sized(void *block, size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    tm_real.free(block);
}

static void *reallocarray_by_realloc(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return tm_real.realloc(block, bytes);
}

struct tm_real_libc tm_real = {
    .malloc = boot_malloc,
    .free = boot_free,
    .calloc = boot_calloc,
    .realloc = boot_realloc,
    .reallocarray = boot_reallocarray,
    .posix_memalign = boot_posix_memalign,
    .aligned_alloc = boot_aligned_alloc,
    .memalign = boot_memalign,
    .valloc = boot_valloc,
    .pvalloc = boot_pvalloc,
    .free_sized = free_any_sized,
    .free_aligned_sized = free_any_aligned_sized,
    .cfree = free_any,
};

void *tm_real_libc_move_boot_block(const void *block, size_t size)
{
    void *moved = is_resolved ? tm_real.malloc(size) : tm_boot_pool_allocate(0, size);
    if (block != NULL && moved != NULL) {
        size_t old_size = tm_boot_pool_size(block);
        memcpy(moved, block, size < old_size ? size : old_size);
    }
    return moved;
}

/* ISO C has no cast between an object and a function pointer; POSIX says that dlsym's answer may be copied so. */
static void find_next(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found != NULL) {
        memcpy(function, &found, sizeof found);
    }
}

void tm_real_libc_resolve(void)
{
    if (is_resolved || is_resolving) {
        return;
    }
    is_resolving = true;
    /* A whole copy is put in place at the end, so that all calls until then are served by the pool. */
    struct tm_real_libc found = tm_real;
    found.reallocarray = reallocarray_by_realloc;
#define TM_HOOKED(result, name, parameters) find_next(&found.name, #name);
    TM_HOOKED_FUNCTIONS(TM_HOOKED)
#undef TM_HOOKED
    (void)dlerror(); /* the application must not find our message of a function that is absent */
    tm_real = found;
    is_resolved = true;
    is_resolving = false;
}
