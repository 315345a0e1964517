/* SPDX-License-Identifier: MIT */
/* The terminal: another screen, keys one by one, and everything as it was at the end, whatever the end is.
 *
 * Escape sequences are those that xterm, the Linux console, tmux and screen share (ECMA-48 and the alternate screen);
 * so no description of terminals has to be installed.     Threads  one. */
#ifndef TM_TOOLS_TM_TOP_TOP_SCREEN_H
#define TM_TOOLS_TM_TOP_TOP_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/compiler.h"

/* What to clear at the end of each line of a picture. */
#define TM_SCREEN_LINE_END "\x1b[K\r\n"

/* False and one line on stderr when standard input or output is no terminal. */
TM_CHECKED bool tm_screen_open(void);
void tm_screen_close(void);

void tm_screen_size(size_t *width, size_t *height);

/* Replaces what is shown by a PICTURE of whole lines. */
void tm_screen_show(const char *picture, size_t length);

enum tm_screen_event {
    TM_SCREEN_TIME,   /* UNTIL has come */
    TM_SCREEN_KEY,    /* in *KEY */
    TM_SCREEN_REDRAW, /* the size changed, or the program goes on after it was suspended */
    TM_SCREEN_END,    /* a signal that ends programs */
};

/* Waits until UNTIL (CLOCK_MONOTONIC) at most. */
enum tm_screen_event tm_screen_wait(const struct timespec *until, char *key);

/* Behind tm_screen_close: ends this process by the signal of TM_SCREEN_END. */
void tm_screen_die(void);

#endif
