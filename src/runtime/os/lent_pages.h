/* SPDX-License-Identifier: MIT */
/* Pages for a call that may not come back: exec.
 *
 * A child of vfork takes them in the memory of its parent, which exec leaves behind.  The kernel says when: it writes 0
 * to the address of set_tid_address once the child has another memory, or none.
 *
 * Threads  all functions.   Signals  safe.   errno  kept. */
#ifndef TM_RUNTIME_OS_LENT_PAGES_H
#define TM_RUNTIME_OS_LENT_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct tm_lent_pages {
    void *at;
    size_t size;   /* bytes */
    unsigned slot; /* 0: nobody else has a part in this memory */
};

/* At least SIZE bytes.  IS_SHARED: the caller is the only thread of a process that runs in the memory of another, and
 * has no use of its own for set_tid_address.  Errors: false when there is no memory, or too many such processes run
 * just now. */
TM_CHECKED bool tm_lent_pages_take(struct tm_lent_pages *pages, size_t size, bool is_shared);

/* The call has come back. */
void tm_lent_pages_return(const struct tm_lent_pages *pages);

/* Gives back what children of vfork have left.  Cheap when that is nothing. */
void tm_lent_pages_sweep(void);

#endif
