/* SPDX-License-Identifier: MIT */
#include "report/render/render_stats.h"

#include "base/sample_chance.h"
#include "report/snapshot/snapshot.h"
#include "report/render/json_snapshot.h"
#include "report/render/render_account.h"
#include "report/render/sample_margin.h"
#include "report/render/size_text.h"
#include "report/render/text_frame.h"
#include "report/snapshot/snapshot_totals.h"

static void print_domains(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    uint64_t rate = tm_sample_rate(snapshot);
    tm_out_format(out, "%-8s  %10s%s  %13s  %10s  %15s\n", "DOMAIN", "LIVE", rate > 0 ? "       +-95%" : "", "BLOCKS",
                  "EVER", "BLOCKS");
    for (int i = 0; i < TM_DOMAIN_COUNT; i++) {
        struct tm_domain_total total = tm_snapshot_domain_total(snapshot, (enum tm_domain)i);
        double margin = i == TM_DOMAIN_MMAP /* never sampled */
                            ? 0
                            : tm_sample_margin((double)total.live_bytes, (double)total.live_blocks, (double)rate);
        tm_out_format(out, "%-8s  %10s", tm_domain_name((enum tm_domain)i),
                      tm_size_for_people((double)total.live_bytes, false).text);
        if (rate > 0) {
            tm_out_format(out, "  %10s", tm_size_for_people(margin, false).text);
        }
        tm_out_format(out, "  %13s  %10s  %15s\n", tm_count_for_people(total.live_blocks).text,
                      tm_size_for_people((double)total.ever_bytes, false).text,
                      tm_count_for_people(total.ever_blocks).text);
    }
}

static void print_ranges(struct tm_out *out, uint64_t bytes, uint64_t ranges, const char *what)
{
    if (ranges > 0) {
        tm_out_format(out, "beside mmap's blocks: %s ", tm_size_for_people((double)bytes, false).text);
        tm_out_format(out, "%s in %s range%s\n", what, tm_count_for_people(ranges).text, ranges == 1 ? "" : "s");
    }
}

/* What the program mapped that is no memory of its own: in no figure of blocks. */
static void print_other_maps(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    print_ranges(out, tm_snapshot_number(snapshot, "map_reserved", 0),
                 tm_snapshot_number(snapshot, "map_reserved_ranges", 0), "of addresses reserved without rights");
    print_ranges(out, tm_snapshot_number(snapshot, "map_file", 0), tm_snapshot_number(snapshot, "map_file_ranges", 0),
                 "of files");
}

/* The power of two that a class is shown under; UINT64_MAX is what has no bound. */
static uint64_t rounded_bound(uint64_t bound)
{
    uint64_t power = 16;
    while (power < bound && power <= UINT64_MAX / 2) {
        power *= 2;
    }
    return power < bound ? UINT64_MAX : power;
}

static void print_size(struct tm_out *out, const struct tm_size_class_record *size)
{
    struct tm_size_text bound = tm_size_for_people((double)size->bound, false);
    tm_out_format(out, "%-8s  %10s  %13s  %15s\n", tm_domain_name((enum tm_domain)size->domain),
                  size->bound == UINT64_MAX ? "larger" : bound.text, tm_count_for_people(size->live_blocks).text,
                  tm_count_for_people(size->ever_blocks).text);
}

/* Neighbours of one power of two are one line. */
static void print_sizes(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    if (snapshot->size_count == 0) {
        return;
    }
    tm_out_format(out, "\n%-8s  %10s  %13s  %15s\n", "DOMAIN", "UP TO", "LIVE BLOCKS", "BLOCKS EVER");
    struct tm_size_class_record line = {0};
    for (size_t i = 0; i < snapshot->size_count; i++) {
        const struct tm_size_class_record *size = &snapshot->sizes[i];
        uint64_t bound = rounded_bound(size->bound);
        if (i > 0 && (size->domain != line.domain || bound != line.bound)) {
            print_size(out, &line);
            line = (struct tm_size_class_record){0};
        }
        line.domain = size->domain;
        line.bound = bound;
        line.live_blocks += size->live_blocks;
        line.ever_blocks += size->ever_blocks;
    }
    print_size(out, &line);
}

/* What tracing takes, and of what it is made: the table of live blocks, and all else, which grows with the
 * tracebacks. */
static void print_tracer(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    uint64_t tracer = tm_snapshot_number(snapshot, "tracer_bytes", 0);
    uint64_t table = tm_snapshot_number(snapshot, "tracer_block_table", 0);
    uint64_t tracebacks = snapshot->traceback_count - 1;
    uint64_t blocks = 0;
    for (int i = 0; i < TM_DOMAIN_COUNT; i++) {
        blocks += tm_snapshot_domain_total(snapshot, (enum tm_domain)i).live_blocks;
    }
    if (tracer > 0) {
        tm_out_format(out, "; the tracer itself used %s", tm_size_for_people((double)tracer, false).text);
    }
    if (table > 0 && table <= tracer && !snapshot->is_since_fork && blocks > 0 && tracebacks > 0) {
        tm_out_format(out, ": %.1f bytes per live block", (double)table / (double)blocks);
        tm_out_format(out, ", all else %.0f bytes per traceback", (double)(tracer - table) / (double)tracebacks);
    }
}

void tm_render_stats_text(struct tm_out *out, const struct tm_report *report)
{
    const struct tm_snapshot *snapshot = tm_report_snapshot(report);
    tm_print_contexts(out, report);
    print_domains(out, snapshot);
    if (!snapshot->is_since_fork) {
        print_other_maps(out, snapshot);
    }
    print_sizes(out, snapshot);
    tm_render_account_text(out, snapshot);
    tm_out_format(out, "\n%s tracebacks, ", tm_count_for_people(snapshot->traceback_count - 1).text);
    tm_out_format(out, "%s frames, ", tm_count_for_people(snapshot->frame_count - 1).text);
    tm_out_format(out, "%s counters", tm_count_for_people(snapshot->counter_count).text);
    print_tracer(out, snapshot);
    tm_out_text(out, "\n");
    tm_print_notes(out, report);
    if (snapshot->is_since_fork) {
        tm_out_text(out,
                    "note: sizes of blocks, mappings and resident memory are not told apart, so they are left out\n");
    }
}

void tm_render_stats_json(struct tm_out *out, const struct tm_report *report)
{
    const struct tm_snapshot *snapshot = tm_report_snapshot(report);
    tm_out_text(out, "{\"snapshot\": ");
    tm_json_snapshot(out, snapshot, report->paths[tm_report_snapshot_number(report)]);
    tm_out_format(out, ",\n \"recorded\": {\"tracebacks\": %u, \"frames\": %u, \"counters\": %zu},\n \"ever\": {",
                  (unsigned)snapshot->traceback_count - 1, (unsigned)snapshot->frame_count - 1,
                  snapshot->counter_count);
    for (int i = 0; i < TM_DOMAIN_COUNT; i++) {
        struct tm_domain_total total = tm_snapshot_domain_total(snapshot, (enum tm_domain)i);
        tm_out_format(out, "%s\"%s\": {\"size\": %llu, \"count\": %llu}", i > 0 ? ", " : "",
                      tm_domain_name((enum tm_domain)i), (unsigned long long)total.ever_bytes,
                      (unsigned long long)total.ever_blocks);
    }
    tm_out_text(out, "},\n \"sizes\": [");
    for (size_t i = 0; i < snapshot->size_count; i++) {
        const struct tm_size_class_record *size = &snapshot->sizes[i];
        tm_out_format(out, "%s{\"domain\": \"%s\", \"up_to\": %llu, \"live\": %llu, \"ever\": %llu}",
                      i > 0 ? ",\n  " : "\n  ", tm_domain_name((enum tm_domain)size->domain),
                      (unsigned long long)size->bound, (unsigned long long)size->live_blocks,
                      (unsigned long long)size->ever_blocks);
    }
    tm_out_text(out, "]");
    tm_render_account_json(out, snapshot);
    tm_out_text(out, "}\n");
}
