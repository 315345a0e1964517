/* SPDX-License-Identifier: MIT */
/* A line on stderr that says what is being done, where a person waits for more than a second: only on a terminal, and
 * gone when it is done.  One thread. */
#ifndef TM_TOOLS_TM_REPORT_PROGRESS_H
#define TM_TOOLS_TM_REPORT_PROGRESS_H

/* WHAT is done with NAME, number AT of OF.  The second counts from the first call on. */
void tm_progress(const char *what, const char *name, unsigned at, unsigned of);

/* Takes the line away, before anything else is said. */
void tm_progress_end(void);

#endif
