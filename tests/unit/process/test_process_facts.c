/* SPDX-License-Identifier: MIT */
/* What /proc says of this very process, and numbers that are no pids. */
#include "support/cmocka_include.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report/process/process_facts.h"
#include "report/process/store_place.h"

static void this_process_is_described(void **state)
{
    (void)state;
    struct tm_process_facts facts;
    char command[TM_COMMAND_CAPACITY], cut[5];
    assert_true(tm_process_facts_read(getpid(), &facts));
    assert_int_equal(facts.pid, getpid());
    assert_int_equal(facts.effective_uid, geteuid());
    assert_int_equal(facts.state, 'R');
    tm_process_command_line(getpid(), command, sizeof command);
    assert_non_null(strstr(command, "test_process_facts"));
    tm_process_command_line(getpid(), cut, sizeof cut);
    assert_int_equal(strlen(cut), sizeof cut - 1);
}

static void a_dead_process_is_not_there(void **state)
{
    (void)state;
    struct tm_process_facts facts;
    struct tm_store_place place;
    struct tm_why why;
    int descriptor;
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_true(tm_process_facts_read(child, &facts));
    assert_int_equal(facts.state, 'Z');
    assert_false(tm_store_open_process(child, &place, &descriptor, &why));
    assert_non_null(strstr(why.text, "is dead"));
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(tm_process_facts_read(child, &facts));
    assert_false(tm_store_open_process(child, &place, &descriptor, &why));
    assert_non_null(strstr(why.text, "is not running"));
}

static void only_numbers_are_pids(void **state)
{
    (void)state;
    pid_t pid;
    assert_true(tm_process_parse_pid("4711", &pid));
    assert_int_equal(pid, 4711);
    static const char *const wrong[] = {"", "0", "-1", "x", "12x", "99999999", "18446744073709551617"};
    for (size_t i = 0; i < TM_COUNT_OF(wrong); i++) {
        assert_false(tm_process_parse_pid(wrong[i], &pid));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_process_is_described),
        cmocka_unit_test(a_dead_process_is_not_there),
        cmocka_unit_test(only_numbers_are_pids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
