/* SPDX-License-Identifier: MIT */
/* Any bytes: the loader refuses them or makes a model that every report can be made of, and that is the same after it
 * was encoded and loaded once more.  Inputs are tried as they are, and with checksums made right, so that what lies
 * behind the checksums is reached too. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "fuzz/fuzz_target.h"
#include "report/render/export.h"
#include "report/render/page_data.h"
#include "report/render/render_blocks.h"
#include "report/render/render_json.h"
#include "report/render/render_stats.h"
#include "report/render/render_text.h"
#include "report/render/render_tree.h"
#include "report/render/render_tracemalloc.h"
#include "report/snapshot/since_fork.h"
#include "report/snapshot/snapshot_load.h"
#include "report/snapshot/snapshot_write.h"
#include "report/stat/merge.h"
#include "support/snapshot_copy.h"

static void check(bool fact)
{
    if (!fact) {
        abort();
    }
}

static void write_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t read_u64(const uint8_t *at)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

static void write_u64(uint8_t *at, uint64_t value)
{
    write_u32(at, (uint32_t)value);
    write_u32(at + 4, (uint32_t)(value >> 32));
}

/* The directory entry becomes true of the bytes from OFFSET on, at most LEFT of them; returns how many it takes. */
static size_t repair_section(uint8_t *entry, const uint8_t *bytes, size_t offset, size_t left, bool last)
{
    uint64_t wanted = read_u64(entry + 16);
    size_t stored = last || wanted > left ? left : (size_t)wanted;
    write_u64(entry + 8, offset);
    write_u64(entry + 16, stored);
    entry[5] = entry[6] = entry[7] = 0;
    if (entry[4] == TM_CODEC_STORED) {
        write_u64(entry + 24, stored);
    }
    write_u32(entry + 40, tm_crc32c(0, bytes + offset, stored));
    return stored;
}

/* Makes magic, version, section count, places and checksums right. */
static void repair(uint8_t *bytes, size_t size)
{
    if (size < TM_SNAPSHOT_HEAD_SIZE) {
        return;
    }
    memcpy(bytes, TM_SNAPSHOT_MAGIC, TM_SNAPSHOT_MAGIC_SIZE);
    write_u32(bytes + 8, TM_SNAPSHOT_VERSION);
    write_u32(bytes + 12, 0);
    size_t count = bytes[16] % (TM_SECTION_INHERITED + 2), directory = count * TM_SNAPSHOT_SECTION_SIZE;
    write_u32(bytes + 16, (uint32_t)count);
    if (size < TM_SNAPSHOT_HEAD_SIZE + directory) {
        return;
    }
    size_t end = TM_SNAPSHOT_HEAD_SIZE + directory;
    for (size_t i = 0; i < count; i++) {
        uint8_t *entry = bytes + TM_SNAPSHOT_HEAD_SIZE + i * TM_SNAPSHOT_SECTION_SIZE;
        end += repair_section(entry, bytes, end, size - end, i + 1 == count);
    }
    uint32_t checksum = tm_crc32c(0, bytes, TM_SNAPSHOT_HEAD_SIZE - 4);
    write_u32(bytes + 20, tm_crc32c(checksum, bytes + TM_SNAPSHOT_HEAD_SIZE, directory));
}

static void render_blocks(struct tm_out *out, const struct tm_report *report)
{
    struct tm_block_rows rows;
    check(tm_block_rows_make(&rows, report->forest, &report->grouping, TM_BLOCKS_BY_ADDRESS, false));
    for (size_t i = 0; i < rows.count && i < 3; i++) {
        const struct tm_block_record *block = rows.blocks[i];
        const struct tm_block_record *found = tm_block_rows_at(&rows, block->address);
        check(found != NULL && found->address == block->address && found->size <= block->size);
        check(tm_render_block(out, report, found, block->address));
    }
    check(tm_render_blocks(out, report, &rows) && tm_render_blocks_json(out, report, &rows));
    tm_block_rows_free(&rows);
}

static void render_all(struct tm_report *report)
{
    char *text = NULL;
    size_t length = 0;
    struct tm_out out = {.stream = open_memstream(&text, &length)};
    check(out.stream != NULL);
    check(tm_render_text(&out, report));
    check(tm_render_text_tracebacks(&out, report));
    check(tm_render_tracemalloc(&out, report));
    check(tm_render_json(&out, report));
    check(tm_render_tree(&out, report));
    render_blocks(&out, report);
    tm_render_stats_text(&out, report);
    tm_render_stats_json(&out, report);
    check(fclose(out.stream) == 0);
    free(text);
}

/* A pickle has an item for each block, so only of few. */
#define PICKLED_MAX 100000U

static void export_all(const struct tm_report *report)
{
    char *text = NULL;
    size_t length = 0;
    struct tm_out out = {.stream = open_memstream(&text, &length)};
    const struct tm_snapshot *snapshot = tm_report_snapshot(report);
    const struct tm_page page = {.snapshots = &snapshot, .paths = report->paths, .count = 1};
    check(out.stream != NULL);
    check(tm_export_speedscope(&out, report) == TM_STATUS_OK);
    check(tm_export_pprof(&out, report) == TM_STATUS_OK);
    check(tm_page_data(&out, &page));
    if (report->total.count < PICKLED_MAX) {
        check(tm_export_pickle(&out, report) == TM_STATUS_OK);
    }
    check(fclose(out.stream) == 0);
    free(text);
}

static void report_all(const struct tm_snapshot *snapshot)
{
    const struct tm_snapshot *const snapshots[2] = {snapshot, snapshot};
    struct tm_forest *forest = tm_forest_build(snapshots, 2);
    check(forest != NULL);
    for (int key = TM_KEY_FILENAME; key <= TM_KEY_DOMAIN; key++) {
        for (int cumulative = TM_CUMULATIVE_OFF; cumulative <= TM_CUMULATIVE_STDLIB; cumulative++) {
            if ((key == TM_KEY_TRACEBACK || key == TM_KEY_DOMAIN) && cumulative != TM_CUMULATIVE_OFF) {
                continue;
            }
            static const char *const paths[] = {"old", "new"};
            struct tm_report report = {.forest = forest, .paths = paths, .limit = 20, .width = 80};
            report.grouping = (struct tm_grouping){.key_type = (enum tm_key_type)key,
                                                   .cumulative = (enum tm_cumulative)cumulative,
                                                   .domains = TM_DOMAINS_HEAP};
            report.is_diff = true;
            check(tm_forest_number_keys(forest, report.grouping.key_type));
            check(tm_group_differences(forest, &report.grouping, &report.statistics));
            for (size_t i = 0; i < report.statistics.count; i++) {
                check(report.statistics.items[i].size_diff == 0 && report.statistics.items[i].count_diff == 0);
            }
            report.order = (struct tm_order){
                .sort = TM_SORT_DIFFERENCE, .is_diff = true, .recent_first = cumulative == TM_CUMULATIVE_STDLIB};
            tm_statistics_sort(&report.statistics, report.order);
            report.total = report.old_total = tm_group_total(forest, 1, &report.grouping);
            render_all(&report);
            if (key == TM_KEY_TRACEBACK) {
                export_all(&report);
            }
            tm_statistics_free(&report.statistics);
        }
    }
    tm_forest_free(forest);
}

/* Two of a snapshot in one file are twice what it counts, unless that is more than a file may say. */
static void merge_twice(const struct tm_snapshot *snapshot)
{
    const struct tm_snapshot *const snapshots[2] = {snapshot, snapshot};
    struct tm_forest *forest = tm_forest_build(snapshots, 2);
    check(forest != NULL);
    struct tm_snapshot *merged = tm_merge(forest), *again;
    size_t size = 0;
    uint8_t *bytes = NULL;
    struct tm_fault fault;
    check(merged != NULL && tm_snapshot_write(merged, TM_CODEC_STORED, &bytes, &size) == TM_STATUS_OK);
    if (tm_snapshot_load(bytes, size, &again, &fault) == TM_STATUS_OK) {
        check(tm_snapshot_is_same(merged, again));
        struct tm_grouping grouping = {.domains = TM_DOMAINS_HEAP, .key_type = TM_KEY_LINENO};
        struct tm_forest *one = tm_forest_build((const struct tm_snapshot *const[]){again}, 1);
        check(one != NULL);
        check(tm_group_total(one, 0, &grouping).size == 2 * tm_group_total(forest, 0, &grouping).size);
        tm_forest_free(one);
        tm_snapshot_free(again);
    }
    free(bytes);
    tm_snapshot_free(merged);
    tm_forest_free(forest);
}

static void add_blocks(const struct tm_counter_record *counters, size_t count, uint64_t sums[2])
{
    for (size_t i = 0; i < count; i++) {
        sums[0] += counters[i].live_blocks;
        sums[1] += counters[i].ever_blocks;
    }
}

/* What is left of a forked process's blocks and what it inherited are all that it had. */
static void take_fork(struct tm_snapshot *snapshot)
{
    uint64_t all[2] = {0, 0}, parts[2] = {0, 0};
    if (!tm_snapshot_was_forked(snapshot)) {
        return;
    }
    add_blocks(snapshot->counters, snapshot->counter_count, all);
    add_blocks(snapshot->inherited, snapshot->inherited_count, parts);
    check(tm_snapshot_make_since_fork(snapshot));
    add_blocks(snapshot->counters, snapshot->counter_count, parts);
    check(all[0] == parts[0] && all[1] == parts[1]);
    report_all(snapshot);
}

static void load_again(const struct tm_snapshot *snapshot)
{
    size_t size;
    struct tm_fault fault;
    struct tm_snapshot *again;
    uint8_t *bytes = tm_snapshot_copy(snapshot, &size);
    check(tm_snapshot_load(bytes, size, &again, &fault) == TM_STATUS_OK);
    check(tm_snapshot_is_same(snapshot, again));
    tm_snapshot_free(again);
    free(bytes);
}

static void try(const uint8_t *data, size_t size)
{
    struct tm_fault fault = {.offset = UINT64_MAX};
    struct tm_snapshot *snapshot;
    enum tm_status status = tm_snapshot_load(data, size, &snapshot, &fault);
    if (status != TM_STATUS_OK) {
        check(snapshot == NULL && fault.offset <= size && memchr(fault.what, '\0', sizeof fault.what) != NULL);
        return;
    }
    load_again(snapshot);
    merge_twice(snapshot);
    report_all(snapshot);
    take_fork(snapshot);
    tm_snapshot_free(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try(data, size);
    uint8_t *repaired = malloc(size + 1);
    check(repaired != NULL);
    memcpy(repaired, data, size);
    repair(repaired, size);
    try(repaired, size);
    free(repaired);
    return 0;
}
