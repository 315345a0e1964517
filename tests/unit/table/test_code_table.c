/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "runtime/table/code_table.h"
#include "support/random_numbers.h"

static void forget_drops_all_places_of_the_code_and_no_others(void **state)
{
    (void)state;
    struct tm_code_table table = {.places = NULL};
    for (int32_t offset = -1; offset < 300; offset++) {
        assert_true(tm_code_table_add(&table, 0x1000, 0x1000, offset, (uint32_t)(offset + 2)));
        assert_true(tm_code_table_add(&table, 0x2000, 0x2000, offset, (uint32_t)(offset + 1000)));
    }
    assert_non_null(tm_code_table_code(&table, 0x1000));
    assert_true(tm_code_table_forget(&table, 0x1000, NULL));
    assert_null(tm_code_table_code(&table, 0x1000));
    assert_false(tm_code_table_forget(&table, 0x1000, NULL));
    for (int32_t offset = -1; offset < 300; offset++) {
        assert_int_equal(tm_code_table_frame(&table, 0x1000, offset), 0);
        assert_int_equal(tm_code_table_frame(&table, 0x2000, offset), offset + 1000);
    }
    assert_true(tm_code_table_is_valid(&table));
}

static void add_up(uintptr_t place, void *data)
{
    uintptr_t *sum = data;
    *sum += place;
}

static void places_of_one_code_are_visited_once_each(void **state)
{
    (void)state;
    struct tm_code_table table = {.places = NULL};
    uintptr_t sum = 0;
    for (uint32_t i = 1; i <= 40; i++) {
        assert_true(tm_code_table_add(&table, 0x1000, 0x1000 + i, 0, i));
        assert_true(tm_code_table_add(&table, 0x2000, 0x2000 + i, 0, i));
    }
    tm_code_table_visit(&table, 0x3000, add_up, &sum);
    assert_int_equal(sum, 0);
    tm_code_table_visit(&table, 0x2000, add_up, &sum);
    assert_int_equal(sum, 40 * 0x2000 + 40 * 41 / 2);
}

static void users_words_stay_while_places_come_and_go_with_the_code(void **state)
{
    (void)state;
    struct tm_code_table table = {.places = NULL};
    assert_true(tm_code_table_add(&table, 0x1000, 0x1000, 0, 1));
    struct tm_code *code = tm_code_table_code(&table, 0x1000);
    code->filename = 0x5000;
    code->file = 7;
    code->function = 8;
    code->cursor.lines = 9;
    for (uint32_t i = 1; i <= 300; i++) {
        assert_true(tm_code_table_add_to(&table, code, 0x1000 + i, 0, i));
    }
    assert_ptr_equal(tm_code_table_code(&table, 0x1000), code);
    assert_true(code->filename == 0x5000 && code->file == 7 && code->function == 8 && code->cursor.lines == 9);
    assert_int_equal(tm_code_table_frame(&table, 0x1000 + 300, 0), 300);
    assert_true(tm_code_table_is_valid(&table));
    assert_true(tm_code_table_forget(&table, 0x1000, NULL));
    assert_int_equal(tm_code_table_frame(&table, 0x1000 + 300, 0), 0);
    assert_true(tm_code_table_add(&table, 0x1000, 0x1000, 0, 1));
    code = tm_code_table_code(&table, 0x1000);
    assert_true(code->filename == 0 && code->file == 0 && code->function == 0 && code->cursor.lines == 0);
}

static void empty_table_knows_nothing(void **state)
{
    (void)state;
    struct tm_code_table table = {.places = NULL};
    assert_int_equal(tm_code_table_frame(&table, 1, 0), 0);
    assert_null(tm_code_table_code(&table, 1));
    assert_false(tm_code_table_forget(&table, 1, NULL));
    assert_true(tm_code_table_is_valid(&table));
}

static void forgotten_entries_are_used_again(void **state)
{
    (void)state;
    struct tm_code_table table = {.places = NULL};
    size_t bytes = 0;
    for (uintptr_t round = 0; round < 200; round++) {
        for (uintptr_t code = 1; code <= 20; code++) {
            for (int32_t offset = 0; offset < 10; offset++) {
                assert_true(tm_code_table_add(&table, code + round * 64, code + round * 64, offset, 1));
            }
        }
        bytes = round == 0 ? tm_code_table_bytes(&table) : bytes;
        for (uintptr_t code = 1; code <= 20; code++) {
            assert_true(tm_code_table_forget(&table, code + round * 64, NULL));
        }
    }
    assert_int_equal(table.place_count, 200);
    assert_int_equal(table.code_count, 20);
    assert_u64_equal(tm_code_table_bytes(&table), bytes);
    assert_true(tm_code_table_is_valid(&table));
}

#define CODES  60
#define PLACES 40

static void random_work_agrees_with_an_array(void **state)
{
    (void)state;
    struct tm_code_table table = {.places = NULL};
    struct random_numbers random = {11};
    static uint32_t model[CODES][PLACES];
    for (unsigned round = 0; round < 40000; round++) {
        unsigned code = (unsigned)random_below(&random, CODES);
        unsigned place = (unsigned)random_below(&random, PLACES);
        uintptr_t address = 0x10000 + code * 0x100;
        if (random_below(&random, 30) == 0) {
            bool any = false;
            for (unsigned i = 0; i < PLACES; i++) {
                any = any || model[code][i] != 0;
            }
            assert_int_equal(tm_code_table_code(&table, address) != NULL, any);
            assert_int_equal(tm_code_table_forget(&table, address, NULL), any);
            memset(model[code], 0, sizeof model[code]);
        } else if (model[code][place] == 0) {
            model[code][place] = 1 + (uint32_t)random_below(&random, 1000);
            assert_true(
                tm_code_table_add(&table, address, address + place / 2, (int32_t)(place % 2) - 1, model[code][place]));
        }
        assert_int_equal(tm_code_table_frame(&table, address + place / 2, (int32_t)(place % 2) - 1),
                         model[code][place]);
        if (round % 1000 == 0) {
            assert_true(tm_code_table_is_valid(&table));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forget_drops_all_places_of_the_code_and_no_others),
        cmocka_unit_test(places_of_one_code_are_visited_once_each),
        cmocka_unit_test(users_words_stay_while_places_come_and_go_with_the_code),
        cmocka_unit_test(empty_table_knows_nothing),
        cmocka_unit_test(forgotten_entries_are_used_again),
        cmocka_unit_test(random_work_agrees_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
