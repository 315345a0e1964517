/* SPDX-License-Identifier: MIT */
#include "runtime/hook/code_operands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

/* An object: what it holds as code, then as data. */
static struct {
    unsigned char code[512];
    uintptr_t data[64];
} object;

static struct tm_elf_range code, data;
static uintptr_t offered[512];
static unsigned offers;
static unsigned most;

static bool note(uintptr_t place, void *context)
{
    assert_ptr_equal(context, &most);
    offered[offers++] = place;
    return offers < most;
}

static bool was_offered(const void *place)
{
    for (unsigned i = 0; i < offers; i++) {
        if (offered[i] == (uintptr_t)place) {
            return true;
        }
    }
    return false;
}

static void search(void)
{
    offers = 0;
    tm_code_operands_visit((uintptr_t)object.code, &code, &data, note, &most);
}

static int set_up(void **state)
{
    (void)state;
    memset(&object, 0x90, sizeof object.code); /* nop, which leads nowhere */
    memset(object.data, 0, sizeof object.data);
    code = (struct tm_elf_range){(uintptr_t)object.code, (uintptr_t)object.code + sizeof object.code};
    data = (struct tm_elf_range){(uintptr_t)object.data, (uintptr_t)(object.data + 64)};
    most = sizeof offered / sizeof offered[0];
    return 0;
}

/* An operand at OFFSET that leads to PLACE. */
static void refer(unsigned offset, const void *place)
{
    int32_t operand = (int32_t)((intptr_t)place - (intptr_t)(object.code + offset + 4));
    memcpy(object.code + offset, &operand, sizeof operand);
}

static void test_relative_operands_are_offered(void **state)
{
    (void)state;
    refer(13, &object.data[3]);
    refer(200, &object.data[63]);
    search();
    assert_true(was_offered(&object.data[3]));
    assert_true(was_offered(&object.data[63]));
}

static void test_what_the_offset_table_says_is_offered_too(void **state)
{
    (void)state;
    object.data[2] = (uintptr_t)&object.data[40];
    refer(7, &object.data[2]);
    search();
    assert_true(was_offered(&object.data[2]));
    assert_true(was_offered(&object.data[40]));
}

/* A program that lies in the first 2 GiB names its data by address. */
static void test_absolute_operands_are_offered(void **state)
{
    (void)state;
#if defined(MAP_32BIT)
    uintptr_t *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    assert_true(low != MAP_FAILED);
    data = (struct tm_elf_range){(uintptr_t)low, (uintptr_t)(low + 512)};
    const uint32_t address = (uint32_t)(uintptr_t)(low + 7);
    memcpy(object.code + 9, &address, sizeof address);
    search();
    assert_true(was_offered(low + 7));
    munmap(low, 4096);
#else
    skip();
#endif
}

/* Where no word has room nothing may be read. */
static void test_the_last_bytes_of_the_data_are_no_place(void **state)
{
    (void)state;
    refer(13, (const unsigned char *)&object.data[63] + 1);
    search();
    assert_int_equal(offers, 0);
}

static void test_nothing_outside_the_data_is_offered(void **state)
{
    (void)state;
    refer(13, (const unsigned char *)object.data - 1);
    refer(50, &object.data[64]);
    search();
    assert_int_equal(offers, 0);
}

static void test_only_the_first_bytes_count_and_none_beyond_the_code(void **state)
{
    (void)state;
    refer(253, &object.data[3]);
    search();
    assert_int_equal(offers, 0);
    refer(252, &object.data[3]);
    search();
    assert_true(was_offered(&object.data[3]));
    code.high = code.low + 255;
    search();
    assert_int_equal(offers, 0);
    code.low++;
    search();
    assert_int_equal(offers, 0);
}

static void test_the_search_ends_when_it_is_told(void **state)
{
    (void)state;
    object.data[2] = (uintptr_t)&object.data[40];
    refer(7, &object.data[2]);
    refer(30, &object.data[5]);
    most = 1;
    search();
    assert_int_equal(offers, 1);
    most = 2;
    search();
    assert_int_equal(offers, 2);
    assert_true(offered[1] == (uintptr_t)&object.data[40]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_relative_operands_are_offered, set_up),
        cmocka_unit_test_setup(test_what_the_offset_table_says_is_offered_too, set_up),
        cmocka_unit_test_setup(test_absolute_operands_are_offered, set_up),
        cmocka_unit_test_setup(test_the_last_bytes_of_the_data_are_no_place, set_up),
        cmocka_unit_test_setup(test_nothing_outside_the_data_is_offered, set_up),
        cmocka_unit_test_setup(test_only_the_first_bytes_count_and_none_beyond_the_code, set_up),
        cmocka_unit_test_setup(test_the_search_ends_when_it_is_told, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
