/* SPDX-License-Identifier: MIT */
/* Unicode text from Punycode (RFC 3492), with '_' before the last part instead of '-', as Rust's mangled names have it.
 *
 * No state; any thread. */
#ifndef TM_REPORT_SNAPSHOT_PUNYCODE_H
#define TM_REPORT_SNAPSHOT_PUNYCODE_H

#include "base/text.h"

/* Adds what BYTES, LENGTH of them, stand for to TEXT in UTF-8.  False, and nothing is added: it is not Punycode, or has
 * more than 128 characters. */
bool tm_punycode_add(struct tm_text *text, const char *bytes, size_t length);

#endif
