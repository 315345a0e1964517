/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/os_call.h"
#include "runtime/os/os_file.h"
#include "runtime/os/os_memory.h"

/* In this order: what is noted stays. */
static void answers_are_no_failures(void **state)
{
    (void)state;
    struct tm_file_identity identity;
    char byte;
    assert_int_equal(tm_file_create("/tmp", &identity), -EEXIST);
    assert_int_equal(tm_file_read("/nonexistent", &byte, 1), -ENOENT);
    assert_int_equal(TM_OS_CALL(WRITE, syscall(SYS_write, STDOUT_FILENO, "", 0)), 0);
    tm_os_failure_note(TM_OS_RENAME, EPERM); /* a sandbox without renameat2 */
    tm_os_failure_note(TM_OS_MODE, EPERM);
    assert_int_equal(tm_os_failures().count, 0);
    assert_null(tm_os_failures().first);
}

static void failures_are_counted_and_the_first_and_last_are_named(void **state)
{
    (void)state;
    errno = 77;
    assert_null(tm_pages_map(SIZE_MAX / 2));
    assert_int_equal(errno, 77);
    assert_int_equal(tm_os_failures().count, 1);
    assert_string_equal(tm_os_failures().first, "mmap");
    assert_int_equal(tm_os_failures().first_error, ENOMEM);
    assert_int_equal(tm_file_write(-1, "x", 1), -EBADF);
    assert_int_equal(tm_os_failures().count, 2);
    assert_string_equal(tm_os_failures().first, "mmap");
    assert_string_equal(tm_os_failures().last, "write");
    assert_int_equal(tm_os_failures().last_error, EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_no_failures),
        cmocka_unit_test(failures_are_counted_and_the_first_and_last_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
