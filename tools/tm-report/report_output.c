/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/report_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

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

static bool is_a_snapshot_of(const struct tm_options *options)
{
    struct stat output, input;
    if (stat(options->output, &output) != 0) {
        return false;
    }
    for (unsigned i = 0; i < options->path_count; i++) {
        if (stat(options->paths[i], &input) == 0 && input.st_dev == output.st_dev && input.st_ino == output.st_ino &&
            S_ISREG(input.st_mode)) {
            return true;
        }
    }
    return false;
}

bool tm_output_open(struct tm_output *output, const struct tm_options *options)
{
    FILE *stream = stdout;
    output->name = "standard output";
    if (options->output != NULL && strcmp(options->output, "-") != 0) {
        output->name = options->output;
        if (is_a_snapshot_of(options)) {
            (void)fprintf(stderr, "tm-report: %s: is a snapshot of this report; give another file to --output\n",
                          options->output);
            return false;
        }
        stream = fopen(options->output, "we");
    }
    if (stream == NULL) {
        (void)fprintf(stderr, "tm-report: %s: %s\n", output->name, strerror(errno));
        return false;
    }
    output->out = (struct tm_out){.stream = stream, .error = 0};
    output->color = wants_color(options->color, stream);
    output->width = width_of(stream);
    return true;
}

bool tm_output_close(struct tm_output *output)
{
    int error = tm_out_flush(&output->out);
    if (fclose(output->out.stream) != 0 && error == 0) {
        error = errno;
    }
    if (error != 0 && error != EPIPE) {
        (void)fprintf(stderr, "tm-report: %s: the report could not be written: %s\n", output->name, strerror(error));
    }
    return error == 0;
}
