/* SPDX-License-Identifier: MIT */
#include "runtime/hook/outer_malloc.h"

#include <dlfcn.h>
#include <stddef.h>

#include "runtime/unwind/loaded_symbol.h"

/* The address of `malloc` as C sees it tells nothing: in a program at a fixed address it is a stub of the program. */
const char *tm_outer_malloc(void)
{
    static const char of_ours;
    struct tm_loaded_search first = {.generation = 0};
    Dl_info theirs;
    Dl_info ours;
    if (!tm_loaded_library_find("malloc", &first)) {
        return NULL;
    }
    const void *function = tm_loaded_symbol(&first.library, "malloc", NULL);
    bool known = function != NULL && dladdr(function, &theirs) != 0 && dladdr(&of_ours, &ours) != 0;
    return known && theirs.dli_fbase != ours.dli_fbase ? theirs.dli_fname : NULL;
}
