/* SPDX-License-Identifier: MIT */
/* The doors of libc by which a process limits its own address space: the store has reserved some of it, and gives back
 * what the limit would make the program miss. */
#include <errno.h>
#include <sys/resource.h>

#include "runtime/hook/door.h"
#include "runtime/hook/real_libc.h"
#include "runtime/track/runtime.h"

/* Called before our constructor, by another library's. */
#define NEED(name)                                                                                                     \
    if (tm_real.name == NULL) {                                                                                        \
        tm_real_libc_resolve();                                                                                        \
    }

static int limited(int result, int resource, const void *limits)
{
    if (result == 0 && resource == RLIMIT_AS && limits != NULL && tm_door_hears(tm_thread_self())) {
        tm_runtime_room_changed();
    }
    return result;
}

TM_EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limits)
{
    NEED(setrlimit)
    return limited(tm_real.setrlimit(resource, limits), (int)resource, limits);
}

TM_EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limits)
{
    NEED(setrlimit64)
    return limited(tm_real.setrlimit64(resource, limits), (int)resource, limits);
}

/* PROCESS may be another one: then our own limit is as it was, and nothing happens. */
TM_EXPORT int prlimit(pid_t process, __rlimit_resource_t resource, const struct rlimit *limits,
                      struct rlimit *old_limits)
{
    NEED(prlimit)
    return limited(tm_real.prlimit(process, resource, limits, old_limits), (int)resource, limits);
}

TM_EXPORT int prlimit64(pid_t process, __rlimit_resource_t resource, const struct rlimit64 *limits,
                        struct rlimit64 *old_limits)
{
    NEED(prlimit64)
    return limited(tm_real.prlimit64(process, resource, limits, old_limits), (int)resource, limits);
}
