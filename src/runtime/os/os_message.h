/* SPDX-License-Identifier: MIT */
/* One line on the process's stderr, by one write: `libtracemalloc: WHAT`.
 *
 * Signal safe, no stdio; a closed or full stderr is nobody's error.  errno kept. */
#ifndef TM_RUNTIME_OS_OS_MESSAGE_H
#define TM_RUNTIME_OS_OS_MESSAGE_H

/* A is the sentence; B and C are appended with nothing between; each may be NULL.  Control characters are written as
 * `?`. */
void tm_message(const char *a, const char *b, const char *c);

#endif
