/* SPDX-License-Identifier: MIT */
/* The doors of mmap, see map_hooks.c. */
#ifndef TM_RUNTIME_HOOK_MAP_HOOKS_H
#define TM_RUNTIME_HOOK_MAP_HOOKS_H

/* Constructor, once it is known whether is sampled: the guard is then down while an allocator serves a call that is not
 * sampled, so that what it maps by itself is told by whose code asks for it. */
void tm_map_hooks_begin(void);

#endif
