/* SPDX-License-Identifier: MIT */
/* A walk visits each block that the shadow knows, once and in order. */
#include "support/cmocka_include.h"

#include <stdlib.h>

#include "runtime/os/os_memory.h"
#include "runtime/table/block_walk.h"
#include "support/random_numbers.h"

#define HEAP   UINT64_C(0x500000000000)
#define REGION (UINT64_C(1) << TM_REGION_BITS)
#define BLOCKS 5000U

struct visits {
    uintptr_t addresses[BLOCKS + 1];
    size_t count;
};

static void note(uintptr_t address, void *context)
{
    struct visits *visits = context;
    assert_true(visits->count < BLOCKS);
    assert_true(visits->count == 0 || visits->addresses[visits->count - 1] < address);
    visits->addresses[visits->count++] = address;
}

static const uint64_t sizes[] = {1, 16, 17, 512, 513, 100000, UINT64_C(3) << 30};

static void fill(struct tm_block_table *table, uintptr_t *starts)
{
    struct random_numbers random = {table->granule_bits};
    uintptr_t at = HEAP + REGION - 2000 * 64;
    uint64_t granule = UINT64_C(1) << table->granule_bits;
    for (size_t i = 0; i < BLOCKS; i++) {
        uint64_t size = sizes[random_below(&random, TM_COUNT_OF(sizes))];
        starts[i] = at;
        assert_true(tm_block_table_put(table, at, (uint32_t)i + 1, size));
        at += random_below(&random, 500) == 0 ? REGION / 3 / granule * granule : 4 * granule;
    }
}

static void each_block_is_visited_once_and_in_order(void **state)
{
    (void)state;
    static struct tm_block_walk walk;
    static struct visits visits;
    static uintptr_t starts[BLOCKS];
    for (unsigned bits = 3; bits <= 4; bits++) {
        struct tm_block_table *table = calloc(1, sizeof *table);
        assert_non_null(table);
        assert_true(tm_block_table_init(table, bits));
        fill(table, starts);
        size_t before = tm_block_table_bytes(table);
        visits.count = 0;
        tm_block_table_each(table, &walk, note, &visits);
        assert_int_equal(visits.count, BLOCKS);
        assert_memory_equal(visits.addresses, starts, sizeof starts);
        if (!walk.leaf[0] || !walk.directory[0]) { /* else this kernel does not tell */
            assert_int_equal(tm_block_table_bytes(table), before);
        }
        for (size_t i = 0; i < BLOCKS; i++) {
            struct tm_block block;
            assert_true(tm_block_table_find_steady(table, starts[i], &block));
            assert_int_equal(block.word, i + 1);
            (void)tm_block_table_take(table, starts[i], &block);
            assert_false(tm_block_table_find_steady(table, starts[i], &block));
        }
        visits.count = 0;
        tm_block_table_each(table, &walk, note, &visits);
        assert_int_equal(visits.count, 0);
        free(table);
    }
}

static void odd_blocks_are_copied(void **state)
{
    (void)state;
    static struct tm_odd_block_table table;
    struct tm_odd_block found[5] = {{0, 0, 0, 0}};
    assert_int_equal(tm_odd_block_table_copy(&table, NULL, 0), 0);
    for (uintptr_t i = 1; i <= 4; i++) {
        assert_true(tm_odd_block_table_put(&table, i * 1000 + 1, (uint32_t)i, i * 10));
    }
    assert_int_equal(tm_odd_block_table_copy(&table, NULL, 0), 4);
    assert_int_equal(tm_odd_block_table_copy(&table, found, 2), 4);
    assert_int_equal(found[2].address, 0);
    assert_int_equal(tm_odd_block_table_copy(&table, found, 5), 4);
    uint64_t sum = 0;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(found[i].address, found[i].word * 1000 + 1);
        assert_int_equal(found[i].size, found[i].word * 10);
        sum += found[i].word;
    }
    assert_int_equal(sum, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_block_is_visited_once_and_in_order),
        cmocka_unit_test(odd_blocks_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
