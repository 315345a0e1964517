/* SPDX-License-Identifier: MIT */
/* Single blocks for a snapshot: what the block table knows, and the program's own mappings, in order of address.
 *
 * The program's other threads go on meanwhile: a block that comes or goes may be listed or not.  One that was handed
 * out after the snapshot chose its tracebacks is not.
 *
 * Under the life lock, so that ids mean the same all the while.   Memory  own pages: for odd blocks and mappings only.
 * Locks    those of odd blocks and of mappings, each for a copy.   errno  kept.   Signals  safe. */
#ifndef TM_RUNTIME_TRACK_BLOCK_LIST_H
#define TM_RUNTIME_TRACK_BLOCK_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "store/block_section.h"
#include "store/snapshot_select.h"

/* Adds all to SECTION.  *LEFT_OUT: blocks for which there was no memory.  False: there was none to begin with. */
TM_CHECKED bool tm_block_list_add(struct tm_block_section *section, const struct tm_selection *selection,
                                  uint64_t *left_out);

#endif
