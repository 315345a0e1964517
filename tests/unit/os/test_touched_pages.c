/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/os/os_call.h"
#include "runtime/os/os_memory.h"
#include "runtime/os/touched_pages.h"

#define PAGES 1000U

static void pages_that_were_written_to_are_told_from_others(void **state)
{
    (void)state;
    static const size_t written[] = {0, 1, 255, 256, 700, PAGES - 1};
    static bool touched[PAGES + 1];
    char *pages = tm_pages_map_sparse(PAGES * TM_PAGE_SIZE);
    assert_non_null(pages);
    for (size_t i = 0; i < TM_COUNT_OF(written); i++) {
        pages[written[i] * TM_PAGE_SIZE + i] = 1;
    }
    touched[PAGES] = true; /* not asked for */
    size_t resident = tm_pages_resident(pages, PAGES * TM_PAGE_SIZE);
    errno = 77;
    tm_pages_touched(pages, PAGES, touched);
    assert_int_equal(errno, 77);
    size_t count = 0;
    for (size_t i = 0; i < PAGES; i++) {
        count += touched[i];
    }
    for (size_t i = 0; i < TM_COUNT_OF(written); i++) {
        assert_true(touched[written[i]]);
    }
    assert_true(touched[PAGES]);
    if (count == PAGES) {
        skip(); /* this kernel does not tell */
    }
    assert_int_equal(count, TM_COUNT_OF(written));
    assert_int_equal(tm_pages_resident(pages, PAGES * TM_PAGE_SIZE), resident);
    tm_pages_unmap_sparse(pages, PAGES * TM_PAGE_SIZE);
}

/* The exit status says what went wrong; 0: nothing. */
static int look_without_rights(void)
{
    static _Alignas(TM_PAGE_SIZE) char page[TM_PAGE_SIZE];
    bool touched[1] = {false};
    if (geteuid() == 0 && setuid(65534) != 0) {
        return 1;
    }
    if (prctl(PR_SET_DUMPABLE, 0) != 0) {
        return 2;
    }
    tm_pages_touched(page, 1, touched);
    return !touched[0] ? 3 : tm_os_failures().count != 0 ? 4 : 0;
}

static void a_map_that_may_not_be_read_is_no_failure(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(look_without_rights());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_that_were_written_to_are_told_from_others),
        cmocka_unit_test(a_map_that_may_not_be_read_is_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
