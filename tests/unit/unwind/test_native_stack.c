/* SPDX-License-Identifier: MIT */
/* Stacks of every shape, compared frame by frame with what libc's backtrace() finds. */
#include "support/cmocka_include.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "runtime/unwind/loaded_module.h"
#include "runtime/unwind/native_stack.h"

#define FRAMES 200

static struct tm_step_cache cache;
static const struct tm_native_skip nothing;
static unsigned compared; /* stacks */
static unsigned deepest;

/* From the caller of this function on: a sanitizer's backtrace() has frames of its own before it. */
static __attribute__((noinline)) void compare(void)
{
    struct tm_native_frame frames[FRAMES];
    void *addresses[FRAMES];
    const uintptr_t caller = (uintptr_t)__builtin_return_address(0);
    uintptr_t end;
    unsigned known = (unsigned)backtrace(addresses, FRAMES), first = 0, own = 0;
    unsigned count = tm_native_stack_walk(tm_thread_self(), &cache, &nothing, frames, FRAMES, &end);
    while (first < known && (uintptr_t)addresses[first] != caller) {
        first++;
    }
    while (own < count && frames[own].pc + 1 != caller) {
        own++;
    }
    assert_in_range(first, 1, known - 1);
    assert_in_range(own, 1, count - 1);
    assert_int_equal(count - own, known - first);
    for (unsigned i = first, at = own; i < known; i++, at++) {
        uintptr_t address = (uintptr_t)addresses[i];
        bool is_exact = frames[at].pc == address; /* a signal interrupted it there */
        assert_true(is_exact || frames[at].pc + 1 == address);
        assert_true(is_exact || frames[at].sp > frames[at - 1].sp);
    }
    deepest = count > deepest ? count : deepest;
    compared++;
}

static __attribute__((noinline)) void recurse(unsigned depth)
{
    if (depth > 0) {
        recurse(depth - 1);
    } else {
        compare();
    }
    __asm__ volatile("" ::: "memory");
}

/* CFA by the frame pointer. */
static __attribute__((noinline)) void with_alloca(size_t size)
{
    volatile char *room = __builtin_alloca(size);
    room[0] = 1;
    recurse(3);
    room[size - 1] = 1;
}

/* A realigned stack: CFA by an expression. */
static __attribute__((noinline)) int realigned(int count, ...)
{
    volatile struct {
        char bytes[128];
    } __attribute__((aligned(64))) room;
    __builtin_va_list list;
    __builtin_va_start(list, count);
    room.bytes[0] = (char)__builtin_va_arg(list, int);
    __builtin_va_end(list);
    with_alloca((size_t)count);
    return room.bytes[0];
}

static int compare_items(const void *a, const void *b)
{
    static bool done;
    if (!done) {
        done = true;
        compare();
    }
    return *(const int *)a - *(const int *)b;
}

static void plain(void **state)
{
    (void)state;
    compare();
    recurse(20);
    recurse(20); /* from the cache */
    with_alloca(3000);
    assert_int_equal(realigned(100, 7), 7);
    assert_int_equal(compared, 5);
    assert_in_range(deepest, 22, FRAMES);
}

static void callback_from_libc(void **state)
{
    int items[] = {3, 1, 2};
    unsigned before = compared;
    (void)state;
    qsort(items, 3, sizeof items[0], compare_items);
    assert_int_equal(compared, before + 1);
}

static void on_signal(int number)
{
    (void)number;
    with_alloca(10);
}

static void signal_handler(void **state)
{
    unsigned before = compared;
    struct sigaction action = {.sa_handler = on_signal};
    (void)state;
    sigemptyset(&action.sa_mask);
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(compared, before + 1);
}

static void signal_handler_on_its_own_stack(void **state)
{
    unsigned before = compared;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    stack_t stack = {.ss_size = 1 << 17};
    (void)state;
    stack.ss_sp = malloc(stack.ss_size);
    sigemptyset(&action.sa_mask);
    assert_int_equal(sigaltstack(&stack, NULL), 0);
    assert_int_equal(sigaction(SIGUSR2, &action, NULL), 0);
    assert_int_equal(raise(SIGUSR2), 0);
    stack.ss_flags = SS_DISABLE;
    assert_int_equal(sigaltstack(&stack, NULL), 0);
    free(stack.ss_sp);
    assert_int_equal(compared, before + 1);
}

static void *run_thread(void *data)
{
    recurse(5);
    return data;
}

static void another_thread(void **state)
{
    unsigned before = compared;
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, run_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(compared, before + 1);
}

static ucontext_t outside, fiber;

static void run_fiber(void)
{
    struct tm_native_frame frames[FRAMES];
    uintptr_t end;
    /* What lies under a fiber is libc's to say; the walk must end, and must have seen this function. */
    unsigned count = tm_native_stack_walk(tm_thread_self(), &cache, &nothing, frames, FRAMES, &end);
    assert_in_range(count, 2, FRAMES);
    compared++;
}

static void fiber_on_the_heap(void **state)
{
    unsigned before = compared;
    size_t size = 1 << 16;
    void *room = malloc(size);
    (void)state;
    assert_int_equal(getcontext(&fiber), 0);
    fiber.uc_stack.ss_sp = room;
    fiber.uc_stack.ss_size = size;
    fiber.uc_link = &outside;
    makecontext(&fiber, run_fiber, 0);
    assert_int_equal(swapcontext(&outside, &fiber), 0);
    free(room);
    recurse(2);
    assert_int_equal(compared, before + 2);
}

#if defined(__x86_64__)
static struct tm_native_frame bottomless[FRAMES];
static unsigned bottomless_count;

static void run_bottomless(void)
{
    uintptr_t end;
    bottomless_count = tm_native_stack_walk(tm_thread_self(), &cache, &nothing, bottomless, FRAMES, &end);
    assert_int_equal(end, UINTPTR_MAX);
    assert_int_equal(setcontext(&outside), 0);
}

/* As libraries for coroutines make them: the first function returns to 0. */
static void fiber_without_a_caller(void **state)
{
    static _Alignas(16) char room[1 << 16];
    static volatile bool was_there;
    struct tm_loaded_module module;
    (void)state;
    assert_int_equal(getcontext(&fiber), 0);
    fiber.uc_stack.ss_sp = room;
    fiber.uc_stack.ss_size = sizeof room;
    fiber.uc_link = NULL;
    makecontext(&fiber, run_bottomless, 0);
    *(uintptr_t *)fiber.uc_mcontext.gregs[REG_RSP] = 0;
    assert_int_equal(getcontext(&outside), 0);
    if (!was_there) {
        was_there = true;
        assert_int_equal(setcontext(&fiber), 0);
    }
    assert_in_range(bottomless_count, 1, 3);
    for (unsigned i = 0; i < bottomless_count; i++) {
        assert_true(tm_loaded_module_find(bottomless[i].pc, &module));
    }
}
#endif

static void limit_says_where_it_ended(void **state)
{
    struct tm_native_frame two[2], all[FRAMES];
    uintptr_t end, end_of_all;
    (void)state;
    assert_int_equal(tm_native_stack_walk(tm_thread_self(), &cache, &nothing, two, 2, &end), 2);
    assert_in_range(tm_native_stack_walk(tm_thread_self(), &cache, &nothing, all, FRAMES, &end_of_all), 5, FRAMES);
    assert_int_equal(end, all[2].sp);
    assert_int_equal(end_of_all, UINTPTR_MAX);
}

static void own_code_is_left_out(void **state)
{
    struct tm_native_frame frames[FRAMES];
    struct tm_loaded_module module;
    uintptr_t end;
    (void)state;
    assert_true(tm_loaded_module_find((uintptr_t)own_code_is_left_out, &module));
    struct tm_native_skip own = {module.low, module.high};
    assert_int_not_equal(tm_native_stack_walk(tm_thread_self(), &cache, &own, frames, FRAMES, &end), 0);
    assert_false(frames[0].pc >= own.low && frames[0].pc < own.high);
}

static void cleared_cache_is_learnt_again(void **state)
{
    (void)state;
    tm_step_cache_clear(&cache);
    recurse(4);
}

static void module_is_described(void **state)
{
    struct tm_loaded_module module;
    uint8_t id[TM_BUILD_ID_MAX];
    (void)state;
    assert_true(tm_loaded_module_find((uintptr_t)a64l, &module));
    assert_non_null(strstr(module.path, "libc.so"));
    assert_int_equal(tm_loaded_module_build_id(&module, id), 20);
    assert_false(tm_loaded_module_find((uintptr_t)id, &module));
    assert_true(tm_loaded_module_find((uintptr_t)module_is_described, &module));
    assert_string_equal(module.path, "");
}

static int begin(void **state)
{
    (void)state;
    void *first[1];
    (void)backtrace(first, 1); /* loads libgcc */
    tm_loaded_modules_begin();
    return tm_step_cache_begin(&cache) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(callback_from_libc),
        cmocka_unit_test(signal_handler),
        cmocka_unit_test(signal_handler_on_its_own_stack),
        cmocka_unit_test(another_thread),
        cmocka_unit_test(fiber_on_the_heap),
#if defined(__x86_64__)
        cmocka_unit_test(fiber_without_a_caller),
#endif
        cmocka_unit_test(limit_says_where_it_ended),
        cmocka_unit_test(own_code_is_left_out),
        cmocka_unit_test(cleared_cache_is_learnt_again),
        cmocka_unit_test(module_is_described),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
