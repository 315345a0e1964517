/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "base/size_value.h"

static void sizes_with_and_without_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},
                {"17", 17},
                {"17B", 17},
                {"1K", 1024},
                {"3KiB", 3072},
                {"1M", 1 << 20},
                {"64MiB", 64 << 20},
                {"2G", 2ULL << 30},
                {"2GiB", 2ULL << 30},
                {"1T", 1ULL << 40},
                {"3TiB", 3ULL << 40},
                {"4611686018427387903", (1ULL << 62) - 1}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t bytes = 99;
        assert_true(tm_size_value(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "MiB",
                                      "-1",
                                      "1 MiB",
                                      "1mib",
                                      "1.5MiB",
                                      "0x10",
                                      "1KB",
                                      "1MiBx",
                                      " 1",
                                      "4294967296G",
                                      "4194304TiB",
                                      "4611686018427387904",
                                      "99999999999999999999999",
                                      "36893488147419103232"}; /* 2^65 */
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t bytes = 99;
        assert_false(tm_size_value(bad[i], &bytes));
        assert_int_equal(bytes, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_with_and_without_units),
        cmocka_unit_test(everything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
