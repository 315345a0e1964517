/* SPDX-License-Identifier: MIT */
/* Rust's newer mangled names ("v0", which begin with _R) as they stand in the source.
 *
 * Without what no reader wants: the hashes of crates, the types of constants, suffixes that LLVM made.
 * Memory   malloc'ed.     Threads  all; no state.     Errors   NULL: not such a name, one that is not understood, or
 *          one that would be longer than 64 KiB; or no memory.
 * Source   Rust RFC 2603 and the rustc book, "v0 Symbol Format"; RFC 3492 (Punycode). */
#ifndef TM_REPORT_SNAPSHOT_DEMANGLE_RUST_H
#define TM_REPORT_SNAPSHOT_DEMANGLE_RUST_H

char *tm_demangle_rust_v0(const char *name);

#endif
