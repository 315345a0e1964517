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

static struct tm_known_frame kept[2][FRAMES];
static struct tm_known_stack known = {.frames = kept[0], .fresh = kept[1], .limit = FRAMES};

/* Forgets what was seen last, sees at most LIMIT frames. */
static void forget(unsigned limit)
{
    known = (struct tm_known_stack){.frames = kept[0], .fresh = kept[1], .limit = limit};
}

/* The frames of this thread, most recent first; their number. */
static __attribute__((noinline)) unsigned walk(const struct tm_native_skip *skip, struct tm_native_frame *frames)
{
    (void)tm_native_stack_look(tm_thread_self(), &cache, skip, &known);
    tm_native_stack_list(&known, frames);
    return known.count;
}

/* From the caller of this function on: a sanitizer's backtrace() has frames of its own before it. */
static __attribute__((noinline)) void compare(void)
{
    struct tm_native_frame frames[FRAMES];
    void *addresses[FRAMES];
    const uintptr_t caller = (uintptr_t)__builtin_return_address(0);
    unsigned found = (unsigned)backtrace(addresses, FRAMES), first = 0, own = 0;
    unsigned count = walk(&nothing, frames);
    while (first < found && (uintptr_t)addresses[first] != caller) {
        first++;
    }
    while (own < count && frames[own].pc + 1 != caller) {
        own++;
    }
    assert_in_range(first, 1, found - 1);
    assert_in_range(own, 1, count - 1);
    assert_int_equal(count - own, found - first);
    for (unsigned i = first, at = own; i < found; i++, at++) {
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
    /* What lies under a fiber is libc's to say; the walk must end, and must have seen this function. */
    unsigned count = walk(&nothing, frames);
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
    bottomless_count = walk(&nothing, bottomless);
    assert_int_equal(known.end, UINTPTR_MAX);
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
    struct tm_native_frame two[FRAMES], all[FRAMES];
    (void)state;
    forget(2);
    assert_int_equal(walk(&nothing, two), 2);
    assert_int_equal(walk(&nothing, two), 2);
    uintptr_t end = known.end;
    forget(FRAMES);
    assert_in_range(walk(&nothing, all), 5, FRAMES);
    assert_int_equal(end, all[2].sp);
    assert_int_equal(known.end, UINTPTR_MAX);
}

static void own_code_is_left_out(void **state)
{
    struct tm_native_frame frames[FRAMES];
    struct tm_loaded_module module;
    (void)state;
    assert_true(tm_loaded_module_find((uintptr_t)own_code_is_left_out, &module));
    struct tm_native_skip own = {module.low, module.high};
    forget(FRAMES);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_not_equal(walk(&own, frames), 0);
        assert_false(frames[0].pc >= own.low && frames[0].pc < own.high);
    }
    forget(FRAMES);
}

/* LIMIT 0: all stays known. */
static __attribute__((noinline)) void forget_if(unsigned limit)
{
    if (limit != 0) {
        forget(limit);
    }
}

/* The same machine stack but for what DEPTH and PATH change. */
static __attribute__((noinline)) uint64_t hash_after(unsigned depth, bool path)
{
    volatile unsigned at = depth;
    if (at > 0) {
        uint64_t hash = path ? hash_after(depth - 1, path) : hash_after(depth - 1, true);
        __asm__ volatile("" : "+r"(hash));
        return hash;
    }
    return tm_native_stack_look(tm_thread_self(), &cache, &nothing, &known);
}

/* The same stack has the same hash, however it was found; another one has another. */
static void hash_says_which_stack(void **state)
{
    uint64_t deep[3];
    const unsigned limits[] = {FRAMES, 0, FRAMES};
    (void)state;
    for (volatile unsigned i = 0; i < 3; i++) { /* one place in the code, for each of the calls */
        forget_if(limits[i]);
        deep[i] = hash_after(6, true);
        assert_int_not_equal(deep[i], hash_after(6, false));
        assert_int_not_equal(deep[i], hash_after(5, true));
    }
    assert_int_equal(deep[0], deep[1]);
    assert_int_equal(deep[0], deep[2]);
}

/* Frames at the same places with other callers, other frame pointers, and of cut stacks. */
static void changed_below_what_is_known(void **state)
{
    unsigned before = compared;
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        recurse(i % 7);
        with_alloca(16 + 16 * (i % 3));
        assert_int_equal(realigned(64 + (int)(i % 2) * 32, 7), 7);
        recurse(i % 5);
    }
    forget(FRAMES);
    assert_int_equal(compared, before + 200);
}

/* What is found with what is known and without it, DEPTH calls from here; the first two frames are the ways there. */
static __attribute__((noinline)) void find_twice(unsigned depth, unsigned limit)
{
    struct tm_native_frame before[FRAMES], anew[FRAMES];
    if (depth > 0) {
        find_twice(depth - 1, limit);
        __asm__ volatile("" ::: "memory");
        return;
    }
    unsigned count = walk(&nothing, before);
    uintptr_t end = known.end;
    forget(limit);
    assert_int_equal(walk(&nothing, anew), count);
    assert_int_equal(known.end, end);
    for (unsigned i = 2; i < count; i++) {
        bool is_caller = i > 2; /* number 2 is this function, at another line */
        assert_true(!is_caller || before[i].pc == anew[i].pc);
        assert_int_equal(before[i].sp, anew[i].sp);
    }
}

static void cut_stacks(void **state)
{
    static const unsigned depths[] = {3, 3, 4, 2, 9, 9, 0, 1, 12, 5};
    (void)state;
    for (unsigned limit = 2; limit < 12; limit++) {
        forget(limit);
        for (unsigned i = 0; i < TM_COUNT_OF(depths); i++) {
            find_twice(depths[i], limit);
        }
    }
    forget(FRAMES);
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
        cmocka_unit_test(hash_says_which_stack),
        cmocka_unit_test(changed_below_what_is_known),
        cmocka_unit_test(cut_stacks),
        cmocka_unit_test(cleared_cache_is_learnt_again),
        cmocka_unit_test(module_is_described),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
