/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <pthread.h>

#include "runtime/os/os_memory.h"
#include "runtime/table/block_table.h"
#include "support/random_numbers.h"

#define HEAP      UINT64_C(0x7F1234000000) /* start of a region */
#define REGION    (UINT64_C(1) << TM_REGION_BITS)
#define TWO_GIB   (UINT64_C(1) << 31)
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
    size_t leaf = (REGION >> fixture->bits) * 4 + TM_PAGE_SIZE;
    /* Regions that these tests use: from 0, and from HEAP. */
    for (uint64_t i = 0; i < 128; i++) {
        tm_slot_word *found = atomic_load(&table->leaves[i < 64 ? i : (HEAP >> TM_REGION_BITS) + i - 64]);
        if (found != NULL) {
            tm_pages_unmap_sparse(found, leaf);
        }
    }
    tm_pages_unmap_sparse((void *)table->leaves, TM_REGION_COUNT * sizeof *table->leaves);
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
        0, 1, 16, 512, 513, 514, 65536, TWO_GIB - 2, TWO_GIB - 1, TWO_GIB, UINT64_C(1) << 40};
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
        BOTH(code_mark_goes_with_the_block_known_or_not),
        BOTH(start_below_is_the_nearest_start),
        BOTH(start_below_ends_at_address_zero),
        BOTH(threads_with_blocks_of_their_own_need_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
