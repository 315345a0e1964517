/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "support/failing_pages.h"

#include "runtime/table/id_lists.h"
#include "support/random_numbers.h"

static bool has(const struct tm_id_lists *lists, uint32_t owner, uint32_t tag, uint32_t id)
{
    struct tm_list_look look = tm_id_lists_look(lists, owner, tag);
    uint32_t found;
    while ((found = tm_id_lists_next(lists, &look)) != 0) {
        if (found == id) {
            return true;
        }
    }
    return false;
}

static bool add(struct tm_id_lists *lists, uint32_t owner, uint32_t tag, uint32_t id)
{
    struct tm_list_look look = tm_id_lists_look(lists, owner, tag);
    while (tm_id_lists_next(lists, &look) != 0) {
    }
    return tm_id_lists_add(lists, &look, id);
}

static void empty_lists_have_nothing(void **state)
{
    (void)state;
    struct tm_id_lists lists = {0};
    assert_false(has(&lists, 0, 0, 1));
    tm_id_lists_remove(&lists, 0, 0, 1);
    tm_id_lists_clear(&lists);
    assert_int_equal(tm_id_lists_bytes(&lists), 0);
    assert_int_equal(tm_id_lists_count(&lists), 0);
    assert_true(tm_id_lists_are_valid(&lists));
}

static void ids_of_one_key_are_all_found(void **state)
{
    (void)state;
    struct tm_id_lists lists = {0};
    assert_true(add(&lists, 7, 1, 10));
    assert_true(add(&lists, 7, 2, 11));
    assert_true(add(&lists, 7, 1, 12));
    assert_true(add(&lists, 0, 1, 13));
    struct tm_list_look look = tm_id_lists_look(&lists, 7, 1);
    assert_int_equal(tm_id_lists_next(&lists, &look), 12);
    assert_int_equal(tm_id_lists_next(&lists, &look), 10);
    assert_int_equal(tm_id_lists_next(&lists, &look), 0);
    assert_true(has(&lists, 0, 1, 13));
    assert_false(has(&lists, 0, 2, 11));
    assert_int_equal(tm_id_lists_count(&lists), 4);
    tm_id_lists_clear(&lists);
    assert_false(has(&lists, 7, 1, 10));
    assert_int_equal(tm_id_lists_count(&lists), 0);
}

/* So no look takes longer than TM_LIST_MAX steps. */
static void owner_of_many_moves_into_the_map_and_few_stay_out(void **state)
{
    (void)state;
    struct tm_id_lists lists = {0};
    for (uint32_t id = 1; id <= TM_LIST_MAX; id++) {
        assert_true(add(&lists, 3, id, id));
        assert_true(add(&lists, 4, id, id + 10000));
    }
    assert_int_equal(lists.map.count, 0);
    for (uint32_t id = TM_LIST_MAX + 1; id <= 5000; id++) {
        assert_true(add(&lists, 3, id, id));
    }
    assert_int_equal(lists.map.count, 5000);
    assert_int_equal(tm_id_lists_count(&lists), 5000 + TM_LIST_MAX);
    assert_true(tm_id_lists_are_valid(&lists));
    for (uint32_t id = 1; id <= 5000; id++) {
        assert_true(has(&lists, 3, id, id));
    }
    for (uint32_t id = 1; id <= 5000; id++) {
        tm_id_lists_remove(&lists, 3, id, id);
        assert_false(has(&lists, 3, id, id));
    }
    assert_int_equal(tm_id_lists_count(&lists), TM_LIST_MAX);
    assert_true(add(&lists, 3, 1, 1)); /* in the map: for good */
    assert_true(has(&lists, 3, 1, 1));
    assert_int_equal(lists.map.count, 1);
}

static void memory_follows_the_highest_owner_and_id(void **state)
{
    (void)state;
    struct tm_id_lists lists = {0};
    assert_true(add(&lists, 100000, 1, 50000));
    size_t bytes = tm_id_lists_bytes(&lists);
    assert_true(bytes >= 100001 * sizeof(uint32_t) + 50001 * sizeof(struct tm_list_link));
    assert_true(bytes <= 100001 * sizeof(uint32_t) + 50001 * sizeof(struct tm_list_link) + 2 * TM_PAGE_SIZE);
    assert_true(add(&lists, 2, 1, 7));
    assert_int_equal(tm_id_lists_bytes(&lists), bytes);
    for (uint32_t id = 1; id <= TM_LIST_MAX + 1; id++) {
        assert_true(add(&lists, 5, id, id + 100));
    }
    assert_int_equal(tm_id_lists_bytes(&lists), bytes + tm_id_map_bytes(&lists.map));
}

static void small_lists_begin_with_a_page_each(void **state)
{
    (void)state;
    struct tm_id_lists lists = {.is_small = true};
    assert_true(add(&lists, 3, 1, 1));
    assert_int_equal(tm_id_lists_bytes(&lists), 2 * TM_PAGE_SIZE);
    for (uint32_t id = 2; id <= 3000; id++) {
        assert_true(add(&lists, id, 1, id));
    }
    assert_true(has(&lists, 3, 1, 1) && has(&lists, 3000, 1, 3000));
    assert_true(tm_id_lists_are_valid(&lists));
    tm_id_lists_clear(&lists);
    for (uint32_t id = 1; id <= TM_LIST_MAX + 1; id++) {
        assert_true(add(&lists, 1, id, id));
    }
    assert_int_equal(tm_id_map_bytes(&lists.map), TM_PAGE_SIZE);
}

#define IDS    4000U
#define OWNERS 40U

static void random_work_agrees_with_an_array(void **state)
{
    (void)state;
    struct tm_id_lists lists = {0};
    struct random_numbers random = {11};
    static uint32_t owners[IDS + 1];
    static uint32_t tags[IDS + 1];
    static bool present[IDS + 1];
    size_t count = 0;
    for (unsigned round = 0; round < 60000; round++) {
        uint32_t id = 1 + (uint32_t)random_below(&random, round < 30000 ? 400 : IDS); /* few of each, then many */
        if (present[id]) {
            tm_id_lists_remove(&lists, owners[id], tags[id] + 1, id + IDS); /* is not there */
            tm_id_lists_remove(&lists, owners[id], tags[id], id);
            assert_false(has(&lists, owners[id], tags[id], id));
            count--;
        } else {
            owners[id] = (uint32_t)random_below(&random, OWNERS);
            tags[id] = (uint32_t)random_below(&random, 5);
            assert_true(add(&lists, owners[id], tags[id], id));
            count++;
        }
        present[id] = !present[id];
        if (round % 1000 == 999) {
            assert_true(tm_id_lists_are_valid(&lists));
            assert_int_equal(tm_id_lists_count(&lists), count);
            for (uint32_t each = 1; each <= IDS; each++) {
                assert_int_equal(has(&lists, owners[each], tags[each], each), present[each]);
            }
        }
    }
    assert_true(lists.map.count > 0);
}

/* Whichever page is refused: one addition says no, all else is as it was, and the next try goes through. */
static void failure_to_grow_changes_nothing(void **state)
{
    (void)state;
    pages_fail_after = false;
    for (unsigned n = 1;; n++) {
        struct tm_id_lists lists = {0};
        unsigned refusals = 0;
        pages_calls = 0;
        pages_fail_at = n;
        for (uint32_t id = 1; id <= 12000; id++) {
            uint32_t owner = id <= 600 ? id : 601 + id % 400; /* lists, then lists that become full one by one */
            if (!add(&lists, owner, id, id)) {
                refusals++;
                assert_true(tm_id_lists_are_valid(&lists));
                assert_int_equal(tm_id_lists_count(&lists), id - 1);
                for (uint32_t each = 1; each <= id; each++) {
                    assert_int_equal(has(&lists, each <= 600 ? each : 601 + each % 400, each, each), each < id);
                }
                assert_true(add(&lists, owner, id, id));
            }
        }
        assert_int_equal(tm_id_lists_count(&lists), 12000);
        tm_id_lists_clear(&lists);
        if (refusals == 0) {
            assert_true(n > 6);
            break;
        }
        assert_int_equal(refusals, 1);
    }
    pages_fail_at = 0;
}

static void validity_notices_a_list_that_is_too_long_and_a_wrong_map(void **state)
{
    (void)state;
    struct tm_id_lists lists = {0};
    assert_true(add(&lists, 1, 1, 1));
    assert_true(add(&lists, 1, 2, 2));
    assert_true(tm_id_lists_are_valid(&lists));
    lists.links[1].next = 2; /* a ring */
    assert_false(tm_id_lists_are_valid(&lists));
    lists.links[1].next = lists.link_capacity;
    assert_false(tm_id_lists_are_valid(&lists));
    lists.links[1].next = 0;
    lists.map.count = 1;
    assert_false(tm_id_lists_are_valid(&lists));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_lists_have_nothing),
        cmocka_unit_test(ids_of_one_key_are_all_found),
        cmocka_unit_test(owner_of_many_moves_into_the_map_and_few_stay_out),
        cmocka_unit_test(memory_follows_the_highest_owner_and_id),
        cmocka_unit_test(small_lists_begin_with_a_page_each),
        cmocka_unit_test(random_work_agrees_with_an_array),
        cmocka_unit_test(failure_to_grow_changes_nothing),
        cmocka_unit_test(validity_notices_a_list_that_is_too_long_and_a_wrong_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
