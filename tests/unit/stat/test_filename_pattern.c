/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "report/stat/filename_pattern.h"

static bool matches(const char *pattern, const char *name)
{
    struct tm_pattern compiled;
    assert_true(tm_pattern_init(&compiled, pattern, strlen(pattern)));
    bool result = tm_pattern_match(&compiled, (struct tm_span){(const uint8_t *)name, strlen(name)});
    tm_pattern_free(&compiled);
    return result;
}

static void stars_take_anything_slashes_too(void **state)
{
    (void)state;
    assert_true(matches("*", ""));
    assert_true(matches("*.py", "/a/b.py"));
    assert_true(matches("/a/*/c.py", "/a/b/x/c.py"));
    assert_true(matches("*a*b*", "xxaxxbxxb"));
    assert_false(matches("*a*b*c", "xxaxxbxxb"));
    assert_true(matches("**", "x"));
    assert_true(matches("*ab", "aab"));
    assert_false(matches("", "x"));
    assert_true(matches("", ""));
}

static void question_marks_take_one_code_point(void **state)
{
    (void)state;
    assert_true(matches("?.py", "\xC3\xA9.py"));
    assert_true(matches("?.py", "\xFF.py"));
    assert_false(matches("??.py", "\xC3\xA9.py"));
    assert_false(matches("?", ""));
}

static void sets_have_members_ranges_and_negation(void **state)
{
    (void)state;
    assert_true(matches("[abc].py", "b.py"));
    assert_false(matches("[!abc].py", "b.py"));
    assert_true(matches("[!abc].py", "d.py"));
    assert_true(matches("[a-c]", "b"));
    assert_true(matches("[]]", "]"));
    assert_true(matches("[!]]", "x"));
    assert_true(matches("[a-]", "-"));
    assert_true(matches("[-a]", "-"));
    assert_false(matches("[c-a]", "b"));
    assert_true(matches("[!c-a]", "b"));
    assert_true(matches("[\xC3\xA0-\xC3\xBF]", "\xC3\xA9"));
    assert_false(matches("[a", "a"));
    assert_true(matches("[a", "[a"));
    assert_true(matches("[!", "[!"));
}

static void compiled_files_are_read_as_sources(void **state)
{
    (void)state;
    assert_true(matches("a.pyc", "a.py"));
    assert_true(matches("a.py", "a.pyc"));
    assert_true(matches("*.py", "a.pyc"));
    assert_false(matches("a.pyo", "a.py"));
    assert_false(matches("*.pyc", "a.txt"));
}

static void many_stars_do_not_take_for_ever(void **state)
{
    (void)state;
    char name[20001], pattern[401];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (size_t i = 0; i < 200; i++) {
        memcpy(pattern + 2 * i, "*a", 2);
    }
    pattern[400] = '\0';
    assert_true(matches(pattern, name));
    pattern[399] = 'b';
    assert_false(matches(pattern, name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stars_take_anything_slashes_too),       cmocka_unit_test(question_marks_take_one_code_point),
        cmocka_unit_test(sets_have_members_ranges_and_negation), cmocka_unit_test(compiled_files_are_read_as_sources),
        cmocka_unit_test(many_stars_do_not_take_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
