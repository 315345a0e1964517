/* SPDX-License-Identifier: MIT */
/* Replays an event log (src/runtime/track/log) and says what must be live, from the events alone.
 *
 *   event_replay LOG                  the state after all events
 *   event_replay LOG --at NUMBER...   and before these, which rise: the states, one after the other
 *   event_replay LOG STORE            and what was live when Python's memory was at its highest, by traceback as STORE
 *                                     names it
 *
 * Lines, of words with a tab between:
 *   events COUNT INCOMPLETE                places of the log so far, and those whose writer was killed
 *   live DOMAIN BYTES BLOCKS               for each domain
 *   last THREAD KIND DOMAIN BYTES BLOCKS   the last event of each thread and what it changed; of a move (KIND 3) what
 * is
 *                                          missing while the block is in neither record
 *   range LOW HIGH LOW HIGH                of the totals of Python's memory and of all, up to this state from the last
 *   peak BYTES                             of raw, mem and obj
 *   held DOMAIN BYTES BLOCKS FRAMES        at the peak; FRAMES are FILE:LINE, oldest first, with a ; between
 * Exit code 1 where the log contradicts itself: a block that came twice, or went without having come. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/logged_events.h"

#define THREADS 4096U

static struct {
    uint32_t thread, domain, kind;
    struct sum change;
} last[THREADS];
static unsigned threads;

static void note_last(const struct tm_event *event, struct sum change, uint64_t number)
{
    unsigned t = 0;
    while (t < threads && last[t].thread != event->thread) {
        t++;
    }
    if (t == THREADS) {
        events_fail("too many threads", number);
    }
    threads = t == threads ? t + 1 : threads;
    last[t].thread = event->thread;
    last[t].domain = event->domain;
    last[t].kind = atomic_load(&event->kind);
    last[t].change = change;
}

/* The lowest and highest totals since the last state. */
static struct range {
    int64_t low, high;
} python_range, heap_range;

static void widen(struct range *range, int64_t total)
{
    range->low = total < range->low ? total : range->low;
    range->high = total > range->high ? total : range->high;
}

static void print_ranges(void)
{
    const int64_t python = events_python_bytes(), heap = python + live[NATIVE].bytes;
    printf("range\t%lld\t%lld\t%lld\t%lld\n", (long long)python_range.low, (long long)python_range.high,
           (long long)heap_range.low, (long long)heap_range.high);
    python_range = (struct range){python, python};
    heap_range = (struct range){heap, heap};
}

static void print_state(uint64_t events, uint64_t incomplete)
{
    printf("events\t%llu\t%llu\n", (unsigned long long)events, (unsigned long long)incomplete);
    print_ranges();
    for (unsigned domain = 0; domain < DOMAINS; domain++) {
        printf("live\t%u\t%lld\t%lld\n", domain, (long long)live[domain].bytes, (long long)live[domain].blocks);
    }
    for (unsigned t = 0; t < threads; t++) {
        printf("last\t%u\t%u\t%u\t%lld\t%lld\n", last[t].thread, last[t].kind, last[t].domain,
               (long long)last[t].change.bytes, (long long)last[t].change.blocks);
    }
}

/* Prints the state before each of the events STOPS, which rise, and the last one.  Answers at which event memory was at
 * its highest: a maximum stands until a block of Python's goes. */
static uint64_t replay(const struct tm_event *events, uint64_t count, char **stops, int64_t *peak)
{
    uint64_t incomplete = 0, highest_at = 0;
    *peak = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint32_t kind = atomic_load(&events[i].kind);
        for (; stops != NULL && *stops != NULL && strtoull(*stops, NULL, 10) <= i; stops++) {
            print_state(i, incomplete);
        }
        if (kind == 0) {
            incomplete++;
            continue;
        }
        if (kind == KIND_FREE && events[i].domain < NATIVE && events_python_bytes() > *peak) {
            *peak = events_python_bytes();
            highest_at = i;
        }
        note_last(&events[i], events_apply(&events[i], i, NULL), i);
        widen(&python_range, events_python_bytes());
        widen(&heap_range, events_python_bytes() + live[NATIVE].bytes);
    }
    if (events_python_bytes() > *peak) {
        *peak = events_python_bytes();
        highest_at = count;
    }
    for (; stops != NULL && *stops != NULL; stops++) {
        print_state(count, incomplete);
    }
    print_state(count, incomplete);
    return highest_at;
}

static int by_traceback(const void *a, const void *b)
{
    const struct block *left = a, *right = b;
    if (left->traceback != right->traceback) {
        return left->traceback < right->traceback ? -1 : 1;
    }
    return left->domain < right->domain ? -1 : left->domain > right->domain;
}

static void print_held(void)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < live_capacity; i++) {
        if (live_blocks[i].lives && live_blocks[i].domain < NATIVE) {
            live_blocks[count++] = live_blocks[i];
        }
    }
    qsort(live_blocks, count, sizeof *live_blocks, by_traceback);
    struct sum sum = {0, 0};
    for (uint64_t i = 0; i < count; i++) {
        sum.bytes += (int64_t)live_blocks[i].size;
        sum.blocks++;
        if (i + 1 == count || by_traceback(&live_blocks[i], &live_blocks[i + 1]) != 0) {
            printf("held\t%u\t%lld\t%lld\t", live_blocks[i].domain, (long long)sum.bytes, (long long)sum.blocks);
            events_print_frames(stdout, live_blocks[i].traceback);
            printf("\n");
            sum = (struct sum){0, 0};
        }
    }
}

static void print_peak(const struct tm_event *events, uint64_t at, int64_t peak, const char *store)
{
    printf("peak\t%lld\n", (long long)peak);
    events_reset(at);
    for (uint64_t i = 0; i < at; i++) {
        if (atomic_load(&events[i].kind) != 0) {
            (void)events_apply(&events[i], i, NULL);
        }
    }
    events_read_store(store);
    print_held();
}

int main(int argc, char **argv)
{
    const bool stops = argc > 2 && strcmp(argv[2], "--at") == 0;
    uint64_t count;
    int64_t peak;
    if (argc < 2 || (argc > 3 && !stops)) {
        fprintf(stderr, "usage: event_replay LOG [STORE | --at NUMBER...]\n");
        return 2;
    }
    struct tm_event *events = events_read(argv[1], &count);
    events_reset(count);
    uint64_t at = replay(events, count, stops ? argv + 3 : NULL, &peak);
    if (argc == 3 && !stops) {
        print_peak(events, at, peak, argv[2]);
    }
    return 0;
}
