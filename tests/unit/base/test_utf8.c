/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static uint32_t first_of(const char *text, size_t length, size_t *taken)
{
    const uint8_t *at = (const uint8_t *)text, *start = at;
    uint32_t point = tm_utf8_next(&at, at + length);
    *taken = (size_t)(at - start);
    return point;
}

static void assert_point(const char *text, uint32_t point, size_t taken)
{
    size_t length;
    assert_u64_equal(first_of(text, strlen(text), &length), point);
    assert_u64_equal(length, taken);
}

static void sequences_of_every_length_are_read(void **state)
{
    (void)state;
    assert_point("a", 'a', 1);
    assert_point("\x7F", 0x7F, 1);
    assert_point("\xC2\x80", 0x80, 2);
    assert_point("\xDF\xBF", 0x7FF, 2);
    assert_point("\xE0\xA0\x80", 0x800, 3);
    assert_point("\xED\x9F\xBF", 0xD7FF, 3);
    assert_point("\xEE\x80\x80", 0xE000, 3);
    assert_point("\xF0\x90\x80\x80", 0x10000, 4);
    assert_point("\xF4\x8F\xBF\xBF", 0x10FFFF, 4);
}

static void what_is_malformed_is_escaped_byte_by_byte(void **state)
{
    (void)state;
    assert_point("\x80", 0xDC80, 1);
    assert_point("\xC0\x80", 0xDCC0, 1);
    assert_point("\xC1\xBF", 0xDCC1, 1);
    assert_point("\xC3(", 0xDCC3, 1);
    assert_point("\xE0\x9F\x80", 0xDCE0, 1);
    assert_point("\xED\xA0\x80", 0xDCED, 1);
    assert_point("\xE2\x82(", 0xDCE2, 1);
    assert_point("\xF0\x8F\x80\x80", 0xDCF0, 1);
    assert_point("\xF4\x90\x80\x80", 0xDCF4, 1);
    assert_point("\xF5\x80\x80\x80", 0xDCF5, 1);
    assert_point("\xFF", 0xDCFF, 1);
}

static void sequence_that_ends_early_is_escaped(void **state)
{
    (void)state;
    size_t taken;
    assert_u64_equal(first_of("\xE2\x82\xAC", 2, &taken), 0xDCE2);
    assert_u64_equal(taken, 1);
    assert_u64_equal(first_of("\xF0\x90\x80\x80", 3, &taken), 0xDCF0);
}

static int compare(const char *a, const char *b)
{
    return tm_utf8_compare((const uint8_t *)a, strlen(a), (const uint8_t *)b, strlen(b));
}

static void order_is_that_of_code_points_not_of_bytes(void **state)
{
    (void)state;
    assert_true(compare("a", "b") < 0);
    assert_true(compare("a", "ab") < 0);
    assert_true(compare("ab", "a") > 0);
    assert_int_equal(compare("x\xFFy", "x\xFFy"), 0);
    /* An escaped byte is below U+E000 and above U+D7FF, although the byte is above all leads. */
    assert_true(compare("\xFF", "\xEE\x80\x80") < 0);
    assert_true(compare("\xFF", "\xED\x9F\xBF") > 0);
    assert_true(compare("\xFF", "\xF0\x90\x80\x80") < 0);
    assert_true(compare("", "a") < 0);
    /* The same behind a start that both have, of every length up to where a word ends and beyond. */
    static const char start[] = "/usr/lib/python3";
    for (size_t length = 0; length < sizeof start; length++) {
        char a[32], b[32];
        (void)snprintf(a, sizeof a, "%.*s\xC3\xA9z", (int)length, start);
        (void)snprintf(b, sizeof b, "%.*s\xC3\xAAy", (int)length, start);
        assert_true(compare(a, b) < 0 && compare(b, a) > 0 && compare(a, a) == 0);
        (void)snprintf(a, sizeof a, "%.*s\xFF", (int)length, start);
        (void)snprintf(b, sizeof b, "%.*s\xEE\x80\x80", (int)length, start);
        assert_true(compare(a, b) < 0 && compare(b, a) > 0);
        (void)snprintf(a, sizeof a, "%.*s", (int)length, start);
        (void)snprintf(b, sizeof b, "%.*sa", (int)length, start);
        assert_true(compare(a, b) < 0 && compare(b, a) > 0 && compare(a, a) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_of_every_length_are_read),
        cmocka_unit_test(what_is_malformed_is_escaped_byte_by_byte),
        cmocka_unit_test(sequence_that_ends_early_is_escaped),
        cmocka_unit_test(order_is_that_of_code_points_not_of_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
