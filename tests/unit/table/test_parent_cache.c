/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "runtime/table/parent_cache.h"
#include "support/random_numbers.h"

static void what_was_put_is_found_until_all_is_void(void **state)
{
    (void)state;
    static struct tm_parent_cache cache;
    assert_int_equal(tm_parent_find(&cache, 5, 0), 0);
    tm_parent_put(&cache, 5, 3, 17);
    assert_int_equal(tm_parent_find(&cache, 5, 3), 17);
    assert_int_equal(tm_parent_find(&cache, 5, 4), 0);
    assert_int_equal(tm_parent_find(&cache, 6, 3), 0);
    tm_parent_put(&cache, 5, 4, 18);
    assert_int_equal(tm_parent_find(&cache, 5, 4), 18);
}

/* More than it has room for: it forgets, and never says what belongs to another. */
static void no_hash_gets_the_traceback_of_another(void **state)
{
    (void)state;
    static struct tm_parent_cache cache;
    struct random_numbers random = {3};
    static uint64_t hashes[8 << TM_PARENT_BITS];
    const size_t count = sizeof hashes / sizeof *hashes;
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        hashes[i] = (random_next(&random) >> 3) | 1;
        tm_parent_put(&cache, hashes[i], 0, (uint32_t)i + 1);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t found = tm_parent_find(&cache, hashes[i], 0);
        assert_true(found == 0 || hashes[found - 1] == hashes[i]);
        known += found != 0;
    }
    assert_true(known > (UINT32_C(1) << TM_PARENT_BITS) * 9 / 10); /* spread over all of it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_until_all_is_void),
        cmocka_unit_test(no_hash_gets_the_traceback_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
