/* SPDX-License-Identifier: MIT */
/* Memory for the calls to malloc that come before the real malloc is known: dlsym's own.
 *
 * Blocks are 16-byte aligned or better, zeroed, and never given back; their pointers are recognised for ever, because
 * libc frees some of them only as the process ends.
 * Threads  all functions; tm_boot_pool_allocate takes a lock.   Signals  not safe.   errno  kept.
 * Errors   tm_boot_pool_allocate: NULL when the kernel has no more pages. */
#ifndef TM_RUNTIME_HOOK_BOOT_POOL_H
#define TM_RUNTIME_HOOK_BOOT_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* From the lowest to the highest byte of the pool, with what lies between. */
struct tm_boot_pool_span {
    uintptr_t low;
    uintptr_t size;
};

extern TM_HIDDEN struct tm_boot_pool_span tm_boot_pool_span;

/* SIZE bytes; ALIGNMENT is a power of two, at most a page (4096). */
TM_CHECKED void *tm_boot_pool_allocate(size_t alignment, size_t size);

/* The exact answer, for pointers that pass tm_boot_pool_may_own. */
TM_COLD bool tm_boot_pool_owns(const void *block);

/* Calls VISIT with ranges that all blocks there are lie in. */
void tm_boot_pool_visit(void (*visit)(uintptr_t low, size_t size));

/* Usable bytes of a block of the pool. */
size_t tm_boot_pool_size(const void *block);

/* False for nearly every block that is not of the pool; false for NULL. */
TM_INLINE bool tm_boot_pool_may_own(const void *block)
{
    return TM_UNLIKELY((uintptr_t)block - tm_boot_pool_span.low < tm_boot_pool_span.size);
}

#endif
