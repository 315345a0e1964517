/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "base/hash.h"
#include "runtime/table/odd_block_table.h"
#include "support/random_numbers.h"

static void assert_found(const struct tm_odd_block_table *table, uintptr_t address, uint32_t word, uint64_t size)
{
    uint32_t found_word = 0;
    uint64_t found_size = 0;
    assert_true(tm_odd_block_table_find(table, address, &found_word, &found_size));
    assert_int_equal(found_word, word);
    assert_u64_equal(found_size, size);
}

/* COUNT addresses that all want the last places of a table of 128: a run over its end. */
static void find_run(uintptr_t *addresses, unsigned count)
{
    uintptr_t candidate = 1;
    for (unsigned i = 0; i < count; candidate++) {
        if ((tm_hash_word(candidate) & 127) >= 126) {
            addresses[i++] = candidate;
        }
    }
}

static void removal_in_a_run_leaves_the_others_to_be_found(void **state)
{
    (void)state;
    uintptr_t run[8];
    find_run(run, 8);
    for (unsigned gone = 0; gone < 8; gone++) {
        struct tm_odd_block_table table = {.places = NULL};
        uint32_t word;
        uint64_t size;
        for (unsigned i = 0; i < 8; i++) {
            assert_true(tm_odd_block_table_put(&table, run[i], i + 1, i * 3));
        }
        assert_int_equal(table.capacity, 128);
        assert_true(tm_odd_block_table_take(&table, run[gone], &word, &size));
        assert_false(tm_odd_block_table_find(&table, run[gone], &word, &size));
        for (unsigned i = 0; i < 8; i++) {
            if (i != gone) {
                assert_found(&table, run[i], i + 1, i * 3);
            }
        }
        assert_int_equal(table.count, 7);
    }
}

static void put_of_a_known_address_replaces(void **state)
{
    (void)state;
    struct tm_odd_block_table table = {.places = NULL};
    assert_true(tm_odd_block_table_put(&table, 7, 1, 10));
    assert_true(tm_odd_block_table_put(&table, 7, 2, 20));
    assert_found(&table, 7, 2, 20);
    assert_int_equal(table.count, 1);
}

static void empty_table_knows_nothing(void **state)
{
    (void)state;
    struct tm_odd_block_table table = {.places = NULL};
    uint32_t word;
    uint64_t size;
    assert_false(tm_odd_block_table_find(&table, 7, &word, &size));
    assert_false(tm_odd_block_table_take(&table, 7, &word, &size));
    assert_u64_equal(tm_odd_block_table_start_below(&table, 7, 100), 0);
    assert_u64_equal(tm_odd_block_table_bytes(&table), 0);
}

static void start_below_respects_its_reach(void **state)
{
    (void)state;
    struct tm_odd_block_table table = {.places = NULL};
    assert_true(tm_odd_block_table_put(&table, 100, 1, 1));
    assert_true(tm_odd_block_table_put(&table, 200, 1, 1));
    assert_u64_equal(tm_odd_block_table_start_below(&table, 199, 99), 100);
    assert_u64_equal(tm_odd_block_table_start_below(&table, 199, 98), 0);
    assert_u64_equal(tm_odd_block_table_start_below(&table, 200, 0), 200);
    assert_u64_equal(tm_odd_block_table_start_below(&table, UINTPTR_MAX, UINT64_MAX), 200);
}

#define KEYS 700

static void random_work_agrees_with_an_array(void **state)
{
    (void)state;
    struct tm_odd_block_table table = {.places = NULL};
    struct random_numbers random = {42};
    uint64_t model[KEYS] = {0}; /* size + 1 */
    size_t count = 0;
    for (unsigned round = 0; round < 60000; round++) {
        unsigned key = (unsigned)random_below(&random, KEYS);
        uintptr_t address = (uintptr_t)key * 24 + 1;
        uint32_t word = 0;
        uint64_t size = 0;
        if (random_below(&random, 2) == 0) {
            size = random_below(&random, 1000);
            assert_true(tm_odd_block_table_put(&table, address, key + 1, size));
            count += model[key] == 0;
            model[key] = size + 1;
        } else {
            assert_int_equal(tm_odd_block_table_take(&table, address, &word, &size), model[key] != 0);
            if (model[key] != 0) {
                assert_u64_equal(size + 1, model[key]);
                assert_int_equal(word, key + 1);
                count--;
            }
            model[key] = 0;
        }
        assert_int_equal(table.count, count);
        if (round % 500 == 0) {
            for (unsigned i = 0; i < KEYS; i++) {
                assert_int_equal(tm_odd_block_table_find(&table, (uintptr_t)i * 24 + 1, &word, &size), model[i] != 0);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removal_in_a_run_leaves_the_others_to_be_found),
        cmocka_unit_test(put_of_a_known_address_replaces),
        cmocka_unit_test(empty_table_knows_nothing),
        cmocka_unit_test(start_below_respects_its_reach),
        cmocka_unit_test(random_work_agrees_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
