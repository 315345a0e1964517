/* SPDX-License-Identifier: MIT */
/* usage: many_maker TRACEBACKS DEPTH OUTPUT
 *
 * A snapshot of many distinct tracebacks, for measuring: each has DEPTH frames and a counter.  Like those of a program,
 * they share their older frames: each differs from the one before in its newest frames only, one of them half of the
 * time, two a quarter of the time, and so on.  The same numbers give the same file. */
#include <stdio.h>
#include <stdlib.h>

#include "report/snapshot/snapshot_write.h"
#include "support/random_numbers.h"

#define FILES      400U
#define FUNCTIONS  6000U
#define LINES      40000U
#define NAME_BYTES 64U

struct making {
    struct tm_span *strings;
    struct tm_frame_record *frames;
    struct tm_traceback_record *tracebacks;
    struct tm_counter_record *counters;
    uint32_t *path; /* the traceback of each depth of the last one */
    uint32_t traceback_count;
    struct random_numbers random;
};

static void *get(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static void name(struct making *m, uint32_t id, const char *format, unsigned number)
{
    char *text = get(NAME_BYTES, 1);
    int length = snprintf(text, NAME_BYTES, format, number);
    m->strings[id] = (struct tm_span){(const uint8_t *)text, (size_t)length};
}

static void make_frames(struct making *m)
{
    m->strings = get(1 + FILES + FUNCTIONS, sizeof *m->strings);
    m->strings[0] = (struct tm_span){(const uint8_t *)"", 0};
    for (uint32_t i = 0; i < FILES; i++) {
        name(m, 1 + i, "/srv/app/lib/python3.11/site-packages/package/module%u.py", i);
    }
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        name(m, 1 + FILES + i, "Class.method%u", i);
    }
    m->frames = get(LINES + 1, sizeof *m->frames);
    for (uint32_t i = 0; i < LINES; i++) {
        uint32_t function = i % FUNCTIONS;
        m->frames[i + 1] = (struct tm_frame_record){
            .file = 1 + function % FILES, .function = 1 + FILES + function, .line = 1 + i / FILES};
    }
}

/* A new line in each of the newest frames: most often in the last one only. */
static void make_traceback(struct making *m, uint32_t number, unsigned depth)
{
    uint64_t random = random_next(&m->random) >> 8;
    unsigned level = depth - 1;
    while (level > 0 && (number == 0 || random & 1)) {
        random >>= 1;
        level--;
    }
    for (; level < depth; level++) {
        uint32_t parent = level > 0 ? m->path[level - 1] : 0;
        m->path[level] = ++m->traceback_count;
        m->tracebacks[m->traceback_count] =
            (struct tm_traceback_record){parent, 1 + (uint32_t)random_below(&m->random, LINES)};
    }
    uint64_t size = 16 + 16 * random_below(&m->random, 32), blocks = 1 + random_below(&m->random, 50);
    m->counters[number] = (struct tm_counter_record){.traceback = m->traceback_count,
                                                     .domain = TM_DOMAIN_OBJ,
                                                     .live_bytes = size * blocks,
                                                     .live_blocks = blocks,
                                                     .ever_bytes = size * blocks * 3,
                                                     .ever_blocks = blocks * 3,
                                                     .peak_python_bytes = size * blocks,
                                                     .peak_python_blocks = blocks,
                                                     .peak_heap_bytes = size * blocks,
                                                     .peak_heap_blocks = blocks};
}

int main(int count, char **arguments)
{
    unsigned long tracebacks = count == 4 ? strtoul(arguments[1], NULL, 10) : 0;
    unsigned depth = count == 4 ? (unsigned)strtoul(arguments[2], NULL, 10) : 0;
    if (tracebacks == 0 || tracebacks > 20000000 || depth == 0 || depth > 1000) {
        (void)fputs("usage: many_maker TRACEBACKS DEPTH OUTPUT\n", stderr);
        return 2;
    }
    struct making m = {.random = {1}};
    make_frames(&m);
    m.tracebacks = get((size_t)tracebacks * 4 + 2 * depth + 1000, sizeof *m.tracebacks);
    m.counters = get(tracebacks, sizeof *m.counters);
    m.path = get(depth, sizeof *m.path);
    for (uint32_t i = 0; i < tracebacks; i++) {
        make_traceback(&m, i, depth);
    }
    const struct tm_snapshot snapshot = {.strings = m.strings,
                                         .string_count = 1 + FILES + FUNCTIONS,
                                         .frames = m.frames,
                                         .frame_count = LINES + 1,
                                         .tracebacks = m.tracebacks,
                                         .traceback_count = m.traceback_count + 1,
                                         .counters = m.counters,
                                         .counter_count = tracebacks};
    uint8_t *bytes;
    size_t size;
    if (tm_snapshot_write(&snapshot, TM_CODEC_ZSTD, &bytes, &size) != TM_STATUS_OK) {
        abort();
    }
    FILE *output = fopen(arguments[3], "wb");
    if (output == NULL || fwrite(bytes, 1, size, output) != size || fclose(output) != 0) {
        perror(arguments[3]);
        return 1;
    }
    (void)printf("%lu tracebacks of %u frames: %u in the tree, %zu bytes\n", tracebacks, depth, m.traceback_count,
                 size);
    return 0;
}
