/* SPDX-License-Identifier: MIT */
/* The counts of known blocks by page, where others change them meanwhile: none is lost, or a block's free would not be
 * seen. */
#include "support/cmocka_include.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "runtime/track/sampler.h"

#define PAGE    UINT64_C(0x500000000000)
#define TURNS   2000000U
#define THREADS 4U

static void turn(void)
{
    tm_sampler_one_more(PAGE);
    tm_sampler_one_less(PAGE);
}

static volatile sig_atomic_t interruptions;

/* Leaves one more, so that what is lost is not made up for. */
static void interrupt(int number)
{
    (void)number;
    if (interruptions < 200) {
        tm_sampler_one_more(PAGE);
        interruptions++;
    }
}

/* The first test: no thread was made yet. */
static void a_signal_handlers_are_not_lost(void **state)
{
    (void)state;
    const struct itimerval often = {{0, 50}, {0, 50}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    assert_true(signal(SIGALRM, interrupt) != SIG_ERR);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (unsigned i = 0; i < 50 * TURNS && interruptions < 200; i++) {
        turn();
    }
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_true(signal(SIGALRM, SIG_DFL) != SIG_ERR);
    assert_true(interruptions > 0);
    assert_int_equal(atomic_load(tm_sampler_known_of(PAGE)), interruptions);
    atomic_store(tm_sampler_known_of(PAGE), 0);
}

static void *turns(void *unused)
{
    for (unsigned i = 0; i < TURNS; i++) {
        turn();
    }
    return unused;
}

static void other_threads_are_not_lost(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, turns, NULL), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(tm_sampler_known_of(PAGE)), 0);
}

static void a_full_count_stays_full(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * UINT8_MAX; i++) {
        tm_sampler_one_more(PAGE);
    }
    for (unsigned i = 0; i < 2 * UINT8_MAX; i++) {
        tm_sampler_one_less(PAGE);
    }
    assert_int_equal(atomic_load(tm_sampler_known_of(PAGE)), UINT8_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_handlers_are_not_lost),
        cmocka_unit_test(other_threads_are_not_lost),
        cmocka_unit_test(a_full_count_stays_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
