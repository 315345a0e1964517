/* SPDX-License-Identifier: MIT */
/* The data of the page: nothing in them ends the element that they lie in. */
#include "support/cmocka_include.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/render/page_data.h"
#include "support/built_snapshot.h"

static const char traces[] =
    "meta pid u64 7\n"
    "trace obj live=90/2 ever=100/3 temporary=2 python-peak=95/4 heap-peak=96/5 | %3C/script%3E:3:%3C!--\n"
    "trace native live=5/1 | \n";

/* malloc'ed. */
static char *data_of(const char *text, bool sources)
{
    char *written = NULL;
    size_t length = 0;
    struct tm_snapshot *snapshot = tm_built_snapshot(text);
    const struct tm_snapshot *snapshots[] = {snapshot};
    const char *paths[] = {"a<b.tms"};
    struct tm_out out = {.stream = open_memstream(&written, &length)};
    assert_non_null(out.stream);
    assert_true(tm_page_data(&out, &(struct tm_page){snapshots, paths, 1, sources, NULL, 0}));
    assert_int_equal(tm_out_flush(&out), 0);
    (void)fclose(out.stream);
    tm_snapshot_free(snapshot);
    return written;
}

static void names_do_not_end_the_element(void **state)
{
    (void)state;
    char *data = data_of(traces, false);
    assert_null(strchr(data, '<'));
    assert_non_null(strstr(data, "\"\\u003c/script>\""));
    assert_non_null(strstr(data, "{\"path\": \"a\\u003cb.tms\", \"pid\": 7"));
    free(data);
}

static void all_figures_are_there(void **state)
{
    (void)state;
    char *data = data_of(traces, false);
    assert_non_null(strstr(data, "\"frames\":[0,0,0,1,2,3]"));
    assert_non_null(strstr(data, "\"tracebacks\":[0,0,0,1]"));
    assert_non_null(strstr(data, "\"modules\":[1,\"\\u003c/script>\"]"));
    assert_non_null(strstr(data, "\"counters\":[0,3,5,1,0,0,0,0,0,0,0,0,1,2,90,2,95,4,96,5,100,3,66,2]"));
    assert_non_null(strstr(data, "\"sources\":{}"));
    free(data);
}

static void sources_that_are_there_go_in(void **state)
{
    (void)state;
    char path[] = "/tmp/tm-page-XXXXXX", text[200];
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "</script>\n", 10), 10);
    (void)close(descriptor);
    (void)snprintf(text, sizeof text, "trace obj live=9/1 | %s:1 /missing.py:2 %s:2\n", path, path);
    char *data = data_of(text, true);
    (void)unlink(path);
    char *sources = strstr(data, "\"sources\":{");
    assert_non_null(sources);
    assert_non_null(strstr(sources, "\":\"\\u003c/script>\\n\"}}"));
    assert_null(strstr(sources, "missing"));
    free(data);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct tm_snapshot *snapshot = tm_built_snapshot(traces);
    const struct tm_snapshot *snapshots[] = {snapshot};
    const char *paths[] = {"a.tms"};
    struct tm_out out = {.stream = fopen("/dev/full", "w")};
    assert_non_null(out.stream);
    assert_true(tm_page_data(&out, &(struct tm_page){snapshots, paths, 1, false, NULL, 0}));
    assert_int_not_equal(tm_out_flush(&out), 0);
    (void)fclose(out.stream);
    tm_snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_do_not_end_the_element),
        cmocka_unit_test(all_figures_are_there),
        cmocka_unit_test(sources_that_are_there_go_in),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
