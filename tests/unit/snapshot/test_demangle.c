/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <stdlib.h>

#include "report/snapshot/demangle.h"

static void assert_name(const char *mangled, const char *expected)
{
    char *found = tm_demangle(mangled);
    assert_non_null(found);
    assert_string_equal(found, expected);
    free(found);
}

static void what_is_not_mangled_stays(void **state)
{
    (void)state;
    assert_name("PyObject_Malloc", "PyObject_Malloc");
    assert_name("", "");
    assert_name("_Z", "_Z");
    assert_name("_ZN3fooE3bar!", "_ZN3fooE3bar!");
    assert_name("_start", "_start");
}

static void cxx(void **state)
{
    (void)state;
    char *probe = tm_demangle("_Z1fv");
    if (strcmp(probe, "f()") != 0) {
        free(probe);
        skip(); /* there is no C++ library here */
    }
    free(probe);
    assert_name("_ZN6callee5Maker4makeEm", "callee::Maker::make(unsigned long)");
    assert_name("_ZNSt6vectorIiSaIiEE7reserveEm", "std::vector<int, std::allocator<int> >::reserve(unsigned long)");
}

static void rust_of_the_older_form(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } names[] = {
        {"alloc::vec::Vec$LT$T$C$A$GT$::push::h0123456789abcdef", "alloc::vec::Vec<T,A>::push"},
        {"_$LT$alloc..string..String$u20$as$u20$core..fmt..Write$GT$::write_str::hfedcba9876543210",
         "<alloc::string::String as core::fmt::Write>::write_str"},
        {"core::ptr::drop_in_place$LT$$RF$$u5b$u8$u5d$$GT$::h0123456789abcdef", "core::ptr::drop_in_place<&[u8]>"},
        {"my::h0123456789abcdeg", "my::h0123456789abcdeg"},
        {"Pool::grow(unsigned long)", "Pool::grow(unsigned long)"},
        {"$LT$", "$LT$"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[128];
        strcpy(name, names[i].from);
        tm_demangle_rust(name);
        assert_string_equal(name, names[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_mangled_stays),
        cmocka_unit_test(cxx),
        cmocka_unit_test(rust_of_the_older_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
