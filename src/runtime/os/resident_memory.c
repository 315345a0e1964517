/* SPDX-License-Identifier: MIT */
#include "runtime/os/resident_memory.h"

#include <string.h>

#include "base/compiler.h"
#include "runtime/os/proc_lines.h"

/* Inline, so that the length of PREFIX is a constant: a process has thousands of lines. */
TM_INLINE bool starts_with(const char *line, size_t length, const char *prefix)
{
    size_t size = strlen(prefix);
    return length >= size && memcmp(line, prefix, size) == 0;
}

TM_INLINE bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* "Rss:                1234 kB", from its end: most of it is blanks */
static uint64_t bytes_of(const char *line, size_t length)
{
    uint64_t value = 0, unit = 1024;
    while (length > 0 && !is_digit(line[length - 1])) {
        length--;
    }
    for (; length > 0 && is_digit(line[length - 1]); length--, unit *= 10) {
        value += unit * (uint64_t)(line[length - 1] - '0');
    }
    return value;
}

/* Skips COUNT words from AT on and the blanks behind them. */
static size_t after_words(const char *line, size_t length, size_t at, unsigned count)
{
    while (count-- > 0) {
        while (at < length && line[at] != ' ') {
            at++;
        }
        while (at < length && line[at] == ' ') {
            at++;
        }
    }
    return at;
}

static bool is_shared_memory(const char *path, size_t length)
{
    return starts_with(path, length, "/dev/shm/") || starts_with(path, length, "/memfd:") ||
           starts_with(path, length, "/SYSV") || starts_with(path, length, "/dev/zero");
}

/* "55d0c8a00000-55d0c8a21000 rw-p 00000000 00:00 0   [heap]" */
static __attribute__((noinline)) enum tm_mapping_kind kind_of(const char *line, size_t length, const char *store)
{
    size_t at = after_words(line, length, 0, 4);
    bool has_file = at < length && line[at] != '0';
    size_t path = after_words(line, length, at, 1);
    const char *name = line + path;
    size_t size = length - path;
    if (store != NULL && size == strlen(store) && memcmp(name, store, size) == 0) {
        return TM_MAPPING_STORE;
    }
    if (is_shared_memory(name, size)) {
        return TM_MAPPING_SHARED;
    }
    if (has_file) {
        return TM_MAPPING_FILE;
    }
    return starts_with(name, size, "[heap]")    ? TM_MAPPING_HEAP
           : starts_with(name, size, "[stack]") ? TM_MAPPING_STACK
                                                : TM_MAPPING_ANONYMOUS;
}

/* The heading of a mapping begins with a hexadecimal address in small letters, its figures with a capital. */
static bool is_heading(const char *line, size_t length)
{
    return length > 0 && ((line[0] >= '0' && line[0] <= '9') || (line[0] >= 'a' && line[0] <= 'f'));
}

static uint64_t *part_of(struct tm_resident_memory *memory, enum tm_mapping_kind kind)
{
    switch (kind) {
    case TM_MAPPING_HEAP:
        return &memory->heap;
    case TM_MAPPING_STACK:
        return &memory->stack;
    case TM_MAPPING_FILE:
        return &memory->file;
    case TM_MAPPING_SHARED:
        return &memory->shared;
    case TM_MAPPING_STORE:
        return &memory->store;
    case TM_MAPPING_NONE:
    case TM_MAPPING_ANONYMOUS:
        break;
    }
    return &memory->anonymous;
}

static __attribute__((noinline)) void add_figure(struct tm_resident_memory *memory, enum tm_mapping_kind kind,
                                                 const char *line, size_t length)
{
    if (starts_with(line, length, "Rss:")) {
        uint64_t bytes = bytes_of(line, length);
        memory->rss += bytes;
        *part_of(memory, kind) += bytes;
    } else if (starts_with(line, length, "Pss:")) {
        memory->pss += bytes_of(line, length);
    } else if (starts_with(line, length, "Swap:")) {
        memory->swap += bytes_of(line, length);
    } else if (kind == TM_MAPPING_FILE && starts_with(line, length, "Anonymous:")) {
        uint64_t bytes = bytes_of(line, length); /* comes after Rss and is part of it */
        memory->file -= bytes < memory->file ? bytes : memory->file;
        memory->file_own += bytes;
    }
}

/* Of the figures of a mapping, some twenty lines, four count. */
TM_INLINE void add_smaps_line(struct tm_resident_memory *memory, enum tm_mapping_kind *kind, const char *line,
                              size_t length, const char *store)
{
    if (starts_with(line, length, "Rss:") || starts_with(line, length, "Pss:") || starts_with(line, length, "Swap") ||
        starts_with(line, length, "Anon")) {
        add_figure(memory, *kind, line, length);
    } else if (is_heading(line, length)) {
        *kind = kind_of(line, length, store);
    }
}

void tm_resident_add_line(struct tm_resident_memory *memory, enum tm_mapping_kind *kind, const char *line,
                          size_t length, const char *store)
{
    add_smaps_line(memory, kind, line, length, store);
}

/* "VmRSS:	  1234 kB", and so on */
void tm_resident_add_status_line(struct tm_resident_memory *memory, const char *line, size_t length)
{
    const struct {
        const char *key;
        uint64_t *to;
    } lines[] = {{"VmRSS:", &memory->rss},
                 {"RssAnon:", &memory->anonymous},
                 {"RssFile:", &memory->file},
                 {"RssShmem:", &memory->shared},
                 {"VmSwap:", &memory->swap}};
    for (size_t i = 0; i < TM_COUNT_OF(lines); i++) {
        if (starts_with(line, length, lines[i].key)) {
            *lines[i].to = bytes_of(line, length);
        }
    }
}

/* What is being read. */
struct reading {
    struct tm_resident_memory *memory;
    enum tm_mapping_kind kind;
    const char *store;
};

static void visit_smaps_line(void *context, const char *line, size_t length)
{
    struct reading *reading = context;
    add_smaps_line(reading->memory, &reading->kind, line, length, reading->store);
}

static void visit_status_line(void *context, const char *line, size_t length)
{
    struct reading *reading = context;
    tm_resident_add_status_line(reading->memory, line, length);
}

static bool read_file(struct reading *reading, const char *path, tm_proc_line visit)
{
    memset(reading->memory, 0, sizeof *reading->memory);
    bool done = tm_proc_lines_read(path, visit, reading) && reading->memory->rss > 0;
    if (!done) {
        memset(reading->memory, 0, sizeof *reading->memory);
    }
    return done;
}

bool tm_resident_memory_read(struct tm_resident_memory *memory, const char *store)
{
    struct reading reading = {memory, TM_MAPPING_NONE, store};
    return read_file(&reading, "/proc/self/smaps", visit_smaps_line);
}

bool tm_resident_memory_read_sums(struct tm_resident_memory *memory)
{
    struct reading reading = {memory, TM_MAPPING_NONE, NULL};
    return read_file(&reading, "/proc/self/status", visit_status_line);
}
