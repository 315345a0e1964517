/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/os/lent_pages.h"
#include "runtime/os/os_memory.h"

#define SIZE 100000U

static void one_s_own_are_given_back_at_once(void **state)
{
    (void)state;
    size_t before = tm_pages_total();
    struct tm_lent_pages pages;
    errno = 77;
    assert_true(tm_lent_pages_take(&pages, SIZE, false));
    memset(pages.at, 1, SIZE);
    assert_u64_equal(tm_pages_total() - before, tm_page_round(SIZE));
    tm_lent_pages_return(&pages);
    assert_u64_equal(tm_pages_total(), before);
    assert_int_equal(errno, 77);
}

/* Takes pages in the parent's memory and runs PROGRAM, or cannot. */
static pid_t run(const char *program)
{
    static struct tm_lent_pages pages;
    char *const words[] = {(char *)(uintptr_t)program, NULL};
    pid_t child = vfork();
    if (child == 0) {
        if (!tm_lent_pages_take(&pages, SIZE, true)) {
            _exit(3);
        }
        memset(pages.at, 1, SIZE);
        (void)execv(program, words);
        tm_lent_pages_return(&pages);
        _exit(errno == ENOENT ? 4 : 5);
    }
    return child;
}

static void assert_ends(pid_t child, int code)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), code);
}

static void those_of_a_vfork_child_are_free_once_it_runs_its_program(void **state)
{
    (void)state;
    size_t before = tm_pages_total();
    for (int i = 0; i < 200; i++) { /* more than can be lent at one time */
        pid_t child = run("/bin/true");
        assert_true(tm_pages_total() - before <= tm_page_round(SIZE)); /* of one child at a time */
        assert_ends(child, 0);
    }
    tm_lent_pages_sweep();
    assert_u64_equal(tm_pages_total(), before);
}

static void those_of_a_vfork_child_that_cannot_exec_come_back(void **state)
{
    (void)state;
    size_t before = tm_pages_total();
    for (int i = 0; i < 200; i++) {
        assert_ends(run("/there is no such program"), 4);
        assert_u64_equal(tm_pages_total(), before);
    }
}

/* Killed with the pages in its hands: the kernel tells that too. */
static void those_of_a_vfork_child_that_ends_are_swept(void **state)
{
    (void)state;
    size_t before = tm_pages_total();
    static struct tm_lent_pages pages;
    for (int i = 0; i < 200; i++) {
        pid_t child = vfork();
        if (child == 0) {
            _exit(tm_lent_pages_take(&pages, SIZE, true) ? 6 : 7);
        }
        assert_ends(child, 6);
        tm_lent_pages_sweep();
        assert_u64_equal(tm_pages_total(), before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_s_own_are_given_back_at_once),
        cmocka_unit_test(those_of_a_vfork_child_are_free_once_it_runs_its_program),
        cmocka_unit_test(those_of_a_vfork_child_that_cannot_exec_come_back),
        cmocka_unit_test(those_of_a_vfork_child_that_ends_are_swept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
