/* SPDX-License-Identifier: MIT */
#include "tools/tm-run/preload_path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY  "libtracemalloc.so"
#define VARIABLE "LD_PRELOAD"

/* The folder of this tool's own file; false when /proc does not say. */
static bool own_folder(char *folder)
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    if (length <= 0) {
        return false;
    }
    folder[length] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    return true;
}

static bool is_there(const char *folder, const char *below, char *found)
{
    char candidate[2 * PATH_MAX];
    int length = snprintf(candidate, sizeof candidate, "%s%s/" LIBRARY, folder, below);
    return length > 0 && (size_t)length < sizeof candidate && realpath(candidate, found) != NULL &&
           access(found, R_OK) == 0;
}

bool tm_preload_find(char *path, size_t capacity)
{
    char folder[PATH_MAX];
    char found[PATH_MAX];
    bool known = own_folder(folder);
    bool is_found = (known && (is_there(folder, "", found) || is_there(folder, "/../lib", found) ||
                               is_there(folder, "/../" TM_LIBDIR_RELATIVE, found))) ||
                    is_there(TM_LIBDIR_INSTALLED, "", found);
    if (!is_found) {
        (void)fprintf(stderr, "tm-run: " LIBRARY " is neither beside tm-run (%s) nor in %s; install it again\n",
                      known ? folder : "?", TM_LIBDIR_INSTALLED);
        return false;
    }
    if (strpbrk(found, " :") != NULL) {
        (void)fprintf(stderr,
                      "tm-run: %s: ld.so splits LD_PRELOAD at spaces and colons; move it to a path without them\n",
                      found);
        return false;
    }
    return (size_t)snprintf(path, capacity, "%s", found) < capacity;
}

bool tm_preload_set(const char *path)
{
    const char *before = getenv(VARIABLE);
    if (before == NULL || before[0] == '\0') {
        return setenv(VARIABLE, path, 1) == 0;
    }
    char *joined = NULL;
    bool done = asprintf(&joined, "%s:%s", path, before) >= 0 && setenv(VARIABLE, joined, 1) == 0;
    if (!done) {
        perror("tm-run");
    }
    free(joined);
    return done;
}
