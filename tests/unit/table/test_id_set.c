/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <string.h>

#include "runtime/table/id_set.h"
#include "support/random_numbers.h"

#define IDS 300000U

static void a_set_is_what_was_added_and_not_removed(void **state)
{
    (void)state;
    static bool expected[IDS];
    struct tm_id_set set = {NULL, 0, 0};
    struct random_numbers random = {9};
    uint32_t count = 0;
    memset(expected, 0, sizeof expected);
    for (unsigned i = 0; i < 400000; i++) {
        uint32_t id = 1 + (uint32_t)random_below(&random, IDS - 1);
        bool is_added = random_below(&random, 3) != 0;
        count += is_added && !expected[id] ? 1 : 0;
        count -= !is_added && expected[id] ? 1 : 0;
        if (is_added) {
            assert_true(tm_id_set_add(&set, id));
        } else {
            tm_id_set_remove(&set, id);
        }
        expected[id] = is_added;
        assert_int_equal(set.count, count);
    }
    uint32_t from = 1;
    for (uint32_t id = 1; id < IDS; id++) {
        assert_int_equal(tm_id_set_has(&set, id), expected[id]);
        if (expected[id]) {
            assert_int_equal(tm_id_set_next(&set, from), id);
            from = id + 1;
        }
    }
    assert_int_equal(tm_id_set_next(&set, from), 0);
    assert_false(tm_id_set_has(&set, UINT32_MAX));
    tm_id_set_free(&set);
    assert_int_equal(tm_id_set_next(&set, 1), 0);
}

/* Who reads from outside in one round never sees an id of that round, or of the one before, mean something else. */
static void ids_rest_for_a_round(void **state)
{
    (void)state;
    struct tm_free_ids ids;
    memset(&ids, 0, sizeof ids);
    tm_free_ids_put(&ids, 7);
    assert_int_equal(tm_free_ids_take(&ids, 0), 0);
    assert_true(tm_free_ids_have(&ids, 7));
    tm_free_ids_begin_round(&ids);
    tm_free_ids_put(&ids, 5);
    assert_int_equal(tm_free_ids_count(&ids), 2);
    assert_int_equal(tm_free_ids_take(&ids, 0), 7);
    assert_int_equal(tm_free_ids_take(&ids, 0), 0);
    tm_free_ids_begin_round(&ids);
    assert_int_equal(tm_free_ids_take(&ids, 0), 5);
    assert_false(tm_free_ids_have(&ids, 5));
}

/* A chain of children finds ever larger ids, and none below its parent's. */
static void ids_are_above_what_they_must_be_above(void **state)
{
    (void)state;
    struct tm_free_ids ids;
    memset(&ids, 0, sizeof ids);
    for (uint32_t id = 100; id < 200; id += 10) {
        tm_free_ids_put(&ids, id);
    }
    tm_free_ids_begin_round(&ids);
    assert_int_equal(tm_free_ids_take(&ids, 50), 100);
    assert_int_equal(tm_free_ids_take(&ids, 100), 110);
    assert_int_equal(tm_free_ids_take(&ids, 165), 170);
    assert_int_equal(tm_free_ids_take(&ids, 190), 0);
    assert_int_equal(tm_free_ids_take(&ids, 3), 180);
    assert_int_equal(tm_free_ids_take(&ids, 3), 190);
    assert_int_equal(tm_free_ids_take(&ids, 3), 120); /* from the front again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_is_what_was_added_and_not_removed),
        cmocka_unit_test(ids_rest_for_a_round),
        cmocka_unit_test(ids_are_above_what_they_must_be_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
