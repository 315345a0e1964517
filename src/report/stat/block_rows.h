/* SPDX-License-Identifier: MIT */
/* Single blocks of a snapshot: which of them count, in which order, and which one an address lies in.
 *
 * Memory   the list is malloc'ed.     Threads  any, on a forest that does not change. */
#ifndef TM_REPORT_STAT_BLOCK_ROWS_H
#define TM_REPORT_STAT_BLOCK_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/stat/group.h"

enum tm_block_order {
    TM_BLOCKS_BY_ADDRESS,
    TM_BLOCKS_BY_SIZE, /* the largest first; blocks of one size by address */
};

struct tm_block_rows {
    const struct tm_block_record **blocks; /* point into the snapshot */
    size_t count;
    uint64_t size; /* bytes of all */
};

/* Those of the forest's last snapshot whose domain and node pass GROUPING.  REVERSE: the other end first.  False
 * without memory. */
TM_CHECKED bool tm_block_rows_make(struct tm_block_rows *rows, const struct tm_forest *forest,
                                   const struct tm_grouping *grouping, enum tm_block_order order, bool reverse);
void tm_block_rows_free(struct tm_block_rows *rows);

/* Of ROWS, which are by address and not reversed, the block that ADDRESS lies in; where several do (blocks in a
 * mapping) the one that begins last, of these the smallest.  A block of no bytes has its address.  NULL: none. */
const struct tm_block_record *tm_block_rows_at(const struct tm_block_rows *rows, uint64_t address);

/* Of such ROWS the last one that begins below ADDRESS.  NULL: none. */
const struct tm_block_record *tm_block_rows_below(const struct tm_block_rows *rows, uint64_t address);

#endif
