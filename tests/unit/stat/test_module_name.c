/* SPDX-License-Identifier: MIT */
/* Names of files of many kinds, and the module that each belongs to. */
#include "support/cmocka_include.h"

#include <string.h>

#include "base/compiler.h"
#include "report/stat/module_name.h"

static void modules_are_told_from_names(void **state)
{
    (void)state;
    static const struct {
        const char *file, *module;
    } cases[] = {
        {"/usr/lib/python3.11/json/decoder.py", "json"},
        {"/usr/lib/python3.11/ast.py", "ast"},
        {"/usr/lib/python3.13t/ast.py", "ast"},
        {"/usr/lib/python2.7/json/__init__.pyc", "json"},
        {"/usr/lib/python3.11/ast.pyc", "ast"},
        {"/usr/lib/python3/dist-packages/six.py", "six"},
        {"/v/lib/python3.9/site-packages/numpy/core/x.py", "numpy"},
        {"/v/lib/python3.9/site-packages/a/site-packages/b/c.py", "b"},
        {"/v/lib/python3.9/site-packages/numpy/core/_umath.cpython-39-x86_64-linux-gnu.so",
         "_umath.cpython-39-x86_64-linux-gnu.so"},
        {"/lib/x86_64-linux-gnu/libz.so.1.2.13", "libz.so.1.2.13"},
        {"/srv/app/rows.py", "/srv/app"},
        {"/srv/python/rows.py", "/srv/python"},
        {"/srv/python3x/rows.py", "/srv/python3x"},
        {"/srv/my.source/rows.py", "/srv/my.source"},
        {"/rows.py", "/"},
        {"rows.py", "."},
        {"lib/rows.py", "lib"},
        {"site-packages", "."},
        {"/v/site-packages/", "/v/site-packages"},
        {"<frozen importlib._bootstrap>", "importlib"},
        {"<frozen zipimport>", "zipimport"},
        {"<frozen zip", "<frozen zip"},
        {"<string>", "<string>"},
        {"<unknown>", "<unknown>"},
        {"", "."},
    };
    for (size_t i = 0; i < TM_COUNT_OF(cases); i++) {
        const char *file = cases[i].file;
        struct tm_span module = tm_module_name((struct tm_span){(const uint8_t *)file, strlen(file)});
        if (!tm_span_is(module, cases[i].module)) {
            fail_msg("%s is in %.*s", file, (int)module.length, (const char *)module.bytes);
        }
    }
}

static void machine_frames_are_in_the_file_of_their_code(void **state)
{
    (void)state;
    static const char path[] = "/usr/bin/python3.12", file[] = "libz.so";
    assert_true(tm_span_is(tm_module_name_native((struct tm_span){(const uint8_t *)path, strlen(path)}), "python3.12"));
    assert_true(tm_span_is(tm_module_name_native((struct tm_span){(const uint8_t *)file, strlen(file)}), file));
    assert_true(tm_span_is(tm_module_name_native((struct tm_span){(const uint8_t *)"", 0}), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_are_told_from_names),
        cmocka_unit_test(machine_frames_are_in_the_file_of_their_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
