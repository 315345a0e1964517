/* SPDX-License-Identifier: MIT */
#include "runtime/os/os_lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"

#define SPINS         64
#define LONGEST_SLEEP 1000000 /* nanoseconds */

void tm_lock_wait(struct tm_lock *lock)
{
    const struct timespec longest = {.tv_nsec = LONGEST_SLEEP};
    const int saved = errno;
    for (int spin = 0; spin < SPINS; spin++) {
        TM_PAUSE();
        if (tm_lock_try(lock)) {
            return;
        }
    }
    for (;;) {
        atomic_exchange_explicit(&lock->is_wanted, 1, memory_order_seq_cst);
        if (tm_lock_try(lock)) {
            break; /* and the release wakes another, if there is one */
        }
        (void)syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, 1, &longest, NULL, 0);
    }
    errno = saved;
}

void tm_lock_wake(struct tm_lock *lock)
{
    const int saved = errno;
    atomic_store_explicit(&lock->is_wanted, 0, memory_order_relaxed);
    (void)syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved;
}

void tm_lock_reset(struct tm_lock *lock)
{
    atomic_store_explicit(&lock->is_wanted, 0, memory_order_relaxed);
    atomic_store_explicit(&lock->state, 0, memory_order_relaxed);
}
