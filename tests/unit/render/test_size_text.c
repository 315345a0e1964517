/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "report/render/size_text.h"

/* Every expectation on the left was printed by CPython 3.11's tracemalloc._format_size. */
static void units_of_tracemalloc_change_where_python_changes_them(void **state)
{
    (void)state;
    assert_string_equal(tm_size_as_tracemalloc(0, false).text, "0 B");
    assert_string_equal(tm_size_as_tracemalloc(10239, false).text, "10239 B");
    assert_string_equal(tm_size_as_tracemalloc(10240, false).text, "10.0 KiB");
    assert_string_equal(tm_size_as_tracemalloc(102399, false).text, "100.0 KiB");
    assert_string_equal(tm_size_as_tracemalloc(102400, false).text, "100 KiB");
    assert_string_equal(tm_size_as_tracemalloc(10485759, false).text, "10240 KiB");
    assert_string_equal(tm_size_as_tracemalloc(10485760, false).text, "10.0 MiB");
    assert_string_equal(tm_size_as_tracemalloc(126.4, false).text, "126 B");
    assert_string_equal(tm_size_as_tracemalloc(1e18, false).text, "909495 TiB");
    assert_string_equal(tm_size_as_tracemalloc(0, true).text, "+0 B");
    assert_string_equal(tm_size_as_tracemalloc(-12, true).text, "-12 B");
    assert_string_equal(tm_size_as_tracemalloc(-10240, true).text, "-10.0 KiB");
}

static void people_read_three_or_four_digits(void **state)
{
    (void)state;
    assert_string_equal(tm_size_for_people(999, false).text, "999 B");
    assert_string_equal(tm_size_for_people(1000, false).text, "1.0 KiB");
    assert_string_equal(tm_size_for_people(102348, false).text, "99.9 KiB");
    assert_string_equal(tm_size_for_people(102349, false).text, "100 KiB");
    assert_string_equal(tm_size_for_people(-2048, true).text, "-2.0 KiB");
    assert_string_equal(tm_size_for_people(5, true).text, "+5 B");
}

static void counts_have_their_digits_in_groups(void **state)
{
    (void)state;
    assert_string_equal(tm_count_for_people(0).text, "0");
    assert_string_equal(tm_count_for_people(999).text, "999");
    assert_string_equal(tm_count_for_people(1000).text, "1,000");
    assert_string_equal(tm_count_for_people(UINT64_MAX).text, "18,446,744,073,709,551,615");
    assert_string_equal(tm_count_difference_for_people(-1234567).text, "-1,234,567");
    assert_string_equal(tm_count_difference_for_people(INT64_MIN).text, "-9,223,372,036,854,775,808");
    assert_string_equal(tm_count_difference_for_people(0).text, "+0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_of_tracemalloc_change_where_python_changes_them),
        cmocka_unit_test(people_read_three_or_four_digits),
        cmocka_unit_test(counts_have_their_digits_in_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
