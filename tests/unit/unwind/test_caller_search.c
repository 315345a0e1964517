/* SPDX-License-Identifier: MIT */
/* Who of this program's functions is found to be running. */
#include "support/cmocka_include.h"

#include <stdlib.h>

#include "runtime/unwind/caller_search.h"

#define MANY 100U

static const struct tm_loaded_module nothing;
static struct tm_loaded_module program;

/* So that a call is not the last act, and its caller stays on the stack. */
#define CALLED_FIRST __asm__ volatile("" ::: "memory")

static bool is_running(uintptr_t pc, unsigned most)
{
    struct tm_cfi_range code;
    assert_true(tm_caller_code(&program, pc, &code));
    assert_in_range(pc, code.low, code.high - 1);
    return tm_caller_search(tm_thread_self(), &nothing, &program, most, &code);
}

static __attribute__((noinline)) bool inner(uintptr_t pc, unsigned most)
{
    bool found = is_running(pc, most);
    CALLED_FIRST;
    return found;
}

/* With a frame of a size that only its frame pointer tells. */
static __attribute__((noinline)) bool middle(uintptr_t pc, unsigned most)
{
    volatile char *room = __builtin_alloca(most * 16 + 16);
    room[most] = 1;
    bool found = inner(pc, most);
    CALLED_FIRST;
    return found && room[most] == 1;
}

static __attribute__((noinline)) bool outer(uintptr_t pc, unsigned most)
{
    bool found = middle(pc, most);
    CALLED_FIRST;
    return found;
}

static void who_called_is_found(void **state)
{
    (void)state;
    assert_true(outer((uintptr_t)inner, MANY));
    assert_true(outer((uintptr_t)middle, MANY));
    assert_true(outer((uintptr_t)outer, MANY));
    assert_true(outer((uintptr_t)who_called_is_found, MANY));
}

/* Their return addresses may lie on the stack still. */
static void who_has_returned_is_not(void **state)
{
    (void)state;
    assert_true(outer((uintptr_t)outer, MANY));
    assert_false(middle((uintptr_t)outer, MANY));
    assert_false(inner((uintptr_t)middle, MANY));
    assert_false(inner((uintptr_t)outer, MANY));
}

static void no_more_frames_than_asked_for_are_looked_at(void **state)
{
    unsigned first = 1;
    (void)state;
    while (first < MANY && !outer((uintptr_t)outer, first)) {
        first++;
    }
    assert_in_range(first, 4, 6); /* the search and is_running, which may be inlined, are before it */
    assert_false(outer((uintptr_t)who_called_is_found, MANY));
    assert_false(outer((uintptr_t)no_more_frames_than_asked_for_are_looked_at, first));
    assert_true(outer((uintptr_t)no_more_frames_than_asked_for_are_looked_at, first + 1));
}

static uintptr_t wanted;
static bool was_found;

/* Called by libc. */
static int look(const void *one, const void *other)
{
    was_found = inner(wanted, MANY);
    return *(const char *)one - *(const char *)other;
}

static bool is_behind_libc(uintptr_t pc)
{
    char items[] = {2, 1};
    wanted = pc;
    qsort(items, sizeof items, 1, look);
    assert_int_equal(items[0], 1);
    return was_found;
}

/* Nothing is said of who called another object's code. */
static void another_object_ends_the_search(void **state)
{
    (void)state;
    assert_true(is_behind_libc((uintptr_t)look));
    assert_false(is_behind_libc((uintptr_t)another_object_ends_the_search));
}

/* An object of which nothing is known, and an address that is none of it. */
static void what_is_not_known_is_not_found(void **state)
{
    struct tm_cfi_range code;
    struct tm_loaded_module bare = program;
    bare.frame_header = NULL;
    (void)state;
    assert_false(tm_caller_code(&bare, (uintptr_t)inner, &code));
    assert_false(tm_caller_code(&program, program.high, &code));
    assert_false(tm_caller_code(&program, program.low - 1, &code));
    assert_true(tm_caller_code(&program, (uintptr_t)inner, &code));
    assert_false(tm_caller_search(tm_thread_self(), &nothing, &bare, MANY, &code));
    assert_false(tm_caller_search(tm_thread_self(), &bare, &program, MANY, &code));
}

static int find_program(void **state)
{
    (void)state;
    return tm_loaded_module_find((uintptr_t)find_program, &program) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_called_is_found),
        cmocka_unit_test(who_has_returned_is_not),
        cmocka_unit_test(no_more_frames_than_asked_for_are_looked_at),
        cmocka_unit_test(another_object_ends_the_search),
        cmocka_unit_test(what_is_not_known_is_not_found),
    };
    return cmocka_run_group_tests(tests, find_program, NULL);
}
