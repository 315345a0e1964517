/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "report/render/location_text.h"
#include "report/snapshot/snapshot_write.h"
#include "tools/tm-report/command.h"
#include "tools/tm-report/report_load.h"
#include "tools/tm-report/report_output.h"
#include "tools/tm-report/report_run.h"

static bool check(struct tm_options *options)
{
    if (options->output == NULL && isatty(STDOUT_FILENO)) {
        return tm_misused(options, "symbolize writes a snapshot: give -o FILE");
    }
    if (options->no_symbols) {
        return tm_misused(options, "symbolize and --no-symbols do not go together");
    }
    return true;
}

/* What is still without a name, and why. */
static void say_rest(const struct tm_snapshot *snapshot)
{
    uint32_t unnamed = 0;
    for (uint32_t i = 0; i < snapshot->native_count; i++) {
        unnamed += snapshot->frames[snapshot->natives[i].frame].function >= snapshot->made_strings;
    }
    struct tm_out out = {stderr, 0};
    for (struct tm_span left = snapshot->symbol_notes; left.length > 0;) {
        size_t length = 0;
        while (length < left.length && left.bytes[length] != '\n') {
            length++;
        }
        tm_out_text(&out, "tm-report: ");
        tm_print_text(&out, (struct tm_span){left.bytes, length});
        tm_out_text(&out, "\n");
        length += length < left.length;
        left = (struct tm_span){left.bytes + length, left.length - length};
    }
    if (snapshot->made_strings != 0 && unnamed > 0) {
        (void)fprintf(stderr, "tm-report: %u of %u machine frames have no name\n", (unsigned)unnamed,
                      (unsigned)snapshot->native_count);
    }
}

static bool write_bytes(const struct tm_options *options, const uint8_t *bytes, size_t size)
{
    struct tm_output output;
    if (!tm_output_open(&output, options)) {
        return false;
    }
    tm_out_bytes(&output.out, bytes, size);
    return tm_output_close(&output, true);
}

static enum tm_exit run(const struct tm_options *options)
{
    struct tm_snapshot *snapshot;
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (!tm_report_load(options, options->files[0], &snapshot)) {
        return TM_EXIT_FAILED;
    }
    say_rest(snapshot);
    bool done = tm_snapshot_write(snapshot, TM_CODEC_ZSTD, &bytes, &size) == TM_STATUS_OK
                    ? write_bytes(options, bytes, size)
                    : tm_report_no_memory();
    free(bytes);
    tm_snapshot_free(snapshot);
    return done ? TM_EXIT_DONE : TM_EXIT_FAILED;
}

const struct tm_command tm_cmd_symbolize = {
    .name = "symbolize",
    .files = "SNAPSHOT",
    .summary = "the same snapshot with names for its machine frames",
    .words = "On the machine that the program ran on, or that has its libraries: what is written can be read anywhere. "
             "A library is used only when its build id is the one that the program had; else separate debug files of "
             "that id are looked for, and debuginfod servers when DEBUGINFOD_URLS is set.",
    .files_min = 1,
    .files_max = 1,
    .files_wrong = "one snapshot is needed",
    .groups = {&tm_symbol_options},
    .examples = {{"symbolize app.tms -o named.tms", "to take it to another machine"}},
    .check = check,
    .run = run,
};
