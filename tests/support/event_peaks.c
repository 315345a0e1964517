/* SPDX-License-Identifier: MIT */
/* Holds the peaks that a store tells against a log of the events (src/runtime/track/log) of several threads at once.
 *
 *   event_peaks LOG STORE
 *
 * Of each thread the last event before a moment of the log may have been counted then or not, as an event is logged
 * first.  So the log says of a total, and of its peak, where it lay.  What was live at a peak, by traceback and domain,
 * is looked for in the whole log: at one moment it must have been that, but for what threads were in the middle of.
 *
 * Lines, of words with a tab between; WHICH is python or heap:
 *   events COUNT THREADS BOUND                what the store says that its peaks may be off by, in bytes
 *   peak WHICH FOUND LOGGED LOW HIGH          of the store; of the log in its own order; and between what it lies, as
 *                                             that order is not quite the order of counting
 *   moment WHICH TRACES TOTAL BYTES BLOCKS SLACK_BYTES SLACK_BLOCKS
 *                                             the moment, of those at which the total was as FOUND to within BOUND and
 *                                             SLACK, at which least was live that is not in the store or the other way
 *                                             round; BYTES and BLOCKS are how much, SLACK what threads were in the
 * middle
 *                                             of.  TRACES is how many traces have something at the peak
 *   moment WHICH TRACES none                  there is no such moment */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "report/snapshot/snapshot_file.h"
#include "support/logged_events.h"

#define THREADS 1024U
#define TRACES  (UINT32_C(1) << 18)
#define WHICH   2U

enum which { PYTHON, HEAP };

static const char *const names[WHICH] = {"python", "heap"};

/* A traceback, as a text, in a domain. */
struct trace {
    char *text;
    uint32_t domain;
    struct sum found[WHICH];
    struct sum live;
};

static struct trace traces[TRACES];
static uint32_t trace_count;

/* Whether the totals of WHICH have DOMAIN. */
static bool has(unsigned which, uint32_t domain)
{
    return which == HEAP ? domain <= NATIVE : domain < NATIVE;
}

/* TEXT becomes the trace's, or is given back. */
static struct trace *trace_of(char *text, uint32_t domain)
{
    uint64_t at = tm_hash_bytes(text, strlen(text)) + domain;
    for (;; at++) {
        struct trace *trace = &traces[at & (TRACES - 1)];
        if (trace->text == NULL) {
            if (++trace_count == TRACES / 2) {
                events_fail("too many traces", 0);
            }
            *trace = (struct trace){.text = text, .domain = domain};
            return trace;
        }
        if (trace->domain == domain && strcmp(trace->text, text) == 0) {
            free(text);
            return trace;
        }
    }
}

static void print_found_frames(FILE *out, const struct tm_snapshot *snapshot, uint32_t traceback)
{
    if (traceback == 0) {
        fprintf(out, "<unknown>:0");
        return;
    }
    const struct tm_traceback_record *record = &snapshot->tracebacks[traceback];
    const struct tm_frame_record *frame = &snapshot->frames[record->frame];
    if (record->parent != 0) {
        print_found_frames(out, snapshot, record->parent);
        fprintf(out, ";");
    }
    const struct tm_span file = snapshot->strings[frame->file];
    fprintf(out, "%.*s:%u", (int)file.length, (const char *)file.bytes, frame->line);
}

/* What FRAMES prints: of SNAPSHOT, or of the store that events_print_frames knows. */
static char *text_of(const struct tm_snapshot *snapshot, uint32_t traceback)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        events_fail("no memory", 0);
    }
    if (snapshot != NULL) {
        print_found_frames(out, snapshot, traceback);
    } else {
        events_print_frames(out, traceback);
    }
    (void)fclose(out);
    return text;
}

static uint64_t found_peaks[WHICH], bound;

static void read_found(const char *path)
{
    struct tm_snapshot *snapshot;
    struct tm_fault fault;
    if (tm_snapshot_open(path, &snapshot, &fault) != TM_STATUS_OK) {
        events_fail("the store cannot be read", 0);
    }
    found_peaks[PYTHON] = tm_snapshot_number(snapshot, "python_peak", 0);
    found_peaks[HEAP] = tm_snapshot_number(snapshot, "heap_peak", 0);
    bound = tm_snapshot_number(snapshot, "peak_bound", 0);
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        const struct tm_counter_record *counter = &snapshot->counters[i];
        struct trace *trace = trace_of(text_of(snapshot, counter->traceback), counter->domain);
        trace->found[PYTHON].bytes += (int64_t)counter->peak_python_bytes;
        trace->found[PYTHON].blocks += (int64_t)counter->peak_python_blocks;
        trace->found[HEAP].bytes += (int64_t)counter->peak_heap_bytes;
        trace->found[HEAP].blocks += (int64_t)counter->peak_heap_blocks;
    }
    tm_snapshot_free(snapshot);
}

/* The trace of a traceback of the log, asked for again and again. */
static struct trace *logged_trace(uint32_t traceback, uint32_t domain)
{
    static struct trace **known;
    static size_t capacity;
    const size_t at = (size_t)traceback * DOMAINS + domain;
    if (at >= capacity) {
        const size_t more = (at + 1) * 2;
        known = realloc(known, more * sizeof(struct trace *));
        if (known == NULL) {
            events_fail("no memory", 0);
        }
        memset(known + capacity, 0, (more - capacity) * sizeof(struct trace *));
        capacity = more;
    }
    if (known[at] == NULL) {
        known[at] = trace_of(text_of(NULL, traceback), domain);
    }
    return known[at];
}

/* What is live now and not in the store's figures, or the other way round. */
static struct sum differences[WHICH];

static void move(struct trace *trace, int64_t bytes, int64_t blocks)
{
    for (unsigned which = 0; which < WHICH; which++) {
        if (has(which, trace->domain)) {
            const struct sum *found = &trace->found[which];
            struct sum *sum = &differences[which];
            sum->bytes += llabs(trace->live.bytes + bytes - found->bytes) - llabs(trace->live.bytes - found->bytes);
            sum->blocks +=
                llabs(trace->live.blocks + blocks - found->blocks) - llabs(trace->live.blocks - found->blocks);
        }
    }
    trace->live.bytes += bytes;
    trace->live.blocks += blocks;
}

static void apply(const struct tm_event *event, uint64_t number)
{
    uint32_t before;
    const struct sum change = events_apply(event, number, &before);
    if (atomic_load(&event->kind) == KIND_MOVE) {
        move(logged_trace(before, event->domain), -change.bytes, -change.blocks);
        move(logged_trace(event->traceback, event->domain), change.bytes, change.blocks);
    } else {
        move(logged_trace(event->traceback, event->domain), change.bytes, change.blocks);
    }
}

/* A thread at a moment: its events next to it, before and after; NULL where there is none. */
static struct thread {
    uint32_t id;
    const struct tm_event *last, *next;
} threads[THREADS];
static uint32_t thread_count;

static struct thread *thread_of(uint32_t id, uint64_t number)
{
    for (uint32_t i = thread_count; i > 0; i--) {
        if (threads[i - 1].id == id) {
            return &threads[i - 1];
        }
    }
    if (thread_count == THREADS) {
        events_fail("too many threads", number);
    }
    threads[thread_count].id = id;
    return &threads[thread_count++];
}

static bool is_whole(const struct tm_event *event)
{
    return atomic_load(&event->kind) != 0;
}

/* For each event the next of its thread. */
static const struct tm_event **link_events(const struct tm_event *events, uint64_t count)
{
    const struct tm_event **next = events_get((size_t)count + 1, sizeof(struct tm_event *));
    for (uint64_t i = count; i > 0; i--) {
        if (is_whole(&events[i - 1])) {
            struct thread *thread = thread_of(events[i - 1].thread, i - 1);
            next[i - 1] = thread->next;
            thread->next = &events[i - 1];
        }
    }
    return next;
}

/* Of the events that threads may be in the middle of: what they change in traces, and what their counting may still add
 * to a total that the log has, or take from it. */
static struct slack {
    int64_t bytes, blocks, added, taken;
} slacks[WHICH];

/* Adds what THREAD has, or takes it back: BY is 1 or -1. */
static void count_slack(const struct thread *thread, int64_t by)
{
    const struct tm_event *sides[] = {thread->last, thread->next};
    for (unsigned which = 0; which < WHICH; which++) {
        int64_t bytes = 0, blocks = 0;
        for (unsigned i = 0; i < 2; i++) {
            if (sides[i] != NULL && has(which, sides[i]->domain)) {
                const int64_t records = atomic_load(&sides[i]->kind) == KIND_MOVE ? 2 : 1;
                const int64_t size = records * (int64_t)sides[i]->size;
                bytes = size > bytes ? size : bytes;
                blocks = records > blocks ? records : blocks;
            }
        }
        slacks[which].bytes += by * bytes;
        slacks[which].blocks += by * blocks;
        if (thread->last != NULL && has(which, thread->last->domain)) {
            const uint32_t kind = atomic_load(&thread->last->kind);
            slacks[which].added += kind == KIND_ALLOC ? by * (int64_t)thread->last->size : 0;
            slacks[which].taken += kind == KIND_FREE ? by * (int64_t)thread->last->size : 0;
        }
    }
}

static struct result {
    int64_t logged, low, high; /* peaks */
    bool has_moment;
    int64_t excess; /* of the difference over the slack */
    int64_t total;
    struct sum difference;
    struct slack slack;
} results[WHICH];

static bool is_less(const struct sum *left, const struct sum *right)
{
    return left->bytes < right->bytes || (left->bytes == right->bytes && left->blocks < right->blocks);
}

static void look(unsigned which)
{
    const int64_t total = events_python_bytes() + (which == HEAP ? live[NATIVE].bytes : 0);
    const struct slack *slack = &slacks[which];
    const struct sum *difference = &differences[which];
    struct result *result = &results[which];
    result->logged = total > result->logged ? total : result->logged;
    result->low = total - slack->added > result->low ? total - slack->added : result->low;
    result->high = total + slack->taken > result->high ? total + slack->taken : result->high;
    if (llabs(total - (int64_t)found_peaks[which]) > (int64_t)bound + slack->bytes) {
        return;
    }
    const int64_t excess = difference->bytes > slack->bytes ? difference->bytes - slack->bytes : 0;
    if (!result->has_moment || excess < result->excess ||
        (excess == result->excess && is_less(difference, &result->difference))) {
        result->has_moment = true;
        result->excess = excess;
        result->total = total;
        result->difference = *difference;
        result->slack = *slack;
    }
}

static void replay(const struct tm_event *events, uint64_t count)
{
    const struct tm_event **next = link_events(events, count);
    for (uint32_t i = 0; i < TRACES; i++) {
        for (unsigned which = 0; which < WHICH && traces[i].text != NULL; which++) {
            differences[which].bytes += has(which, traces[i].domain) ? traces[i].found[which].bytes : 0;
            differences[which].blocks += has(which, traces[i].domain) ? traces[i].found[which].blocks : 0;
        }
    }
    for (uint32_t i = 0; i < thread_count; i++) {
        count_slack(&threads[i], 1);
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!is_whole(&events[i])) {
            continue;
        }
        struct thread *thread = thread_of(events[i].thread, i);
        apply(&events[i], i);
        count_slack(thread, -1);
        thread->last = &events[i];
        thread->next = next[i];
        count_slack(thread, 1);
        look(PYTHON);
        look(HEAP);
    }
}

static void print_result(unsigned which)
{
    const struct result *result = &results[which];
    uint32_t held = 0;
    for (uint32_t i = 0; i < TRACES; i++) {
        held += traces[i].text != NULL && has(which, traces[i].domain) && traces[i].found[which].bytes != 0;
    }
    printf("peak\t%s\t%" PRIu64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n", names[which], found_peaks[which],
           result->logged, result->low, result->high);
    if (!result->has_moment) {
        printf("moment\t%s\t%u\tnone\n", names[which], held);
        return;
    }
    printf("moment\t%s\t%u\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n", names[which], held,
           result->total, result->difference.bytes, result->difference.blocks, result->slack.bytes,
           result->slack.blocks);
}

int main(int argc, char **argv)
{
    uint64_t count;
    if (argc != 3) {
        fprintf(stderr, "usage: event_peaks LOG STORE\n");
        return 2;
    }
    struct tm_event *events = events_read(argv[1], &count);
    events_reset(count);
    events_read_store(argv[2]);
    read_found(argv[2]);
    replay(events, count);
    printf("events\t%" PRIu64 "\t%u\t%" PRIu64 "\n", count, thread_count, bound);
    print_result(PYTHON);
    print_result(HEAP);
    return 0;
}
