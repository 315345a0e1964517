/* SPDX-License-Identifier: MIT */
#include "report/render/render_watch.h"

#include <stdio.h>
#include <string.h>

#include "report/render/key_frames.h"
#include "report/render/location_text.h"
#include "report/render/sample_margin.h"
#include "report/render/size_text.h"
#include "report/snapshot/snapshot_totals.h"

#define SECOND 1e9
/* Program, totals, titles, four domains, an empty line, titles. */
#define LINES_ABOVE ((size_t)9)
#define LINE_WIDE   640U
/* Columns: from where on blocks are shown, of a path at least, of a line number with what stands round it. */
#define BLOCKS_WIDE      100U
#define PATH_WIDE        20U
#define LINE_NUMBER_WIDE 8U
#define REVERSE          "\x1b[7m"
#define PLAIN            "\x1b[m"

/* Seconds from one snapshot to another; 0 when they are one. */
static double seconds_between(const struct tm_snapshot *from, const struct tm_snapshot *to)
{
    uint64_t start = tm_snapshot_number(from, "time_ns", 0), end = tm_snapshot_number(to, "time_ns", 0);
    return end > start ? (double)(end - start) / SECOND : 0;
}

struct cell {
    char text[TM_SIZE_TEXT_CAPACITY + 8];
};

static struct cell size_cell(double bytes, bool sign)
{
    struct cell cell;
    (void)snprintf(cell.text, sizeof cell.text, "%s", tm_size_for_people(bytes, sign).text);
    return cell;
}

/* "-" where no time has passed. */
static struct cell rate_cell(uint64_t amount, double seconds, bool is_size)
{
    struct cell cell = {"-"};
    if (seconds > 0 && is_size) {
        (void)snprintf(cell.text, sizeof cell.text, "%s/s", tm_size_for_people((double)amount / seconds, false).text);
    } else if (seconds > 0) {
        uint64_t count = (uint64_t)((double)amount / seconds);
        (void)snprintf(cell.text, sizeof cell.text, "%s/s", tm_count_for_people(count).text);
    }
    return cell;
}

/* TEXT, all of it ASCII, cut to the width. */
static void print_line(struct tm_out *out, const struct tm_watch *watch, const char *text, bool reverse)
{
    size_t length = strnlen(text, watch->width);
    bool marked = reverse && watch->color;
    tm_out_text(out, marked ? REVERSE : "");
    tm_out_bytes(out, text, length);
    if (marked) {
        tm_out_repeat(out, ' ', watch->width - length);
        tm_out_text(out, PLAIN);
    }
    tm_out_text(out, watch->line_end);
}

static void print_program(struct tm_out *out, const struct tm_watch *watch)
{
    char head[64];
    size_t length = (size_t)snprintf(head, sizeof head, "tm-top - process %ld: ", watch->pid);
    struct tm_span command = {(const uint8_t *)watch->command, strlen(watch->command)};
    tm_out_text(out, head);
    tm_print_text(out, tm_cut_text(command, watch->width > length ? watch->width - length : 0));
    tm_out_text(out, watch->line_end);
}

static void print_totals(struct tm_out *out, const struct tm_watch *watch)
{
    struct tm_traced now = tm_snapshot_traced_heap(watch->now), first = tm_snapshot_traced_heap(watch->first);
    char line[LINE_WIDE];
    const bool is_sampled = tm_sample_rate(watch->now) > 0;
    (void)snprintf(line, sizeof line, "traced %s%s, peak %s, %s in %.0f s%s, skew %s",
                   size_cell((double)now.current, false).text, is_sampled ? " (estimates)" : "",
                   size_cell((double)now.peak, false).text,
                   size_cell((double)now.current - (double)first.current, true).text,
                   seconds_between(watch->first, watch->now), is_sampled ? "" : " of watching",
                   size_cell((double)tm_snapshot_number(watch->now, "skew_bytes", 0), false).text);
    print_line(out, watch, line, false);
}

static uint64_t gain(uint64_t before, uint64_t after)
{
    return after > before ? after - before : 0;
}

static void print_domain(struct tm_out *out, const struct tm_watch *watch, enum tm_domain domain)
{
    struct tm_domain_total first = tm_snapshot_domain_total(watch->first, domain),
                           previous = tm_snapshot_domain_total(watch->previous, domain),
                           now = tm_snapshot_domain_total(watch->now, domain);
    double seconds = seconds_between(watch->previous, watch->now);
    char line[LINE_WIDE];
    (void)snprintf(line, sizeof line, "%-7s %10s %11s %13s %13s %15s", tm_domain_name(domain),
                   size_cell((double)now.live_bytes, false).text,
                   size_cell((double)now.live_bytes - (double)first.live_bytes, true).text,
                   tm_count_for_people(now.live_blocks).text,
                   rate_cell(gain(previous.ever_bytes, now.ever_bytes), seconds, true).text,
                   rate_cell(gain(previous.ever_blocks, now.ever_blocks), seconds, false).text);
    print_line(out, watch, line, false);
}

/* The number of blocks is shown where there is room. */
static bool shows_blocks(const struct tm_watch *watch)
{
    return watch->width >= BLOCKS_WIDE;
}

/* Cells and the frame's function are cut so that the path keeps its least width. */
static void print_row(struct tm_out *out, const struct tm_watch *watch, const struct tm_live_row *row)
{
    const struct tm_statistic *statistic = &row->statistic;
    double seconds = seconds_between(watch->previous, watch->now);
    char cells[LINE_WIDE], blocks[LINE_WIDE] = "";
    if (shows_blocks(watch)) {
        (void)snprintf(blocks, sizeof blocks, " %11s", tm_count_for_people(statistic->count).text);
    }
    int length = snprintf(cells, sizeof cells, "%8s %9s%.64s %10s  ", size_cell((double)statistic->size, false).text,
                          size_cell((double)statistic->size_diff, true).text, blocks,
                          rate_cell(row->allocated.size, seconds, true).text);
    struct tm_key_frame frame = tm_key_recent_frame(watch->rows->forest, watch->rows->key_type, statistic->key);
    size_t room = watch->width > (size_t)length ? watch->width - (size_t)length : 0;
    size_t for_function = room > PATH_WIDE + LINE_NUMBER_WIDE ? room - PATH_WIDE - LINE_NUMBER_WIDE : 0;
    frame.function = tm_cut_text(frame.function, for_function);
    tm_out_text(out, cells);
    tm_print_location(out, &frame, watch->rows->key_type != TM_KEY_FILENAME, room, 0);
    tm_out_text(out, watch->line_end);
}

static void print_titles(struct tm_out *out, const struct tm_watch *watch)
{
    static const char *const marks[][3] = {
        [TM_LIVE_SORT_SIZE] = {"*SIZE", "GROWTH", "ALLOC/S"},
        [TM_LIVE_SORT_GROWTH] = {"SIZE", "*GROWTH", "ALLOC/S"},
        [TM_LIVE_SORT_RATE] = {"SIZE", "GROWTH", "*ALLOC/S"},
    };
    const char *const *words = marks[watch->sort];
    char line[LINE_WIDE];
    (void)snprintf(line, sizeof line, "%8s %9s%s %10s  %s", words[0], words[1],
                   shows_blocks(watch) ? "      BLOCKS" : "", words[2], "LOCATION");
    print_line(out, watch, line, true);
}

static void print_rows(struct tm_out *out, const struct tm_watch *watch, size_t room)
{
    print_titles(out, watch);
    for (size_t i = 0; i < watch->rows->count && i < room; i++) {
        print_row(out, watch, &watch->rows->rows[i]);
    }
    for (size_t i = watch->rows->count; i < room && watch->color; i++) {
        tm_out_text(out, watch->line_end); /* what an earlier picture left there */
    }
}

void tm_render_watch(struct tm_out *out, const struct tm_watch *watch)
{
    bool has_last = watch->last_line[0] != '\0';
    size_t taken = LINES_ABOVE + (has_last ? 1 : 0);
    size_t room = watch->height > taken ? watch->height - taken : 1;
    print_program(out, watch);
    print_totals(out, watch);
    print_line(out, watch, "DOMAIN        LIVE      GROWTH        BLOCKS       ALLOC/S        BLOCKS/S", true);
    for (int domain = TM_DOMAIN_RAW; domain <= TM_DOMAIN_NATIVE; domain++) {
        print_domain(out, watch, (enum tm_domain)domain);
    }
    tm_out_text(out, watch->line_end);
    print_rows(out, watch, room);
    if (has_last) {
        tm_out_text(out, watch->last_line);
    }
}
