/* SPDX-License-Identifier: MIT */
/* Gives the live store its file under the first free name.  Where none can be made the store stays in memory and the
 * snapshot says why; the program goes on either way.  Under the life lock, guard up. */
#ifndef TM_RUNTIME_TRACK_STORE_FILE_H
#define TM_RUNTIME_TRACK_STORE_FILE_H

void tm_store_file_make(void);

/* The same where the exit snapshot has taken its place and the process goes on: a kill is to leave that, too.  Not while
 * several threads run. */
void tm_store_file_make_again(void);

#endif
