/* SPDX-License-Identifier: MIT */
/* Names of functions as they stand in the source.
 *
 * C++, and Rust's older names which are of the same form: __cxa_demangle of the C++ library that the system has (looked
 * for once, when a name needs it; nothing is linked).  Rust's newer names: demangle_rust.h.  What is not understood
 * stays as it is.  The part of a function that gcc laid elsewhere (NAME.cold) has the function's name.
 * Memory   malloc'ed; NULL without.     Threads  one at a time. */
#ifndef TM_REPORT_SNAPSHOT_DEMANGLE_H
#define TM_REPORT_SNAPSHOT_DEMANGLE_H

char *tm_demangle(const char *name);

/* NAME, as __cxa_demangle gives it, without the hash and the escapes of Rust's older names; in place. */
void tm_demangle_rust(char *name);

#endif
