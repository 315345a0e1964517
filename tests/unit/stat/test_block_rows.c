/* SPDX-License-Identifier: MIT */
/* Which blocks count, in which order, and which one an address lies in. */
#include "support/cmocka_include.h"

#include "report/stat/block_rows.h"
#include "support/built_snapshot.h"

static struct tm_snapshot *snapshot;
static struct tm_forest *forest;

static int make(void **state)
{
    (void)state;
    snapshot = tm_built_snapshot("block mmap 1000 4096 | m.py:1\n"
                                 "block obj 1000 32 | a.py:1\n"
                                 "block obj 1040 100 | a.py:2\n"
                                 "block mem 1100 100 | a.py:1\n"
                                 "block raw 1200 0 |\n"
                                 "block native 3000 5000 | b.py:1\n"
                                 "block mmap fffffffffffff000 4096 | m.py:1\n");
    const struct tm_snapshot *const snapshots[1] = {snapshot};
    forest = tm_forest_build(snapshots, 1);
    return forest == NULL;
}

static int drop(void **state)
{
    (void)state;
    tm_forest_free(forest);
    tm_snapshot_free(snapshot);
    return 0;
}

#define ALL (TM_DOMAINS_HEAP | TM_DOMAIN_BIT(TM_DOMAIN_MMAP))

static struct tm_block_rows rows_of(uint32_t domains, enum tm_block_order order, bool reverse)
{
    struct tm_block_rows rows;
    struct tm_grouping grouping = {.domains = domains};
    assert_true(tm_block_rows_make(&rows, forest, &grouping, order, reverse));
    return rows;
}

static void assert_order(uint32_t domains, enum tm_block_order order, bool reverse, const uint64_t *addresses,
                         size_t count)
{
    struct tm_block_rows rows = rows_of(domains, order, reverse);
    assert_int_equal(rows.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_u64_equal(rows.blocks[i]->address, addresses[i]);
    }
    tm_block_rows_free(&rows);
}

static void rows_are_in_the_order_that_is_asked_for(void **state)
{
    (void)state;
    static const uint64_t by_address[] = {0x1000, 0x1040, 0x1100, 0x1200, 0x3000};
    static const uint64_t from_end[] = {0x3000, 0x1200, 0x1100, 0x1040, 0x1000};
    static const uint64_t by_size[] = {0x3000, 0x1040, 0x1100, 0x1000, 0x1200};
    static const uint64_t smallest[] = {0x1200, 0x1000, 0x1100, 0x1040, 0x3000};
    static const uint64_t mapped[] = {0x1000, 0xfffffffffffff000};
    assert_order(TM_DOMAINS_HEAP, TM_BLOCKS_BY_ADDRESS, false, by_address, 5);
    assert_order(TM_DOMAINS_HEAP, TM_BLOCKS_BY_ADDRESS, true, from_end, 5);
    assert_order(TM_DOMAINS_HEAP, TM_BLOCKS_BY_SIZE, false, by_size, 5);
    assert_order(TM_DOMAINS_HEAP, TM_BLOCKS_BY_SIZE, true, smallest, 5);
    assert_order(TM_DOMAIN_BIT(TM_DOMAIN_MMAP), TM_BLOCKS_BY_ADDRESS, false, mapped, 2);
    struct tm_block_rows rows = rows_of(TM_DOMAINS_PYTHON, TM_BLOCKS_BY_SIZE, false);
    assert_u64_equal(rows.size, 232);
    tm_block_rows_free(&rows);
}

static void filters_count_for_blocks(void **state)
{
    (void)state;
    struct tm_filter filter;
    struct tm_block_rows rows;
    assert_true(tm_filter_init(&filter, "a.py:1", true, false));
    uint8_t *nodes = tm_filter_nodes(forest, &filter, 1);
    assert_non_null(nodes);
    struct tm_grouping grouping = {.domains = ALL, .nodes = nodes};
    assert_true(tm_block_rows_make(&rows, forest, &grouping, TM_BLOCKS_BY_ADDRESS, false));
    assert_int_equal(rows.count, 2);
    assert_u64_equal(rows.blocks[0]->address, 0x1000);
    assert_u64_equal(rows.blocks[1]->address, 0x1100);
    tm_block_rows_free(&rows);
    free(nodes);
    tm_filter_free(&filter);
}

static void assert_at(const struct tm_block_rows *rows, uint64_t address, uint64_t start, uint64_t size)
{
    const struct tm_block_record *block = tm_block_rows_at(rows, address);
    assert_true(start == 0 ? block == NULL : block != NULL && block->address == start && block->size == size);
}

static void address_lies_in_the_innermost_block(void **state)
{
    (void)state;
    struct tm_block_rows rows = rows_of(ALL, TM_BLOCKS_BY_ADDRESS, false);
    assert_at(&rows, 0xfff, 0, 0);
    assert_at(&rows, 0x1000, 0x1000, 32);
    assert_at(&rows, 0x101f, 0x1000, 32);
    assert_at(&rows, 0x1020, 0x1000, 4096);
    assert_at(&rows, 0x1040 + 99, 0x1040, 100);
    assert_at(&rows, 0x1040 + 100, 0x1000, 4096);
    assert_at(&rows, 0x1200, 0x1200, 0);
    assert_at(&rows, 0x1201, 0x1000, 4096);
    assert_at(&rows, 0x2000, 0, 0);
    assert_at(&rows, UINT64_MAX, 0xfffffffffffff000, 4096);
    tm_block_rows_free(&rows);
    rows = rows_of(TM_DOMAINS_HEAP, TM_BLOCKS_BY_ADDRESS, false);
    assert_at(&rows, 0x1020, 0, 0);
    assert_at(&rows, 0, 0, 0);
    assert_u64_equal(tm_block_rows_below(&rows, 0x1020)->address, 0x1000);
    assert_u64_equal(tm_block_rows_below(&rows, 0x1040)->address, 0x1000);
    assert_u64_equal(tm_block_rows_below(&rows, UINT64_MAX)->address, 0x3000);
    assert_null(tm_block_rows_below(&rows, 0x1000));
    assert_null(tm_block_rows_below(&rows, 0));
    tm_block_rows_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_in_the_order_that_is_asked_for),
        cmocka_unit_test(filters_count_for_blocks),
        cmocka_unit_test(address_lies_in_the_innermost_block),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
