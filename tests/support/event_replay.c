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
 *   last THREAD KIND DOMAIN BYTES BLOCKS   the last event of each thread and what it changed; of a move (KIND 3) what is
 *                                          missing while the block is in neither record
 *   range LOW HIGH LOW HIGH                of the totals of Python's memory and of all, up to this state from the last
 *   peak BYTES                             of raw, mem and obj
 *   held DOMAIN BYTES BLOCKS FRAMES        at the peak; FRAMES are FILE:LINE, oldest first, with a ; between
 * Exit code 1 where the log contradicts itself: a block that came twice, or went without having come. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/track/log/event_layout.h"
#include "store/store_layout.h"

#define KIND_ALLOC 1U
#define KIND_FREE  2U
#define KIND_MOVE  3U
#define DOMAINS    8U
#define NATIVE     3U
#define THREADS    4096U

struct block {
    uint64_t address; /* 0: free place */
    uint64_t size;
    uint32_t traceback;
    uint32_t domain;
    bool lives;
};

struct sum {
    int64_t bytes;
    int64_t blocks;
};

static struct block *blocks;
static uint64_t capacity;
static struct sum live[DOMAINS];

static void fail(const char *why, uint64_t number)
{
    fprintf(stderr, "event_replay: %s (event %llu)\n", why, (unsigned long long)number);
    exit(1);
}

static void *get(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fail("no memory", 0);
    }
    return memory;
}

/* The place of ADDRESS, which may be new; blocks that went keep theirs. */
static struct block *find(uint64_t address)
{
    uint64_t at = (address >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> 20;
    for (;; at++) {
        struct block *block = &blocks[at & (capacity - 1)];
        if (block->address == address || block->address == 0) {
            return block;
        }
    }
}

static void reset(uint64_t events)
{
    free(blocks);
    for (capacity = 1024; capacity < events * 2; capacity *= 2) {
    }
    blocks = get(capacity, sizeof *blocks);
    memset(live, 0, sizeof live);
}

static struct sum apply(const struct tm_event *event, uint64_t number)
{
    struct block *block = find(event->address);
    struct sum change = {0, 0};
    const uint32_t kind = atomic_load(&event->kind);
    if (event->domain >= DOMAINS) {
        fail("a domain that there is not", number);
    }
    if ((kind == KIND_ALLOC) == block->lives) {
        fail(block->lives ? "a block came that is there" : "a block went or moved that is not there", number);
    }
    if (kind == KIND_ALLOC) {
        *block = (struct block){event->address, event->size, event->traceback, event->domain, true};
        change = (struct sum){(int64_t)event->size, 1};
    } else if (block->size != event->size || block->domain != event->domain) {
        fail("a block has another size or domain than when it came", number);
    } else if (kind == KIND_FREE) {
        block->lives = false;
        change = (struct sum){-(int64_t)event->size, -1};
    } else {
        block->traceback = event->traceback;
        return (struct sum){(int64_t)event->size, 1};
    }
    live[event->domain].bytes += change.bytes;
    live[event->domain].blocks += change.blocks;
    return change;
}

static int64_t python_bytes(void)
{
    int64_t sum = 0;
    for (unsigned domain = 0; domain < NATIVE; domain++) {
        sum += live[domain].bytes;
    }
    return sum;
}

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
        fail("too many threads", number);
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
    const int64_t python = python_bytes(), heap = python + live[NATIVE].bytes;
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
 * its highest: a maximum stands until a block goes. */
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
        if (kind == KIND_FREE && python_bytes() > *peak) {
            *peak = python_bytes();
            highest_at = i;
        }
        note_last(&events[i], apply(&events[i], i), i);
        widen(&python_range, python_bytes());
        widen(&heap_range, python_bytes() + live[NATIVE].bytes);
    }
    if (python_bytes() > *peak) {
        *peak = python_bytes();
        highest_at = count;
    }
    for (; stops != NULL && *stops != NULL; stops++) {
        print_state(count, incomplete);
    }
    print_state(count, incomplete);
    return highest_at;
}

static void *read_file(const char *path, uint64_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "event_replay: %s cannot be read\n", path);
        exit(1);
    }
    *size = (uint64_t)ftell(file);
    rewind(file);
    void *bytes = get(1, (size_t)*size + 1);
    if (fread(bytes, 1, (size_t)*size, file) != *size) {
        fail("short read", 0);
    }
    (void)fclose(file);
    return bytes;
}

/* The sections of a store that nobody writes any more, each in one piece. */
static void *sections[TM_STORE_SECTIONS];

static void read_store(const char *path)
{
    uint64_t size;
    const char *bytes = read_file(path, &size);
    const struct tm_store_header *header = (const void *)bytes;
    for (unsigned section = 0; section < TM_STORE_SECTIONS; section++) {
        uint64_t length = 0;
        for (uint32_t i = 0; i < atomic_load(&header->extent_count); i++) {
            const struct tm_store_extent *extent = &header->extents[i];
            uint64_t end = extent->section_offset + extent->size;
            length = extent->section == section && end > length ? end : length;
        }
        sections[section] = get(1, length + 1);
        for (uint32_t i = 0; i < atomic_load(&header->extent_count); i++) {
            const struct tm_store_extent *extent = &header->extents[i];
            if (extent->section == section && extent->file_offset + extent->size <= size) {
                memcpy((char *)sections[section] + extent->section_offset, bytes + extent->file_offset, extent->size);
            }
        }
    }
}

static const char *string(uint32_t id)
{
    return (const char *)sections[TM_STORE_STRINGS] + (size_t)id * 4 + sizeof(uint32_t);
}

static void print_frames(uint32_t traceback)
{
    const struct tm_stored_traceback *tracebacks = sections[TM_STORE_TRACEBACKS];
    const struct tm_stored_frame *frames = sections[TM_STORE_FRAMES];
    if (traceback == 0) {
        printf("<unknown>:0");
        return;
    }
    if (tracebacks[traceback].parent != 0) {
        print_frames(tracebacks[traceback].parent);
        printf(";");
    }
    const struct tm_stored_frame *frame = &frames[tracebacks[traceback].frame];
    printf("%s:%u", string(frame->file), frame->line);
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
    for (uint64_t i = 0; i < capacity; i++) {
        if (blocks[i].lives && blocks[i].domain < NATIVE) {
            blocks[count++] = blocks[i];
        }
    }
    qsort(blocks, count, sizeof *blocks, by_traceback);
    struct sum sum = {0, 0};
    for (uint64_t i = 0; i < count; i++) {
        sum.bytes += (int64_t)blocks[i].size;
        sum.blocks++;
        if (i + 1 == count || by_traceback(&blocks[i], &blocks[i + 1]) != 0) {
            printf("held\t%u\t%lld\t%lld\t", blocks[i].domain, (long long)sum.bytes, (long long)sum.blocks);
            print_frames(blocks[i].traceback);
            printf("\n");
            sum = (struct sum){0, 0};
        }
    }
}

/* The log is a hole behind its last entry: only what is used is read. */
static struct tm_event *read_log(const char *path, uint64_t *count)
{
    struct tm_event_header header;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(&header, sizeof header, 1, file) != 1) {
        fprintf(stderr, "event_replay: %s is no log\n", path);
        exit(1);
    }
    *count = atomic_load(&header.count);
    if (*count > TM_EVENT_MAX) {
        fail("the log is full", *count);
    }
    struct tm_event *events = get((size_t)*count + 1, sizeof *events);
    if (fseek(file, TM_EVENT_HEADER_SIZE, SEEK_SET) != 0 ||
        fread(events, sizeof *events, (size_t)*count, file) != *count) {
        fail("short log", 0);
    }
    (void)fclose(file);
    return events;
}

static void print_peak(const struct tm_event *events, uint64_t at, int64_t peak, const char *store)
{
    printf("peak\t%lld\n", (long long)peak);
    reset(at);
    for (uint64_t i = 0; i < at; i++) {
        if (atomic_load(&events[i].kind) != 0) {
            (void)apply(&events[i], i);
        }
    }
    read_store(store);
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
    struct tm_event *events = read_log(argv[1], &count);
    reset(count);
    uint64_t at = replay(events, count, stops ? argv + 3 : NULL, &peak);
    if (argc == 3 && !stops) {
        print_peak(events, at, peak, argv[2]);
    }
    return 0;
}
