/* SPDX-License-Identifier: MIT */
/* What the process's memory consists of beside the traced blocks, as facts of a snapshot:
 *
 *   rss_bytes, pss_bytes, swap_bytes    the process; the next seven add up to rss_bytes
 *   rss_heap, rss_stack, rss_anonymous, rss_file, rss_file_own, rss_shared, rss_store
 *   arenas, arena_bytes, arena_rss      of CPython's small-block allocator
 *   libc_used, libc_free, libc_mapped   of libc's malloc: handed out from its heaps, free in them, blocks with a
 *                                       mapping of their own
 *   map_reserved, map_reserved_ranges   what the program mapped without rights (in no figure of blocks)
 *   map_file, map_file_ranges           likewise of files
 *   map_rss                             of the mmap domain's private blocks, what has a page behind it
 *   tracer_anonymous                    our own tables, part of rss_anonymous
 *   tracer_block_table                  of these the one that knows the live blocks
 *
 * All in bytes but `arenas` and the ranges.  A fact that cannot be had is left out.
 * Threads  any.   Signals  not safe: libc's figures take the locks of its malloc.   errno  kept. */
#ifndef TM_RUNTIME_TRACK_MEMORY_FACTS_H
#define TM_RUNTIME_TRACK_MEMORY_FACTS_H

#include <stdbool.h>

#include "store/snapshot_encode.h"

#define TM_MEMORY_FACTS 26U /* the most that are added */

/* Each adds to the COUNT facts of FACTS and returns the new count.
 *
 * The tracer's own memory, and what is resident.  STORE is the path of the store's file, or NULL.  Without pss_bytes,
 * rss_heap and rss_anonymous, and to some 100 KiB only, as the kernel counts by the way: of a process that is sampled,
 * and neither forked nor was; IN_BRIEF, also of one with much resident memory. */
unsigned tm_resident_facts_add(struct tm_encode_fact *facts, unsigned count, const char *store, bool in_brief);

/* Arenas, mappings, and libc's malloc; without libc where ASK_LIBC is false, because the caller may be a signal handler
 * that interrupted malloc. */
unsigned tm_allocator_facts_add(struct tm_encode_fact *facts, unsigned count, bool ask_libc);

#endif
