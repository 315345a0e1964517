/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/os/os_file.h"
#include "runtime/os/os_memory.h"
#include "runtime/os/os_peek.h"
#include "runtime/os/os_protection.h"
#include "runtime/os/touched_pages.h"
#include "support/child_process.h"
#include "support/sanitizers.h"

static void pages_are_zero_and_counted_in_full(void **state)
{
    (void)state;
    size_t before = tm_pages_total();
    uint8_t *pages = tm_pages_map(5000);
    assert_non_null(pages);
    assert_u64_equal(tm_pages_total() - before, 8192);
    for (size_t i = 0; i < 8192; i++) {
        assert_int_equal(pages[i], 0);
    }
    tm_pages_unmap(pages, 5000);
    assert_u64_equal(tm_pages_total(), before);
}

static void grown_pages_keep_their_content(void **state)
{
    (void)state;
    size_t before = tm_pages_total();
    uint8_t *pages = tm_pages_map(4096);
    memset(pages, 7, 4096);
    pages = tm_pages_grow(pages, 4096, 3 * 4096);
    assert_non_null(pages);
    assert_u64_equal(tm_pages_total() - before, 3 * 4096);
    assert_int_equal(pages[4095], 7);
    assert_int_equal(pages[4096], 0);
    tm_pages_unmap(pages, 3 * 4096);
    assert_u64_equal(tm_pages_total(), before);
}

static void sparse_pages_are_in_no_total(void **state)
{
    (void)state;
    size_t before = tm_pages_total();
    uint8_t *pages = tm_pages_map_sparse((size_t)64 << 20);
    assert_non_null(pages);
    pages[(size_t)40 << 20] = 1;
    assert_u64_equal(tm_pages_total(), before);
    tm_pages_unmap_sparse(pages, (size_t)64 << 20);
    assert_u64_equal(tm_pages_total(), before);
}

/* Linux 5.14 and later. */
static bool can_populate(void)
{
    void *page = tm_pages_map(TM_PAGE_SIZE);
    bool can = madvise(page, TM_PAGE_SIZE, 23) == 0;
    tm_pages_unmap(page, TM_PAGE_SIZE);
    return can;
}

static void populated_pages_are_there_at_once_and_keep_what_they_hold(void **state)
{
    (void)state;
    uint8_t *pages = tm_pages_map_sparse(64 * TM_PAGE_SIZE);
    assert_non_null(pages);
    pages[TM_PAGE_SIZE] = 7;
    errno = 1234;
    tm_pages_populate(pages + TM_PAGE_SIZE + 100, 10 * TM_PAGE_SIZE);
    tm_pages_populate(NULL, TM_PAGE_SIZE);
    assert_int_equal(errno, 1234);
    assert_u64_equal(tm_pages_resident(pages, 64 * TM_PAGE_SIZE), (can_populate() ? 11 : 1) * TM_PAGE_SIZE);
    assert_int_equal(pages[TM_PAGE_SIZE], 7);
    assert_int_equal(pages[11 * TM_PAGE_SIZE], 0);
    tm_pages_unmap_sparse(pages, 64 * TM_PAGE_SIZE);
}

static void moved_pages_replace_what_was_there(void **state)
{
    (void)state;
    uint8_t *at = tm_pages_reserve(8192);
    assert_true(tm_pages_map_at(at, 8192));
    memset(at, 1, 8192);
    uint8_t *from = tm_pages_map(4096);
    from[0] = 2;
    assert_true(tm_pages_move(from, 4096, at + 4096));
    assert_int_equal(at[0], 1);
    assert_int_equal(at[4096], 2);
    assert_int_equal(at[4097], 0);
}

static void beyond_the_limit(void *argument)
{
    (void)argument;
    struct rlimit limit = {(size_t)256 << 20, (size_t)256 << 20};
    child_check(tm_pages_limit() == SIZE_MAX);
    child_check(setrlimit(RLIMIT_AS, &limit) == 0);
    errno = 77;
    child_check(tm_pages_limit() == (size_t)256 << 20);
    child_check(tm_pages_room() == (size_t)256 << 20);
    limit.rlim_cur = (size_t)200 << 20;
    child_check(setrlimit(RLIMIT_DATA, &limit) == 0);
    child_check(tm_pages_room() == (size_t)200 << 20 && tm_pages_limit() == (size_t)256 << 20);
    child_check(tm_pages_map((size_t)1 << 30) == NULL);
    child_check(tm_pages_map_sparse((size_t)1 << 30) == NULL);
    child_check(tm_pages_reserve((size_t)1 << 30) == NULL);
    child_check(tm_pages_total() == 0);
    void *pages = tm_pages_map(4096);
    child_check(tm_pages_grow(pages, 4096, (size_t)1 << 30) == NULL);
    child_check(tm_pages_total() == 4096);
    child_check(errno == 77);
}

static void pages_that_are_not_there_are_null_and_errno_is_kept(void **state)
{
    (void)state;
    if (TM_UNDER_SANITIZER) {
        skip();
    }
    assert_int_equal(child_run(beyond_the_limit, NULL), 0);
}

static void peek_reads_what_can_be_read_and_refuses_the_rest(void **state)
{
    (void)state;
    uint64_t word = UINT64_C(0x1122334455667788);
    uint64_t copy = 0;
    uint8_t *pages = tm_pages_map(8192);
    assert_true(tm_memory_peek((uintptr_t)&word, &copy, sizeof copy));
    assert_u64_equal(copy, word);
    (void)munmap(pages + 4096, 4096);
    errno = 77;
    assert_false(tm_memory_peek((uintptr_t)pages + 4092, &copy, sizeof copy));
    assert_false(tm_memory_peek(0, &copy, sizeof copy));
    assert_int_equal(errno, 77);
}

static long faults_so_far(void)
{
    struct rusage use;
    assert_int_equal(getrusage(RUSAGE_SELF, &use), 0);
    return use.ru_minflt;
}

static void pages_of_a_file_in_memory_are_to_be_written_once_they_were_read(void **state)
{
    (void)state;
    enum { PAGES = 64 };
    static bool touched[PAGES];
    static const char zeros[PAGES * TM_PAGE_SIZE];
    int descriptor = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0 || !tm_file_is_in_memory(descriptor) || !can_populate() || TM_UNDER_SANITIZER) {
        skip();
    }
    assert_int_equal(tm_file_write_at(descriptor, zeros, sizeof zeros, 0), 0);
    char *pages = mmap(NULL, sizeof zeros, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    assert_true(pages != MAP_FAILED);
    tm_pages_populate_in_memory(pages, sizeof zeros);
    tm_pages_touched(pages, PAGES, touched);
    long before = faults_so_far();
    for (size_t i = 0; i < PAGES; i++) {
        assert_true(touched[i]);
        pages[i * TM_PAGE_SIZE] = 1;
    }
    assert_in_range(faults_so_far() - before, 0, PAGES / 4);
    munmap(pages, sizeof zeros);
    close(descriptor);
}

static void words_are_peeked_up_to_the_first_that_is_not_there(void **state)
{
    (void)state;
    uintptr_t a = 11, b = 22, c = 33;
    uint8_t *pages = tm_pages_map(8192);
    const uintptr_t at[4] = {(uintptr_t)&b, (uintptr_t)&a, (uintptr_t)pages + 4092, (uintptr_t)&c};
    uintptr_t words[4] = {9, 9, 9, 9};
    (void)munmap(pages + 4096, 4096);
    errno = 77;
    assert_int_equal(tm_memory_peek_words(at, words, 2), 2);
    assert_true(words[0] == 22 && words[1] == 11 && words[2] == 9);
    assert_int_equal(tm_memory_peek_words(at, words, 4), 2);
    assert_true(words[0] == 22 && words[1] == 11 && words[3] == 0);
    assert_int_equal(tm_memory_peek_words(at + 2, words, 2), 0);
    assert_int_equal(tm_memory_peek_words(at, words, 0), 0);
    assert_int_equal(errno, 77);
}

static void write_to(void *argument)
{
    *(volatile uintptr_t *)argument = 5;
}

static void protected_word_is_set_and_stays_protected(void **state)
{
    (void)state;
    uintptr_t *words = tm_pages_map(4096);
    assert_int_equal(mprotect(words, 4096, PROT_READ), 0);
    assert_true(tm_protected_word_set(&words[511], 42, false));
    assert_u64_equal(words[511], 42);
    int status = child_run(write_to, &words[511]);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)munmap(words, 4096);
    errno = 77;
    assert_false(tm_protected_word_set(&words[511], 43, false));
    assert_int_equal(errno, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_that_are_not_there_are_null_and_errno_is_kept),
        cmocka_unit_test(pages_are_zero_and_counted_in_full),
        cmocka_unit_test(grown_pages_keep_their_content),
        cmocka_unit_test(sparse_pages_are_in_no_total),
        cmocka_unit_test(populated_pages_are_there_at_once_and_keep_what_they_hold),
        cmocka_unit_test(moved_pages_replace_what_was_there),
        cmocka_unit_test(peek_reads_what_can_be_read_and_refuses_the_rest),
        cmocka_unit_test(pages_of_a_file_in_memory_are_to_be_written_once_they_were_read),
        cmocka_unit_test(words_are_peeked_up_to_the_first_that_is_not_there),
        cmocka_unit_test(protected_word_is_set_and_stays_protected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
