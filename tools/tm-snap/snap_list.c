/* SPDX-License-Identifier: MIT */
#include "tools/tm-snap/snap_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/process/traced_list.h"
#include "report/render/location_text.h"
#include "report/render/size_text.h"

#define SECOND UINT64_C(1000000000)

/* 42s, 17min, 5h03, 12d */
static void print_age(struct tm_out *out, uint64_t age_ns)
{
    uint64_t seconds = age_ns / SECOND;
    char text[32];
    if (seconds < 100) {
        (void)snprintf(text, sizeof text, "%us", (unsigned)seconds);
    } else if (seconds < 6000) {
        (void)snprintf(text, sizeof text, "%umin", (unsigned)(seconds / 60));
    } else if (seconds < 2 * 86400) {
        (void)snprintf(text, sizeof text, "%uh%02u", (unsigned)(seconds / 3600), (unsigned)(seconds / 60 % 60));
    } else {
        (void)snprintf(text, sizeof text, "%ud", (unsigned)(seconds / 86400));
    }
    tm_out_format(out, "  %7s", text);
}

static void print_size(struct tm_out *out, uint64_t bytes)
{
    tm_out_format(out, "  %9s", tm_size_for_people((double)bytes, false).text);
}

static void print_process(struct tm_out *out, const struct tm_traced_process *process)
{
    tm_out_format(out, "%8ld  %c", (long)process->pid, process->state);
    print_age(out, process->age_ns);
    print_size(out, process->traced_bytes);
    print_size(out, process->peak_bytes);
    print_size(out, process->tracer_bytes);
    tm_out_text(out, "  ");
    tm_print_text(out, (struct tm_span){(const uint8_t *)process->command, strlen(process->command)});
    tm_out_text(out, "\n");
}

static void say_unseen(const struct tm_traced_unseen *unseen)
{
    if (unseen->without_store > 0) {
        (void)fprintf(stderr,
                      "tm-snap: %zu more have the library but no store in a file: no Python runs in them, or "
                      "TRACEMALLOC_STORE=none\n",
                      unseen->without_store);
    }
    if (unseen->of_others > 0) {
        (void)fprintf(stderr, "tm-snap: %zu processes of other users were not looked into: use sudo\n",
                      unseen->of_others);
    }
}

enum tm_exit tm_snap_list(void)
{
    struct tm_out out = {stdout, 0};
    struct tm_traced_unseen unseen;
    size_t count;
    struct tm_traced_process *list = tm_traced_list(&count, &unseen);
    if (list == NULL) {
        (void)fputs("tm-snap: out of memory\n", stderr);
        return TM_EXIT_FAILED;
    }
    tm_out_format(&out, "%8s  %s  %7s  %9s  %9s  %9s  %s\n", "PID", "S", "AGE", "TRACED", "PEAK", "TRACER", "COMMAND");
    for (size_t i = 0; i < count; i++) {
        print_process(&out, &list[i]);
    }
    free(list);
    if (tm_out_flush(&out) != 0) {
        (void)fprintf(stderr, "tm-snap: standard output: %s\n", strerror(out.error));
        return TM_EXIT_FAILED;
    }
    if (count == 0) {
        (void)fputs("tm-snap: no traced process is seen; start one with tm-run\n", stderr);
    }
    say_unseen(&unseen);
    return TM_EXIT_DONE;
}
