/* SPDX-License-Identifier: MIT */
/* Opcodes are those of CPython's pickletools, protocol 2.
 *
 * Up to 3.8 a trace is (domain, size, frames), since 3.9 (domain, size, frames, number of frames before they were cut).
 * The file serves both: it holds the longer form and lets the reader cut each to 3 + (sys.hexversion >= 3.9) items,
 * with nothing but functions of the modules builtins and operator.  Frames are most recent first, as _tracemalloc has
 * them. */
#include "report/render/export.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "report/render/sample_margin.h"

#define HEX_3_9 0x030900F0U

/* Memo numbers: what was written once is fetched by number. */
struct pickle {
    struct tm_out *out;
    const struct tm_forest *forest;
    uint8_t *names_written; /* by name id: the memo number is the id */
    uint8_t *sites_written; /* by site id: the memo number is the id + the number of names */
    uint8_t *nodes_written; /* by node: a tuple of frames; + the number of sites */
};

static void write_word(struct tm_out *out, uint32_t word)
{
    const uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24)};
    tm_out_bytes(out, bytes, sizeof bytes);
}

/* BININT has 31 bits, LONG1 here 64. */
static void write_number(struct tm_out *out, uint64_t number)
{
    if (number <= INT32_MAX) {
        tm_out_text(out, "J");
        write_word(out, (uint32_t)number);
    } else {
        tm_out_bytes(out, "\x8a\x09", 2);
        write_word(out, (uint32_t)number);
        write_word(out, (uint32_t)(number >> 32));
        tm_out_bytes(out, "", 1); /* the sign */
    }
}

static void write_memo(struct tm_out *out, char opcode, uint32_t number)
{
    tm_out_bytes(out, &opcode, 1);
    write_word(out, number);
}

static bool is_escape(uint32_t point)
{
    return point >= TM_UTF8_ESCAPE && point <= TM_UTF8_ESCAPE + 0xFF;
}

/* BINUNICODE: lone surrogates are three bytes, as for the error handler surrogatepass. */
static void write_text(struct tm_out *out, struct tm_span text)
{
    const uint8_t *end = text.bytes + text.length;
    size_t length = text.length;
    for (const uint8_t *at = text.bytes; at < end;) {
        length += is_escape(tm_utf8_next(&at, end)) ? 2 : 0;
    }
    tm_out_text(out, "X");
    write_word(out, (uint32_t)length);
    for (const uint8_t *at = text.bytes; at < end;) {
        const uint8_t *start = at;
        uint32_t point = tm_utf8_next(&at, end);
        if (is_escape(point)) {
            const uint8_t bytes[3] = {0xED, (uint8_t)(0x80 | (point >> 6 & 0x3F)), (uint8_t)(0x80 | (point & 0x3F))};
            tm_out_bytes(out, bytes, sizeof bytes);
        } else {
            tm_out_bytes(out, start, (size_t)(at - start));
        }
    }
}

static void write_name(struct pickle *pickle, uint32_t name)
{
    if (pickle->names_written[name]) {
        write_memo(pickle->out, 'j', name); /* LONG_BINGET */
        return;
    }
    pickle->names_written[name] = 1;
    write_text(pickle->out, pickle->forest->names.names[name]);
    write_memo(pickle->out, 'r', name); /* LONG_BINPUT */
}

static void write_site(struct pickle *pickle, uint32_t site)
{
    uint32_t memo = pickle->forest->names.count + site;
    if (pickle->sites_written[site]) {
        write_memo(pickle->out, 'j', memo);
        return;
    }
    pickle->sites_written[site] = 1;
    write_name(pickle, pickle->forest->sites.sites[site].file);
    write_number(pickle->out, pickle->forest->sites.sites[site].line);
    tm_out_bytes(pickle->out, "\x86", 1); /* TUPLE2 */
    write_memo(pickle->out, 'r', memo);
}

static void write_frames(struct pickle *pickle, uint32_t node)
{
    const struct tm_forest *forest = pickle->forest;
    uint32_t memo = forest->names.count + forest->sites.count + node;
    if (pickle->nodes_written[node]) {
        write_memo(pickle->out, 'j', memo);
        return;
    }
    pickle->nodes_written[node] = 1;
    tm_out_text(pickle->out, "(");
    for (uint32_t frame = node; frame != 0; frame = forest->nodes[frame].parent) {
        write_site(pickle, forest->nodes[frame].site);
    }
    tm_out_text(pickle->out, "t");
    write_memo(pickle->out, 'r', memo);
}

/* COUNT traces of SIZE bytes: the second and later ones are DUPs of the first. */
static void write_traces(struct pickle *pickle, unsigned domain, uint32_t node, uint64_t size, uint64_t count)
{
    if (count == 0) {
        return;
    }
    tm_out_text(pickle->out, "((");
    write_number(pickle->out, domain);
    write_number(pickle->out, size);
    write_frames(pickle, node);
    write_number(pickle->out, pickle->forest->nodes[node].depth);
    tm_out_text(pickle->out, "t");
    tm_out_repeat(pickle->out, '2', (size_t)count - 1);
    tm_out_text(pickle->out, "e"); /* APPENDS */
}

/* The stdlib has one domain for its three allocators. */
static unsigned stdlib_domain(unsigned domain)
{
    return domain == TM_DOMAIN_NATIVE ? 1 : domain == TM_DOMAIN_MMAP ? 2 : 0;
}

/* A file may claim bytes without blocks: there is no such trace. */
static void write_counter(struct pickle *pickle, const struct tm_counter_record *counter, struct tm_amount amount)
{
    unsigned snapshot = pickle->forest->snapshot_count - 1;
    uint32_t node = pickle->forest->node_of[snapshot][counter->traceback];
    if (amount.count > 0) {
        uint64_t larger = amount.size % amount.count, size = amount.size / amount.count;
        write_traces(pickle, stdlib_domain(counter->domain), node, size + 1, larger);
        write_traces(pickle, stdlib_domain(counter->domain), node, size, amount.count - larger);
    }
}

/* list(map(itemgetter(slice(3 + (sys.hexversion >= 3.9))), [...])) with the list left open for its items. */
static void begin_traces(struct tm_out *out)
{
    tm_out_text(out, "cbuiltins\nlist\ncbuiltins\nmap\ncoperator\nitemgetter\ncbuiltins\nslice\n"
                     "coperator\nadd\nK\x03"
                     "coperator\nge\ncsys\nhexversion\n");
    write_number(out, HEX_3_9);
    tm_out_bytes(out, "\x86R\x86R\x85R\x85R]", 9); /* ge, add, slice, itemgetter; EMPTY_LIST */
}

static bool is_too_large(const struct tm_report *report, const struct tm_snapshot *snapshot)
{
    uint64_t blocks = 0;
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        bool counts = tm_export_counts(report, tm_report_snapshot_number(report), &snapshot->counters[i]);
        blocks += counts ? tm_figure_amount(&snapshot->counters[i], report->grouping.figure).count : 0;
    }
    return blocks > TM_PICKLE_BLOCKS_MAX; /* the loader has seen that no sum leaves 62 bits */
}

/* Does the snapshot say of each block that counts how large it is? */
static bool has_all_blocks(const struct tm_report *report, const struct tm_snapshot *snapshot)
{
    return snapshot->has_blocks && report->grouping.figure == TM_FIGURE_LIVE && tm_sample_rate(snapshot) == 0 &&
           tm_snapshot_number(snapshot, "blocks_skew", 0) == 0 &&
           tm_snapshot_number(snapshot, "blocks_left_out", 0) == 0;
}

static void write_blocks(struct pickle *pickle, const struct tm_report *report, const struct tm_snapshot *snapshot)
{
    const struct tm_grouping *grouping = &report->grouping;
    const uint32_t *node_of = report->forest->node_of[tm_report_snapshot_number(report)];
    for (size_t i = 0; i < snapshot->block_count; i++) {
        const struct tm_block_record *block = &snapshot->blocks[i];
        uint32_t node = node_of[block->traceback];
        if ((grouping->domains & TM_DOMAIN_BIT(block->domain)) != 0 &&
            (grouping->nodes == NULL || grouping->nodes[node] != 0)) {
            write_traces(pickle, stdlib_domain(block->domain), node, block->size, 1);
        }
    }
}

static void write_counters(struct pickle *pickle, const struct tm_report *report, const struct tm_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        const struct tm_counter_record *counter = &snapshot->counters[i];
        if (tm_export_counts(report, tm_report_snapshot_number(report), counter)) {
            write_counter(pickle, counter, tm_figure_amount(counter, report->grouping.figure));
        }
    }
}

static void write_snapshot(struct pickle *pickle, const struct tm_report *report)
{
    const struct tm_snapshot *snapshot = tm_report_snapshot(report);
    tm_out_bytes(pickle->out, "\x80\x02", 2);
    tm_out_text(pickle->out, "ctracemalloc\nSnapshot\n)\x81}(");
    tm_out_text(pickle->out, "X");
    write_word(pickle->out, 6);
    tm_out_text(pickle->out, "tracesctracemalloc\n_Traces\n)\x81}X");
    write_word(pickle->out, 7);
    tm_out_text(pickle->out, "_traces");
    begin_traces(pickle->out);
    (has_all_blocks(report, snapshot) ? write_blocks : write_counters)(pickle, report, snapshot);
    tm_out_text(pickle->out, "\x86R\x85RsbX"); /* map, list; SETITEM, BUILD */
    write_word(pickle->out, 15);
    tm_out_text(pickle->out, "traceback_limit");
    write_number(pickle->out, tm_snapshot_number(snapshot, "traceback_limit", 1));
    tm_out_text(pickle->out, "ub."); /* SETITEMS, BUILD, STOP */
}

enum tm_status tm_export_pickle(struct tm_out *out, const struct tm_report *report)
{
    if (is_too_large(report, tm_report_snapshot(report))) {
        return TM_STATUS_TOO_LARGE;
    }
    struct pickle pickle = {.out = out, .forest = report->forest};
    pickle.names_written = calloc((size_t)report->forest->names.count + 1, 1);
    pickle.sites_written = calloc((size_t)report->forest->sites.count + 1, 1);
    pickle.nodes_written = calloc((size_t)report->forest->node_count + 1, 1);
    bool memory = pickle.names_written != NULL && pickle.sites_written != NULL && pickle.nodes_written != NULL;
    if (memory) {
        write_snapshot(&pickle, report);
    }
    free(pickle.names_written);
    free(pickle.sites_written);
    free(pickle.nodes_written);
    return memory ? TM_STATUS_OK : TM_STATUS_NO_MEMORY;
}
