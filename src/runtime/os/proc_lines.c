/* SPDX-License-Identifier: MIT */
#include "runtime/os/proc_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/os_call.h"

/* Bytes of a read.  The kernel fills a page with mappings, looking through each one's pages, and drops the one that
 * does not fit, to look again.  It stops before that when it has as much as was asked for: a page less a long
 * mapping. */
#define READ_MAX_BYTES (4096U - 1024U)

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
static size_t take_lines(tm_proc_line visit, void *context, char *buffer, size_t length)
{
    size_t begin = 0;
    const char *end;
    while ((end = end_of_line(buffer + begin, length - begin)) != NULL) {
        visit(context, buffer + begin, (size_t)(end - buffer) - begin);
        begin = (size_t)(end - buffer) + 1;
    }
    if (begin == 0 && length == TM_PROC_LINE_MAX) {
        visit(context, buffer, length);
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

static bool read_all(int descriptor, tm_proc_line visit, void *context)
{
    char buffer[TM_PROC_LINE_MAX];
    size_t length = 0;
    long got;
    do {
        size_t room = sizeof buffer - length;
        got = read_some(descriptor, buffer + length, room < READ_MAX_BYTES ? room : READ_MAX_BYTES);
        length = got > 0 ? take_lines(visit, context, buffer, length + (size_t)got) : length;
    } while (got > 0);
    return got == 0;
}

bool tm_proc_lines_read(const char *path, tm_proc_line visit, void *context)
{
    int saved = errno;
    bool done = false;
    int descriptor = (int)TM_OS_CALL(OPEN, syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0));
    if (descriptor >= 0) {
        done = read_all(descriptor, visit, context);
        (void)syscall(SYS_close, descriptor);
    }
    errno = saved;
    return done;
}
