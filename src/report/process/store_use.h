/* SPDX-License-Identifier: MIT */
/* Does any process still have a store mapped?  The question before a store is taken away.
 *
 * The kernel is asked for a lease, which it grants only where nobody has the file open for writing, mapped or not, in
 * any pid namespace of this machine.  Where the file system cannot tell that way, every process that can be seen is
 * looked at instead; where not all can be seen, the answer is that it is not known. */
#ifndef TM_REPORT_PROCESS_STORE_USE_H
#define TM_REPORT_PROCESS_STORE_USE_H

#include "base/compiler.h"
#include "report/process/why.h"
#include "store/store_layout.h"

enum tm_store_use {
    TM_STORE_DEAD,
    TM_STORE_IN_USE,
    TM_STORE_NOT_KNOWN, /* *WHY says why */
};

/* The store that DESCRIPTOR (opened for reading only) is open on, whose header is HEADER.  Changes what SIGIO does. */
TM_CHECKED enum tm_store_use tm_store_use(int descriptor, const struct tm_store_header *header, struct tm_why *why);

#endif
