/* SPDX-License-Identifier: MIT */
#include "report/render/render_tree.h"

#include <stdlib.h>
#include <string.h>

#include "report/render/key_frames.h"
#include "report/render/location_text.h"
#include "report/render/sample_margin.h"
#include "report/render/size_text.h"
#include "report/render/text_frame.h"
#include "report/stat/call_tree.h"

#define SHARE_MIN     100U /* a call of less than this part of the total is left out */
#define CHAIN_SHOWN   3U   /* calls of a chain: more are counted */
#define LOCATION_MIN  30U
#define NUMBERS_WIDTH 30U
#define MARGIN_WIDTH  11U
#define BETWEEN_WIDTH 18U

/* A call whose children are being printed. */
struct level {
    uint32_t node;  /* the last one of its chain */
    uint32_t child; /* which one is next */
    uint32_t shown; /* how many of them are */
    bool own;       /* a row of what it holds itself comes first */
    bool last;      /* it is its parent's last row */
};

struct printing {
    const struct tm_report *report;
    struct tm_call_tree tree;
    struct level *levels; /* by depth of the rows */
    size_t depth;
    bool sampled;
};

static void print_numbers(struct tm_out *out, const struct printing *p, struct tm_amount amount)
{
    uint64_t total = p->tree.amounts[0].size;
    tm_out_format(out, "%9s", tm_size_for_people((double)amount.size, false).text);
    if (p->sampled) {
        struct tm_statistic row = {.size = amount.size, .count = amount.count};
        tm_out_format(out, "  %9s", tm_size_for_people(tm_row_margin(p->report, &row), false).text);
    }
    tm_out_format(out, "  %5.1f%%", total > 0 ? (double)amount.size * 100 / (double)total : 0.0);
    tm_out_format(out, "  %10s  ", tm_count_for_people(amount.count).text);
}

/* Lines from the rows above to the rows below, and the branch to this row. */
static void print_branches(struct tm_out *out, const struct printing *p, bool last)
{
    for (size_t i = 1; i < p->depth; i++) {
        tm_out_text(out, p->levels[i].last ? "   " : p->report->plain ? "|  " : "\u2502  ");
    }
    if (p->report->plain) {
        tm_out_text(out, last ? "`- " : "|- ");
    } else {
        tm_out_text(out, last ? "\u2514\u2500 " : "\u251c\u2500 ");
    }
}

/* Of each of PARTS locations in a row, with what stands between them. */
static size_t location_width(const struct printing *p, uint32_t parts)
{
    size_t numbers = NUMBERS_WIDTH + (p->sampled ? MARGIN_WIDTH : 0);
    size_t indent = numbers + 3 * p->depth + (parts > 1 ? BETWEEN_WIDTH : 0), width = p->report->width;
    if (width == SIZE_MAX) {
        return SIZE_MAX;
    }
    return width > indent + parts * LOCATION_MIN ? (width - indent) / parts : LOCATION_MIN;
}

static void print_call(struct tm_out *out, const struct printing *p, uint32_t node, uint32_t parts)
{
    struct tm_key_frame frame = tm_key_recent_frame(p->report->forest, TM_KEY_TRACEBACK, node);
    if (tm_span_is(frame.filename, TM_UNKNOWN_NAME) && frame.line == 0) {
        tm_out_text(out, TM_UNKNOWN_NAME "  (no Python frame)");
    } else {
        tm_print_location(out, &frame, true, location_width(p, parts), p->report->path_parts);
    }
}

/* The calls between FIRST and LAST have one row with them. */
static void print_chain(struct tm_out *out, const struct printing *p, uint32_t first, uint32_t last)
{
    const struct tm_node *nodes = p->report->forest->nodes;
    uint32_t between = nodes[last].depth - nodes[first].depth;
    uint32_t parts = between >= CHAIN_SHOWN ? 2 : between + 1;
    print_call(out, p, first, parts);
    if (between >= CHAIN_SHOWN) {
        tm_out_format(out, "  > %u calls >  ", (unsigned)between - 1);
        print_call(out, p, last, parts);
    } else if (between > 0) {
        if (between > 1) {
            tm_out_text(out, "  >  ");
            print_call(out, p, nodes[last].parent, parts);
        }
        tm_out_text(out, "  >  ");
        print_call(out, p, last, parts);
    }
    tm_out_text(out, "\n");
}

static uint32_t count_shown(const struct printing *p, uint32_t node)
{
    uint32_t count = tm_call_tree_child_count(&p->tree, node), shown = 0;
    if (p->report->all) {
        return count;
    }
    while (shown < count && shown < p->report->limit &&
           p->tree.amounts[p->tree.children[p->tree.first[node] + shown]].size >= p->tree.amounts[0].size / SHARE_MIN) {
        shown++;
    }
    return shown;
}

static void enter(struct printing *p, uint32_t node, bool last)
{
    struct tm_amount own = p->tree.own[node];
    p->levels[p->depth++] = (struct level){.node = node,
                                           .shown = count_shown(p, node),
                                           .own = own.size > 0 && tm_call_tree_child_count(&p->tree, node) > 0,
                                           .last = last};
}

static void print_own(struct tm_out *out, const struct printing *p, const struct level *level)
{
    print_numbers(out, p, p->tree.own[level->node]);
    print_branches(out, p, tm_call_tree_child_count(&p->tree, level->node) == 0);
    tm_out_text(out, "(itself)\n");
}

static void print_rest(struct tm_out *out, const struct printing *p, const struct level *level)
{
    uint32_t count = tm_call_tree_child_count(&p->tree, level->node);
    struct tm_amount rest = {0, 0};
    for (uint32_t i = level->shown; i < count; i++) {
        const struct tm_amount *amount = &p->tree.amounts[p->tree.children[p->tree.first[level->node] + i]];
        rest.size += amount->size;
        rest.count += amount->count;
    }
    if (count > level->shown) {
        print_numbers(out, p, rest);
        print_branches(out, p, true);
        tm_out_format(out, "(%u more, --all shows them)\n", (unsigned)(count - level->shown));
    }
}

static void print_child(struct tm_out *out, struct printing *p, struct level *level)
{
    uint32_t node = p->tree.children[p->tree.first[level->node] + level->child++];
    uint32_t end = p->report->all ? node : tm_call_tree_chain_end(&p->tree, node);
    bool last = level->child == tm_call_tree_child_count(&p->tree, level->node);
    print_numbers(out, p, p->tree.amounts[node]);
    print_branches(out, p, last);
    print_chain(out, p, node, end);
    enter(p, end, last);
}

/* Depth first, with the way down in `levels`: tracebacks may be deeper than the stack is large. */
static void print_tree(struct tm_out *out, struct printing *p)
{
    print_numbers(out, p, p->tree.amounts[0]);
    tm_out_text(out, "total\n");
    enter(p, 0, true);
    while (p->depth > 0) {
        struct level *level = &p->levels[p->depth - 1];
        if (level->own) {
            level->own = false;
            print_own(out, p, level);
        } else if (level->child < level->shown) {
            print_child(out, p, level);
        } else {
            print_rest(out, p, level);
            p->depth--;
        }
    }
}

static uint32_t deepest(const struct tm_forest *forest)
{
    uint32_t depth = 0;
    for (uint32_t i = 1; i < forest->node_count; i++) {
        depth = forest->nodes[i].depth > depth ? forest->nodes[i].depth : depth;
    }
    return depth;
}

bool tm_render_tree(struct tm_out *out, const struct tm_report *report)
{
    struct printing p = {.report = report,
                         .levels = calloc((size_t)deepest(report->forest) + 2, sizeof *p.levels),
                         .sampled = tm_report_is_sampled(report)};
    bool memory = tm_call_tree_make(&p.tree, report->forest, tm_report_snapshot_number(report), &report->grouping) &&
                  p.levels != NULL;
    if (memory) {
        tm_print_contexts(out, report);
        tm_print_by_peak(out, report);
        tm_out_format(out, "%9s%s  %6s  %10s  CALL\n", report->by_peak ? "PEAK" : "SIZE",
                      p.sampled ? "      +-95%" : "", "SHARE", "COUNT");
        print_tree(out, &p);
        tm_print_notes(out, report);
    }
    tm_call_tree_free(&p.tree);
    free(p.levels);
    return memory;
}
