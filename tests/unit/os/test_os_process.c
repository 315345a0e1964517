/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runtime/os/os_message.h"
#include "runtime/os/os_process.h"
#include "support/child_process.h"
#include "support/sanitizers.h"

static void facts_are_those_of_this_process(void **state)
{
    (void)state;
    char buffer[4096];
    char expected[4096];
    errno = 77;
    assert_int_equal(tm_process_pid(), getpid());
    assert_int_equal(tm_process_parent_pid(), getppid());
    assert_int_equal(tm_process_uid(), getuid());
    assert_int_equal(tm_process_thread_id(), getpid());
    assert_false(tm_process_is_secure());
    size_t length = tm_process_folder(buffer, sizeof buffer);
    assert_non_null(getcwd(expected, sizeof expected));
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(buffer, expected, length);
    length = tm_process_host(buffer, sizeof buffer);
    assert_int_equal(gethostname(expected, sizeof expected), 0);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(buffer, expected, length);
    length = tm_process_executable(buffer, sizeof buffer);
    assert_true(length > 0 && buffer[0] == '/');
    length = tm_process_command(buffer, sizeof buffer);
    assert_true(length > 0 && buffer[length - 1] != '\0');
    assert_int_equal(errno, 77);
}

static int a_variable = 5, an_empty_one;

static void the_program_is_its_code_and_variables_only(void **state)
{
    (void)state;
    uintptr_t begin, end;
    void *block = malloc(100);
    tm_process_program(&begin, &end);
    assert_true(begin != 0 && begin < end);
    assert_in_range((uintptr_t)&a_variable, begin, end - 1);
    assert_in_range((uintptr_t)&an_empty_one, begin, end - 1);
    assert_in_range((uintptr_t)the_program_is_its_code_and_variables_only, begin, end - 1);
    assert_not_in_range((uintptr_t)&state, begin, end - 1);
    assert_not_in_range((uintptr_t)block, begin, end - 1);
    assert_not_in_range((uintptr_t)dlsym(RTLD_DEFAULT, "qsort"), begin, end - 1);
    free(block);
}

static void boot_id_ends_without_newline(void **state)
{
    (void)state;
    char buffer[64];
    size_t length = tm_process_boot_id(buffer, sizeof buffer);
    assert_int_equal(length, 36);
    assert_true(buffer[35] != '\n');
}

static void too_small_buffers_are_not_passed(void **state)
{
    (void)state;
    char buffer[8];
    memset(buffer, 'x', sizeof buffer);
    assert_int_equal(tm_process_folder(buffer, 1), 0);
    assert_in_range(tm_process_host(buffer, 2), 0, 2);
    assert_in_range(tm_process_executable(buffer, 4), 0, 4);
    assert_in_range(tm_process_command(buffer, 4), 0, 4);
    assert_int_equal(buffer[4], 'x');
}

static void time_is_the_wall_clock(void **state)
{
    (void)state;
    uint64_t before = (uint64_t)time(NULL);
    uint64_t now = tm_process_time_ns();
    assert_in_range(now / 1000000000U, before, before + 2);
}

static void *sleep_until_told(void *argument)
{
    char byte;
    (void)!read(*(int *)argument, &byte, 1);
    return NULL;
}

static void threads_are_counted(void **state)
{
    (void)state;
    static int ends[2];
    pthread_t thread;
    if (TM_UNDER_THREAD_SANITIZER) {
        skip();
    }
    unsigned before = tm_process_threads();
    assert_true(before >= 1);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&thread, NULL, sleep_until_told, ends), 0);
    assert_int_equal(tm_process_threads(), before + 1);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *tell_id(void *argument)
{
    *(uint32_t *)argument = tm_process_thread_id();
    return NULL;
}

static void thread_is_there_until_it_ends(void **state)
{
    (void)state;
    pthread_t thread;
    uint32_t id = 0;
    unsigned patience = 10000; /* join returns a moment before the kernel forgets the thread */
    assert_true(tm_process_has_thread(tm_process_pid(), tm_process_thread_id()));
    assert_int_equal(pthread_create(&thread, NULL, tell_id, &id), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    errno = 77;
    while (tm_process_has_thread(tm_process_pid(), id) && patience-- > 0) {
        tm_process_nap(100000);
    }
    assert_false(tm_process_has_thread(tm_process_pid(), id));
    assert_int_equal(errno, 77);
}

static void say_into_pipe(void *argument)
{
    child_check(dup2(((int *)argument)[1], STDERR_FILENO) == STDERR_FILENO);
    errno = 77;
    tm_message("one ", "two", NULL);
    child_check(errno == 77);
}

static void message_is_one_line_by_one_write(void **state)
{
    (void)state;
    int ends[2];
    char line[64] = "";
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(child_run(say_into_pipe, ends), 0);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], line, sizeof line - 1), 24);
    assert_string_equal(line, "libtracemalloc: one two\n");
    (void)close(ends[0]);
}

static void say_odd_bytes(void *argument)
{
    child_check(dup2(((int *)argument)[1], STDERR_FILENO) == STDERR_FILENO);
    tm_message("wrote ", "a\nb\x1b[31m\x7f\t\xc3\xa9", NULL);
}

static void message_of_odd_bytes_is_one_line(void **state)
{
    (void)state;
    int ends[2];
    char line[64] = "";
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(child_run(say_odd_bytes, ends), 0);
    (void)close(ends[1]);
    assert_true(read(ends[0], line, sizeof line - 1) > 0);
    assert_string_equal(line, "libtracemalloc: wrote a?b?[31m??\xc3\xa9\n");
    (void)close(ends[0]);
}

static void say_much(void *argument)
{
    static char text[9000];
    memset(text, 'a', sizeof text - 1);
    child_check(dup2(((int *)argument)[1], STDERR_FILENO) == STDERR_FILENO);
    tm_message(text, text, text);
}

static void long_message_is_cut_and_still_a_line(void **state)
{
    (void)state;
    int ends[2];
    static char line[30000];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(child_run(say_much, ends), 0);
    (void)close(ends[1]);
    ssize_t length = read(ends[0], line, sizeof line);
    assert_in_range(length, 4096, 5120);
    assert_int_equal(line[length - 1], '\n');
    assert_int_equal(line[length - 2], 'a');
    (void)close(ends[0]);
}

static void message_to_a_reader_that_left_harms_nobody(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    assert_int_equal(child_run(say_into_pipe, ends), 0);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_those_of_this_process),
        cmocka_unit_test(the_program_is_its_code_and_variables_only),
        cmocka_unit_test(boot_id_ends_without_newline),
        cmocka_unit_test(too_small_buffers_are_not_passed),
        cmocka_unit_test(time_is_the_wall_clock),
        cmocka_unit_test(threads_are_counted),
        cmocka_unit_test(thread_is_there_until_it_ends),
        cmocka_unit_test(message_is_one_line_by_one_write),
        cmocka_unit_test(message_of_odd_bytes_is_one_line),
        cmocka_unit_test(long_message_is_cut_and_still_a_line),
        cmocka_unit_test(message_to_a_reader_that_left_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
