/* SPDX-License-Identifier: MIT */
/* Help for people who do not know the name of their snapshot. */
#ifndef TM_TOOLS_TM_REPORT_NEWEST_SNAPSHOTS_H
#define TM_TOOLS_TM_REPORT_NEWEST_SNAPSHOTS_H

/* Names the newest files *.tms of the current folder on stderr, newest first; says nothing when there are none. */
void tm_list_newest_snapshots(void);

#endif
