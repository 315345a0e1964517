/* SPDX-License-Identifier: MIT */
/* Which pages of a sparse table were ever written to.  To read the others would be to get pages of zeros, which the
 * kernel and our own counts take for memory in use.
 *
 * Threads  any.   Signals  safe.   errno  kept.   Errors  none: what the kernel does not tell counts as touched.
 * Source: Linux, Documentation/admin-guide/mm/pagemap.rst (bit 63: present, bit 62: swapped out). */
#ifndef TM_RUNTIME_OS_TOUCHED_PAGES_H
#define TM_RUNTIME_OS_TOUCHED_PAGES_H

#include <stdbool.h>
#include <stddef.h>

/* TOUCHED[i] says it of the page i of the COUNT pages at AT (page aligned). */
void tm_pages_touched(const void *at, size_t count, bool *touched);

#endif
