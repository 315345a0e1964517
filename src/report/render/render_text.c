/* SPDX-License-Identifier: MIT */
#include "report/render/render_text.h"

#include <string.h>

#include "report/render/key_frames.h"
#include "report/render/location_text.h"
#include "report/render/sample_margin.h"
#include "report/render/size_text.h"
#include "report/render/text_frame.h"
#include "report/render/text_row.h"

#define COLUMN_MAX    8U
#define GAP           2U
#define LOCATION_MIN  30U
#define CALLERS_SHOWN 3U
#define SOURCE_INDENT 2U
#define BAR_WIDTH     10U

#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

enum column {
    COLUMN_SIZE,
    COLUMN_SHARE,
    COLUMN_BAR,
    COLUMN_LIVE,
    COLUMN_COUNT,
    COLUMN_AVERAGE,
    COLUMN_SIZE_DIFF,
    COLUMN_COUNT_DIFF,
    COLUMN_SLOPE,
    COLUMN_MARGIN, /* of the column before it */
};

/* The columns left of the location, with their widths. */
struct table {
    const struct tm_report *report;
    struct tm_source_cache sources;
    enum column columns[COLUMN_MAX];
    unsigned count;
    size_t widths[COLUMN_MAX];
};

static const char *title_of(const struct table *table, enum column column)
{
    static const char *const titles[] = {
        [COLUMN_SIZE] = "SIZE",           [COLUMN_SHARE] = "SHARE",           [COLUMN_BAR] = "",
        [COLUMN_LIVE] = "LIVE",           [COLUMN_COUNT] = "COUNT",           [COLUMN_AVERAGE] = "AVERAGE",
        [COLUMN_SIZE_DIFF] = "SIZE DIFF", [COLUMN_COUNT_DIFF] = "COUNT DIFF", [COLUMN_SLOPE] = "PER HOUR",
        [COLUMN_MARGIN] = "+-95%"};
    if (column == COLUMN_SIZE && table->report->grouping.figure == TM_FIGURE_TEMPORARY) {
        return "SIZE (EST.)";
    }
    return column == COLUMN_SIZE && table->report->by_peak ? "PEAK" : titles[column];
}

static struct tm_size_text share_text(uint64_t part, uint64_t whole)
{
    struct tm_size_text text;
    (void)snprintf(text.text, sizeof text.text, "%.1f%%", whole > 0 ? (double)part * 100 / (double)whole : 0.0);
    return text;
}

static struct tm_size_text cell(const struct table *table, enum column column, const struct tm_text_row *row)
{
    const struct tm_statistic *s = &row->statistic;
    switch (column) {
    case COLUMN_SHARE:
        return share_text(s->size, table->report->total.size);
    case COLUMN_LIVE:
        return tm_size_for_people((double)row->live.size, false);
    case COLUMN_COUNT:
        return tm_count_for_people(s->count);
    case COLUMN_AVERAGE:
        return tm_size_for_people(s->count > 0 ? (double)s->size / (double)s->count : 0, false);
    case COLUMN_SIZE_DIFF:
        return tm_size_for_people((double)s->size_diff, true);
    case COLUMN_MARGIN:
        return tm_size_for_people(tm_row_margin(table->report, s), false);
    case COLUMN_SLOPE:
        return tm_size_for_people(row->slope, true);
    case COLUMN_COUNT_DIFF:
        return tm_count_difference_for_people(s->count_diff);
    default:
        return tm_size_for_people((double)s->size, false);
    }
}

static bool is_hidden(const struct table *table, enum column column)
{
    unsigned hidden = table->report->hidden;
    switch (column) {
    case COLUMN_COUNT:
    case COLUMN_COUNT_DIFF:
        return (hidden & TM_HIDE_COUNT) != 0;
    case COLUMN_AVERAGE:
        return (hidden & TM_HIDE_AVERAGE) != 0;
    case COLUMN_SIZE:
    case COLUMN_SHARE:
    case COLUMN_BAR:
    case COLUMN_LIVE:
    case COLUMN_SIZE_DIFF:
    case COLUMN_SLOPE:
    case COLUMN_MARGIN:
        return (hidden & TM_HIDE_SIZE) != 0;
    }
    return false;
}

static void add_column(struct table *table, enum column column)
{
    if (is_hidden(table, column)) {
        return;
    }
    table->widths[table->count] = column == COLUMN_BAR ? BAR_WIDTH : strlen(title_of(table, column));
    table->columns[table->count++] = column;
}

static void add_margin(struct table *table)
{
    if (tm_report_is_sampled(table->report)) {
        add_column(table, COLUMN_MARGIN);
    }
}

static void choose_columns(struct table *table)
{
    if (table->report->is_diff) {
        add_column(table, COLUMN_SIZE_DIFF);
        add_margin(table);
        if (table->report->series != NULL && tm_series_is_timed(table->report->series)) {
            add_column(table, COLUMN_SLOPE);
        }
        add_column(table, COLUMN_SIZE);
        add_column(table, COLUMN_COUNT_DIFF);
        add_column(table, COLUMN_COUNT);
        return;
    }
    add_column(table, COLUMN_SIZE);
    add_margin(table);
    add_column(table, COLUMN_SHARE);
    if (table->report->bars) {
        add_column(table, COLUMN_BAR);
    }
    if (table->report->by_peak) {
        add_column(table, COLUMN_LIVE);
    }
    add_column(table, COLUMN_COUNT);
    add_column(table, COLUMN_AVERAGE);
}

static void measure(struct table *table, const struct tm_text_row *row)
{
    for (unsigned i = 0; i < table->count; i++) {
        if (table->columns[i] == COLUMN_BAR) {
            continue;
        }
        size_t length = strlen(cell(table, table->columns[i], row).text);
        table->widths[i] = length > table->widths[i] ? length : table->widths[i];
    }
}

static const char *color_of(const struct table *table, enum column column, const struct tm_statistic *statistic)
{
    if (!table->report->color || column != COLUMN_SIZE_DIFF || statistic->size_diff == 0) {
        return NULL;
    }
    return statistic->size_diff > 0 ? RED : GREEN;
}

/* Eighths of a column, where there are characters for them. */
static void print_bar(struct tm_out *out, const struct tm_report *report, uint64_t part)
{
    static const char *const eighths[] = {"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589"};
    double share = report->total.size > 0 ? (double)part / (double)report->total.size : 0;
    unsigned filled = (unsigned)((share < 1 ? share : 1) * BAR_WIDTH * 8 + 0.5), rest = filled % 8;
    for (unsigned i = 0; i < filled / 8; i++) {
        tm_out_text(out, report->plain ? "#" : "\u2588");
    }
    tm_out_text(out, report->plain ? "" : eighths[rest]);
    tm_out_repeat(out, ' ', BAR_WIDTH - filled / 8 - (!report->plain && rest > 0));
}

static void print_cells(struct tm_out *out, const struct table *table, const struct tm_text_row *row)
{
    for (unsigned i = 0; i < table->count; i++) {
        if (table->columns[i] == COLUMN_BAR) {
            tm_out_repeat(out, ' ', GAP);
            print_bar(out, table->report, row->statistic.size);
            continue;
        }
        struct tm_size_text text = cell(table, table->columns[i], row);
        const char *color = color_of(table, table->columns[i], &row->statistic);
        tm_out_repeat(out, ' ', (i > 0 ? GAP : 0) + table->widths[i] - strlen(text.text));
        tm_out_text(out, color != NULL ? color : "");
        tm_out_text(out, text.text);
        tm_out_text(out, color != NULL ? PLAIN : "");
    }
    tm_out_repeat(out, ' ', GAP);
}

static size_t location_indent(const struct table *table)
{
    size_t indent = 0;
    for (unsigned i = 0; i < table->count; i++) {
        indent += table->widths[i] + GAP;
    }
    return indent;
}

static size_t location_width(const struct table *table)
{
    size_t indent = location_indent(table), width = table->report->width;
    if (width == SIZE_MAX) {
        return SIZE_MAX;
    }
    return width > indent + LOCATION_MIN ? width - indent : LOCATION_MIN;
}

static void print_titles(struct tm_out *out, const struct table *table)
{
    tm_out_text(out, table->report->color ? BOLD : "");
    for (unsigned i = 0; i < table->count; i++) {
        const char *title = title_of(table, table->columns[i]);
        tm_out_repeat(out, ' ', (i > 0 ? GAP : 0) + table->widths[i] - strlen(title));
        tm_out_text(out, title);
    }
    tm_out_format(out, "  LOCATION%s\n", table->report->color ? PLAIN : "");
}

/* The frames that led to a traceback's own, the nearest ones. */
static void print_callers(struct tm_out *out, const struct table *table, uint32_t node)
{
    const struct tm_forest *forest = table->report->forest;
    uint32_t left = forest->nodes[node].depth - 1;
    for (unsigned i = 0; i < CALLERS_SHOWN && left > 0; i++, left--) {
        node = forest->nodes[node].parent;
        struct tm_key_frame frame = tm_key_recent_frame(forest, TM_KEY_TRACEBACK, node);
        tm_out_repeat(out, ' ', location_indent(table));
        tm_out_text(out, "from ");
        tm_print_location(out, &frame, true, location_width(table) == SIZE_MAX ? SIZE_MAX : location_width(table) - 5,
                          table->report->path_parts);
        tm_out_text(out, "\n");
    }
    if (left > 0) {
        tm_out_repeat(out, ' ', location_indent(table));
        tm_out_format(out, "and %u older frame%s\n", (unsigned)left, left == 1 ? "" : "s");
    }
}

static size_t marks_width(bool native, bool grew)
{
    return (native ? strlen("  [native]") : 0) + (grew ? strlen("  [leak?]") : 0);
}

/* What stands there, if the file is there. */
static void print_source(struct tm_out *out, struct table *table, const struct tm_key_frame *frame)
{
    if (table->report->sources.left_out) {
        return;
    }
    struct tm_span line = tm_source_line(&table->sources, frame->filename, frame->line);
    const char *mark = table->sources.changed ? "  (changed since)" : "";
    size_t width = location_width(table), taken = SOURCE_INDENT + strlen(mark);
    if (line.length > 0) {
        tm_out_repeat(out, ' ', location_indent(table) + SOURCE_INDENT);
        tm_print_text(out, width != SIZE_MAX && width > taken ? tm_cut_text(line, width - taken) : line);
        tm_out_format(out, "%s\n", mark);
    }
}

static void print_location(struct tm_out *out, struct table *table, const struct tm_text_row *row)
{
    const struct tm_report *report = table->report;
    enum tm_key_type key_type = report->grouping.key_type;
    if (row->places > 0) {
        tm_out_format(out, "(imports and start-up)  %zu place%s, --all shows them\n", row->places,
                      row->places == 1 ? "" : "s");
        return;
    }
    struct tm_key_frame frame = tm_key_recent_frame(report->forest, key_type, row->statistic.key);
    if (tm_span_is(frame.filename, TM_UNKNOWN_NAME) && frame.line == 0) {
        tm_out_text(out, TM_UNKNOWN_NAME "  (no Python frame)");
    } else {
        bool native = row->native_size > row->statistic.size / 2 && report->grouping.domains & TM_DOMAINS_PYTHON &&
                      key_type != TM_KEY_DOMAIN;
        size_t width = location_width(table);
        tm_print_location(out, &frame, tm_key_has_line(key_type),
                          width != SIZE_MAX ? width - marks_width(native, row->grew) : width, report->path_parts);
        tm_out_text(out, native ? "  [native]" : "");
        tm_out_text(out, row->grew ? "  [leak?]" : "");
    }
    tm_out_text(out, "\n");
    if (tm_key_has_line(key_type)) {
        print_source(out, table, &frame);
    }
    if (key_type == TM_KEY_TRACEBACK) {
        print_callers(out, table, row->statistic.key);
    }
}

/* The rows from FIRST on as one. */
static struct tm_text_row sum_of(const struct tm_text_rows *rows, size_t first)
{
    struct tm_text_row sum = {.places = rows->count - first};
    for (size_t i = first; i < rows->count; i++) {
        const struct tm_statistic *s = &rows->rows[i].statistic;
        sum.statistic.size += s->size;
        sum.statistic.count += s->count;
        sum.statistic.size_diff = tm_add_wrapping(sum.statistic.size_diff, s->size_diff);
        sum.statistic.count_diff = tm_add_wrapping(sum.statistic.count_diff, s->count_diff);
        sum.live.size += rows->rows[i].live.size;
        sum.slope += rows->rows[i].slope;
    }
    return sum;
}

static struct tm_text_row total_of(const struct tm_report *report, const struct tm_text_rows *rows)
{
    struct tm_text_row total = sum_of(rows, 0);
    total.statistic = tm_report_total(report);
    total.slope = report->series != NULL ? tm_series_total_slope(report->series) : 0;
    return total;
}

static void print_rest(struct tm_out *out, const struct table *table, const struct tm_text_row *rest)
{
    if (rest->places == 0) {
        return;
    }
    if (table->report->grouping.cumulative != TM_CUMULATIVE_OFF) {
        tm_out_repeat(out, ' ', location_indent(table));
    } else {
        print_cells(out, table, rest);
    }
    tm_out_format(out, "(%zu more row%s, --limit 0 shows all)\n", rest->places, rest->places == 1 ? "" : "s");
}

static void print_left_out(struct tm_out *out, size_t count, const char *which)
{
    if (count > 0) {
        tm_out_format(out, "%zu row%s %s left out, --all shows them\n", count, count == 1 ? "" : "s", which);
    }
}

static void print_too_small(struct tm_out *out, size_t count)
{
    if (count > 0) {
        tm_out_format(out, "%zu row%s below --min-size or --min-count left out\n", count, count == 1 ? "" : "s");
    }
}

static void print_suspects(struct tm_out *out, const struct tm_report *report, const struct tm_text_rows *rows)
{
    size_t suspects = 0;
    for (size_t i = 0; i < rows->count; i++) {
        suspects += rows->rows[i].grew;
    }
    if (suspects > 0) {
        tm_out_format(out, "[leak?]: grew from each of the %u snapshots to the next: %zu row%s\n",
                      report->series->count, suspects, suspects == 1 ? "" : "s");
    }
}

static void print_table(struct tm_out *out, struct table *table, const struct tm_text_rows *rows)
{
    const struct tm_report *report = table->report;
    size_t shown = report->limit < rows->count ? report->limit : rows->count;
    struct tm_text_row rest = sum_of(rows, shown), total = total_of(report, rows);
    choose_columns(table);
    for (size_t i = 0; i < shown; i++) {
        measure(table, &rows->rows[i]);
    }
    measure(table, &total);
    if (rest.places > 0 && report->grouping.cumulative == TM_CUMULATIVE_OFF) {
        measure(table, &rest);
    }
    print_titles(out, table);
    for (size_t i = 0; i < shown; i++) {
        print_cells(out, table, &rows->rows[i]);
        print_location(out, table, &rows->rows[i]);
    }
    print_rest(out, table, &rest);
    print_cells(out, table, &total);
    tm_out_text(out, "total\n");
    print_suspects(out, report, rows);
    print_too_small(out, report->too_small);
    print_left_out(out, rows->unchanged, "without a difference");
    print_left_out(out, rows->imports, "of imports and start-up");
}

bool tm_render_text(struct tm_out *out, const struct tm_report *report)
{
    struct tm_text_rows rows;
    struct table table = {.report = report, .sources = tm_report_source_cache(report)};
    bool memory = tm_text_rows_make(&rows, report);
    if (memory) {
        tm_print_contexts(out, report);
        tm_print_by_peak(out, report);
        print_table(out, &table, &rows);
        tm_print_notes(out, report);
    }
    tm_source_cache_free(&table.sources);
    tm_text_rows_free(&rows);
    return memory;
}
