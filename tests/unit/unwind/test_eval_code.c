/* SPDX-License-Identifier: MIT */
/* The parts of a function that is written here as compilers write it, in two sections. */
#include "support/cmocka_include.h"

#include "runtime/unwind/eval_code.h"
#include "runtime/unwind/loaded_module.h"

#if defined(__x86_64__)

/* Two jumps into the seldom run part, one to it from the middle; one to another function with the frame taken down (a
 * tail call), one to another function with it still there (as an instruction's bytes may look like); and bytes of a
 * constant that look like a jump out of the program. */
__asm__(".text\n"
        "tm_other:\n"
        "  .cfi_startproc\n"
        "  pushq %rbx\n"
        "  .cfi_def_cfa_offset 16\n"
        "  .cfi_offset 3, -16\n"
        "tm_inside_other:\n"
        "  popq %rbx\n"
        "  .cfi_def_cfa_offset 8\n"
        "  ret\n"
        "  .cfi_endproc\n"
        "  .section .text.tm_apart, \"ax\", @progbits\n"
        "tm_seldom:\n"
        "  .cfi_startproc\n"
        "  .cfi_def_cfa_offset 16\n"
        "  .cfi_offset 3, -16\n"
        "  call tm_note_place\n"
        "tm_seldom_second:\n"
        "  jmp tm_often_end\n"
        "  .cfi_endproc\n"
        "tm_seldom_end:\n"
        "  .text\n"
        "tm_often:\n"
        "  .cfi_startproc\n"
        "  pushq %rbx\n"
        "  .cfi_def_cfa_offset 16\n"
        "  .cfi_offset 3, -16\n"
        "  movl $0x7F0000E9, %ebx\n"
        "  cmpl $1, %edi\n"
        "  .byte 0x0F, 0x84\n" /* je */
        "  .long tm_seldom - . - 4\n"
        "  .byte 0x0F, 0x8F\n" /* jg */
        "  .long tm_seldom_second - . - 4\n"
        "  .byte 0x0F, 0x8C\n" /* jl */
        "  .long tm_inside_other - . - 4\n"
        "tm_often_end:\n"
        "  popq %rbx\n"
        "  .cfi_def_cfa_offset 8\n"
        "  .byte 0xE9\n" /* jmp */
        "  .long tm_other - . - 4\n"
        "  .cfi_endproc\n"
        "tm_often_behind:\n");

extern const char tm_often[], tm_often_behind[], tm_seldom[], tm_seldom_end[], tm_other[];
void run_often(int way) __asm__("tm_often");

void tm_note_place(void);

static uintptr_t place;

__attribute__((used)) void tm_note_place(void)
{
    place = (uintptr_t)__builtin_return_address(0) - 1;
}

static struct tm_eval_code found(void)
{
    return tm_eval_code_of((uintptr_t)tm_often, (size_t)(tm_often_behind - tm_often));
}

static void both_parts_are_found(void **state)
{
    struct tm_eval_code code = found();
    (void)state;
    assert_int_equal(code.parts[0].low, (uintptr_t)tm_often);
    assert_int_equal(code.parts[0].high, (uintptr_t)tm_often_behind);
    assert_int_equal(code.parts[1].low, (uintptr_t)tm_seldom);
    assert_int_equal(code.parts[1].high, (uintptr_t)tm_seldom_end);
    assert_int_equal(code.parts[2].low, 0);
}

static void what_runs_is_in_them(void **state)
{
    struct tm_eval_code code = found();
    (void)state;
    run_often(0);
    assert_int_equal(place, 0);
    run_often(1);
    assert_true(tm_eval_code_has(&code, place));
    assert_false(place >= (uintptr_t)tm_often && place < (uintptr_t)tm_often_behind);
    assert_true(tm_eval_code_has(&code, (uintptr_t)tm_often));
    assert_false(tm_eval_code_has(&code, (uintptr_t)tm_often_behind));
    assert_false(tm_eval_code_has(&code, (uintptr_t)tm_other));
    assert_false(tm_eval_code_has(&code, (uintptr_t)tm_note_place));
}

static void nothing_is_found_of_nothing(void **state)
{
    struct tm_eval_code code = tm_eval_code_of(0, 0);
    int room[4] = {0};
    (void)state;
    assert_false(tm_eval_code_has(&code, 0));
    assert_false(tm_eval_code_has(&code, (uintptr_t)tm_often));
    code = tm_eval_code_of((uintptr_t)room, sizeof room); /* in no object */
    assert_int_equal(code.parts[1].low, 0);
}

static int begin(void **state)
{
    (void)state;
    tm_loaded_modules_begin();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_parts_are_found),
        cmocka_unit_test(what_runs_is_in_them),
        cmocka_unit_test(nothing_is_found_of_nothing),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
