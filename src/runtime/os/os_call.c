/* SPDX-License-Identifier: MIT */
#include "runtime/os/os_call.h"

#include <stdatomic.h>
#include <stddef.h>

static const char *const names[TM_OS_CALL_COUNT] = {
#define TM_OS_CALL_NAME(name, text) [TM_OS_##name] = (text),
    TM_OS_CALLS(TM_OS_CALL_NAME)
#undef TM_OS_CALL_NAME
};

void (*tm_os_failure_listener)(void);

static _Atomic uint32_t count;
static _Atomic uint64_t first; /* error, and above it the call from 1; 0: none */
static _Atomic uint64_t last;

/* A file system without modes refuses them: files there are as private as its others.  A sandbox answers EPERM to a
 * call that it does not know, and renaming goes another way then; where that fails too, the caller says so. */
static bool is_answer(enum tm_os_call call, int error)
{
    if (call == TM_OS_MODE || (call == TM_OS_RENAME && error == EPERM)) {
        return true;
    }
    switch (error) {
    case EINTR:
    case EAGAIN:
    case EEXIST:
    case ENOENT:
    case ENOSYS:
    case EOPNOTSUPP:
    case EINVAL:
        return true;
    default:
        return false;
    }
}

void tm_os_failure_note(enum tm_os_call call, int error)
{
    const uint64_t word = ((uint64_t)call + 1) << 32 | (uint32_t)error;
    uint64_t none = 0;
    if (is_answer(call, error)) {
        return;
    }
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    (void)atomic_compare_exchange_strong_explicit(&first, &none, word, memory_order_relaxed, memory_order_relaxed);
    atomic_store_explicit(&last, word, memory_order_relaxed);
    if (tm_os_failure_listener != NULL) {
        tm_os_failure_listener();
    }
}

struct tm_os_failures tm_os_failures(void)
{
    struct tm_os_failures failures = {0, 0, 0, NULL, NULL};
    uint64_t word = atomic_load_explicit(&first, memory_order_relaxed);
    uint64_t later = atomic_load_explicit(&last, memory_order_relaxed);
    if (word != 0 && later != 0) {
        failures.count = atomic_load_explicit(&count, memory_order_relaxed);
        failures.first_error = (uint32_t)word;
        failures.first = names[(word >> 32) - 1];
        failures.last_error = (uint32_t)later;
        failures.last = names[(later >> 32) - 1];
    }
    return failures;
}
