/* SPDX-License-Identifier: MIT */
/* Whose malloc the program calls: ours, unless another library with one was preloaded before us.
 *
 * Then the program never comes through our doors of malloc; CPython's domains and mmap are traced all the same. */
#ifndef TM_RUNTIME_HOOK_OUTER_MALLOC_H
#define TM_RUNTIME_HOOK_OUTER_MALLOC_H

/* The path of the object whose malloc comes before ours, owned by the loader; NULL: none does.
 * Threads  in the constructor.   Signals  not safe (the loader's lock).   Errors  NULL. */
const char *tm_outer_malloc(void);

#endif
