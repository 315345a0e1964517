/* SPDX-License-Identifier: MIT */
#include "report/stat/merge_facts.h"

#include <stdio.h>
#include <string.h>

#include "report/snapshot/snapshot_identity.h"
#include "report/snapshot/snapshot_totals.h"
#include "report/stat/merge_native.h"

#define FACTS_MAX 32U
#define NOTE_MAX  160U

struct facts {
    struct tm_meta_record *items;
    size_t count;
};

static struct tm_span text_span(const char *text)
{
    return (struct tm_span){(const uint8_t *)text, strlen(text)};
}

static void add_number(struct facts *facts, const char *key, uint64_t number)
{
    facts->items[facts->count++] =
        (struct tm_meta_record){.key = text_span(key), .type = TM_META_U64, .number = number};
}

static void add_text(struct facts *facts, const char *key, struct tm_span text)
{
    facts->items[facts->count++] = (struct tm_meta_record){.key = text_span(key), .type = TM_META_BYTES, .bytes = text};
}

static bool is_equal(const struct tm_meta_record *a, const struct tm_meta_record *b)
{
    return a != NULL && b != NULL && a->type == b->type && a->number == b->number &&
           a->bytes.length == b->bytes.length &&
           (a->bytes.length == 0 || memcmp(a->bytes.bytes, b->bytes.bytes, a->bytes.length) == 0);
}

static void add_agreed(struct facts *facts, const struct tm_forest *forest)
{
    static const char *const keys[] = {"python", "python_hex", "program", "cwd", "host", "recycled", "python_frames"};
    for (size_t k = 0; k < TM_COUNT_OF(keys); k++) {
        const struct tm_meta_record *first = tm_snapshot_meta(forest->snapshots[0], keys[k]);
        bool agreed = first != NULL;
        for (unsigned s = 1; agreed && s < forest->snapshot_count; s++) {
            agreed = is_equal(first, tm_snapshot_meta(forest->snapshots[s], keys[k]));
        }
        if (agreed) {
            facts->items[facts->count++] = *first;
        }
    }
}

static void add_largest(struct facts *facts, const struct tm_forest *forest, const char *key)
{
    uint64_t largest = 0;
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        uint64_t number = tm_snapshot_number(forest->snapshots[s], key, 0);
        largest = number > largest ? number : largest;
    }
    if (largest > 0) {
        add_number(facts, key, largest);
    }
}

static void add_totals(struct facts *facts, const struct tm_forest *forest, bool has_peak)
{
    struct tm_traced python = {0, 0}, heap = {0, 0};
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        struct tm_traced p = tm_snapshot_traced_python(forest->snapshots[s]);
        struct tm_traced h = tm_snapshot_traced_heap(forest->snapshots[s]);
        python = (struct tm_traced){python.current + p.current, python.peak + p.peak};
        heap = (struct tm_traced){heap.current + h.current, heap.peak + h.peak};
    }
    add_number(facts, "python_current", python.current);
    add_number(facts, "heap_current", heap.current);
    if (has_peak) {
        add_number(facts, "python_peak", python.peak);
        add_number(facts, "heap_peak", heap.peak);
    } else {
        add_number(facts, "since_fork", 1);
    }
}

/* What went wrong in one of them went wrong in the whole. */
static void add_sum(struct facts *facts, const struct tm_forest *forest, const char *key)
{
    uint64_t sum = 0;
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        sum += tm_snapshot_number(forest->snapshots[s], key, 0);
    }
    if (sum > 0) {
        add_number(facts, key, sum);
    }
}

/* The words of the first that says something: of what went wrong too. */
static void add_said(struct facts *facts, const struct tm_forest *forest, const char *key)
{
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        struct tm_span words = tm_snapshot_bytes(forest->snapshots[s], key);
        if (words.length > 0) {
            add_text(facts, key, words);
            return;
        }
    }
}

/* How many calls failed in all of them; which was the first is told of the first in which one failed. */
static void add_failed_calls(struct facts *facts, const struct tm_forest *forest)
{
    add_sum(facts, forest, "failed_calls");
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        const struct tm_snapshot *snapshot = forest->snapshots[s];
        if (tm_snapshot_number(snapshot, "failed_calls", 0) > 0) {
            add_text(facts, "failed_call", tm_snapshot_bytes(snapshot, "failed_call"));
            add_number(facts, "failed_call_errno", tm_snapshot_number(snapshot, "failed_call_errno", 0));
            return;
        }
    }
}

static bool is_said_before(const struct tm_forest *forest, unsigned s)
{
    struct tm_span notes = tm_snapshot_bytes(forest->snapshots[s], "notes");
    for (unsigned before = 0; before < s; before++) {
        struct tm_span other = tm_snapshot_bytes(forest->snapshots[before], "notes");
        if (other.length == notes.length && memcmp(other.bytes, notes.bytes, notes.length) == 0) {
            return true;
        }
    }
    return notes.length == 0;
}

/* A note of what was merged, and then those of the snapshots, each once. */
static bool add_notes(struct facts *facts, struct tm_snapshot *snapshot, const struct tm_forest *forest)
{
    size_t capacity = NOTE_MAX, length;
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        capacity += tm_snapshot_bytes(forest->snapshots[s], "notes").length + 1;
    }
    char *text = tm_merge_get(snapshot, capacity, 1);
    if (text == NULL) {
        return false;
    }
    unsigned processes = tm_snapshot_count_processes(forest->snapshots, forest->snapshot_count);
    length =
        (size_t)snprintf(text, NOTE_MAX, "merged: %u snapshots of %u process%s; %s", forest->snapshot_count, processes,
                         processes == 1 ? "" : "es",
                         snapshot->is_since_fork ? "without what was inherited" : "the peak is the sum of their peaks");
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        if (!is_said_before(forest, s)) {
            struct tm_span notes = tm_snapshot_bytes(forest->snapshots[s], "notes");
            text[length++] = '\n';
            memcpy(text + length, notes.bytes, notes.length);
            length += notes.length;
        }
    }
    add_text(facts, "notes", (struct tm_span){(const uint8_t *)text, length});
    return true;
}

bool tm_merge_facts(struct tm_snapshot *snapshot, const struct tm_forest *forest)
{
    static const char *const largest[] = {"traceback_limit", "time_ns", "sample_rate", "stdlib_tracing"};
    static const char *const said[] = {"memory_limit_step", "malloc", "watermark"};
    static const char *const sums[] = {"dropped_events", "hook_losses", "native_unmerged", "peak_bound"};
    struct facts facts = {.items = tm_merge_get(snapshot, FACTS_MAX, sizeof *facts.items)};
    if (facts.items == NULL || !add_notes(&facts, snapshot, forest)) {
        return false;
    }
    add_agreed(&facts, forest);
    for (size_t i = 0; i < TM_COUNT_OF(largest); i++) {
        add_largest(&facts, forest, largest[i]);
    }
    for (size_t i = 0; i < TM_COUNT_OF(said); i++) {
        add_said(&facts, forest, said[i]);
    }
    for (size_t i = 0; i < TM_COUNT_OF(sums); i++) {
        add_sum(&facts, forest, sums[i]);
    }
    add_failed_calls(&facts, forest);
    add_text(&facts, "moment", text_span("merge"));
    add_totals(&facts, forest, !snapshot->is_since_fork);
    snapshot->meta = facts.items;
    snapshot->meta_count = facts.count;
    return true;
}
