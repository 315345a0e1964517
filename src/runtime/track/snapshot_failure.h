/* SPDX-License-Identifier: MIT */
/* What is said on stderr when a snapshot that nobody waits for could not be written.
 *
 * Under the snapshot lock.   errno  kept. */
#ifndef TM_RUNTIME_TRACK_SNAPSHOT_FAILURE_H
#define TM_RUNTIME_TRACK_SNAPSHOT_FAILURE_H

/* STATUS of a write by the tracer itself: 0 or a negative errno value.  One line for each condition: a disk that is
 * full is said once, and again after a write that was done. */
void tm_snapshot_note_result(int status);

/* After the exit snapshot, which was written: one line for system calls that failed too late to stand in it. */
void tm_snapshot_tell_late_failures(void);

#endif
