/* SPDX-License-Identifier: MIT */
#include "report/stat/block_rows.h"

#include <stdlib.h>

static int by_address(const void *left, const void *right)
{
    const struct tm_block_record *a = *(const struct tm_block_record *const *)left;
    const struct tm_block_record *b = *(const struct tm_block_record *const *)right;
    return a < b ? -1 : a > b; /* so they lie in the snapshot */
}

static int by_size(const void *left, const void *right)
{
    const struct tm_block_record *a = *(const struct tm_block_record *const *)left;
    const struct tm_block_record *b = *(const struct tm_block_record *const *)right;
    return a->size != b->size ? (a->size < b->size ? 1 : -1) : by_address(left, right);
}

static void turn_round(struct tm_block_rows *rows)
{
    for (size_t low = 0, high = rows->count; low + 1 < high; low++) {
        high--;
        const struct tm_block_record *moved = rows->blocks[low];
        rows->blocks[low] = rows->blocks[high];
        rows->blocks[high] = moved;
    }
}

bool tm_block_rows_make(struct tm_block_rows *rows, const struct tm_forest *forest, const struct tm_grouping *grouping,
                        enum tm_block_order order, bool reverse)
{
    unsigned last = forest->snapshot_count - 1;
    const struct tm_snapshot *snapshot = forest->snapshots[last];
    *rows = (struct tm_block_rows){.blocks = malloc((snapshot->block_count + 1) * sizeof *rows->blocks)};
    if (rows->blocks == NULL) {
        return false;
    }
    for (size_t i = 0; i < snapshot->block_count; i++) {
        const struct tm_block_record *block = &snapshot->blocks[i];
        if ((grouping->domains & TM_DOMAIN_BIT(block->domain)) != 0 &&
            (grouping->nodes == NULL || grouping->nodes[forest->node_of[last][block->traceback]] != 0)) {
            rows->blocks[rows->count++] = block;
            rows->size += block->size;
        }
    }
    if (order == TM_BLOCKS_BY_SIZE && rows->count > 0) {
        qsort(rows->blocks, rows->count, sizeof *rows->blocks, by_size);
    }
    if (reverse) {
        turn_round(rows);
    }
    return true;
}

void tm_block_rows_free(struct tm_block_rows *rows)
{
    free(rows->blocks);
    *rows = (struct tm_block_rows){NULL, 0, 0};
}

/* How many of ROWS begin at ADDRESS or below. */
static size_t count_up_to(const struct tm_block_rows *rows, uint64_t address)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->blocks[middle]->address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct tm_block_record *tm_block_rows_at(const struct tm_block_rows *rows, uint64_t address)
{
    const struct tm_block_record *found = NULL;
    for (size_t i = count_up_to(rows, address); i-- > 0;) {
        const struct tm_block_record *block = rows->blocks[i];
        if (found != NULL && block->address < found->address) {
            break;
        }
        bool holds = address - block->address < (block->size > 0 ? block->size : 1);
        if (holds && (found == NULL || block->size < found->size)) {
            found = block;
        }
    }
    return found;
}

const struct tm_block_record *tm_block_rows_below(const struct tm_block_rows *rows, uint64_t address)
{
    size_t count = address > 0 ? count_up_to(rows, address - 1) : 0;
    return count > 0 ? rows->blocks[count - 1] : NULL;
}
