/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <string.h>

#include "runtime/table/zone_list.h"
#include "support/random_numbers.h"

#define ZONES 8U
#define SLOTS 16384U
#define MOST  8192U

static struct tm_zone_lists lists;
static unsigned visits[SLOTS];

static int begin(void **state)
{
    (void)state;
    memset(&lists, 0, sizeof lists);
    memset(visits, 0, sizeof visits);
    return tm_zone_lists_init(&lists) ? 0 : -1;
}

static void count_visit(uint32_t slot, void *data)
{
    unsigned *counts = data;
    counts[slot]++;
}

static bool add(size_t zone, uint32_t slot)
{
    return (!tm_zone_lists_are_full(&lists) || tm_zone_lists_grow(&lists, MOST)) &&
           tm_zone_lists_add(&lists, zone, slot);
}

static void forget(size_t zone)
{
    memset(visits, 0, sizeof visits);
    tm_zone_lists_forget(&lists, zone, count_visit, visits);
}

/* Against plain counts, with nodes that come back. */
static void a_list_is_what_was_added_since_it_was_forgotten(void **state)
{
    (void)state;
    static unsigned expected[ZONES][SLOTS];
    struct random_numbers random = {3};
    unsigned used = 0;
    memset(expected, 0, sizeof expected);
    for (unsigned i = 0; i < 200000; i++) {
        size_t zone = random_below(&random, ZONES);
        if (random_below(&random, 1024) == 0) {
            forget(zone);
            assert_memory_equal(visits, expected[zone], sizeof visits);
            for (unsigned slot = 0; slot < SLOTS; slot++) {
                used -= expected[zone][slot];
            }
            memset(expected[zone], 0, sizeof expected[zone]);
        }
        uint32_t slot = (uint32_t)random_below(&random, SLOTS);
        bool is_added = add(zone, slot);
        assert_int_equal(is_added, used < MOST - 1); /* one is nobody's */
        assert_true(is_added || !tm_zone_lists_add(&lists, zone, slot));
        expected[zone][slot] += is_added;
        used += is_added;
    }
    assert_int_equal(tm_zone_lists_bytes(&lists), MOST * sizeof(struct tm_zone_node));
}

static void cleared_lists_are_empty_and_keep_their_room(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(add(i % ZONES, i));
    }
    size_t bytes = tm_zone_lists_bytes(&lists);
    tm_zone_lists_clear(&lists);
    for (size_t zone = 0; zone < TM_PLACE_VERSIONS; zone++) {
        forget(zone);
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            assert_int_equal(visits[slot], 0);
        }
    }
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(add(i % ZONES, i));
    }
    assert_int_equal(tm_zone_lists_bytes(&lists), bytes);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_list_is_what_was_added_since_it_was_forgotten),
        TEST(cleared_lists_are_empty_and_keep_their_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
