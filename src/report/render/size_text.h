/* SPDX-License-Identifier: MIT */
/* Numbers of bytes and blocks in words.  No allocation, any thread. */
#ifndef TM_REPORT_RENDER_SIZE_TEXT_H
#define TM_REPORT_RENDER_SIZE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define TM_SIZE_TEXT_CAPACITY 48U

struct tm_size_text {
    char text[TM_SIZE_TEXT_CAPACITY];
};

/* As Python's tracemalloc prints them: `4855 KiB`, `99.9 MiB`, with SIGN `+12 B`. */
struct tm_size_text tm_size_as_tracemalloc(double bytes, bool sign);

/* For people: `126 B`, `4.7 MiB`, `312 KiB`; with SIGN always a plus or minus. */
struct tm_size_text tm_size_for_people(double bytes, bool sign);

/* `39,328`; with SIGN `+39,328`. */
struct tm_size_text tm_count_for_people(uint64_t count);
struct tm_size_text tm_count_difference_for_people(int64_t count);

#endif
