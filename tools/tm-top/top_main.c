/* SPDX-License-Identifier: MIT */
/* tm-top: a process's memory, watched from outside. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/exit_code.h"
#include "base/text.h"
#include "report/render/render_watch.h"
#include "tools/tm-top/top_options.h"
#include "tools/tm-top/top_samples.h"
#include "tools/tm-top/top_screen.h"

#define KEYS         "q quit  s size g growth r rate  l line f file t traceback  c cumulative  z zero"
#define SIZE_MAXIMUM 10000U

struct top {
    struct tm_top_options *options;
    struct tm_top_samples samples;
    char command[TM_COMMAND_CAPACITY];
    struct tm_why why; /* why the last look failed; "" when it did not */
};

static enum tm_exit fail(const char *why)
{
    (void)fprintf(stderr, "tm-top: %s\n", why);
    return TM_EXIT_FAILED;
}

static bool draw(struct tm_out *out, const struct top *top, struct tm_watch *watch)
{
    const struct tm_top_options *options = top->options;
    struct tm_grouping grouping = {
        .key_type = options->group_by,
        .cumulative = options->cumulative ? TM_CUMULATIVE_ONCE : TM_CUMULATIVE_OFF,
        .domains = TM_DOMAINS_HEAP,
    };
    struct tm_live_rows rows;
    bool memory =
        tm_live_rows_make(&rows, top->samples.first, top->samples.previous, top->samples.now, &grouping, options->sort);
    if (memory) {
        watch->first = top->samples.first;
        watch->previous = top->samples.previous;
        watch->now = top->samples.now;
        watch->rows = &rows;
        watch->pid = (long)options->pid;
        watch->command = top->command;
        watch->sort = options->sort;
        tm_render_watch(out, watch);
        watch->rows = NULL;
    }
    tm_live_rows_free(&rows);
    return memory;
}

static bool show(const struct top *top)
{
    char *picture = NULL, last_line[512];
    size_t length = 0;
    struct tm_watch watch = {.color = true, .line_end = TM_SCREEN_LINE_END, .last_line = last_line};
    struct tm_out out = {open_memstream(&picture, &length), 0};
    if (out.stream == NULL) {
        return false;
    }
    tm_screen_size(&watch.width, &watch.height);
    bool failed = top->why.text[0] != '\0';
    (void)snprintf(last_line, sizeof last_line, "%.*s", (int)(watch.width < 500 ? watch.width : 500),
                   failed ? top->why.text : KEYS);
    bool done = draw(&out, top, &watch);
    done = fclose(out.stream) == 0 && done;
    if (done) {
        tm_screen_show(picture, length);
    }
    free(picture);
    return done;
}

static void add_interval(struct timespec *time, double seconds)
{
    time->tv_sec += (time_t)seconds;
    time->tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    if (time->tv_nsec >= 1000000000L) {
        time->tv_nsec -= 1000000000L;
        time->tv_sec++;
    }
}

/* What a key does to the picture; true: look at the process now. */
static bool take_key(struct top *top, char key)
{
    struct tm_top_options *options = top->options;
    static const char sorts[] = {[TM_LIVE_SORT_SIZE] = 's', [TM_LIVE_SORT_GROWTH] = 'g', [TM_LIVE_SORT_RATE] = 'r'};
    static const char groups[] = {[TM_KEY_FILENAME] = 'f', [TM_KEY_LINENO] = 'l', [TM_KEY_TRACEBACK] = 't'};
    const char *sort = memchr(sorts, key, sizeof sorts), *group = memchr(groups, key, sizeof groups);
    if (sort != NULL) {
        options->sort = (enum tm_live_sort)(sort - sorts);
    } else if (group != NULL) {
        options->group_by = (enum tm_key_type)(group - groups);
        options->cumulative = options->cumulative && options->group_by != TM_KEY_TRACEBACK;
    } else if (key == 'c') {
        options->cumulative = !options->cumulative && options->group_by != TM_KEY_TRACEBACK;
    } else if (key == 'z') {
        tm_top_samples_restart(&top->samples);
    }
    return key == ' ';
}

static void look(struct top *top, struct timespec *next)
{
    (void)clock_gettime(CLOCK_MONOTONIC, next);
    add_interval(next, top->options->interval_s);
    if (tm_top_sample(&top->samples, top->options->pid, &top->why)) {
        top->why.text[0] = '\0';
    }
}

/* Until a key or a signal ends it; false without memory. */
static bool watch(struct top *top)
{
    struct timespec next;
    char key = '\0';
    look(top, &next);
    while (key != 'q' && key != 'Q') {
        if (!show(top)) {
            return false;
        }
        switch (tm_screen_wait(&next, &key)) {
        case TM_SCREEN_TIME:
            look(top, &next);
            break;
        case TM_SCREEN_KEY:
            if (take_key(top, key)) {
                look(top, &next);
            }
            break;
        case TM_SCREEN_END:
            return true;
        default:
            break;
        }
    }
    return true;
}

static enum tm_exit run_on_screen(struct top *top)
{
    if (!tm_screen_open()) {
        return TM_EXIT_MISUSED;
    }
    bool memory = watch(top);
    tm_screen_close();
    tm_screen_die();
    return memory ? TM_EXIT_DONE : fail("out of memory");
}

/* A number of the environment, from 20 to SIZE_MAXIMUM. */
static size_t size_from(const char *variable, size_t fallback)
{
    uint64_t value;
    const char *text = getenv(variable);
    return text != NULL && tm_text_to_unsigned(text, SIZE_MAXIMUM, &value) && value >= 20 ? (size_t)value : fallback;
}

static enum tm_exit print_once(struct top *top)
{
    struct tm_watch picture = {.line_end = "\n", .last_line = ""};
    struct tm_out out = {stdout, 0};
    struct timespec pause = {0, 0};
    picture.width = size_from("COLUMNS", 80);
    picture.height = size_from("LINES", 24);
    add_interval(&pause, top->options->interval_s);
    (void)nanosleep(&pause, NULL);
    if (!tm_top_sample(&top->samples, top->options->pid, &top->why)) {
        return fail(top->why.text);
    }
    if (!draw(&out, top, &picture)) {
        return fail("out of memory");
    }
    return tm_out_flush(&out) == 0 ? TM_EXIT_DONE : fail(strerror(out.error));
}

static enum tm_exit run(struct tm_top_options *options)
{
    static struct top top;
    top.options = options;
    if (!tm_top_sample(&top.samples, options->pid, &top.why)) {
        return fail(top.why.text);
    }
    top.why.text[0] = '\0';
    tm_process_command_line(options->pid, top.command, sizeof top.command);
    enum tm_exit result = options->once ? print_once(&top) : run_on_screen(&top);
    tm_top_samples_free(&top.samples);
    return result;
}

int main(int count, char **arguments)
{
    struct tm_top_options options;
    (void)signal(SIGPIPE, SIG_IGN);
    tm_top_options_parse(&options, count, arguments);
    if (options.action == TM_TOP_WATCH) {
        return (int)run(&options);
    }
    if (options.action == TM_TOP_EXIT_DONE && fflush(stdout) != 0) {
        return (int)fail("standard output could not be written");
    }
    return options.action == TM_TOP_EXIT_DONE ? TM_EXIT_DONE : TM_EXIT_MISUSED;
}
