/* SPDX-License-Identifier: MIT */
/* The bytes of the event log: a header page, then entries. */
#ifndef TM_RUNTIME_TRACK_LOG_EVENT_LAYOUT_H
#define TM_RUNTIME_TRACK_LOG_EVENT_LAYOUT_H

#include <stdatomic.h>
#include <stdint.h>

#define TM_EVENT_MAX         (UINT64_C(1) << 24)
#define TM_EVENT_HEADER_SIZE 4096U

struct tm_event_header {
    _Atomic uint64_t count; /* places given out, also beyond TM_EVENT_MAX */
};

struct tm_event {
    uint64_t address;
    uint64_t size;
    uint32_t thread;
    uint32_t traceback;
    uint32_t domain;
    _Atomic uint32_t kind; /* 1 + enum tm_event_kind, written last; 0: the thread was killed before */
};

#endif
