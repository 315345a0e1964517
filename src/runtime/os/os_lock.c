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

void tm_lock_wait(struct tm_lock *lock)
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

void tm_lock_wake(struct tm_lock *lock)
{
    futex(&lock->state, FUTEX_WAKE, 1);
}

void tm_lock_reset(struct tm_lock *lock)
{
    atomic_store_explicit(&lock->state, 0, memory_order_relaxed);
}
