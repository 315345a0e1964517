/* SPDX-License-Identifier: MIT */
/* One word in a page that is read-only. */
#ifndef TM_RUNTIME_OS_OS_PROTECTION_H
#define TM_RUNTIME_OS_OS_PROTECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* Stores VALUE at PLACE (aligned), whose page may be read, and executed if IS_CODE, but not written; it stays so.
 * False: the kernel refused, nothing was changed.   Signal safe; errno kept. */
TM_CHECKED bool tm_protected_word_set(uintptr_t *place, uintptr_t value, bool is_code);

#endif
