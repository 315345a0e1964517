/* SPDX-License-Identifier: MIT */
#include "report/render/text_row.h"

#include <stdlib.h>
#include <string.h>

#include "report/render/key_frames.h"

/* What a row knows beside its statistic, by key. */
struct companions {
    struct tm_amount *live;
    struct tm_amount *native;
};

static bool companions_make(struct companions *companions, const struct tm_report *report)
{
    struct tm_grouping live = report->grouping, native = report->grouping;
    live.figure = TM_FIGURE_LIVE;
    native.domains &= ~TM_DOMAINS_PYTHON;
    unsigned snapshot = tm_report_snapshot_number(report);
    companions->live = tm_group_sums(report->forest, snapshot, &live);
    companions->native = tm_group_sums(report->forest, snapshot, &native);
    return companions->live != NULL && companions->native != NULL;
}

static void companions_free(struct companions *companions)
{
    free(companions->live);
    free(companions->native);
}

static bool starts_with(struct tm_span text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.bytes, prefix, length) == 0;
}

/* What no line of a program asked for: the import system, and what had no Python frame. */
static bool is_start_up(const struct tm_report *report, uint32_t key)
{
    struct tm_span file = tm_key_recent_frame(report->forest, report->grouping.key_type, key).filename;
    if (tm_span_is(file, TM_UNKNOWN_NAME)) {
        return report->grouping.cumulative == TM_CUMULATIVE_OFF;
    }
    return starts_with(file, "<frozen ") ||
           (file.length > 0 && memmem(file.bytes, file.length, "/importlib/", strlen("/importlib/")) != NULL);
}

static struct tm_text_row row_of(const struct tm_report *report, const struct companions *companions,
                                 const struct tm_statistic *statistic)
{
    struct tm_text_row row = {.statistic = *statistic,
                              .live = companions->live[statistic->key],
                              .native_size = companions->native[statistic->key].size};
    if (report->series != NULL) {
        row.slope = tm_series_slope(report->series, statistic->key);
        row.grew = tm_series_grew(report->series, statistic->key);
    }
    return row;
}

static void fold_into(struct tm_text_row *folded, const struct tm_text_row *row)
{
    if (folded->places++ == 0) {
        folded->statistic.key = row->statistic.key;
    }
    folded->statistic.size += row->statistic.size;
    folded->statistic.count += row->statistic.count;
    folded->statistic.size_diff = tm_add_wrapping(folded->statistic.size_diff, row->statistic.size_diff);
    folded->statistic.count_diff = tm_add_wrapping(folded->statistic.count_diff, row->statistic.count_diff);
    folded->live.size += row->live.size;
    folded->live.count += row->live.count;
    folded->native_size += row->native_size;
    folded->slope += row->slope;
}

static void insert_in_order(struct tm_text_rows *rows, const struct tm_report *report, const struct tm_text_row *row)
{
    size_t place = 0;
    while (place < rows->count &&
           tm_statistic_compare(&rows->rows[place].statistic, &row->statistic, report->order) >= 0) {
        place++;
    }
    memmove(&rows->rows[place + 1], &rows->rows[place], (rows->count - place) * sizeof *rows->rows);
    rows->rows[place] = *row;
    rows->count++;
}

static bool is_unchanged(const struct tm_report *report, const struct tm_text_row *row)
{
    return report->is_diff && !report->all && row->statistic.size_diff == 0 && row->statistic.count_diff == 0;
}

bool tm_text_rows_make(struct tm_text_rows *rows, const struct tm_report *report)
{
    const struct tm_grouping *grouping = &report->grouping;
    bool folding = !report->all && grouping->key_type != TM_KEY_TRACEBACK && grouping->key_type != TM_KEY_MODULE;
    bool cumulative = grouping->cumulative != TM_CUMULATIVE_OFF;
    struct companions companions;
    rows->count = rows->unchanged = rows->imports = 0;
    rows->rows = calloc(report->statistics.count + 1, sizeof *rows->rows);
    bool memory = companions_make(&companions, report) && rows->rows != NULL;
    struct tm_text_row folded = {.places = 0};
    for (size_t i = 0; memory && i < report->statistics.count; i++) {
        struct tm_text_row row = row_of(report, &companions, &report->statistics.items[i]);
        if (is_unchanged(report, &row)) {
            rows->unchanged++;
        } else if (folding && is_start_up(report, row.statistic.key)) {
            rows->imports += cumulative;
            if (!cumulative) {
                fold_into(&folded, &row);
            }
        } else {
            rows->rows[rows->count++] = row;
        }
    }
    if (folded.places > 0) {
        insert_in_order(rows, report, &folded);
    }
    companions_free(&companions);
    return memory;
}

void tm_text_rows_free(struct tm_text_rows *rows)
{
    free(rows->rows);
    *rows = (struct tm_text_rows){NULL, 0, 0, 0};
}
