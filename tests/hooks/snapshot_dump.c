/* SPDX-License-Identifier: MIT */
/* Prints a snapshot, or a live store, as lines of tab-separated fields, for the tests of the doors:
 *   meta KEY VALUE
 *   trace DOMAIN LIVE_BYTES LIVE_BLOCKS EVER_BYTES EVER_BLOCKS FILE:LINE,... TEMPORARY_BLOCKS (oldest frame first) */
#include <inttypes.h>
#include <stdio.h>

#include "report/snapshot/snapshot_file.h"

static void print_span(struct tm_span span)
{
    for (size_t i = 0; i < span.length; i++) {
        putchar(span.bytes[i] < ' ' ? ' ' : span.bytes[i]);
    }
}

static void print_traceback(const struct tm_snapshot *snapshot, uint32_t id)
{
    if (id == 0) {
        return;
    }
    const struct tm_traceback_record *traceback = &snapshot->tracebacks[id];
    const struct tm_frame_record *frame = &snapshot->frames[traceback->frame];
    print_traceback(snapshot, traceback->parent);
    print_span(snapshot->strings[frame->file]);
    printf(":%" PRIu32 ",", frame->line);
}

static void print_snapshot(const struct tm_snapshot *snapshot)
{
    static const char *const domains[] = {"raw", "mem", "obj", "native", "mmap"};
    for (size_t i = 0; i < snapshot->meta_count; i++) {
        const struct tm_meta_record *meta = &snapshot->meta[i];
        printf("meta\t");
        print_span(meta->key);
        putchar('\t');
        if (meta->type == TM_META_BYTES) {
            print_span(meta->bytes);
        } else {
            printf("%" PRIu64, meta->number);
        }
        putchar('\n');
    }
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        const struct tm_counter_record *record = &snapshot->counters[i];
        printf("trace\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t", domains[record->domain],
               record->live_bytes, record->live_blocks, record->ever_bytes, record->ever_blocks);
        print_traceback(snapshot, record->traceback);
        printf("\t%" PRIu64 "\n", record->temporary_blocks);
    }
}

int main(int argc, char **argv)
{
    struct tm_snapshot *snapshot;
    struct tm_fault fault;
    if (argc != 2) {
        fprintf(stderr, "usage: snapshot_dump SNAPSHOT|STORE\n");
        return 2;
    }
    if (tm_snapshot_open(argv[1], &snapshot, &fault) != 0) {
        fprintf(stderr, "snapshot_dump: %s cannot be read\n", argv[1]);
        return 1;
    }
    print_snapshot(snapshot);
    tm_snapshot_free(snapshot);
    return 0;
}
