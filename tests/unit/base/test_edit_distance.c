/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <string.h>

#include "base/edit_distance.h"

static unsigned distance(const char *a, const char *b)
{
    return tm_edit_distance(a, strlen(a), b, strlen(b));
}

static void letters_put_in_taken_out_and_changed_count(void **state)
{
    (void)state;
    assert_int_equal(distance("diff", "diff"), 0);
    assert_int_equal(distance("dif", "diff"), 1);
    assert_int_equal(distance("diiff", "diff"), 1);
    assert_int_equal(distance("daff", "diff"), 1);
    assert_int_equal(distance("tpo", "top"), 2);
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_int_equal(distance("", "abc"), 3);
    assert_int_equal(distance("abc", ""), 3);
}

static void long_words_are_far_from_all(void **state)
{
    (void)state;
    char word[TM_WORD_MAX + 2];
    memset(word, 'x', sizeof word);
    assert_int_equal(tm_edit_distance(word, TM_WORD_MAX, word, TM_WORD_MAX), 0);
    assert_int_equal(tm_edit_distance(word, TM_WORD_MAX + 1, word, TM_WORD_MAX + 1), TM_WORD_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_put_in_taken_out_and_changed_count),
        cmocka_unit_test(long_words_are_far_from_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
