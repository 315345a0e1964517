/* SPDX-License-Identifier: MIT */
/* Maxima that are noticed while other threads count. */
#include "support/cmocka_include.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/track/counting.h"

#define IN_ALL 1000000U /* bytes: in either total, never in both */

/* Its words that are held lie at the end of a page, those that are loose on the next one. */
static struct tm_totals *parted;
static char *pages;
static size_t page_size;

/* Handed over while one sleeps between the two pages. */
static _Atomic uint64_t *from, *to;

static void hand_over(int number)
{
    (void)number;
    if (mprotect(pages, 2 * page_size, PROT_READ | PROT_WRITE) != 0) {
        _exit(1);
    }
    tm_word_store(from, 0);
    tm_word_store(to, IN_ALL);
}

static void part(void)
{
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    pages = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    parted = (struct tm_totals *)(void *)(pages + page_size - 64);
    assert_true((char *)&parted->python_loose == pages + page_size);
}

/* At the first look at PAGE it falls asleep. */
static void look_and_sleep(unsigned page)
{
    struct sigaction action = {.sa_handler = hand_over}, before;
    uint64_t python, heap;
    tm_word_store(from, IN_ALL);
    assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
    assert_int_equal(mprotect(pages + page * page_size, page_size, PROT_NONE), 0);
    tm_totals_known(parted, &python, &heap);
    assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
    assert_u64_equal(tm_word_load(to), IN_ALL);
    assert_u64_equal(heap, IN_ALL);
    assert_in_range(python, 0, IN_ALL);
    tm_word_store(to, 0);
}

/* In what order it looks is the compiler's affair: one of these is the wrong moment. */
static void what_is_handed_over_during_a_look_counts_once(void **state)
{
    (void)state;
    part();
    _Atomic uint64_t *const held[] = {&parted->python_held, &parted->native_held};
    _Atomic uint64_t *const loose[] = {&parted->python_loose, &parted->native_loose};
    for (unsigned i = 0; i < 4; i++) {
        from = held[i / 2];
        to = loose[i % 2];
        look_and_sleep(1);
        from = loose[i % 2];
        to = held[i / 2];
        look_and_sleep(0);
    }
    assert_int_equal(munmap(pages, 2 * page_size), 0);
}

static void free_of_a_native_block_leaves_no_maximum_of_pythons(void **state)
{
    (void)state;
    struct tm_totals two = {.marks = 0};
    tm_word_store(&two.python_held, 100);
    tm_word_store(&two.native_loose, 20);
    tm_totals_leave(&two, NULL, true);
    assert_u64_equal(tm_word_load(&two.python_peak), 0);
    assert_u64_equal(tm_word_load(&two.heap_peak), 120);
    assert_u64_equal(tm_word_load(&two.marks), UINT64_C(1) << 32);
    tm_totals_leave(&two, NULL, false);
    assert_u64_equal(tm_word_load(&two.python_peak), 100);
    assert_u64_equal(tm_word_load(&two.heap_peak), 120);
    assert_u64_equal(tm_word_load(&two.marks), UINT64_C(1) << 32 | 1);
}

static void thread_that_leaves_a_maximum_tells_its_own(void **state)
{
    (void)state;
    struct tm_totals all = {.marks = 0};
    struct tm_tally_line line = {.is_used = 1};
    tm_tally_move(&all, &line, true, 500);
    tm_totals_leave(&all, NULL, true);
    assert_u64_equal(tm_word_load(&all.heap_peak), 0);
    tm_totals_leave(&all, &line, true);
    assert_u64_equal(tm_word_load(&all.heap_peak), 500);
    assert_u64_equal(tm_word_load(&all.native_loose), 500);
    assert_u64_equal(tm_word_load(&line.native_told), 500);
}

static void tally_tells_before_it_goes_beyond_its_reach(void **state)
{
    (void)state;
    struct tm_totals all = {.marks = 0};
    struct tm_tally_line line = {.is_used = 1};
    tm_tally_move(&all, &line, true, TM_TALLY_REACH);
    assert_u64_equal(tm_word_load(&all.native_loose), 0);
    tm_tally_move(&all, &line, true, 1);
    assert_u64_equal(tm_word_load(&all.native_loose), TM_TALLY_REACH + 1);
    tm_tally_move(&all, &line, true, 0 - (uint64_t)TM_TALLY_REACH);
    assert_u64_equal(tm_word_load(&all.native_loose), TM_TALLY_REACH + 1);
    tm_tally_move(&all, &line, true, UINT64_MAX);
    assert_u64_equal(tm_word_load(&all.native_loose), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_handed_over_during_a_look_counts_once),
        cmocka_unit_test(free_of_a_native_block_leaves_no_maximum_of_pythons),
        cmocka_unit_test(thread_that_leaves_a_maximum_tells_its_own),
        cmocka_unit_test(tally_tells_before_it_goes_beyond_its_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
