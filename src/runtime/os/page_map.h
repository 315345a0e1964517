/* SPDX-License-Identifier: MIT */
/* What the kernel tells of single pages of this process.
 *
 * Threads  any.   Signals  safe.   errno  may change.
 * Source: Linux, Documentation/admin-guide/mm/pagemap.rst. */
#ifndef TM_RUNTIME_OS_PAGE_MAP_H
#define TM_RUNTIME_OS_PAGE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TM_PAGE_IS_PRESENT (UINT64_C(1) << 63)
#define TM_PAGE_IS_SWAPPED (UINT64_C(1) << 62)
#define TM_PAGE_IS_OF_FILE (UINT64_C(1) << 61) /* or of shared memory: no page of this process alone */

/* A descriptor, to be closed by tm_file_close; negative: the kernel does not tell. */
int tm_page_map_open(void);

/* The entries of COUNT pages from that of ADDRESS on.  False: not told. */
bool tm_page_map_read(int descriptor, uintptr_t address, size_t count, uint64_t *entries);

#endif
