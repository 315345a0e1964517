/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "report/render/render_blocks.h"
#include "tools/tm-report/checks.h"
#include "tools/tm-report/command.h"
#include "tools/tm-report/report_run.h"

static bool check(struct tm_options *options)
{
    if (options->block_given && (options->limit_given || options->largest)) {
        return tm_misused(options, "--block is one block, so no --limit and no --largest");
    }
    if (options->since_fork) {
        return tm_misused(
            options, "single blocks do not say whether they were inherited; `tm-report traceback --since-fork` has "
                     "what is its own by traceback");
    }
    if (options->block_given) {
        options->group_by = TM_KEY_TRACEBACK;
    }
    return tm_check_rows(options);
}

/* What can be done depends on how the snapshot came to be. */
static bool say_without(const char *path, const struct tm_snapshot *snapshot)
{
    struct tm_span moment = tm_snapshot_bytes(snapshot, "moment");
    bool is_of_store = tm_span_is(moment, "tm-snap") || tm_span_is(moment, "live store");
    const char *what =
        tm_span_is(moment, "merge") ? "merged snapshots have no single blocks; ask one of those that were merged"
        : is_of_store ? "single blocks are not known outside of the process; run it with TRACEMALLOC_BLOCKS=1 and "
                        "take a snapshot that it writes itself"
                      : "has no single blocks; run the program with TRACEMALLOC_BLOCKS=1, or let it call "
                        "tracemalloc_take_snapshot_with_blocks";
    (void)fprintf(stderr, "tm-report: %s: %s\n", path, what);
    return false;
}

static bool say_none_there(const struct tm_options *options, const struct tm_block_rows *rows)
{
    const struct tm_block_record *below = tm_block_rows_below(rows, options->block);
    (void)fprintf(stderr, "tm-report: %s: no listed block has the address %#" PRIx64, options->files[0],
                  options->block);
    if (below != NULL) {
        (void)fprintf(stderr, "; the nearest below is %#" PRIx64 ", of %" PRIu64 " bytes", below->address, below->size);
    }
    (void)fputs("\n", stderr);
    return false;
}

static bool render_one(struct tm_out *out, const struct tm_options *options, const struct tm_report *report,
                       const struct tm_block_rows *rows)
{
    const struct tm_block_record *block = tm_block_rows_at(rows, options->block);
    if (block == NULL) {
        return say_none_there(options, rows);
    }
    const struct tm_block_rows one = {&block, 1, block->size};
    bool memory =
        options->json ? tm_render_blocks_json(out, report, &one) : tm_render_block(out, report, block, options->block);
    return memory || tm_report_no_memory();
}

static bool render(struct tm_out *out, const struct tm_options *options, const struct tm_report *report)
{
    struct tm_block_rows rows;
    if (!tm_report_snapshot(report)->has_blocks) {
        return say_without(options->files[0], tm_report_snapshot(report));
    }
    enum tm_block_order order = options->largest ? TM_BLOCKS_BY_SIZE : TM_BLOCKS_BY_ADDRESS;
    if (!tm_block_rows_make(&rows, report->forest, &report->grouping, order, options->from_end)) {
        return tm_report_no_memory();
    }
    bool done = options->block_given ? render_one(out, options, report, &rows)
                : options->json      ? tm_render_blocks_json(out, report, &rows) || tm_report_no_memory()
                                     : tm_render_blocks(out, report, &rows) || tm_report_no_memory();
    tm_block_rows_free(&rows);
    return done;
}

static enum tm_exit run(const struct tm_options *options)
{
    const struct tm_report_plan plan = {.domains = TM_DOMAINS_HEAP, .render = render};
    return tm_report_run(options, &plan);
}

const struct tm_command tm_cmd_blocks = {
    .name = "blocks",
    .files = "SNAPSHOT",
    .summary = "single blocks: address, size, and where each was allocated",
    .words =
        "In order of address, unless --largest is given. The process must have written the snapshot with "
        "TRACEMALLOC_BLOCKS=1, or by tracemalloc_take_snapshot_with_blocks. The program's own mappings, in which other "
        "blocks may lie, are listed with --domain mmap.",
    .files_min = 1,
    .files_max = 1,
    .files_wrong = "one snapshot is needed",
    .groups = {&tm_block_options, &tm_limit_options, &tm_filter_options, &tm_fork_options, &tm_look_options,
               &tm_source_options, &tm_symbol_options, &tm_frame_options, &tm_format_options},
    .examples = {{"blocks --largest 5 app.tms", "the five largest"},
                 {"blocks --block 0x7f3a10000040 app.tms", "who allocated what lies there"},
                 {"blocks -i '*/cache.py:12' -n 0 app.tms", "every block of one line"},
                 {"blocks --format json app.tms", "for a program"}},
    .check = check,
    .run = run,
};
