/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/unwind/loaded_symbol.h"

static void test_agrees_with_dlsym(void **state)
{
    struct tm_loaded_search search = {0};
    size_t size = 0;
    (void)state;
    /* A data symbol: functions of libc may be interposed, or resolved at run time. */
    assert_true(tm_loaded_library_find("_IO_2_1_stdout_", &search));
    assert_ptr_equal(tm_loaded_symbol(&search.library, "_IO_2_1_stdout_", &size),
                     dlsym(RTLD_DEFAULT, "_IO_2_1_stdout_"));
    assert_true(size > 100);
    assert_ptr_equal(tm_loaded_symbol(&search.library, "gnu_get_libc_version", NULL),
                     dlsym(RTLD_DEFAULT, "gnu_get_libc_version"));
    assert_null(tm_loaded_symbol(&search.library, "no_such_symbol_anywhere", NULL));
    assert_null(tm_loaded_symbol(&search.library, "", NULL));
    assert_true(search.generation != 0);
    assert_false(search.library.is_program);
}

static void test_says_where_the_table_has_it(void **state)
{
    struct tm_loaded_search search = {0};
    (void)state;
    assert_true(tm_loaded_library_find("_IO_2_1_stdout_", &search));
    const uintptr_t *value = tm_loaded_symbol_value(&search.library, "_IO_2_1_stdout_");
    assert_non_null(value);
    assert_true(search.library.base + *value == (uintptr_t)dlsym(RTLD_DEFAULT, "_IO_2_1_stdout_"));
    assert_null(tm_loaded_symbol_value(&search.library, "no_such_symbol_anywhere"));
}

static void test_looks_again_only_after_a_load(void **state)
{
    struct tm_loaded_search search = {0};
    void *library;
    (void)state;
    assert_false(tm_loaded_library_find("no_such_symbol_anywhere", &search));
    assert_false(tm_loaded_library_find("gnu_get_libc_version", &search));
    search.generation--;
    assert_true(tm_loaded_library_find("gnu_get_libc_version", &search));
    library = dlopen("libanl.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        skip();
    }
    assert_true(tm_loaded_library_find("gnu_get_libc_version", &search));
    dlclose(library);
}

static void test_leaves_dlerror_alone(void **state)
{
    struct tm_loaded_search search = {0};
    const char *message;
    (void)state;
    assert_null(dlopen("/no/such/library.so", RTLD_NOW));
    assert_false(tm_loaded_library_find("no_such_symbol_anywhere", &search));
    message = dlerror();
    assert_non_null(message);
    assert_non_null(strstr(message, "/no/such/library.so"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_dlsym),
        cmocka_unit_test(test_says_where_the_table_has_it),
        cmocka_unit_test(test_looks_again_only_after_a_load),
        cmocka_unit_test(test_leaves_dlerror_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
