/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "runtime/table/id_map.h"
#include "support/random_numbers.h"

static bool has(const struct tm_id_map *map, uint32_t hash, uint32_t id)
{
    size_t cursor = SIZE_MAX;
    uint32_t found;
    while ((found = tm_id_map_next(map, hash, &cursor)) != 0) {
        if (found == id) {
            return true;
        }
    }
    return false;
}

static void ids_of_one_hash_are_all_found(void **state)
{
    (void)state;
    struct tm_id_map map = {.entries = NULL};
    size_t cursor = SIZE_MAX;
    assert_int_equal(tm_id_map_next(&map, 5, &cursor), 0);
    for (uint32_t id = 1; id <= 20; id++) {
        assert_true(tm_id_map_insert(&map, 511, id));
        assert_true(tm_id_map_insert(&map, 0, id + 100));
    }
    unsigned seen = 0;
    cursor = SIZE_MAX;
    while (tm_id_map_next(&map, 511, &cursor) != 0) {
        seen++;
    }
    assert_int_equal(seen, 20);
    assert_true(has(&map, 0, 120));
    assert_false(has(&map, 0, 20));
    assert_true(tm_id_map_is_valid(&map));
}

static void removing_what_is_not_there_changes_nothing(void **state)
{
    (void)state;
    struct tm_id_map map = {.entries = NULL};
    tm_id_map_remove(&map, 1, 1);
    assert_true(tm_id_map_insert(&map, 1, 1));
    tm_id_map_remove(&map, 1, 2);
    tm_id_map_remove(&map, 2, 1);
    assert_int_equal(map.count, 1);
    assert_true(has(&map, 1, 1));
}

#define IDS 3000

static void random_work_agrees_with_an_array(void **state)
{
    (void)state;
    /* All alike, few values, and one bit apart: runs, wrapped runs, and no runs. */
    static const uint32_t masks[] = {0x3, 0x1F, 0xFFFFFFFF, 0xFFFFFFFF};
    for (size_t i = 0; i < TM_COUNT_OF(masks); i++) {
        struct tm_id_map map = {.is_small = i % 2 != 0};
        struct random_numbers random = {7 + i};
        static uint32_t hashes[IDS + 1];
        static bool present[IDS + 1];
        unsigned ids = i >= 2 ? IDS : 200;
        size_t count = 0;
        memset(present, 0, sizeof present);
        for (unsigned round = 0; round < 20000; round++) {
            uint32_t id = 1 + (uint32_t)random_below(&random, ids);
            if (present[id]) {
                tm_id_map_remove(&map, hashes[id], id);
                assert_false(has(&map, hashes[id], id));
                count--;
            } else {
                hashes[id] = ((uint32_t)random_next(&random) & masks[i]) - 2;
                size_t cursor = SIZE_MAX;
                while (round % 2 == 0 && tm_id_map_next(&map, hashes[id], &cursor) != 0) {
                }
                assert_true(round % 2 == 0 ? tm_id_map_insert_at(&map, hashes[id], id, cursor)
                                           : tm_id_map_insert(&map, hashes[id], id));
                count++;
            }
            present[id] = !present[id];
            assert_int_equal(map.count, count);
            if (round % 1000 == 999) {
                assert_true(tm_id_map_is_valid(&map));
                for (uint32_t each = 1; each <= ids; each++) {
                    assert_int_equal(has(&map, hashes[each], each), present[each]);
                }
            }
        }
    }
}

static void validity_notices_a_hole_and_a_wrong_count(void **state)
{
    (void)state;
    struct tm_id_map map = {.entries = NULL};
    assert_true(tm_id_map_insert(&map, 3, 1));
    assert_true(tm_id_map_insert(&map, 3, 2));
    map.count = 1;
    assert_false(tm_id_map_is_valid(&map));
    map.entries[3].id = 0;
    assert_false(tm_id_map_is_valid(&map));
}

static void a_small_map_begins_with_a_page(void **state)
{
    (void)state;
    struct tm_id_map map = {.is_small = true};
    assert_true(tm_id_map_insert(&map, 3, 1));
    assert_int_equal(tm_id_map_bytes(&map), 4096);
    for (uint32_t id = 2; id <= 1000; id++) {
        assert_true(tm_id_map_insert(&map, id * 7, id));
    }
    assert_true(has(&map, 3, 1) && has(&map, 7000, 1000));
    assert_true(tm_id_map_is_valid(&map));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_of_one_hash_are_all_found),
        cmocka_unit_test(removing_what_is_not_there_changes_nothing),
        cmocka_unit_test(a_small_map_begins_with_a_page),
        cmocka_unit_test(random_work_agrees_with_an_array),
        cmocka_unit_test(validity_notices_a_hole_and_a_wrong_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
