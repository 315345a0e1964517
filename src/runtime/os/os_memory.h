/* SPDX-License-Identifier: MIT */
/* Pages from the kernel: the only memory of the process half.
 *
 * Threads  all functions.   Signals  safe.   errno  kept.
 * Errors   NULL or false; the caller counts and goes on without. */
#ifndef TM_RUNTIME_OS_OS_MEMORY_H
#define TM_RUNTIME_OS_OS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define TM_PAGE_SIZE 4096U

TM_INLINE size_t tm_page_round(size_t size)
{
    return (size + TM_PAGE_SIZE - 1) & ~(size_t)(TM_PAGE_SIZE - 1);
}

/* SIZE bytes (rounded up to pages) of zeros, private; pages are taken from the kernel when touched. */
TM_CHECKED void *tm_pages_map(size_t size);

/* The same with its pages, where the kernel has them to give. */
TM_CHECKED void *tm_pages_map_populated(size_t size);

/* Like tm_pages_map for large sparse tables: not counted against overcommit, never in huge pages. */
TM_CHECKED void *tm_pages_map_sparse(size_t size);

/* Addresses only: SIZE bytes that fault until something is mapped there. */
TM_CHECKED void *tm_pages_reserve(size_t size);

/* Zeros over the page-aligned range, private; replaces what is there.  sparse: as tm_pages_map_sparse's. */
TM_CHECKED bool tm_pages_map_at(void *at, size_t size);
TM_CHECKED bool tm_pages_map_sparse_at(void *at, size_t size);

/* Moves a private mapping to NEW (page aligned), replacing what is there. */
TM_CHECKED bool tm_pages_move(void *from, size_t size, void *to);

/* Grows a mapping, moving it where needed; NULL leaves it as it was. */
TM_CHECKED void *tm_pages_grow(void *from, size_t old_size, size_t new_size);

void tm_pages_unmap(void *at, size_t size);

/* Takes the pages of the range (page aligned, zeros that were never written) from the kernel now, all in one go: each
 * by itself, at its first write, takes longer. */
void tm_pages_touch(void *at, size_t size);

/* For what tm_pages_map_sparse gave. */
void tm_pages_unmap_sparse(void *at, size_t size);

/* Gives back to the kernel the pages that lie wholly in the SIZE bytes at AT, of a private mapping: they read as zeros
 * again.  False: the kernel will not (they may be locked in memory), and nothing has happened. */
bool tm_pages_forget(void *at, size_t size);

/* Takes the pages that the SIZE bytes at AT touch, to be written, from the kernel now and at once, which is cheaper
 * than a fault for each; of a file's shared mapping too.  Where the kernel will not (before Linux 5.14), they come when
 * touched. */
void tm_pages_populate(void *at, size_t size);

/* The same of a shared mapping of a file that is in memory only (tm_file_is_in_memory): there a page that is read may
 * be written, too, and the kernel makes sixteen such at once.  Elsewhere the first write of each would fault. */
void tm_pages_populate_in_memory(void *at, size_t size);

/* Of a file's mapping few pages will be touched, here and there: the kernel makes no others beside them. */
void tm_pages_expect_few(void *at, size_t size);

/* A child of the process finds zeros in the pages of the range (page aligned), however it was made.  Where the kernel
 * will not (before Linux 4.14), nothing happens. */
void tm_pages_wipe_on_fork(void *at, size_t size);

/* Bytes of the mapping of SIZE bytes at AT that have a page behind them. */
size_t tm_pages_resident(const void *at, size_t size);

/* Bytes of address space mapped through this file and not unmapped (reservations and sparse tables excluded). */
size_t tm_pages_total(void);

/* The address space that RLIMIT_AS allows the whole process, in bytes; SIZE_MAX when it is unlimited. */
size_t tm_pages_limit(void);

/* What RLIMIT_AS and RLIMIT_DATA both allow the whole process, in bytes; SIZE_MAX when neither limits. */
size_t tm_pages_room(void);

#endif
