/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <pthread.h>
#include <sys/mman.h>

#include "runtime/os/os_memory.h"
#include "runtime/table/block_table.h"
#include "support/random_numbers.h"

#define HEAP      UINT64_C(0x7F1234000000) /* start of a region */
#define REGION    (UINT64_C(1) << TM_REGION_BITS)
#define TWO_GIB   (UINT64_C(1) << 31)
#define ONE_GIB   (UINT64_C(1) << 30)
#define THREADS   4
#define ADDRESSES 2000
#define ROUNDS    15000

struct fixture {
    struct tm_block_table table;
    unsigned bits;
};

static int make(void **state, unsigned bits)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    fixture.bits = bits;
    *state = &fixture;
    return tm_block_table_init(&fixture.table, bits) ? 0 : -1;
}

static int make_granule_16(void **state)
{
    return make(state, 4);
}

static int make_granule_8(void **state)
{
    return make(state, 3);
}

static int discard(void **state)
{
    struct fixture *fixture = *state;
    struct tm_block_table *table = &fixture->table;
    for (uint64_t i = 0; i < atomic_load(&table->leaf_count); i++) {
        tm_pages_unmap_sparse(atomic_load(&table->leaf_list[i]), tm_block_table_leaf_bytes(table));
    }
    tm_pages_unmap_sparse((void *)table->leaves, TM_DIRECTORY_BYTES);
    return 0;
}

/* The size that the table itself has to know. */
static uint64_t kept(uint64_t size)
{
    return size > TM_SMALL_SIZE_MAX ? size : 0;
}

static void assert_block(const struct tm_block_table *table, uint64_t address, uint32_t word, uint64_t size)
{
    struct tm_block block = {0, 1};
    assert_true(tm_block_table_find(table, address, &block));
    assert_int_equal(block.word, word);
    assert_u64_equal(block.size, size);
}

static void assert_taken(struct tm_block_table *table, uint64_t address, uint32_t word, uint64_t size)
{
    struct tm_block block = {0, 1};
    assert_true(tm_block_table_take(table, address, &block));
    assert_int_equal(block.word, word);
    assert_u64_equal(block.size, size);
    assert_false(tm_block_table_find(table, address, &block));
    assert_false(tm_block_table_take(table, address, &block));
}

static void block_of_any_size_is_found_and_taken_once(void **state)
{
    struct fixture *fixture = *state;
    static const uint64_t sizes[] = {
        0, 1, 8, 9, 16, 17, 512, 513, 514, 65536, ONE_GIB - 2, ONE_GIB - 1, ONE_GIB, TWO_GIB, UINT64_C(1) << 40};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t address = HEAP + 0x100000 + (i << fixture->bits) * 7;
        assert_true(tm_block_table_put(&fixture->table, address, (uint32_t)i + 1, sizes[i]));
        assert_block(&fixture->table, address, (uint32_t)i + 1, kept(sizes[i]));
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_taken(&fixture->table, HEAP + 0x100000 + (i << fixture->bits) * 7, (uint32_t)i + 1, kept(sizes[i]));
    }
    assert_u64_equal(fixture->table.odd.count, 0);
}

static void neighbours_of_one_granule_do_not_disturb_each_other(void **state)
{
    struct fixture *fixture = *state;
    uint64_t step = UINT64_C(1) << fixture->bits;
    for (uint64_t i = 0; i < 100; i++) {
        assert_true(tm_block_table_put(&fixture->table, HEAP + i * step, (uint32_t)i + 1, step));
    }
    for (uint64_t i = 0; i < 100; i += 2) {
        assert_taken(&fixture->table, HEAP + i * step, (uint32_t)i + 1, 0);
    }
    for (uint64_t i = 1; i < 100; i += 2) {
        assert_block(&fixture->table, HEAP + i * step, (uint32_t)i + 1, 0);
    }
}

static void inside_of_a_large_block_is_no_block(void **state)
{
    struct fixture *fixture = *state;
    uint64_t step = UINT64_C(1) << fixture->bits;
    struct tm_block block;
    assert_true(tm_block_table_put(&fixture->table, HEAP, 5, 10000));
    assert_false(tm_block_table_find(&fixture->table, HEAP + step, &block));
    assert_false(tm_block_table_take(&fixture->table, HEAP + step, &block));
    assert_taken(&fixture->table, HEAP, 5, 10000);
    /* The place of the size is free again for a small block. */
    assert_true(tm_block_table_put(&fixture->table, HEAP + step, 6, 8));
    assert_true(tm_block_table_put(&fixture->table, HEAP, 7, step));
    assert_block(&fixture->table, HEAP, 7, 0);
    assert_taken(&fixture->table, HEAP + step, 6, 0);
}

static void large_block_in_the_last_granule_of_a_region_keeps_its_size(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = HEAP + REGION - (UINT64_C(1) << fixture->bits);
    assert_true(tm_block_table_put(&fixture->table, last, 9, 1000000));
    assert_true(tm_block_table_put(&fixture->table, HEAP + REGION + 0x100000, 8, 1));
    assert_block(&fixture->table, last, 9, 1000000);
    assert_taken(&fixture->table, last, 9, 1000000);
    assert_taken(&fixture->table, HEAP + REGION + 0x100000, 8, 0);
    assert_u64_equal(atomic_load(&fixture->table.leaf_count), 2);
}

static void odd_addresses_are_kept_too(void **state)
{
    struct fixture *fixture = *state;
    struct tm_block block;
    const uint64_t addresses[] = {HEAP + 1, HEAP + (UINT64_C(1) << fixture->bits) / 2, UINT64_C(1) << TM_ADDRESS_BITS,
                                  UINTPTR_MAX & ~UINT64_C(15), UINTPTR_MAX};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        assert_true(tm_block_is_odd(&fixture->table, addresses[i]));
        tm_block_slot_prefetch(&fixture->table, addresses[i]); /* reads nothing beyond the directory */
        assert_false(tm_block_table_find(&fixture->table, addresses[i], &block));
        assert_true(tm_block_table_put(&fixture->table, addresses[i], (uint32_t)i + 1, 600));
    }
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        assert_taken(&fixture->table, addresses[i], (uint32_t)i + 1, 600);
    }
    assert_false(tm_block_is_odd(&fixture->table, (UINT64_C(1) << TM_ADDRESS_BITS) - 16));
}

static void unknown_address_is_not_found_and_makes_no_leaf(void **state)
{
    struct fixture *fixture = *state;
    struct tm_block block;
    assert_false(tm_block_table_find(&fixture->table, 0, &block));
    assert_false(tm_block_table_find(&fixture->table, HEAP, &block));
    assert_false(tm_block_table_take(&fixture->table, HEAP, &block));
    assert_u64_equal(atomic_load(&fixture->table.leaf_count), 0);
}

static void record_of_any_number_comes_back(void **state)
{
    struct fixture *fixture = *state;
    static const uint32_t ids[] = {1, 8191, 8192, 8193, 65535, 65536, 0x7FFFFFF, TM_RECORD_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        uint32_t word = tm_slot_word(ids[i]);
        assert_true(tm_slot_is_plain(word));
        assert_int_equal(tm_slot_record(word), ids[i]);
        assert_u64_equal(tm_slot_scaled(word), (uint64_t)ids[i] * 8);
        for (uint64_t size = 1; size < 2000; size += 400) {
            assert_true(tm_block_table_put(&fixture->table, HEAP + i * 4096, ids[i], size));
            assert_taken(&fixture->table, HEAP + i * 4096, ids[i], kept(size));
        }
    }
}

static void no_half_of_a_block_passes_for_a_start_or_for_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint64_t step = UINT64_C(1) << fixture->bits;
    assert_false(tm_slot_is_plain(0));
    assert_false(tm_slot_is_plain(0xFFFF0000));
    for (uint32_t id = 1; id < TM_RECORD_MAX / 2; id = id * 3 + 1) {
        assert_true(tm_block_table_put(&fixture->table, HEAP, id, 1000 + id));
        const tm_slot_half *slot = tm_block_slot(&fixture->table, HEAP);
        assert_true(tm_half_is_start(tm_half_load(slot)));
        for (unsigned i = 1; i < 4; i++) {
            assert_int_not_equal(tm_half_load(slot + i), 0);
            assert_false(tm_half_is_start(tm_half_load(slot + i)));
            assert_false(tm_slot_is_plain(tm_slot_load(slot + i)));
            assert_u64_equal(tm_block_table_start_below(&fixture->table, HEAP + i * step, 5 * step), HEAP);
        }
        assert_taken(&fixture->table, HEAP, id, 1000 + (uint64_t)id);
    }
}

static void short_blocks_of_more_records_than_have_numbers_are_kept(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t records = TM_SHORT_MAX + 1000;
    uint64_t step = UINT64_C(1) << fixture->bits;
    for (uint32_t i = 1; i <= records; i++) {
        assert_true(tm_block_table_put(&fixture->table, HEAP + i * step, i * 7, i % 8));
    }
    assert_true(fixture->table.odd.count > 0);
    for (uint32_t i = 1; i <= records; i++) {
        assert_taken(&fixture->table, HEAP + i * step, i * 7, 0);
    }
    assert_u64_equal(fixture->table.odd.count, 0);
}

/* What stands where another block is put had its free missed. */
static void block_in_the_way_is_named_and_then_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct tm_block_table *table = &fixture->table;
    struct tm_block block;
    uint64_t step = UINT64_C(1) << fixture->bits;
    assert_true(tm_block_table_put(table, HEAP + 4 * step, 1, 1000));
    assert_u64_equal(tm_block_table_in_the_way(table, HEAP + 3 * step, step), 0);
    assert_u64_equal(tm_block_table_in_the_way(table, HEAP + 3 * step, 2 * step), HEAP + 4 * step);
    assert_u64_equal(tm_block_table_in_the_way(table, HEAP + 1 * step, 1000), HEAP + 4 * step);
    assert_u64_equal(tm_block_table_in_the_way(table, HEAP, 1000), 0);
    assert_u64_equal(tm_block_table_in_the_way(table, HEAP + 7 * step, 1), HEAP + 4 * step);
    assert_u64_equal(tm_block_table_in_the_way(table, HEAP + 8 * step, 1000), 0);
    assert_true(tm_block_table_put(table, HEAP + 5 * step, 2, 2 * step));
    assert_false(tm_block_table_find(table, HEAP + 4 * step, &block));
    assert_u64_equal(tm_block_table_in_the_way(table, HEAP + 7 * step, 1000), 0);
    assert_taken(table, HEAP + 5 * step, 2, 0);
    /* A code mark on a stale one, at its side, and on a short one. */
    assert_true(tm_block_table_put(table, HEAP + 4 * step, 1, 1000));
    assert_true(tm_block_table_mark_code(table, HEAP + 5 * step));
    assert_false(tm_block_table_find(table, HEAP + 4 * step, &block));
    assert_taken(table, HEAP + 5 * step, TM_SLOT_IS_CODE, 0);
    assert_true(tm_block_table_put(table, HEAP, 9, 1));
    assert_true(tm_block_table_mark_code(table, HEAP));
    assert_taken(table, HEAP, 9 | TM_SLOT_IS_CODE, 0);
}

static void area_given_back_is_empty_and_costs_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct tm_block_table *table = &fixture->table;
    const uint64_t area = 1024 * 1024;
    const uint64_t from = HEAP + REGION - area / 2; /* over the end of a region */
    struct tm_block block;
    for (uint64_t at = from - area; at < from + 2 * area; at += 512) {
        assert_true(tm_block_table_put(table, at, 3, 512));
    }
    size_t before = tm_block_table_bytes(table);
    assert_u64_equal(tm_block_table_first_in(table, from, area), from);
    assert_u64_equal(tm_block_table_first_in(table, from + 1, area), from + 512);
    for (uint64_t at = tm_block_table_first_in(table, from, area); at != 0;
         at = tm_block_table_first_in(table, at, from + area - at)) {
        assert_taken(table, at, 3, 0);
    }
    tm_block_table_release(table, from, area);
    assert_true(before - tm_block_table_bytes(table) >= (area >> table->slot_shift) - 4 * TM_PAGE_SIZE);
    assert_u64_equal(tm_block_table_first_in(table, from, area), 0);
    assert_false(tm_block_table_find(table, from, &block));
    assert_block(table, from - 512, 3, 0);
    assert_block(table, from + area, 3, 0);
    assert_true(tm_block_table_put(table, from, 4, 512));
    assert_taken(table, from, 4, 0);
}

static void expected_area_has_its_pages_and_holds_what_it_held(void **state)
{
    struct fixture *fixture = *state;
    struct tm_block_table *table = &fixture->table;
    const uint64_t area = 1024 * 1024;
    const uint64_t from = HEAP + REGION - area / 2; /* over the end of a region */
    size_t expected = area >> table->slot_shift;
    uint8_t probe[2 * TM_PAGE_SIZE];
    void *page = (void *)(((uintptr_t)probe + TM_PAGE_SIZE - 1) & ~(uintptr_t)(TM_PAGE_SIZE - 1));
    bool can = madvise(page, TM_PAGE_SIZE, 23) == 0; /* Linux 5.14 and later */
    assert_true(tm_block_table_put(table, from, 3, 512));
    tm_block_table_expect(table, from, area);
    size_t bytes = tm_block_table_bytes(table);
    assert_true(can ? bytes >= expected && bytes <= expected + 4 * TM_PAGE_SIZE : bytes <= 4 * TM_PAGE_SIZE);
    assert_true(tm_block_table_put(table, from + area - 512, 4, 512));
    assert_taken(table, from, 3, 0);
    assert_taken(table, from + area - 512, 4, 0);
    tm_block_table_expect(table, UINT64_C(1) << TM_ADDRESS_BITS, area); /* no leaf can be for it */
    tm_block_table_expect(table, (UINT64_C(1) << TM_ADDRESS_BITS) - area, 2 * area);
}

static void code_mark_goes_with_the_block_known_or_not(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t addresses[] = {HEAP, HEAP + 3, HEAP + 0x20000};
    const uint64_t sizes[] = {700, 700, TWO_GIB};
    for (size_t i = 0; i < 3; i++) {
        assert_true(tm_block_table_put(&fixture->table, addresses[i], 5, sizes[i]));
        assert_true(tm_block_table_mark_code(&fixture->table, addresses[i]));
        assert_true(tm_block_table_mark_code(&fixture->table, addresses[i]));
        assert_taken(&fixture->table, addresses[i], 5 | TM_SLOT_IS_CODE, sizes[i]);
        assert_true(tm_block_table_mark_code(&fixture->table, addresses[i]));
        assert_taken(&fixture->table, addresses[i], TM_SLOT_IS_CODE, 0);
    }
}

static void start_below_is_the_nearest_start(void **state)
{
    struct fixture *fixture = *state;
    const struct tm_block_table *table = &fixture->table;
    assert_u64_equal(tm_block_table_start_below(table, HEAP, UINT64_MAX), 0);
    assert_true(tm_block_table_put(&fixture->table, HEAP + 0x1000, 1, 100));
    assert_true(tm_block_table_put(&fixture->table, HEAP + 0x2000, 2, 5 * REGION));
    assert_true(tm_block_table_put(&fixture->table, HEAP + 0x2000 + 6 * REGION + 1, 3, 100));
    assert_u64_equal(tm_block_table_start_below(table, HEAP + 0xFFF, 0x800), 0);
    assert_u64_equal(tm_block_table_start_below(table, HEAP + 0x1000, 0), HEAP + 0x1000);
    assert_u64_equal(tm_block_table_start_below(table, HEAP + 0x1FFF, 0xFFF), HEAP + 0x1000);
    assert_u64_equal(tm_block_table_start_below(table, HEAP + 0x2000, 0xFFF), HEAP + 0x2000);
    assert_u64_equal(tm_block_table_start_below(table, HEAP + 0x2007, 0xFFF), HEAP + 0x2000);
    /* Over regions without a leaf. */
    assert_u64_equal(tm_block_table_start_below(table, HEAP + 5 * REGION, 6 * REGION), HEAP + 0x2000);
    assert_u64_equal(tm_block_table_start_below(table, HEAP + 5 * REGION, REGION), 0);
    /* An odd start between. */
    assert_u64_equal(tm_block_table_start_below(table, HEAP + 7 * REGION, 8 * REGION), HEAP + 0x2001 + 6 * REGION);
}

static void start_below_ends_at_address_zero(void **state)
{
    struct fixture *fixture = *state;
    assert_true(tm_block_table_put(&fixture->table, UINT64_C(1) << fixture->bits, 1, 1));
    assert_u64_equal(tm_block_table_start_below(&fixture->table, 5 * REGION, UINT64_MAX), UINT64_C(1) << fixture->bits);
    assert_taken(&fixture->table, UINT64_C(1) << fixture->bits, 1, 0);
    assert_u64_equal(tm_block_table_start_below(&fixture->table, 5 * REGION, UINT64_MAX), 0);
}

/* The reference: every address of a small heap, and what is live there. */
#define CELLS 4096U

struct cell {
    uint32_t word; /* 0: no block begins here */
    uint64_t size;
};

struct model {
    struct tm_block_table *table;
    struct random_numbers random;
    uint64_t base; /* of the heap: it lies over the end of a region */
    uint64_t step;
    uint64_t length[CELLS]; /* granules of the block that begins here, 0: none */
    struct cell cells[CELLS];
};

static uint64_t any_size(struct model *model)
{
    switch (random_below(&model->random, 8)) {
    case 0:
        return random_below(&model->random, 9);
    case 1:
    case 2:
        return random_below(&model->random, 40);
    case 3:
        return ONE_GIB - 2 + random_below(&model->random, 4);
    case 4:
        return 513 + random_below(&model->random, 500);
    default:
        return random_below(&model->random, 600);
    }
}

/* What the block takes of the small heap: a huge one only as much as it needs in the table. */
static uint64_t granules_of(const struct model *model, uint64_t size)
{
    uint64_t most = 1200 / model->step;
    uint64_t granules = size == 0 ? 1 : (size + model->step - 1) / model->step;
    return granules < most ? granules : most;
}

static bool is_free(const struct model *model, uint64_t cell, uint64_t granules)
{
    uint64_t from = cell > 200 ? cell - 200 : 0;
    for (uint64_t i = from; i < cell + granules && i < CELLS; i++) {
        if (model->length[i] != 0 && i + model->length[i] > cell) {
            return false;
        }
    }
    return cell + granules <= CELLS;
}

static void model_put(struct model *model, uint64_t cell)
{
    uint64_t size = any_size(model);
    uint64_t granules = granules_of(model, size);
    uint32_t id = 1 + (uint32_t)random_below(&model->random, 3) * 60000 + (uint32_t)random_below(&model->random, 20000);
    uint64_t address = model->base + cell * model->step;
    if (!is_free(model, cell, granules)) {
        return;
    }
    assert_u64_equal(tm_block_table_in_the_way(model->table, address, size), 0);
    tm_slot_half *slot = tm_block_slot(model->table, address);
    bool done =
        slot != NULL && random_below(&model->random, 2) == 0 && tm_block_table_try_put(model->table, slot, id, size);
    if (!done) {
        assert_true(tm_block_table_put(model->table, address, id, size));
    }
    model->length[cell] = granules;
    model->cells[cell] = (struct cell){id, kept(size)};
}

static void model_mark(struct model *model, uint64_t cell)
{
    if (model->length[cell] >= 4) {
        assert_true(tm_block_table_mark_code(model->table, model->base + cell * model->step));
        model->cells[cell].word |= TM_SLOT_IS_CODE;
    }
}

static void model_take(struct model *model, uint64_t cell)
{
    uint64_t address = model->base + cell * model->step;
    struct tm_block block = {0, 0};
    if (model->length[cell] == 0) {
        assert_false(tm_block_table_take(model->table, address, &block));
        return;
    }
    assert_taken(model->table, address, model->cells[cell].word, model->cells[cell].size);
    model->length[cell] = 0;
    model->cells[cell].word = 0;
}

static void model_look(struct model *model, uint64_t cell)
{
    uint64_t address = model->base + cell * model->step;
    uint64_t start = cell;
    struct tm_block block = {0, 0};
    assert_int_equal(tm_block_table_find(model->table, address, &block), model->length[cell] != 0);
    assert_int_equal(block.word, model->cells[cell].word);
    while (start > 0 && model->length[start] == 0) {
        start--;
    }
    uint64_t expected = model->length[start] == 0 ? 0 : model->base + start * model->step;
    assert_u64_equal(tm_block_table_start_below(model->table, address + 3, cell * model->step + 3), expected);
}

static void random_work_agrees_with_a_plain_list(void **state)
{
    struct fixture *fixture = *state;
    static struct model model;
    memset(&model, 0, sizeof model);
    model.table = &fixture->table;
    model.random.state = 7 + fixture->bits;
    model.step = UINT64_C(1) << fixture->bits;
    model.base = HEAP + REGION - CELLS / 2 * model.step;
    for (unsigned round = 0; round < 200000; round++) {
        uint64_t cell = random_below(&model.random, CELLS);
        switch (random_below(&model.random, 8)) {
        case 0:
            model_mark(&model, cell);
            break;
        case 1:
            model_look(&model, cell);
            break;
        case 2:
        case 3:
            model_take(&model, cell);
            break;
        default:
            model_put(&model, cell);
        }
    }
    for (uint64_t cell = 0; cell < CELLS; cell++) {
        model_take(&model, cell);
    }
    assert_u64_equal(tm_block_table_first_in(model.table, model.base, CELLS * model.step), 0);
    assert_u64_equal(fixture->table.odd.count, 0);
}

struct worker {
    struct tm_block_table *table;
    unsigned number;
    unsigned failures;
};

/* Each worker has addresses of its own, granule beside granule with the others', some odd, some large. */
static uint64_t address_of(const struct worker *worker, uint64_t i)
{
    uint64_t address = HEAP + (i * THREADS + worker->number) * 64 + (i % 50) * REGION;
    return i % 13 == 0 ? address + 1 : address;
}

static void *put_and_take(void *argument)
{
    struct worker *worker = argument;
    struct random_numbers random = {worker->number + 1};
    static _Thread_local uint64_t sizes[ADDRESSES]; /* 0: not there, else size + 1 */
    memset(sizes, 0, sizeof sizes);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t i = random_below(&random, ADDRESSES);
        uint64_t address = address_of(worker, i);
        uint32_t word = (uint32_t)(i * THREADS + worker->number + 1);
        struct tm_block block = {0, 0};
        if (sizes[i] == 0) {
            uint64_t size = random_below(&random, 10) == 0 ? TWO_GIB : random_below(&random, 1200);
            worker->failures += !tm_block_table_put(worker->table, address, word, size);
            sizes[i] = size + 1;
        } else {
            uint64_t size = i % 13 == 0 ? sizes[i] - 1 : kept(sizes[i] - 1);
            worker->failures += !tm_block_table_take(worker->table, address, &block);
            worker->failures += block.word != word || block.size != size;
            sizes[i] = 0;
        }
    }
    return NULL;
}

static void threads_with_blocks_of_their_own_need_no_lock(void **state)
{
    struct fixture *fixture = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    size_t pages = tm_pages_total();
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){&fixture->table, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, put_and_take, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].failures, 0);
    }
    assert_u64_equal(atomic_load(&fixture->table.leaf_count), 50);
    assert_u64_equal(tm_pages_total() - pages, tm_odd_block_table_bytes(&fixture->table.odd));
}

#define BOTH(name)                                                                                                     \
    {#name " (granule 16)", name, make_granule_16, discard, NULL},                                                     \
    {                                                                                                                  \
#name " (granule 8)", name, make_granule_8, discard, NULL                                                      \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(block_of_any_size_is_found_and_taken_once),
        BOTH(neighbours_of_one_granule_do_not_disturb_each_other),
        BOTH(inside_of_a_large_block_is_no_block),
        BOTH(large_block_in_the_last_granule_of_a_region_keeps_its_size),
        BOTH(odd_addresses_are_kept_too),
        BOTH(unknown_address_is_not_found_and_makes_no_leaf),
        BOTH(record_of_any_number_comes_back),
        BOTH(no_half_of_a_block_passes_for_a_start_or_for_nothing),
        BOTH(short_blocks_of_more_records_than_have_numbers_are_kept),
        BOTH(block_in_the_way_is_named_and_then_forgotten),
        BOTH(area_given_back_is_empty_and_costs_nothing),
        BOTH(expected_area_has_its_pages_and_holds_what_it_held),
        BOTH(random_work_agrees_with_a_plain_list),
        BOTH(code_mark_goes_with_the_block_known_or_not),
        BOTH(start_below_is_the_nearest_start),
        BOTH(start_below_ends_at_address_zero),
        BOTH(threads_with_blocks_of_their_own_need_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
