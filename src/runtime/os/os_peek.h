/* SPDX-License-Identifier: MIT */
/* Reads of memory that may not be there. */
#ifndef TM_RUNTIME_OS_OS_PEEK_H
#define TM_RUNTIME_OS_OS_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Copies SIZE bytes at ADDRESS to TARGET through the kernel.  False: not all of them are readable.  Where the kernel
 * refuses the call altogether (a sandbox), it copies directly, and an unmapped address faults as ever.
 * A system call each: not for hot paths.  Signal safe; errno kept. */
TM_CHECKED bool tm_memory_peek(uintptr_t address, void *target, size_t size);

#define TM_PEEK_MOST 8U

/* Likewise the words at AT[0], AT[1] and so on, COUNT of them, in one system call: how many there are in WORDS before
 * the first that is not readable.  What follows is 0, or part of a word. */
TM_CHECKED unsigned tm_memory_peek_words(const uintptr_t *at, uintptr_t *words, unsigned count);

#endif
