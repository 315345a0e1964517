/* SPDX-License-Identifier: MIT */
#include "runtime/table/block_table.h"

#include "runtime/os/os_memory.h"

bool tm_block_table_init(struct tm_block_table *table, unsigned granule_bits)
{
    table->granule_bits = granule_bits;
    table->odd_bits = ~((UINT64_C(1) << TM_ADDRESS_BITS) - 1) | ((UINT64_C(1) << granule_bits) - 1);
    atomic_store(&table->leaf_count, 0);
    table->leaves = tm_pages_map_sparse(TM_REGION_COUNT * sizeof *table->leaves);
    return table->leaves != NULL;
}

void tm_block_table_after_fork(struct tm_block_table *table)
{
    tm_lock_reset(&table->odd.lock);
}

size_t tm_block_table_leaf_bytes(const struct tm_block_table *table)
{
    /* One slot more: the size of a block that begins in the last granule. */
    return ((size_t)1 << (TM_REGION_BITS - table->granule_bits)) * sizeof(tm_slot_word) + TM_PAGE_SIZE;
}

size_t tm_block_table_bytes(const struct tm_block_table *table)
{
    size_t listed = (size_t)atomic_load(&table->leaf_count);
    size_t sum = tm_odd_block_table_bytes(&table->odd);
    listed = listed < TM_LEAF_LIST_MAX ? listed : TM_LEAF_LIST_MAX;
    for (size_t i = 0; i < listed; i++) {
        tm_slot_word *leaf = atomic_load_explicit(&table->leaf_list[i], memory_order_relaxed);
        sum += leaf == NULL ? 0 : tm_pages_resident(leaf, tm_block_table_leaf_bytes(table));
    }
    return sum;
}

static void list_leaf(struct tm_block_table *table, tm_slot_word *leaf)
{
    uint64_t at = atomic_fetch_add_explicit(&table->leaf_count, 1, memory_order_relaxed);
    if (at < TM_LEAF_LIST_MAX) {
        atomic_store_explicit(&table->leaf_list[at], leaf, memory_order_relaxed);
    }
}

tm_slot_word *tm_block_table_make_leaf(struct tm_block_table *table, uintptr_t address)
{
    _Atomic(tm_slot_word *) *place = &table->leaves[address >> TM_REGION_BITS];
    tm_slot_word *leaf = atomic_load_explicit(place, memory_order_acquire);
    if (leaf != NULL) {
        return leaf;
    }
    tm_slot_word *fresh = tm_pages_map_sparse(tm_block_table_leaf_bytes(table));
    if (fresh == NULL) {
        return NULL;
    }
    if (!atomic_compare_exchange_strong_explicit(place, &leaf, fresh, memory_order_acq_rel, memory_order_acquire)) {
        tm_pages_unmap_sparse(fresh, tm_block_table_leaf_bytes(table));
        return leaf;
    }
    list_leaf(table, fresh);
    return fresh;
}

static tm_slot_word *make_slot(struct tm_block_table *table, uintptr_t address)
{
    return tm_block_table_make_leaf(table, address) == NULL ? NULL : tm_block_slot(table, address);
}

bool tm_block_table_put(struct tm_block_table *table, uintptr_t address, uint32_t word, uint64_t size)
{
    if (tm_block_is_odd(table, address)) {
        return tm_odd_block_table_put(&table->odd, address, word, size);
    }
    tm_slot_word *slot = make_slot(table, address);
    if (slot == NULL) {
        return false;
    }
    if (size > TM_SMALL_SIZE_MAX) {
        if (size >= TM_SLOT_SIZE) {
            if (!tm_odd_block_table_put(&table->odd, address, word, size)) {
                return false;
            }
            size = TM_SLOT_SIZE;
        }
        tm_slot_store(slot + 1, TM_SLOT_IS_SIZE | (uint32_t)size);
    }
    tm_slot_store(slot, word);
    return true;
}

/* The size of the block at SLOT: 0 where the record knows it, TM_SLOT_SIZE where the odd table does. */
static uint64_t slot_size(const tm_slot_word *slot)
{
    uint32_t next = tm_slot_load(slot + 1);
    return (next & TM_SLOT_IS_SIZE) != 0 ? next & TM_SLOT_SIZE : 0;
}

bool tm_block_table_find(const struct tm_block_table *table, uintptr_t address, struct tm_block *block)
{
    if (tm_block_is_odd(table, address)) {
        return tm_odd_block_table_find(&table->odd, address, &block->word, &block->size);
    }
    const tm_slot_word *slot = tm_block_slot(table, address);
    block->word = slot == NULL ? 0 : tm_slot_load(slot);
    if (block->word == 0 || (block->word & TM_SLOT_IS_SIZE) != 0) {
        return false;
    }
    block->size = slot_size(slot);
    if (block->size == TM_SLOT_SIZE) {
        uint32_t word; /* as it was put; the slot's own may be marked since */
        return tm_odd_block_table_find(&table->odd, address, &word, &block->size);
    }
    return true;
}

bool tm_block_table_take(struct tm_block_table *table, uintptr_t address, struct tm_block *block)
{
    if (tm_block_is_odd(table, address)) {
        return tm_odd_block_table_take(&table->odd, address, &block->word, &block->size);
    }
    tm_slot_word *slot = tm_block_slot(table, address);
    block->word = slot == NULL ? 0 : tm_slot_load(slot);
    if (block->word == 0 || (block->word & TM_SLOT_IS_SIZE) != 0) {
        return false;
    }
    tm_slot_store(slot, 0);
    block->size = slot_size(slot);
    if (block->size != 0) {
        tm_slot_store(slot + 1, 0);
    }
    if (block->size == TM_SLOT_SIZE) {
        uint32_t word;
        return tm_odd_block_table_take(&table->odd, address, &word, &block->size);
    }
    return true;
}

bool tm_block_table_mark_code(struct tm_block_table *table, uintptr_t address)
{
    if (tm_block_is_odd(table, address)) {
        struct tm_block block = {0, 0};
        (void)tm_odd_block_table_find(&table->odd, address, &block.word, &block.size);
        return tm_odd_block_table_put(&table->odd, address, block.word | TM_SLOT_IS_CODE, block.size);
    }
    tm_slot_word *slot = make_slot(table, address);
    if (slot == NULL) {
        return false;
    }
    tm_slot_store(slot, tm_slot_load(slot) | TM_SLOT_IS_CODE);
    return true;
}

uintptr_t tm_block_table_start_below(const struct tm_block_table *table, uintptr_t address, uint64_t reach)
{
    uintptr_t best = tm_odd_block_table_start_below(&table->odd, address, reach);
    uintptr_t lowest = address > reach ? address - reach : 1;
    uintptr_t step = (uintptr_t)1 << table->granule_bits;
    if ((address >> TM_ADDRESS_BITS) != 0) {
        return best;
    }
    for (uintptr_t at = address & ~(step - 1); at >= lowest && at > best; at -= step) {
        const tm_slot_word *slot = tm_block_slot(table, at);
        if (slot == NULL) {
            at &= ~(((uintptr_t)1 << TM_REGION_BITS) - 1); /* nothing in this region: on to the one below */
            if (at < step) {
                break;
            }
            continue;
        }
        uint32_t word = tm_slot_load(slot);
        if (word != 0 && (word & TM_SLOT_IS_SIZE) == 0) {
            return at;
        }
    }
    return best;
}
