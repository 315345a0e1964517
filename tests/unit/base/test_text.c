/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "base/text.h"

static void text_that_does_not_fit_is_cut_and_says_so(void **state)
{
    (void)state;
    char buffer[9];
    struct tm_text text;
    memset(buffer, 'x', sizeof buffer);
    tm_text_init(&text, buffer, sizeof buffer - 1);
    tm_text_add(&text, "1234567");
    assert_false(text.truncated);
    tm_text_add_char(&text, '8');
    tm_text_add_unsigned(&text, 99);
    assert_true(text.truncated);
    assert_string_equal(buffer, "1234567");
    assert_int_equal(text.length, 7);
    assert_int_equal(buffer[8], 'x');
}

static void text_of_capacity_one_is_empty(void **state)
{
    (void)state;
    char buffer[2] = {'y', 'z'};
    struct tm_text text;
    tm_text_init(&text, buffer, 1);
    tm_text_add(&text, "");
    assert_false(text.truncated);
    tm_text_add(&text, "a");
    assert_true(text.truncated);
    assert_int_equal(buffer[0], '\0');
    assert_int_equal(buffer[1], 'z');
}

static void numbers_are_written_in_full(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        unsigned width;
        const char *expected;
    } cases[] = {{0, 1, "0"},
                 {0, 0, "0"},
                 {7, 3, "007"},
                 {1234, 2, "1234"},
                 {10, 1, "10"},
                 {UINT64_MAX, 1, "18446744073709551615"},
                 {1, 20, "00000000000000000001"},
                 {5, 99, "00000000000000000005"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buffer[32];
        struct tm_text text;
        tm_text_init(&text, buffer, sizeof buffer);
        tm_text_add_padded(&text, cases[i].value, cases[i].width);
        assert_string_equal(buffer, cases[i].expected);
    }
}

static void digits_become_the_number(void **state)
{
    (void)state;
    uint64_t value = 1;
    assert_true(tm_text_to_unsigned("0", 0, &value));
    assert_u64_equal(value, 0);
    assert_true(tm_text_to_unsigned("00065535", 65535, &value));
    assert_u64_equal(value, 65535);
    assert_true(tm_text_to_unsigned("18446744073709551615", UINT64_MAX, &value));
    assert_u64_equal(value, UINT64_MAX);
}

static void what_is_no_number_or_too_large_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *string;
        uint64_t max;
    } cases[] = {
        {"", 9},
        {" 1", 9},
        {"1 ", 9},
        {"-1", 9},
        {"+1", 9},
        {"0x1", 9},
        {"10", 9},
        {"9", 5},
        {"99", 5},
        {"65536", 65535},
        {"1", 0},
        {"18446744073709551616", UINT64_MAX},
        {"99999999999999999999999", UINT64_MAX},
        /* Sums that come back to something small when 64 bits are passed. */
        {"18446744073709551619", 5},
        {"18446744073709551617", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value;
        if (tm_text_to_unsigned(cases[i].string, cases[i].max, &value)) {
            fail_msg("%s was taken", cases[i].string);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_does_not_fit_is_cut_and_says_so),
        cmocka_unit_test(text_of_capacity_one_is_empty),
        cmocka_unit_test(numbers_are_written_in_full),
        cmocka_unit_test(digits_become_the_number),
        cmocka_unit_test(what_is_no_number_or_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
