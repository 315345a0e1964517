/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/os/os_lock.h"

#define THREADS 4
#define ROUNDS  20000

static struct tm_lock lock;
static uint64_t counter;

static void *count_up(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        tm_lock_take(&lock);
        counter++;
        tm_lock_release(&lock);
    }
    return NULL;
}

static void one_thread_at_a_time_is_inside(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_u64_equal(counter, THREADS * ROUNDS);
    assert_int_equal(atomic_load(&lock.state), 0);
}

/* Answers whether errno was kept. */
static void *take_and_release(void *argument)
{
    errno = ENOTTY;
    tm_lock_take(argument);
    tm_lock_release(argument);
    return errno == ENOTTY ? argument : NULL;
}

/* A thread that waits for the lock, which is held, and has slept longer than it does at once. */
static pthread_t waiter(void)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, take_and_release, &lock), 0);
    while (atomic_load(&lock.is_wanted) == 0) {
        (void)usleep(100);
    }
    (void)usleep(3000);
    return thread;
}

static void assert_has_gone_on(pthread_t thread)
{
    void *answer;
    assert_int_equal(pthread_join(thread, &answer), 0);
    assert_ptr_equal(answer, &lock);
    assert_int_equal(atomic_load(&lock.is_wanted), 0);
    assert_int_equal(atomic_load(&lock.state), 0);
}

static void waiting_thread_sleeps_until_the_release(void **state)
{
    (void)state;
    tm_lock_take(&lock);
    assert_false(tm_lock_try(&lock));
    pthread_t thread = waiter();
    assert_int_equal(atomic_load(&lock.is_wanted), 1);
    tm_lock_release(&lock);
    assert_has_gone_on(thread);
}

/* The look for who waits came too early. */
static void waiting_thread_goes_on_where_nobody_wakes_it(void **state)
{
    (void)state;
    tm_lock_take(&lock);
    pthread_t thread = waiter();
    atomic_store(&lock.state, 0);
    assert_has_gone_on(thread);
}

/* As tm_lock_wait, but for long.  Answers 0: it was woken. */
static void *sleep_long(void *argument)
{
    static int failure;
    const struct timespec longest = {.tv_sec = 20};
    (void)argument;
    atomic_store(&lock.is_wanted, 1);
    failure = syscall(SYS_futex, &lock.state, FUTEX_WAIT_PRIVATE, 1, &longest, NULL, 0) == 0 ? 0 : errno;
    return &failure;
}

static void release_wakes_who_waits_once(void **state)
{
    (void)state;
    void *failure;
    do {
        pthread_t thread;
        tm_lock_take(&lock);
        assert_int_equal(pthread_create(&thread, NULL, sleep_long, NULL), 0);
        while (atomic_load(&lock.is_wanted) == 0) {
            (void)usleep(100);
        }
        (void)usleep(1000);
        tm_lock_release(&lock);
        assert_int_equal(atomic_load(&lock.is_wanted), 0); /* the next release wakes nobody */
        assert_int_equal(pthread_join(thread, &failure), 0);
    } while (*(int *)failure == EAGAIN); /* it was not asleep yet */
    assert_int_equal(*(int *)failure, 0);
}

/* In a forked child neither the holder nor who waits is there. */
static void reset_lock_is_free_and_nobody_waits(void **state)
{
    (void)state;
    tm_lock_take(&lock);
    atomic_store(&lock.is_wanted, 1);
    tm_lock_reset(&lock);
    assert_int_equal(atomic_load(&lock.is_wanted), 0);
    assert_true(tm_lock_try(&lock));
    tm_lock_release(&lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_at_a_time_is_inside),
        cmocka_unit_test(waiting_thread_sleeps_until_the_release),
        cmocka_unit_test(waiting_thread_goes_on_where_nobody_wakes_it),
        cmocka_unit_test(release_wakes_who_waits_once),
        cmocka_unit_test(reset_lock_is_free_and_nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
