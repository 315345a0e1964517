/* SPDX-License-Identifier: MIT */
/* Prints a snapshot as lines of tab-separated fields, for the tests of the doors:
 *   meta KEY VALUE
 *   trace DOMAIN LIVE_BYTES LIVE_BLOCKS EVER_BYTES EVER_BLOCKS FILE:LINE,... TEMPORARY_BLOCKS (oldest frame first) */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/snapshot/snapshot_load.h"

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
    static unsigned char bytes[64U << 20];
    struct tm_snapshot *snapshot;
    struct tm_fault fault;
    FILE *stream = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (stream == NULL) {
        fprintf(stderr, "usage: snapshot_dump SNAPSHOT\n");
        return 2;
    }
    size_t size = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    if (tm_snapshot_load(bytes, size, &snapshot, &fault) != 0) {
        fprintf(stderr, "snapshot_dump: %s cannot be read\n", argv[1]);
        return 1;
    }
    print_snapshot(snapshot);
    tm_snapshot_free(snapshot);
    return 0;
}
