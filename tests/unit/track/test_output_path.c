/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "runtime/track/output_path.h"

static char path[64];

static void assert_name(const char *pattern, bool insert, unsigned attempt, const char *expected)
{
    assert_true(tm_output_name(pattern, 4711, insert, attempt, path, sizeof path));
    assert_string_equal(path, expected);
}

static void pid_goes_where_the_pattern_says(void **state)
{
    (void)state;
    assert_name("/d/tracemalloc.%p.tms", false, 1, "/d/tracemalloc.4711.tms");
    assert_name("/d/%p/%p.tms", true, 1, "/d/4711/4711.tms");
    assert_name("%p", false, 1, "4711");
    assert_name("100%%.tms", false, 1, "100%.tms");
    assert_name("%%p.tms", false, 1, "%p.tms");
}

static void number_has_four_digits_and_takes_the_place_of_a_suffix(void **state)
{
    (void)state;
    assert_name("/d/x.%n.tms", false, 1, "/d/x.0001.tms");
    assert_name("/d/x.%n.tms", false, 12345, "/d/x.12345.tms");
    assert_name("/d/x.%n.tms", true, 2, "/d/x.0002.4711.tms");
    assert_name("%p-%n%%n", true, 3, "4711-0003%n");
    assert_true(tm_output_has_number("a%%%n"));
    assert_false(tm_output_has_number("a%%n%p"));
}

static void facts_are_filled_in_once(void **state)
{
    (void)state;
    struct tm_output_facts facts = {"pod/7%", 6, "/usr/bin/python3.11", 19, UINT64_C(1796083199999999999)};
    assert_true(tm_output_expand("/d/%h.%e.%t.%p.%n.%%h", &facts, path, sizeof path));
    assert_string_equal(path, "/d/pod_7_.python3.11.20261130-235959.%p.%n.%%h");
    facts.time_ns = UINT64_C(951782400000000000); /* 29 February 2000 */
    assert_true(tm_output_expand("%t", &facts, path, sizeof path));
    assert_string_equal(path, "20000229-000000");
    facts.time_ns = 0;
    assert_true(tm_output_expand("%t%", &facts, path, sizeof path));
    assert_string_equal(path, "19700101-000000%");
    assert_false(tm_output_expand("%h", &facts, path, 6));
}

static void descendant_inserts_its_pid_before_the_last_dot(void **state)
{
    (void)state;
    assert_name("/d/out.tms", true, 1, "/d/out.4711.tms");
    assert_name("/d/out.tms", false, 1, "/d/out.tms");
    assert_name("/d.x/out", true, 1, "/d.x/out.4711");
    assert_name("/d.x/.hidden", true, 1, "/d.x/.hidden.4711");
    assert_name("a.b.c", true, 1, "a.b.4711.c");
    assert_name("%%p.tms", true, 1, "%p.4711.tms");
}

static void later_attempts_have_a_number(void **state)
{
    (void)state;
    assert_name("/d/tracemalloc.%p.tms", false, 2, "/d/tracemalloc.4711-2.tms");
    assert_name("/d/out.tms", true, 1000, "/d/out.4711-1000.tms");
    assert_name("/d/out", false, 3, "/d/out-3");
}

static void name_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    assert_false(tm_output_name("12345", 4711, false, 1, path, 5));
    assert_true(tm_output_name("1234", 4711, false, 1, path, 5));
    assert_false(tm_output_name("%p", 4711, false, 1, path, 4));
    assert_false(tm_output_store("/d", 4711, 1, path, 23));
    assert_true(tm_output_store("/d", 4711, 1, path, 25));
    assert_false(tm_output_absolute("a", "/123", 4, path, 6));
    assert_false(tm_output_folder("/1234/a", path, 5));
}

static void store_stands_in_its_folder(void **state)
{
    (void)state;
    assert_true(tm_output_store("/d", 4711, 1, path, sizeof path));
    assert_string_equal(path, "/d/tracemalloc.4711.live");
    assert_true(tm_output_store("/d", 4711, 12, path, sizeof path));
    assert_string_equal(path, "/d/tracemalloc.4711-12.live");
}

static void relative_path_is_put_behind_the_folder(void **state)
{
    (void)state;
    assert_true(tm_output_absolute("a/b.tms", "/work dirX", 9, path, sizeof path));
    assert_string_equal(path, "/work dir/a/b.tms");
    assert_true(tm_output_absolute("b.tms", "/", 1, path, sizeof path));
    assert_string_equal(path, "/b.tms");
    assert_true(tm_output_absolute("/b.tms", "/x", 2, path, sizeof path));
    assert_string_equal(path, "/b.tms");
    assert_true(tm_output_absolute("b.tms", "", 0, path, sizeof path));
    assert_string_equal(path, "b.tms");
    assert_true(tm_output_absolute("b.tms", "/100%p", 6, path, sizeof path));
    assert_string_equal(path, "/100%p/b.tms");
}

static void pattern_behind_a_folder_takes_the_folder_as_it_is(void **state)
{
    (void)state;
    char pattern[64];
    assert_true(tm_output_pattern("b.%p.tms", "/100%p/%", 8, pattern, sizeof pattern));
    assert_name(pattern, false, 1, "/100%p/%/b.4711.tms");
    assert_true(tm_output_pattern("/%p/b.tms", "/100%", 5, pattern, sizeof pattern));
    assert_name(pattern, false, 1, "/4711/b.tms");
    assert_true(tm_output_pattern("d/", "/a", 2, pattern, sizeof pattern));
    assert_name(pattern, false, 1, "/a/d/tracemalloc.4711.tms");
    assert_true(tm_output_has_pid(pattern));
    assert_true(tm_output_pattern("", "/a", 2, pattern, sizeof pattern));
    assert_name(pattern, false, 1, "/a/");
    assert_false(tm_output_pattern("b", "/%%", 3, pattern, 7));
    assert_true(tm_output_pattern("b", "/%%", 3, pattern, 8));
}

static void folder_of_a_path_is_what_is_before_the_last_slash(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"/a/b.tms", "/a"}, {"/b.tms", "/"}, {"b.tms", "."}, {"a/b/c", "a/b"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(tm_output_folder(cases[i][0], path, sizeof path));
        assert_string_equal(path, cases[i][1]);
    }
}

static void only_p_behind_a_single_percent_is_a_pid(void **state)
{
    (void)state;
    assert_true(tm_output_has_pid("a%p"));
    assert_true(tm_output_has_pid("%%%p"));
    assert_false(tm_output_has_pid("a%%p"));
    assert_false(tm_output_has_pid(""));
    assert_false(tm_output_has_pid("a%"));
}

static void number_is_implied_before_the_last_dot(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"/d/tracemalloc.%p.tms", "/d/tracemalloc.%p.%n.tms"},
                                           {"/d.x/out", "/d.x/out.%n"},
                                           {"/d/o.%n.%p.tms", "/d/o.%n.%p.tms"},
                                           {"/d/100%%n.tms", "/d/100%%n.%n.tms"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(tm_output_add_number(cases[i][0], path, sizeof path));
        assert_string_equal(path, cases[i][1]);
    }
    assert_false(tm_output_add_number("a.tms", path, 8));
    assert_true(tm_output_add_number("a.tms", path, 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pid_goes_where_the_pattern_says),
        cmocka_unit_test(number_has_four_digits_and_takes_the_place_of_a_suffix),
        cmocka_unit_test(facts_are_filled_in_once),
        cmocka_unit_test(descendant_inserts_its_pid_before_the_last_dot),
        cmocka_unit_test(later_attempts_have_a_number),
        cmocka_unit_test(name_that_does_not_fit_is_refused),
        cmocka_unit_test(store_stands_in_its_folder),
        cmocka_unit_test(relative_path_is_put_behind_the_folder),
        cmocka_unit_test(pattern_behind_a_folder_takes_the_folder_as_it_is),
        cmocka_unit_test(folder_of_a_path_is_what_is_before_the_last_slash),
        cmocka_unit_test(number_is_implied_before_the_last_dot),
        cmocka_unit_test(only_p_behind_a_single_percent_is_a_pid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
