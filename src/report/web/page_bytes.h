/* SPDX-License-Identifier: MIT */
/* The page of `tm-report html` as src/report/web/build.js bundled it, with one mark @TM_DATA@; size 0 in a build with
 * -DTM_WEB=OFF. */
#ifndef TM_REPORT_WEB_PAGE_BYTES_H
#define TM_REPORT_WEB_PAGE_BYTES_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t tm_page_bytes[];
extern const size_t tm_page_size;

#endif
