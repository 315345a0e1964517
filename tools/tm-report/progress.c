/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report/render/location_text.h"

#define PATIENCE_NS    UINT64_C(1000000000)
#define NAME_MAX_SHOWN 40U
#define ERASE          "\r\033[K"

static uint64_t began_ns;
static bool is_shown;

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

void tm_progress(const char *what, const char *name, unsigned at, unsigned of)
{
    if (began_ns == 0) {
        began_ns = now_ns();
    }
    if (now_ns() - began_ns < PATIENCE_NS || !isatty(STDERR_FILENO)) {
        return;
    }
    struct tm_out out = {stderr, 0};
    tm_out_format(&out, ERASE "%s ", what);
    tm_print_text(&out, tm_cut_text((struct tm_span){(const uint8_t *)name, strlen(name)}, NAME_MAX_SHOWN));
    if (of > 1) {
        tm_out_format(&out, ", %u of %u", at, of);
    }
    tm_out_text(&out, " ...");
    (void)tm_out_flush(&out);
    is_shown = true;
}

void tm_progress_end(void)
{
    if (is_shown) {
        (void)fputs(ERASE, stderr);
        (void)fflush(stderr);
        is_shown = false;
    }
}
