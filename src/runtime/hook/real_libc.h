/* SPDX-License-Identifier: MIT */
/* The functions behind ours: the next definitions in the loader's order, so libc's or those of an allocator that was
 * preloaded after us.
 *
 * The allocating ones can be called at any time: before resolution they point to functions that resolve first.
 * Threads  resolution runs once, in the first thread, before or in the constructor; read-only afterwards. */
#ifndef TM_RUNTIME_HOOK_REAL_LIBC_H
#define TM_RUNTIME_HOOK_REAL_LIBC_H

#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "runtime/hook/hooked_functions.h"

struct tm_real_libc {
#define TM_HOOKED(result, name, parameters) result(*name) parameters;
    TM_HOOKED_FUNCTIONS(TM_HOOKED)
#undef TM_HOOKED
};

extern TM_HIDDEN struct tm_real_libc tm_real;

/* Finds them all; further calls return at once.  Functions that libc does not have are made of those that it has,
 * so no pointer is NULL afterwards. */
TM_COLD void tm_real_libc_resolve(void);

/* The boot pool's part in freeing and moving: BLOCK is of the pool. */
TM_COLD void *tm_real_libc_move_boot_block(const void *block, size_t size);

#endif
