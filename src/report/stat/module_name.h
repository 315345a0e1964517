/* SPDX-License-Identifier: MIT */
/* Which module a file belongs to, told from its name alone: the file may be on another machine.
 *
 *   .../site-packages/numpy/core/x.py, .../dist-packages/six.py   the package or module there: numpy, six
 *   .../lib/python3.11/json/decoder.py, <frozen zipimport>        the stdlib's: json, zipimport
 *   .../libz.so.1.2.13                                            a native module, by its file: libz.so.1.2.13
 *   /srv/app/rows.py                                              files elsewhere: their folder, /srv/app
 *   <string>, <unknown>                                           itself
 *
 * Memory   none: the result lies in FILENAME, or is static.     Threads  any. */
#ifndef TM_REPORT_STAT_MODULE_NAME_H
#define TM_REPORT_STAT_MODULE_NAME_H

#include "report/snapshot/snapshot.h"

struct tm_span tm_module_name(struct tm_span filename);

/* Of a machine frame, by the file of its code: libz.so.1.2.13, python3.12. */
struct tm_span tm_module_name_native(struct tm_span path);

#endif
