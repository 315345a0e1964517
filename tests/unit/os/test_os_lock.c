/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <pthread.h>
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

static void *take_and_release(void *argument)
{
    tm_lock_take(argument);
    tm_lock_release(argument);
    return NULL;
}

static void waiting_thread_sleeps_until_the_release(void **state)
{
    (void)state;
    pthread_t thread;
    tm_lock_take(&lock);
    assert_false(tm_lock_try(&lock));
    assert_int_equal(pthread_create(&thread, NULL, take_and_release, &lock), 0);
    while (atomic_load(&lock.waiters) == 0) {
        (void)usleep(100);
    }
    tm_lock_release(&lock);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(tm_lock_try(&lock));
    tm_lock_reset(&lock);
    assert_true(tm_lock_try(&lock));
    tm_lock_release(&lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_at_a_time_is_inside),
        cmocka_unit_test(waiting_thread_sleeps_until_the_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
