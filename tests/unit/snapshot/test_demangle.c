/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void cold_parts_are_of_their_function(void **state)
{
    (void)state;
    assert_name("make.cold", "make");
    assert_name("make.cold.12", "make");
    assert_name("make.part.0.cold", "make.part.0");
    assert_name("_RNvC1a1f.cold", "a::f");
    assert_name("make.colder", "make.colder");
    assert_name("make.cold.", "make.cold.");
    assert_name("make.cold1", "make.cold1");
    assert_name("make.hot.1", "make.hot.1");
    assert_name("12", "12");
    assert_name(".1", ".1");
    assert_name(".cold", ".cold"); /* nothing would be left */
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

static void rust_of_the_newer_form(void **state)
{
    (void)state;
    assert_name("_RNvC7mycrate3foo", "mycrate::foo");
    assert_name("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar");
    assert_name("_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>");
    assert_name("_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}");
    assert_name(
        "_RNCINkXs25_NgCsbmNqQUJIY6D_4core5sliceINyB9_4IterhENuNgNoBb_4iter8iterator8Iterator9rpositionNCNgNpB9_"
        "6memchr7memrchrs_0E0Bb_",
        "<core::slice::Iter<u8> as core::iter::iterator::Iterator>::rposition::<core::slice::memchr::memrchr::"
        "{closure#1}>::{closure#0}");
    assert_name("_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
                "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>");
    assert_name("_RNvYNtC1a1bNtC1c1d1e", "<a::b as c::d>::e");
    assert_name("_RNvMC1aNtB2_4Pool4grow", "<a::Pool>::grow");
    assert_name("_RNSC1a4call", "a::{shim:call#0}");
}

static void rust_types(void **state)
{
    (void)state;
    assert_name("_RINvC1a1fRShQeE", "a::f::<&[u8], &mut str>");
    assert_name("_RINvC1a1fPaOtTEThETbcEE", "a::f::<*const i8, *mut u16, (), (u8,), (bool, char)>");
    assert_name("_RINvC1a1fAhj10_E", "a::f::<[u8; 16]>");
    assert_name("_RINvC1a1fFUKChEmFKC_EuE", "_RINvC1a1fFUKChEmFKC_EuE"); /* not right */
    assert_name("_RINvC1a1fFUKChEmFEuE", "a::f::<unsafe extern \"C\" fn(u8) -> u32, fn()>");
    assert_name("_RINvC1a1fFG_RL0_hEuE", "a::f::<for<'a> fn(&'a u8)>");
    assert_name("_RINvC1a1fL_E", "a::f::<'_>");
    assert_name("_RINvC1a1fDG_INtC1b1TL0_ENtC1b4SendEL_E", "a::f::<dyn for<'a> b::T<'a> + b::Send>");
}

static void rust_constants(void **state)
{
    (void)state;
    assert_name("_RNvMC0INtC8arrayvec8ArrayVechKj7b_E3new", "<arrayvec::ArrayVec<u8, 123>>::new");
    assert_name("_RINvC1a1fKb1_Kb0_Kc76_Kcfeff_E", "a::f::<true, false, 'v', '\\u{feff}'>");
    assert_name("_RINvC1a1fKan7b_KpKoffffffffffffffffff_E", "a::f::<-123, _, 0xffffffffffffffffff>");
    assert_name("_RINvC1a1fKhn7b_E", "_RINvC1a1fKhn7b_E"); /* has no sign */
}

static void rust_of_all_alphabets(void **state)
{
    (void)state;
    assert_name("_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y",
                "utf8_idents::\u10e1\u10d0\u10ed\u10db\u10d4\u10da\u10d0\u10d3_"
                "\u10d2\u10d4\u10db\u10e0\u10d8\u10d4\u10da\u10d8_\u10e1\u10d0\u10d3\u10d8\u10da\u10d8");
    assert_name("_RNvC1au8gdel_5qa", "a::g\u00f6del");
    assert_name("_RNvC1au4_5A_", "_RNvC1au4_5A_");
}

static void rust_endings(void **state)
{
    (void)state;
    assert_name("_RNvC1a1f.llvm.1234ABCD", "a::f");
    assert_name("_RNvC1a1f.part", "a::f.part");
    assert_name("_RNvC1a1f!", "_RNvC1a1f!");
    assert_name("_R0NvC1a1f", "_R0NvC1a1f"); /* a form to come */
}

/* Each beginning of a name, each with one letter changed; names that refer to themselves or would never end. */
static void damaged_rust(void **state)
{
    static const char whole[] =
        "_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDG_INbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1_3std";
    static const char *const endless[] = {"_RNvB_1a",
                                          "_RNvB0_1a",
                                          "_RIC1aBa_E",
                                          "_RINvC1a1fDG99999999_EL_E",
                                          "_RNvC99999999999999999999991a",
                                          "_RINvC1a1fLzzzzzzzzzzzzzz_E",
                                          "_RC"};
    (void)state;
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        for (int c = length == 0 ? 'A' : '!'; c < 0x7F; c++) {
            char name[sizeof whole];
            memcpy(name, whole, sizeof whole);
            name[length] = (char)c;
            free(tm_demangle(name));
            name[length] = '\0';
            free(tm_demangle(name));
        }
    }
    for (size_t i = 0; i < sizeof endless / sizeof endless[0]; i++) {
        assert_name(endless[i], endless[i]);
    }
    char deep[5000] = "_R"; /* deeper than any stack should become */
    memset(deep + 2, 'M', sizeof deep - 3);
    deep[sizeof deep - 1] = '\0';
    assert_name(deep, deep);
}

/* Ten tuples, each of eight references to the one before. */
static void swelling_rust(void **state)
{
    char name[2000] = "_RINvC1a1fThE", reference[8];
    unsigned place = 8;
    (void)state;
    for (unsigned level = 0; level < 10; level++) {
        size_t next = strlen(name) - 2;
        static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        if (place - 1 < 62) {
            (void)snprintf(reference, sizeof reference, "B%c_", digits[place - 1]);
        } else {
            (void)snprintf(reference, sizeof reference, "B%c%c_", digits[(place - 1) / 62], digits[(place - 1) % 62]);
        }
        strcat(name, "T");
        for (unsigned i = 0; i < 8; i++) {
            strcat(name, reference);
        }
        strcat(name, "E");
        place = (unsigned)next;
    }
    strcat(name, "E");
    assert_name(name, name);
}

/* A thousand functions that bind six thousand lifetimes each, where nothing of it is shown. */
static void lifetimes_that_nobody_sees(void **state)
{
    static char name[9000] = "_RNvMINvC1a1b";
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        strcat(name, "FG1AA_Eu"); /* 6,114 */
    }
    strcat(name, "Eh1c");
    assert_name(name, name);
    assert_name("_RNvMINvC1a1bFG1AA_EuEh1c", "_RNvMINvC1a1bFG1AA_EuEh1c"); /* more than letters */
    assert_name("_RNvMINvC1a1bFG0_EuEh1c", "<u8>::c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_mangled_stays),
        cmocka_unit_test(cxx),
        cmocka_unit_test(cold_parts_are_of_their_function),
        cmocka_unit_test(rust_of_the_older_form),
        cmocka_unit_test(rust_of_the_newer_form),
        cmocka_unit_test(rust_types),
        cmocka_unit_test(rust_constants),
        cmocka_unit_test(rust_of_all_alphabets),
        cmocka_unit_test(rust_endings),
        cmocka_unit_test(damaged_rust),
        cmocka_unit_test(swelling_rust),
        cmocka_unit_test(lifetimes_that_nobody_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
