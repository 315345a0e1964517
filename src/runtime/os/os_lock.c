/* SPDX-License-Identifier: MIT */
#include "runtime/os/os_lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"

static void futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
    int saved = errno;
    (void)syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
    errno = saved;
}

bool tm_lock_try(struct tm_lock *lock)
{
    uint32_t free_state = 0;
    return atomic_compare_exchange_strong_explicit(&lock->state, &free_state, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

static __attribute__((noinline)) void wait_for(struct tm_lock *lock)
{
    for (int spin = 0; spin < 64; spin++) {
        TM_PAUSE();
        if (tm_lock_try(lock)) {
            return;
        }
    }
    while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0) {
        futex(&lock->state, FUTEX_WAIT, 2);
    }
}

void tm_lock_take(struct tm_lock *lock)
{
    if (TM_UNLIKELY(!tm_lock_try(lock))) {
        wait_for(lock);
    }
}

void tm_lock_release(struct tm_lock *lock)
{
    if (atomic_exchange_explicit(&lock->state, 0, memory_order_release) == 2) {
        futex(&lock->state, FUTEX_WAKE, 1);
    }
}

void tm_lock_reset(struct tm_lock *lock)
{
    atomic_store_explicit(&lock->state, 0, memory_order_relaxed);
}
