/* SPDX-License-Identifier: MIT */
#include "runtime/table/block_walk.h"

#include "runtime/os/touched_pages.h"

#define ENTRIES (TM_PAGE_SIZE / sizeof(uintptr_t)) /* of the directory, in a page */
#define TRIES   4

struct visitor {
    void (*visit)(uintptr_t address, void *context);
    void *context;
};

/* The blocks that begin in the SIZE bytes at ADDRESS. */
static void visit_range(const struct tm_block_table *table, uintptr_t address, size_t size,
                        const struct visitor *visitor)
{
    const uintptr_t end = address + size;
    const uintptr_t granule = (uintptr_t)1 << table->granule_bits;
    for (uintptr_t at = tm_block_table_first_in(table, address, size); at != 0;
         at = tm_block_table_first_in(table, at + granule, end - at - granule)) {
        visitor->visit(at, visitor->context);
    }
}

static void visit_region(const struct tm_block_table *table, uintptr_t region, bool *touched,
                         const struct visitor *visitor)
{
    const uintptr_t start = region << TM_REGION_BITS;
    const tm_slot_half *leaf = tm_block_slot(table, start);
    if (leaf == NULL) {
        return;
    }
    const unsigned page_shift = 12 + table->slot_shift; /* addresses of one page of the leaf */
    const size_t pages = (size_t)1 << (TM_REGION_BITS - page_shift);
    tm_pages_touched((const void *)leaf, pages, touched);
    for (size_t page = 0; page < pages; page++) {
        if (touched[page]) {
            visit_range(table, start + (page << page_shift), (size_t)1 << page_shift, visitor);
        }
    }
}

void tm_block_table_each(const struct tm_block_table *table, struct tm_block_walk *walk,
                         void (*visit)(uintptr_t address, void *context), void *context)
{
    const struct visitor visitor = {visit, context};
    const size_t pages = TM_COUNT_OF(walk->directory);
    tm_pages_touched((const void *)table->leaves, pages, walk->directory);
    for (size_t page = 0; page < pages; page++) {
        for (size_t i = 0; walk->directory[page] && i < ENTRIES; i++) {
            visit_region(table, page * ENTRIES + i, walk->leaf, &visitor);
        }
    }
}

bool tm_block_table_find_steady(const struct tm_block_table *table, uintptr_t address, struct tm_block *block)
{
    for (unsigned i = 0; i < TRIES; i++) {
        struct tm_block again;
        if (!tm_block_table_find(table, address, block) || !tm_block_table_find(table, address, &again)) {
            return false;
        }
        if (block->word == again.word && block->size == again.size) {
            return true;
        }
    }
    return false;
}
