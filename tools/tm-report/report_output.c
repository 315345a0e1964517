/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/report_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/tm-report/progress.h"

#define WIDTH_MIN 40U
#define WIDTH_MAX 10000U

/* COLUMNS where it is exported, else what the terminal says. */
static size_t width_of(FILE *stream)
{
    const char *columns = getenv("COLUMNS");
    size_t width = columns != NULL ? (size_t)strtoul(columns, NULL, 10) : 0;
    struct winsize size;
    if (width == 0 && isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0) {
        width = size.ws_col;
    }
    if (width == 0 || width > WIDTH_MAX) {
        return SIZE_MAX;
    }
    return width > WIDTH_MIN ? width : WIDTH_MIN;
}

/* https://no-color.org: set and not empty. */
static bool wants_color(enum tm_color color, FILE *stream)
{
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (color != TM_COLOR_AUTO) {
        return color == TM_COLOR_ALWAYS;
    }
    return (no_color == NULL || no_color[0] == '\0') && isatty(fileno(stream)) && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

/* What setlocale would look at. */
static bool has_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < TM_COUNT_OF(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
        }
    }
    return false;
}

static bool is_a_snapshot_of(const struct tm_options *options)
{
    struct stat output, input;
    if (stat(options->output, &output) != 0) {
        return false;
    }
    for (unsigned i = 0; i < options->file_count; i++) {
        if (stat(options->files[i], &input) == 0 && input.st_dev == output.st_dev && input.st_ino == output.st_ino &&
            S_ISREG(input.st_mode)) {
            return true;
        }
    }
    return false;
}

/* A part beside the file, with the file's mode; NULL where that cannot be: a device, a folder that takes no files. */
static FILE *open_part(struct tm_output *output, const char *path)
{
    struct stat status;
    bool is_there = stat(path, &status) == 0;
    output->target = is_there ? realpath(path, NULL) : strdup(path);
    if ((is_there && !S_ISREG(status.st_mode)) || output->target == NULL || (is_there && access(path, W_OK) != 0) ||
        asprintf(&output->part, "%s.%ld.part", output->target, (long)getpid()) < 0) {
        output->part = NULL;
        return NULL;
    }
    int descriptor = open(output->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 && is_there) {
        (void)!fchmod(descriptor, status.st_mode & 07777);
    }
    return descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
}

static void forget_part(struct tm_output *output)
{
    free(output->target);
    free(output->part);
    output->target = output->part = NULL;
}

/* In a folder that others may write to: a link of one's own is meant, another's is a trap. */
static bool is_a_trap(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode) && status.st_uid != geteuid() && status.st_uid != 0;
}

/* In place; not through a link that leads nowhere. */
static FILE *open_itself(const char *path)
{
    struct stat status;
    int made = stat(path, &status) == 0 ? O_TRUNC : O_CREAT | O_EXCL;
    int descriptor = open(path, O_WRONLY | O_CLOEXEC | made, 0666);
    return descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
}

static FILE *open_file(struct tm_output *output, const char *path)
{
    if (is_a_trap(path)) {
        errno = ELOOP;
        return NULL;
    }
    FILE *stream = open_part(output, path);
    if (stream == NULL) {
        forget_part(output);
        stream = open_itself(path);
    }
    return stream;
}

bool tm_output_open(struct tm_output *output, const struct tm_options *options)
{
    FILE *stream = stdout;
    tm_progress_end();
    *output = (struct tm_output){.name = "standard output"};
    if (options->output != NULL && strcmp(options->output, "-") != 0) {
        output->name = options->output;
        if (is_a_snapshot_of(options)) {
            (void)fprintf(stderr, "tm-report: %s: is a snapshot of this report; give another file to --output\n",
                          options->output);
            return false;
        }
        stream = open_file(output, options->output);
    }
    if (stream == NULL) {
        bool is_trap = errno == ELOOP;
        (void)fprintf(stderr, "tm-report: %s: %s\n", output->name,
                      is_trap ? "is another user's link: it is not followed, give another name" : strerror(errno));
        return false;
    }
    output->out = (struct tm_out){.stream = stream, .error = 0};
    output->color = wants_color(options->color, stream);
    output->width = width_of(stream);
    output->bars = options->color == TM_COLOR_ALWAYS || isatty(fileno(stream));
    output->plain = !has_utf8();
    return true;
}

bool tm_output_close(struct tm_output *output, bool keep)
{
    int error = tm_out_flush(&output->out);
    if (fclose(output->out.stream) != 0 && error == 0) {
        error = errno;
    }
    if (output->part != NULL && (error != 0 || !keep)) {
        (void)unlink(output->part);
    } else if (output->part != NULL && rename(output->part, output->target) != 0) {
        error = errno;
        (void)unlink(output->part);
    }
    forget_part(output);
    if (error != 0 && error != EPIPE) {
        (void)fprintf(stderr, "tm-report: %s: the report could not be written: %s\n", output->name, strerror(error));
    }
    return error == 0;
}
