/* SPDX-License-Identifier: MIT */
/* The frames that a row stands for.
 *
 * Memory   malloc'ed, grows to the deepest traceback asked for.     Threads  one thread per list. */
#ifndef TM_REPORT_RENDER_KEY_FRAMES_H
#define TM_REPORT_RENDER_KEY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/stat/statistic.h"

struct tm_key_frame {
    struct tm_span filename; /* of a module or a domain: its name */
    struct tm_span function; /* may be empty */
    uint32_t line;           /* 0: not known, or a whole file */
    bool is_native;          /* a machine frame: line 0 is not worth showing */
};

struct tm_key_frames {
    struct tm_key_frame *frames; /* oldest first */
    size_t count;
    size_t capacity;
};

/* Replaces what is in FRAMES by the frames of KEY.  False without memory. */
TM_CHECKED bool tm_key_frames_get(struct tm_key_frames *frames, const struct tm_forest *forest,
                                  enum tm_key_type key_type, uint32_t key);
void tm_key_frames_free(struct tm_key_frames *frames);

/* The most recent frame of KEY, or what stands for it, without memory of its own. */
struct tm_key_frame tm_key_recent_frame(const struct tm_forest *forest, enum tm_key_type key_type, uint32_t key);

#endif
