/* SPDX-License-Identifier: MIT */
#include "runtime/hook/elf_object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static int in_data = 1;

static int answer(int a)
{
    return a + in_data;
}

/* Called through this program's PLT or GOT, in whichever way the compiler chose. */
static pid_t fake_parent(void)
{
    return 4711;
}

static void the_program_is_found_and_ready(void **state)
{
    struct tm_elf_object object;
    int on_stack;
    (void)state;
    assert_true(tm_elf_object_find((uintptr_t)&answer, &object));
    assert_true(tm_elf_range_holds(&object.code, (uintptr_t)&answer));
    assert_true(tm_elf_range_holds(&object.data, (uintptr_t)&in_data));
    assert_false(tm_elf_range_holds(&object.data, (uintptr_t)&answer));
    assert_true(tm_elf_object_is_relocated(&object));
    assert_false(tm_elf_object_find((uintptr_t)&on_stack, &object));
}

static void libc_is_another_object(void **state)
{
    struct tm_elf_object program, libc;
    (void)state;
    assert_true(tm_elf_object_find((uintptr_t)&answer, &program));
    assert_true(tm_elf_object_find((uintptr_t)&getppid, &libc));
    assert_true(libc.base != program.base);
    assert_true(tm_elf_object_is_relocated(&libc));
}

static void references_are_pointed_elsewhere_and_back(void **state)
{
    struct tm_elf_object object;
    pid_t parent = getppid();
    (void)state;
    assert_true(tm_elf_object_find((uintptr_t)&answer, &object));
    assert_int_equal(tm_elf_object_count_references(&object, "no_such_function"), 0);
    assert_true(tm_elf_object_count_references(&object, "getppid") >= 1);
    volatile uintptr_t real = (uintptr_t)&getppid; /* read once: its source changes below */
    assert_true(tm_elf_object_rebind(&object, "getppid", real, (uintptr_t)&fake_parent) >= 1);
    assert_int_equal(getppid(), 4711);
    assert_true(tm_elf_object_rebind(&object, "getppid", (uintptr_t)&fake_parent, real) >= 1);
    assert_int_equal(getppid(), parent);
    assert_int_equal(tm_elf_object_rebind(&object, "getppid", (uintptr_t)&answer, (uintptr_t)&fake_parent), 0);
}

static const int in_read_only_data[1024] = {5};

static void a_word_of_a_read_only_page_is_set(void **state)
{
    struct tm_elf_object object;
    uintptr_t *place = (uintptr_t *)(uintptr_t)&in_read_only_data[512];
    (void)state;
    assert_true(tm_elf_object_find((uintptr_t)&answer, &object));
    assert_true(tm_elf_object_set_word(&object, place, 4711));
    assert_int_equal(*(volatile uintptr_t *)place, 4711);
    assert_true(tm_elf_object_set_word(&object, place, 0));
    static uintptr_t writable = 1;
    assert_true(tm_elf_object_set_word(&object, &writable, 2));
    assert_int_equal(writable, 2);
}

static void only_own_definitions_are_redefined(void **state)
{
    struct tm_elf_object object;
    (void)state;
    assert_true(tm_elf_object_find((uintptr_t)&answer, &object));
    assert_false(tm_elf_object_redefine(&object, "getppid", (uintptr_t)&fake_parent));
    assert_false(tm_elf_object_redefine(&object, "no_such_function", (uintptr_t)&fake_parent));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_program_is_found_and_ready),
        cmocka_unit_test(libc_is_another_object),
        cmocka_unit_test(references_are_pointed_elsewhere_and_back),
        cmocka_unit_test(a_word_of_a_read_only_page_is_set),
        cmocka_unit_test(only_own_definitions_are_redefined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
