/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "base/time_value.h"

static void times_with_and_without_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t seconds;
    } good[] = {
        {"1", 1}, {"30", 30}, {"30s", 30}, {"5m", 300}, {"5min", 300}, {"2h", 7200}, {"999999999h", 3599999996400}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t seconds = 99;
        assert_true(tm_time_value(good[i].text, &seconds));
        assert_int_equal(seconds, good[i].seconds);
    }
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "s",     "0",  "0s",   "-1", "1 s",        "1.5s",
                                      "1ms", "5min.", "1S", "0x10", "1d", "1000000000", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t seconds = 99;
        assert_false(tm_time_value(bad[i], &seconds));
        assert_int_equal(seconds, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_with_and_without_units),
        cmocka_unit_test(everything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
