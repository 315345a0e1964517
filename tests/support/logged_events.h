/* SPDX-License-Identifier: MIT */
/* What a log of events (src/runtime/track/log) says was live, and the tracebacks of the store that it belongs to.
 *
 * For tools of the tests: what is wrong with a file ends the process with exit code 1 and one line. */
#ifndef TM_TESTS_SUPPORT_LOGGED_EVENTS_H
#define TM_TESTS_SUPPORT_LOGGED_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/track/log/event_layout.h"

#define KIND_ALLOC 1U
#define KIND_FREE  2U
#define KIND_MOVE  3U
#define DOMAINS    8U
#define NATIVE     3U

struct block {
    uint64_t address; /* 0: free place */
    uint64_t size;
    uint32_t traceback;
    uint32_t domain;
    bool lives;
};

struct sum {
    int64_t bytes;
    int64_t blocks;
};

/* Of events_apply; blocks that went keep their place. */
extern struct block *live_blocks;
extern uint64_t live_capacity;
extern struct sum live[DOMAINS];

void events_fail(const char *why, uint64_t number) __attribute__((noreturn));

/* Of zeros; for as long as the process lives. */
void *events_get(size_t count, size_t size);

/* The log is a hole behind its last entry: only what is used is read. */
struct tm_event *events_read(const char *path, uint64_t *count);

/* Nothing is live; EVENTS will be applied at most. */
void events_reset(uint64_t events);

/* The change by EVENT; of a move what is missing while the block is in neither record.  TRACEBACK, unless NULL, becomes
 * the one that the block had before. */
struct sum events_apply(const struct tm_event *event, uint64_t number, uint32_t *traceback);

int64_t events_python_bytes(void);

/* The store at PATH, that nobody writes any more, for events_print_frames. */
void events_read_store(const char *path);

/* FILE:LINE, oldest first, with a ; between. */
void events_print_frames(FILE *out, uint32_t traceback);

#endif
