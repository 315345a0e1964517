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

struct visited {
    const struct tm_id_set *set;
    uint32_t last, count, most;
};

static bool is_next(void *data, uint32_t id)
{
    struct visited *visited = data;
    assert_int_equal(tm_id_set_next(visited->set, visited->last + 1), id);
    visited->last = id;
    return ++visited->count != visited->most;
}

static void visit_comes_to_all_in_order_until_it_is_told_to_end(void **state)
{
    (void)state;
    struct tm_id_set set = {NULL, 0, 0};
    struct random_numbers random = {10};
    struct visited visited = {.set = &set};
    assert_true(tm_id_set_visit(&set, is_next, &visited));
    assert_int_equal(visited.count, 0);
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(tm_id_set_add(&set, 1 + (uint32_t)random_below(&random, 20000)));
    }
    assert_true(tm_id_set_add(&set, 63));
    assert_true(tm_id_set_add(&set, 64));
    assert_true(tm_id_set_visit(&set, is_next, &visited));
    assert_int_equal(visited.count, set.count);
    assert_int_equal(tm_id_set_next(&set, visited.last + 1), 0);
    visited = (struct visited){.set = &set, .most = 10};
    assert_false(tm_id_set_visit(&set, is_next, &visited));
    assert_int_equal(visited.count, 10);
    tm_id_set_free(&set);
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

static void moved_sets_are_one(void **state)
{
    (void)state;
    static bool in_one[IDS], in_both[IDS];
    struct tm_id_set to = {NULL, 0, 0}, from = {NULL, 0, 0};
    struct random_numbers random = {11};
    uint32_t count = 0;
    memset(in_both, 0, sizeof in_both);
    for (unsigned round = 0; round < 3; round++) {
        memset(in_one, 0, sizeof in_one);
        assert_true(tm_id_set_move(&to, &from)); /* empty */
        for (unsigned i = 0; i < 5000; i++) {
            uint32_t id = 1 + (uint32_t)random_below(&random, (IDS - 1) >> (4 * (2 - round)));
            assert_true(tm_id_set_add(&from, id));
            count += !in_both[id];
            in_both[id] = true;
        }
        assert_true(tm_id_set_move(&to, &from));
        assert_int_equal(from.count, 0);
        assert_int_equal(tm_id_set_next(&from, 1), 0);
        assert_int_equal(to.count, count);
    }
    for (uint32_t id = 1; id < IDS; id++) {
        assert_int_equal(tm_id_set_has(&to, id), in_both[id]);
        assert_false(tm_id_set_has(&from, id));
    }
    tm_id_set_free(&to);
    tm_id_set_free(&from);
}

/* 0 comes only where a look at every id finds none. */
static void an_id_is_given_out_wherever_there_is_one(void **state)
{
    (void)state;
    enum { SOME = 3000 };
    static unsigned rest[SOME]; /* 0: not here, 1: ready, 2: resting */
    struct tm_free_ids ids;
    struct random_numbers random = {13};
    memset(&ids, 0, sizeof ids);
    memset(rest, 0, sizeof rest);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t what = random_below(&random, 1000);
        uint32_t id = 1 + (uint32_t)random_below(&random, SOME - 1);
        if (what == 0) {
            tm_free_ids_begin_round(&ids);
            for (uint32_t at = 1; at < SOME; at++) {
                rest[at] -= rest[at] == 2;
            }
        } else if (what < 300 && rest[id] == 0) {
            tm_free_ids_put(&ids, id);
            rest[id] = 2;
        } else {
            uint32_t above = (uint32_t)random_below(&random, SOME);
            uint32_t there = SOME - 1;
            while (there > above && rest[there] != 1) {
                there--;
            }
            uint32_t taken = tm_free_ids_take(&ids, above);
            assert_int_equal(taken != 0, there > above);
            if (taken != 0) {
                assert_true(taken > above && taken < SOME);
                assert_int_equal(rest[taken], 1);
                rest[taken] = 0;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_is_what_was_added_and_not_removed),
        cmocka_unit_test(moved_sets_are_one),
        cmocka_unit_test(visit_comes_to_all_in_order_until_it_is_told_to_end),
        cmocka_unit_test(an_id_is_given_out_wherever_there_is_one),
        cmocka_unit_test(ids_rest_for_a_round),
        cmocka_unit_test(ids_are_above_what_they_must_be_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
