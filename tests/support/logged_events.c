/* SPDX-License-Identifier: MIT */
#include "support/logged_events.h"

#include <stdlib.h>
#include <string.h>

#include "store/store_layout.h"

struct block *live_blocks;
uint64_t live_capacity;
struct sum live[DOMAINS];

void events_fail(const char *why, uint64_t number)
{
    fprintf(stderr, "log of events: %s (event %llu)\n", why, (unsigned long long)number);
    exit(1);
}

void *events_get(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        events_fail("no memory", 0);
    }
    return memory;
}

struct tm_event *events_read(const char *path, uint64_t *count)
{
    struct tm_event_header header;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(&header, sizeof header, 1, file) != 1) {
        fprintf(stderr, "log of events: %s is no log\n", path);
        exit(1);
    }
    *count = atomic_load(&header.count);
    if (*count > TM_EVENT_MAX) {
        events_fail("the log is full", *count);
    }
    struct tm_event *events = events_get((size_t)*count + 1, sizeof *events);
    if (fseek(file, TM_EVENT_HEADER_SIZE, SEEK_SET) != 0 ||
        fread(events, sizeof *events, (size_t)*count, file) != *count) {
        events_fail("short log", 0);
    }
    (void)fclose(file);
    return events;
}

/* The place of ADDRESS, which may be new; blocks that went keep theirs. */
static struct block *find(uint64_t address)
{
    uint64_t at = (address >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> 20;
    for (;; at++) {
        struct block *block = &live_blocks[at & (live_capacity - 1)];
        if (block->address == address || block->address == 0) {
            return block;
        }
    }
}

void events_reset(uint64_t events)
{
    free(live_blocks);
    for (live_capacity = 1024; live_capacity < events * 2; live_capacity *= 2) {
    }
    live_blocks = events_get(live_capacity, sizeof *live_blocks);
    memset(live, 0, sizeof live);
}

struct sum events_apply(const struct tm_event *event, uint64_t number, uint32_t *traceback)
{
    struct block *block = find(event->address);
    struct sum change = {0, 0};
    const uint32_t kind = atomic_load(&event->kind);
    if (traceback != NULL) {
        *traceback = block->traceback;
    }
    if (event->domain >= DOMAINS) {
        events_fail("a domain that there is not", number);
    }
    if ((kind == KIND_ALLOC) == block->lives) {
        events_fail(block->lives ? "a block came that is there" : "a block went or moved that is not there", number);
    }
    if (kind == KIND_ALLOC) {
        *block = (struct block){event->address, event->size, event->traceback, event->domain, true};
        change = (struct sum){(int64_t)event->size, 1};
    } else if (block->size != event->size || block->domain != event->domain) {
        events_fail("a block has another size or domain than when it came", number);
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

int64_t events_python_bytes(void)
{
    int64_t sum = 0;
    for (unsigned domain = 0; domain < NATIVE; domain++) {
        sum += live[domain].bytes;
    }
    return sum;
}

static void *read_file(const char *path, uint64_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "log of events: %s cannot be read\n", path);
        exit(1);
    }
    *size = (uint64_t)ftell(file);
    rewind(file);
    void *bytes = events_get(1, (size_t)*size + 1);
    if (fread(bytes, 1, (size_t)*size, file) != *size) {
        events_fail("short read", 0);
    }
    (void)fclose(file);
    return bytes;
}

/* The sections of a store that nobody writes any more, each in one piece. */
static void *sections[TM_STORE_SECTIONS];

void events_read_store(const char *path)
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
        sections[section] = events_get(1, length + 1);
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

void events_print_frames(FILE *out, uint32_t traceback)
{
    const struct tm_stored_traceback *tracebacks = sections[TM_STORE_TRACEBACKS];
    const struct tm_stored_frame *frames = sections[TM_STORE_FRAMES];
    if (traceback == 0) {
        fprintf(out, "<unknown>:0");
        return;
    }
    if (tracebacks[traceback].parent != 0) {
        events_print_frames(out, tracebacks[traceback].parent);
        fprintf(out, ";");
    }
    const struct tm_stored_frame *frame = &frames[tracebacks[traceback].frame];
    fprintf(out, "%s:%u", string(frame->file), frame->line);
}
