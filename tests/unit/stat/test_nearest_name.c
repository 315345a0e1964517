/* SPDX-License-Identifier: MIT */
/* What is offered to who mistyped a pattern. */
#include "support/cmocka_include.h"

#include "report/stat/nearest_name.h"
#include "support/built_snapshot.h"

static struct tm_snapshot *snapshot;
static struct tm_forest *forest;

static int make(void **state)
{
    (void)state;
    snapshot = tm_built_snapshot("trace obj live=1/1 | /srv/app/main.py:1:main /srv/app/rows.py:12:Rows.load\n");
    const struct tm_snapshot *const snapshots[1] = {snapshot};
    forest = tm_forest_build(snapshots, 1);
    return forest == NULL;
}

static int drop(void **state)
{
    (void)state;
    tm_forest_free(forest);
    tm_snapshot_free(snapshot);
    return 0;
}

static void assert_nearest(const char *text, bool all_frames, enum tm_nearness nearness, const char *name)
{
    struct tm_filter filter;
    assert_true(tm_filter_init(&filter, text, true, all_frames));
    struct tm_nearest nearest = tm_nearest_name(forest, &filter);
    assert_int_equal(nearest.nearness, nearness);
    if (name != NULL) {
        assert_true(tm_span_is(nearest.name, name));
    }
    tm_filter_free(&filter);
}

static void files_that_were_meant_are_found(void **state)
{
    (void)state;
    assert_nearest("rows.py", false, TM_NEAR_END, "/srv/app/rows.py");
    assert_nearest("app/r*.py", false, TM_NEAR_END, "/srv/app/rows.py");
    assert_nearest("/srv/app", false, TM_NEAR_PART, "/srv/app/main.py");
    assert_nearest("*/rosw.py", false, TM_NEAR_SPELLING, "/srv/app/rows.py");
    assert_nearest("*/nothing-like-it.py", false, TM_NEAR_NOTHING, NULL);
    assert_nearest("*/main.py", false, TM_NEAR_OLDER, "/srv/app/main.py");
    assert_nearest("*/main.py", true, TM_NEAR_ITSELF, "/srv/app/main.py");
    assert_nearest("*/rows.py", false, TM_NEAR_ITSELF, "/srv/app/rows.py");
    assert_nearest("*/rows.py:12", false, TM_NEAR_ITSELF, "/srv/app/rows.py");
    assert_nearest("*/rows.py:13", false, TM_NEAR_LINE, "/srv/app/rows.py");
}

static void functions_too(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
        enum tm_nearness nearness;
    } cases[] = {{"load", "Rows.load", TM_NEAR_PART},
                 {"Row.load", "Rows.load", TM_NEAR_SPELLING},
                 {"main", "main", TM_NEAR_OLDER},
                 {"Rows.*", "Rows.load", TM_NEAR_ITSELF}};
    for (size_t i = 0; i < TM_COUNT_OF(cases); i++) {
        struct tm_filter filter;
        assert_true(tm_filter_init_function(&filter, cases[i].text));
        struct tm_nearest nearest = tm_nearest_name(forest, &filter);
        assert_int_equal(nearest.nearness, cases[i].nearness);
        assert_true(tm_span_is(nearest.name, cases[i].name));
        tm_filter_free(&filter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_were_meant_are_found),
        cmocka_unit_test(functions_too),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
