/* SPDX-License-Identifier: MIT */
/* dlclose: addresses of code may come to mean something else. */
#include <dlfcn.h>
#include <string.h>

#include "runtime/hook/door.h"
#include "runtime/hook/real_libc.h"
#include "runtime/track/runtime.h"

/* Called before our constructor, or libdl (a library of its own until glibc 2.34) came later than we. */
static bool is_known(void)
{
    if (tm_real.dlclose == NULL) {
        tm_real_libc_resolve();
    }
    if (tm_real.dlclose == NULL) {
        void *found = dlsym(RTLD_NEXT, "dlclose");
        memcpy(&tm_real.dlclose, &found, sizeof found);
    }
    return tm_real.dlclose != NULL;
}

TM_EXPORT int dlclose(void *handle)
{
    if (!is_known()) {
        return -1;
    }
    int status = tm_real.dlclose(handle);
    if (tm_doors_are_open) {
        tm_runtime_unloaded();
    }
    return status;
}
