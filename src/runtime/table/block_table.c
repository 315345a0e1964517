/* SPDX-License-Identifier: MIT */
#include "runtime/table/block_table.h"

#include "runtime/os/os_memory.h"

#define LATER_BITS (TM_HALF_LATER - 1U)

bool tm_block_table_init_at(struct tm_block_table *table, unsigned granule_bits, void *room)
{
    table->granule_bits = granule_bits;
    table->short_max = UINT64_C(1) << granule_bits;
    table->slot_shift = granule_bits - 1; /* two bytes for each granule */
    table->odd_bits = ~((UINT64_C(1) << TM_ADDRESS_BITS) - 1) | ((UINT64_C(1) << granule_bits) - 1);
    atomic_store(&table->leaf_count, 0);
    if (room != NULL) {
        table->leaves = tm_pages_map_sparse_at(room, TM_DIRECTORY_BYTES) ? room : NULL;
    } else {
        table->leaves = tm_pages_map_sparse(TM_DIRECTORY_BYTES);
    }
    return table->leaves != NULL;
}

bool tm_block_table_init(struct tm_block_table *table, unsigned granule_bits)
{
    return tm_block_table_init_at(table, granule_bits, NULL);
}

void tm_block_table_after_fork(struct tm_block_table *table)
{
    tm_lock_reset(&table->odd.lock);
}

size_t tm_block_table_leaf_bytes(const struct tm_block_table *table)
{
    /* A page more: the later halves of a block that begins in the last granule. */
    return ((size_t)1 << (TM_REGION_BITS - table->slot_shift)) + TM_PAGE_SIZE;
}

size_t tm_block_table_bytes(const struct tm_block_table *table)
{
    size_t listed = (size_t)atomic_load(&table->leaf_count);
    size_t sum = tm_odd_block_table_bytes(&table->odd);
    listed = listed < TM_LEAF_LIST_MAX ? listed : TM_LEAF_LIST_MAX;
    for (size_t i = 0; i < listed; i++) {
        tm_slot_half *leaf = atomic_load_explicit(&table->leaf_list[i], memory_order_relaxed);
        sum += leaf == NULL ? 0 : tm_pages_resident(leaf, tm_block_table_leaf_bytes(table));
    }
    return sum;
}

static void list_leaf(struct tm_block_table *table, tm_slot_half *leaf)
{
    uint64_t at = atomic_fetch_add_explicit(&table->leaf_count, 1, memory_order_relaxed);
    if (at < TM_LEAF_LIST_MAX) {
        atomic_store_explicit(&table->leaf_list[at], leaf, memory_order_relaxed);
    }
}

/* What is to be added to the entry of the region of ADDRESS for the leaf itself: see tm_block_slot.  The odd 1 keeps an
 * entry from being 0 wherever the leaf lies. */
static uintptr_t region_part(const struct tm_block_table *table, uintptr_t address)
{
    return ((address >> TM_REGION_BITS) << (TM_REGION_BITS - table->slot_shift)) - 1;
}

tm_slot_half *tm_block_table_make_leaf(struct tm_block_table *table, uintptr_t address)
{
    _Atomic uintptr_t *place = &table->leaves[address >> TM_REGION_BITS];
    uintptr_t part = region_part(table, address);
    uintptr_t entry = atomic_load_explicit(place, memory_order_acquire);
    if (entry != 0) {
        return (tm_slot_half *)(entry + part);
    }
    tm_slot_half *fresh = tm_pages_map_sparse(tm_block_table_leaf_bytes(table));
    if (fresh == NULL) {
        return NULL;
    }
    if (!atomic_compare_exchange_strong_explicit(place, &entry, (uintptr_t)fresh - part, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        tm_pages_unmap_sparse(fresh, tm_block_table_leaf_bytes(table));
        return (tm_slot_half *)(entry + part);
    }
    list_leaf(table, fresh);
    return fresh;
}

/* The leaf of ADDRESS and the index of its half there; NULL when there is none. */
static tm_slot_half *leaf_of(const struct tm_block_table *table, uintptr_t address, size_t *index)
{
    uintptr_t entry = atomic_load_explicit(&table->leaves[address >> TM_REGION_BITS], memory_order_acquire);
    *index = (address & ((UINT64_C(1) << TM_REGION_BITS) - 1)) >> table->granule_bits;
    return entry == 0 ? NULL : (tm_slot_half *)(entry + region_part(table, address));
}

static tm_slot_half *make_slot(struct tm_block_table *table, uintptr_t address)
{
    return tm_block_table_make_leaf(table, address) == NULL ? NULL : tm_block_slot(table, address);
}

/* How many halves a block of SIZE bytes has. */
static size_t halves_of(const struct tm_block_table *table, uint64_t size)
{
    if (tm_block_is_short(table, size)) {
        return 1;
    }
    return size <= TM_SMALL_SIZE_MAX ? 2 : 4;
}

/* The record id that the halves from SLOT on name; 0: they are of two blocks, or nothing. */
static uint32_t id_at(const struct tm_block_table *table, const tm_slot_half *slot)
{
    uint16_t first = tm_half_load(slot);
    if (tm_half_is_short(first)) {
        return tm_short_table_record(&table->shorts, first >> TM_HALF_SHIFT);
    }
    uint16_t second = tm_half_load(slot + 1);
    if ((second & TM_HALF_LATER) == 0) {
        return 0; /* changed meanwhile */
    }
    return ((uint32_t)(second & LATER_BITS) << TM_HALF_RECORD) | (first >> TM_HALF_SHIFT);
}

static bool has_one_half(uint16_t first)
{
    return tm_half_is_short(first) || first == TM_HALF_ODD;
}

/* Forgets the halves of the block that begins at SLOT. */
static void wipe(tm_slot_half *slot)
{
    uint16_t first = tm_half_load(slot);
    if (has_one_half(first)) {
        tm_half_store(slot, 0);
        return;
    }
    if (tm_slot_size(slot) != 0) {
        tm_slot_store(slot + 2, 0);
    }
    tm_slot_store(slot, 0);
}

/* The start that the half at INDEX of LEAF belongs to; SIZE_MAX: none, and then the half is forgotten. */
static size_t start_of_half(tm_slot_half *leaf, size_t index)
{
    for (size_t back = 0; back < 4 && back <= index; back++) {
        if (tm_half_is_start(tm_half_load(leaf + index - back))) {
            return index - back;
        }
    }
    tm_half_store(leaf + index, 0);
    return SIZE_MAX;
}

uintptr_t tm_block_table_in_the_way(struct tm_block_table *table, uintptr_t address, uint64_t size)
{
    size_t index;
    tm_slot_half *leaf = leaf_of(table, address, &index);
    for (size_t i = 0; leaf != NULL && i < halves_of(table, size); i++) {
        size_t start = tm_half_load(leaf + index + i) == 0 ? SIZE_MAX : start_of_half(leaf, index + i);
        if (start != SIZE_MAX) {
            return address + (start << table->granule_bits) - (index << table->granule_bits);
        }
    }
    return 0;
}

static void clear_way(struct tm_block_table *table, uintptr_t address, uint64_t size)
{
    for (uintptr_t at = tm_block_table_in_the_way(table, address, size); at != 0;
         at = tm_block_table_in_the_way(table, address, size)) {
        struct tm_block forgotten;
        (void)tm_block_table_take(table, at, &forgotten);
    }
}

static bool put_short(struct tm_block_table *table, uintptr_t address, uint32_t id, tm_slot_half *slot)
{
    uint32_t number = tm_short_table_number(&table->shorts, id);
    if (number != 0) {
        tm_half_store(slot, tm_half_of_short(number));
        return true;
    }
    if (!tm_odd_block_table_put(&table->odd, address, id, 0)) {
        return false;
    }
    tm_half_store(slot, TM_HALF_ODD);
    return true;
}

static uint32_t code_word(uint32_t id)
{
    return tm_slot_word(id) ^ TM_HALF_PLAIN ^ TM_HALF_CODE;
}

bool tm_block_table_put(struct tm_block_table *table, uintptr_t address, uint32_t word, uint64_t size)
{
    if (tm_block_is_odd(table, address)) {
        return tm_odd_block_table_put(&table->odd, address, word, size);
    }
    tm_slot_half *slot = make_slot(table, address);
    if (slot == NULL) {
        return false;
    }
    clear_way(table, address, size);
    bool is_code = (word & TM_SLOT_IS_CODE) != 0;
    if (!is_code && tm_block_is_short(table, size)) {
        return put_short(table, address, word, slot);
    }
    if (size > TM_SMALL_SIZE_MAX) {
        if (size >= TM_SLOT_SIZE) {
            if (!tm_odd_block_table_put(&table->odd, address, word, size)) {
                return false;
            }
            size = TM_SLOT_SIZE;
        }
        tm_slot_store_size(slot, (uint32_t)size);
    }
    tm_slot_store(slot, is_code ? code_word(word & TM_SLOT_RECORD) : tm_slot_word(word));
    return true;
}

/* Fills BLOCK from the start at SLOT as far as the shadow knows.  True: size and, of a short one, record are in the odd
 * table. */
static bool read_slot(const struct tm_block_table *table, const tm_slot_half *slot, struct tm_block *block)
{
    uint16_t first = tm_half_load(slot);
    *block = (struct tm_block){0, 0};
    if (first == TM_HALF_ODD) {
        return true;
    }
    block->word = id_at(table, slot);
    if ((first & TM_HALF_KIND) == TM_HALF_CODE) {
        block->word |= TM_SLOT_IS_CODE;
    }
    block->size = has_one_half(first) ? 0 : tm_slot_size(slot);
    return block->size == TM_SLOT_SIZE;
}

/* What the odd table adds: its word is as it was put, the slot's own may be marked since. */
static void complete(struct tm_block *block, uint32_t odd_word)
{
    block->word = block->word == 0 ? odd_word : block->word;
}

bool tm_block_table_find(const struct tm_block_table *table, uintptr_t address, struct tm_block *block)
{
    if (tm_block_is_odd(table, address)) {
        return tm_odd_block_table_find(&table->odd, address, &block->word, &block->size);
    }
    const tm_slot_half *slot = tm_block_slot(table, address);
    if (slot == NULL || !tm_half_is_start(tm_half_load(slot))) {
        return false;
    }
    if (read_slot(table, slot, block)) {
        uint32_t word;
        if (!tm_odd_block_table_find(&table->odd, address, &word, &block->size)) {
            return false;
        }
        complete(block, word);
    }
    return block->word != 0;
}

bool tm_block_table_take(struct tm_block_table *table, uintptr_t address, struct tm_block *block)
{
    if (tm_block_is_odd(table, address)) {
        return tm_odd_block_table_take(&table->odd, address, &block->word, &block->size);
    }
    tm_slot_half *slot = tm_block_slot(table, address);
    if (slot == NULL || !tm_half_is_start(tm_half_load(slot))) {
        return false;
    }
    bool is_in_odd = read_slot(table, slot, block);
    wipe(slot);
    if (is_in_odd) {
        uint32_t word;
        if (!tm_odd_block_table_take(&table->odd, address, &word, &block->size)) {
            return false;
        }
        complete(block, word);
    }
    return block->word != 0;
}

bool tm_block_table_mark_code(struct tm_block_table *table, uintptr_t address)
{
    struct tm_block block = {0, 0};
    bool is_known = tm_block_table_find(table, address, &block);
    if (tm_block_is_odd(table, address)) {
        return tm_odd_block_table_put(&table->odd, address, block.word | TM_SLOT_IS_CODE, block.size);
    }
    tm_slot_half *slot = make_slot(table, address);
    if (slot == NULL) {
        return false;
    }
    if (is_known && !has_one_half(tm_half_load(slot))) {
        tm_slot_store(slot, code_word(block.word & TM_SLOT_RECORD));
        return true;
    }
    /* No object of code or thread state is as short as that: what is there is stale. */
    clear_way(table, address, TM_SMALL_SIZE_MAX);
    tm_slot_store(slot, code_word(block.word & TM_SLOT_RECORD));
    return true;
}

/* The nearest start in LEAF from INDEX down to LOWEST; SIZE_MAX: none. */
static size_t last_start(const tm_slot_half *leaf, size_t index, size_t lowest)
{
    for (size_t at = index + 1; at-- > lowest;) {
        if (tm_half_is_start(tm_half_load(leaf + at))) {
            return at;
        }
    }
    return SIZE_MAX;
}

uintptr_t tm_block_table_start_below(const struct tm_block_table *table, uintptr_t address, uint64_t reach)
{
    const uintptr_t inside = ((uintptr_t)1 << TM_REGION_BITS) - 1;
    uintptr_t best = tm_odd_block_table_start_below(&table->odd, address, reach);
    uintptr_t lowest = address > reach ? address - reach : 1;
    lowest = best >= lowest ? best + 1 : lowest;
    if ((address >> TM_ADDRESS_BITS) != 0) {
        return best;
    }
    for (uintptr_t at = address; at >= lowest; at = (at & ~inside) - 1) {
        size_t index;
        const tm_slot_half *leaf = leaf_of(table, at, &index);
        size_t found = leaf == NULL ? SIZE_MAX : last_start(leaf, index, 0);
        if (found != SIZE_MAX) {
            uintptr_t start = (at & ~inside) + (found << table->granule_bits);
            return start >= lowest ? start : best;
        }
        if (at <= inside) {
            break;
        }
    }
    return best;
}

/* Sixteen bytes of leaf at once, wherever they begin. */
typedef uint64_t wide __attribute__((vector_size(16), aligned(2), may_alias));

#define WIDE_STEP   64U /* halves */
#define NARROW_STEP 4U

/* Nothing but zeros in the WIDE_STEP halves at SLOT.  They may be written meanwhile: what is seen of each half is what
 * it was or is. */
static bool is_empty(const tm_slot_half *slot)
{
#if defined(__SANITIZE_THREAD__)
    for (size_t i = 0; i < WIDE_STEP; i++) {
        if (tm_half_load(slot + i) != 0) {
            return false;
        }
    }
    return true;
#else
    const wide *at = (const wide *)(const void *)slot;
    wide sum = at[0] | at[1] | at[2] | at[3] | at[4] | at[5] | at[6] | at[7];
    return (sum[0] | sum[1]) == 0;
#endif
}

/* The same of NARROW_STEP halves. */
static bool is_empty_here(const tm_slot_half *slot)
{
    return tm_slot_load(slot) == 0 && tm_slot_load(slot + 2) == 0;
}

/* The first start in the COUNT halves at SLOT; COUNT: none. */
static size_t first_start(const tm_slot_half *slot, size_t count)
{
    size_t at = 0;
    while (at < count) {
        if (count - at >= NARROW_STEP && is_empty_here(slot + at)) {
            at += count - at >= WIDE_STEP && is_empty(slot + at) ? WIDE_STEP : NARROW_STEP;
        } else if (tm_half_is_start(tm_half_load(slot + at))) {
            break;
        } else {
            at++;
        }
    }
    return at;
}

uintptr_t tm_block_table_first_in(const struct tm_block_table *table, uintptr_t address, size_t size)
{
    const uintptr_t granule = (uintptr_t)1 << table->granule_bits;
    const uintptr_t end = address + size;
    for (uintptr_t at = (address + granule - 1) & ~(granule - 1); at < end && !tm_block_is_odd(table, at);) {
        uintptr_t region_end = ((at >> TM_REGION_BITS) + 1) << TM_REGION_BITS;
        uintptr_t stop = region_end < end ? region_end : end;
        const tm_slot_half *slot = tm_block_slot(table, at);
        size_t count = (stop - at + granule - 1) >> table->granule_bits;
        size_t found = slot == NULL ? count : first_start(slot, count);
        if (found < count) {
            return at + (found << table->granule_bits);
        }
        at = stop;
    }
    return 0;
}

static void expect_part(struct tm_block_table *table, uintptr_t address, size_t size)
{
    if (tm_block_table_make_leaf(table, address) != NULL) {
        tm_pages_populate(tm_block_slot(table, address), size >> table->slot_shift);
    }
}

static void release_part(struct tm_block_table *table, uintptr_t address, size_t size)
{
    tm_slot_half *slot = tm_block_slot(table, address);
    if (slot != NULL) {
        tm_pages_forget(slot, size >> table->slot_shift);
    }
}

static void visit_parts(struct tm_block_table *table, uintptr_t address, size_t size,
                        void (*visit)(struct tm_block_table *, uintptr_t, size_t))
{
    const uintptr_t end = address + size;
    for (uintptr_t at = address; at < end && (at >> TM_ADDRESS_BITS) == 0;) {
        uintptr_t region_end = ((at >> TM_REGION_BITS) + 1) << TM_REGION_BITS;
        uintptr_t stop = region_end < end ? region_end : end;
        visit(table, at, stop - at);
        at = stop;
    }
}

void tm_block_table_expect(struct tm_block_table *table, uintptr_t address, size_t size)
{
    visit_parts(table, address, size, expect_part);
}

void tm_block_table_release(struct tm_block_table *table, uintptr_t address, size_t size)
{
    visit_parts(table, address, size, release_part);
}
