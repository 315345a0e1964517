/* SPDX-License-Identifier: MIT */
#include "runtime/os/resident_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/os_call.h"

#define LINE_MAX_BYTES 8192U /* longer lines are cut: of a path only the start counts */

/* Bytes of a read.  The kernel fills a page with mappings, looking through each one's pages, and drops the one that
 * does not fit, to look again.  It stops before that when it has as much as was asked for: a page less a long
 * mapping. */
#define READ_MAX_BYTES (4096U - 1024U)

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
    bool is_status;
};

TM_INLINE void add_line(struct reading *reading, const char *line, size_t length)
{
    if (reading->is_status) {
        tm_resident_add_status_line(reading->memory, line, length);
    } else {
        add_smaps_line(reading->memory, &reading->kind, line, length, reading->store);
    }
}

/* The end of the line at the start of LENGTH bytes; NULL: it is not among them.  The figures of a mapping, nearly all
 * lines of smaps, are of one length: no line is shorter that ends so. */
static const char *end_of_line(const char *line, size_t length)
{
    enum { FIGURE = 27 };
    static const char unit[] = " kB\n";
    if (length > FIGURE && memcmp(line + FIGURE + 1 - (sizeof unit - 1), unit, sizeof unit - 1) == 0) {
        return line + FIGURE;
    }
    return memchr(line, '\n', length);
}

/* Takes the whole lines out of BUFFER; the length of what is left at its start. */
static size_t take_lines(struct reading *reading, char *buffer, size_t length)
{
    size_t begin = 0;
    const char *end;
    while ((end = end_of_line(buffer + begin, length - begin)) != NULL) {
        add_line(reading, buffer + begin, (size_t)(end - buffer) - begin);
        begin = (size_t)(end - buffer) + 1;
    }
    if (begin == 0 && length == LINE_MAX_BYTES) {
        add_line(reading, buffer, length);
        begin = length - 1; /* the rest of the line begins with a byte that is in no number */
        buffer[begin] = '_';
    }
    memmove(buffer, buffer + begin, length - begin);
    return length - begin;
}

/* By system call: libc's functions are symbols that the program may have replaced. */
static long read_some(int descriptor, char *to, size_t capacity)
{
    long got;
    do {
        got = TM_OS_CALL(READ, syscall(SYS_read, descriptor, to, capacity));
    } while (got < 0 && errno == EINTR);
    return got;
}

static bool read_all(struct reading *reading, int descriptor)
{
    char buffer[LINE_MAX_BYTES];
    size_t length = 0;
    long got;
    do {
        size_t room = sizeof buffer - length;
        got = read_some(descriptor, buffer + length, room < READ_MAX_BYTES ? room : READ_MAX_BYTES);
        length = got > 0 ? take_lines(reading, buffer, length + (size_t)got) : length;
    } while (got > 0);
    return got == 0 && reading->memory->rss > 0;
}

static bool read_file(struct reading *reading, const char *path)
{
    int saved = errno;
    bool done = false;
    memset(reading->memory, 0, sizeof *reading->memory);
    int descriptor = (int)TM_OS_CALL(OPEN, syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0));
    if (descriptor >= 0) {
        done = read_all(reading, descriptor);
        (void)syscall(SYS_close, descriptor);
    }
    if (!done) {
        memset(reading->memory, 0, sizeof *reading->memory);
    }
    errno = saved;
    return done;
}

bool tm_resident_memory_read(struct tm_resident_memory *memory, const char *store)
{
    struct reading reading = {memory, TM_MAPPING_NONE, store, false};
    return read_file(&reading, "/proc/self/smaps");
}

bool tm_resident_memory_read_sums(struct tm_resident_memory *memory)
{
    struct reading reading = {memory, TM_MAPPING_NONE, NULL, true};
    return read_file(&reading, "/proc/self/status");
}
