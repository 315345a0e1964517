/* SPDX-License-Identifier: MIT */
#include "runtime/os/own_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "runtime/os/os_call.h"
#include "runtime/os/os_file.h"
#include "runtime/os/os_memory.h"
#include "runtime/os/page_map.h"
#include "runtime/os/proc_lines.h"

#define AT_ONCE 512U /* pages */

/* A larger mapping holds data: to look at all of its pages would take longer than the figure is worth. */
#define LARGEST ((size_t)64 << 20)

/* struct procmap_query of the kernel, whose headers may be older. */
struct query {
    uint64_t size;
    uint64_t flags;
    uint64_t address;
    uint64_t begin;
    uint64_t end;
    uint64_t rights;
    uint64_t page_size;
    uint64_t offset;
    uint64_t inode;
    uint32_t device_major;
    uint32_t device_minor;
    uint32_t name_size;
    uint32_t build_id_size;
    uint64_t name;
    uint64_t build_id;
};

#define ASK_MAPPING _IOWR('f', 17, struct query)
enum { IS_WRITABLE = 0x02, IS_SHARED = 0x08, OR_NEXT = 0x10, HAS_FILE = 0x20 }; /* in flags, the first two in rights */

/* What is being summed up. */
struct walk {
    struct tm_own_pages *own;
    int page_map;
    bool is_told;
    struct tm_mapping before; /* the last mapping */
};

/* Bytes of the pages in [begin, end) that are in memory and no file's. */
static uint64_t own_bytes(struct walk *walk, uintptr_t begin, uintptr_t end)
{
    uint64_t entries[AT_ONCE];
    uint64_t pages = 0;
    for (uintptr_t at = begin; at < end && walk->is_told;) {
        size_t left = (end - at) / TM_PAGE_SIZE;
        size_t count = left < AT_ONCE ? left : AT_ONCE;
        walk->is_told = tm_page_map_read(walk->page_map, at, count, entries);
        for (size_t i = 0; i < count && walk->is_told; i++) {
            pages += (entries[i] & (TM_PAGE_IS_PRESENT | TM_PAGE_IS_OF_FILE)) == TM_PAGE_IS_PRESENT;
        }
        at += count * TM_PAGE_SIZE;
    }
    return pages * TM_PAGE_SIZE;
}

bool tm_mapping_was_writable(const struct tm_mapping *before, const struct tm_mapping *next)
{
    return before->end == next->begin && before->inode == next->inode && !before->is_writable && !before->is_shared;
}

static bool is_looked_through(const struct tm_mapping *mapping)
{
    return mapping->end - mapping->begin <= LARGEST;
}

/* Mappings come in the order of their addresses. */
static void take(struct walk *walk, const struct tm_mapping *mapping)
{
    if (mapping->is_stack) {
        walk->own->stack += own_bytes(walk, mapping->begin, mapping->end);
    } else if (mapping->inode != 0 && mapping->is_writable && !mapping->is_shared && is_looked_through(mapping)) {
        bool with_before = tm_mapping_was_writable(&walk->before, mapping) && is_looked_through(&walk->before);
        walk->own->file += own_bytes(walk, with_before ? walk->before.begin : mapping->begin, mapping->end);
    }
    walk->before = *mapping;
}

/* Of the mapping at ADDRESS, or, where FLAGS say so, of the next one that is as they ask. */
static bool ask(int maps, uintptr_t address, uint64_t flags, struct tm_mapping *mapping)
{
    struct query query = {.size = sizeof query, .flags = flags, .address = address};
    if (syscall(SYS_ioctl, maps, ASK_MAPPING, &query) != 0) {
        return false;
    }
    *mapping = (struct tm_mapping){.begin = query.begin,
                                   .end = query.end,
                                   .inode = query.inode,
                                   .is_writable = (query.rights & IS_WRITABLE) != 0,
                                   .is_shared = (query.rights & IS_SHARED) != 0};
    return true;
}

/* The program's name lies where the main thread's stack begins. */
static bool ask_stack(struct walk *walk, int maps)
{
    struct tm_mapping mapping;
    bool is_there = ask(maps, getauxval(AT_EXECFN), 0, &mapping);
    if (is_there) {
        mapping.is_stack = true;
        take(walk, &mapping);
    }
    return is_there;
}

static bool ask_all(struct walk *walk, int maps)
{
    struct tm_mapping mapping, before;
    if (!ask_stack(walk, maps)) {
        return false;
    }
    for (uintptr_t at = 0; ask(maps, at, IS_WRITABLE | HAS_FILE | OR_NEXT, &mapping); at = mapping.end) {
        if (!mapping.is_shared && ask(maps, mapping.begin - 1, 0, &before)) {
            walk->before = before;
        }
        take(walk, &mapping);
    }
    return errno == ENOENT; /* the last one was there */
}

static bool read_by_query(struct walk *walk)
{
    int maps = (int)TM_OS_CALL(OPEN, syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0));
    bool done = maps >= 0 && ask_all(walk, maps);
    if (maps >= 0) {
        tm_file_close(maps);
    }
    return done;
}

/* The number in BASE at *AT, which is moved behind it. */
static uint64_t number_at(const char *line, size_t length, size_t *at, unsigned base)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t value = 0;
    const char *digit;
    while (*at < length && (digit = memchr(digits, line[*at], base)) != NULL) {
        value = value * base + (uint64_t)(digit - digits);
        ++*at;
    }
    return value;
}

static void skip_word(const char *line, size_t length, size_t *at)
{
    while (*at < length && line[*at] != ' ') {
        ++*at;
    }
    while (*at < length && line[*at] == ' ') {
        ++*at;
    }
}

/* "55d0c8a00000-55d0c8a21000 rw-p 00000000 00:00 0   [heap]" */
bool tm_mapping_of_line(struct tm_mapping *mapping, const char *line, size_t length)
{
    static const char stack[] = "[stack]";
    size_t at = 0;
    mapping->begin = (uintptr_t)number_at(line, length, &at, 16);
    if (at == 0 || at >= length || line[at++] != '-') {
        return false;
    }
    mapping->end = (uintptr_t)number_at(line, length, &at, 16);
    skip_word(line, length, &at);
    if (mapping->end <= mapping->begin || length - at < 4) {
        return false;
    }
    mapping->is_writable = line[at + 1] == 'w';
    mapping->is_shared = line[at + 3] == 's';
    skip_word(line, length, &at);
    skip_word(line, length, &at);
    skip_word(line, length, &at);
    mapping->inode = number_at(line, length, &at, 10);
    skip_word(line, length, &at);
    mapping->is_stack = length - at >= sizeof stack - 1 && memcmp(line + at, stack, sizeof stack - 1) == 0;
    return true;
}

static void visit_line(void *context, const char *line, size_t length)
{
    struct walk *walk = context;
    struct tm_mapping mapping;
    if (tm_mapping_of_line(&mapping, line, length)) {
        take(walk, &mapping);
    }
}

static bool read_lines(struct walk *walk)
{
    return tm_proc_lines_read("/proc/self/maps", visit_line, walk);
}

/* READ goes through the mappings. */
static bool read_with(struct tm_own_pages *own, bool (*read)(struct walk *walk))
{
    int saved = errno;
    struct walk walk = {.own = own, .page_map = tm_page_map_open(), .is_told = true};
    bool done = false;
    memset(own, 0, sizeof *own);
    if (walk.page_map >= 0) {
        done = read(&walk) && walk.is_told;
        tm_file_close(walk.page_map);
    }
    if (!done) {
        memset(own, 0, sizeof *own);
    }
    errno = saved;
    return done;
}

bool tm_own_pages_read_lines(struct tm_own_pages *own)
{
    return read_with(own, read_lines);
}

bool tm_own_pages_read(struct tm_own_pages *own)
{
    return read_with(own, read_by_query) || tm_own_pages_read_lines(own);
}
