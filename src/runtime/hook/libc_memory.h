/* SPDX-License-Identifier: MIT */
/* What libc's malloc says of itself: mallinfo2 (glibc 2.33 and later).
 *
 * Threads  any; takes the locks of malloc's heaps one by one.   Signals  not safe.   errno  kept. */
#ifndef TM_RUNTIME_HOOK_LIBC_MEMORY_H
#define TM_RUNTIME_HOOK_LIBC_MEMORY_H

#include <stdbool.h>

#include "runtime/track/runtime.h"

/* Constructor: looks for the function and lets the snapshots ask it. */
void tm_libc_memory_begin(void);

#endif
