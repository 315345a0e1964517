/* SPDX-License-Identifier: MIT */
#include "report/snapshot/file_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX       (UINT64_C(4) << 30)
#define FIRST_CAPACITY ((size_t)64 << 10)

struct content {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
};

static enum tm_status fail(struct tm_fault *fault, enum tm_status status, uint64_t offset, const char *what)
{
    fault->offset = offset;
    (void)snprintf(fault->what, sizeof fault->what, "%s", what);
    return status;
}

static enum tm_status make_room(struct content *content, struct tm_fault *fault)
{
    if (content->size < content->capacity) {
        return TM_STATUS_OK;
    }
    if (content->size >= FILE_MAX) {
        return fail(fault, TM_STATUS_TOO_LARGE, content->size, "the file is larger than a snapshot can be");
    }
    size_t capacity = content->capacity > 0 ? content->capacity * 2 : FIRST_CAPACITY;
    uint8_t *bytes = realloc(content->bytes, capacity);
    if (bytes == NULL) {
        return fail(fault, TM_STATUS_NO_MEMORY, content->size, "no memory for the file");
    }
    content->bytes = bytes;
    content->capacity = capacity;
    return TM_STATUS_OK;
}

/* BY_POSITION: a file that has positions, else a stream. */
static enum tm_status read_all(int descriptor, bool by_position, struct content *content, struct tm_fault *fault)
{
    for (;;) {
        enum tm_status status = make_room(content, fault);
        if (status != TM_STATUS_OK) {
            return status;
        }
        uint8_t *to = content->bytes + content->size;
        size_t room = content->capacity - content->size;
        ssize_t got = by_position ? pread(descriptor, to, room, (off_t)content->size) : read(descriptor, to, room);
        if (got == 0) {
            return TM_STATUS_OK;
        }
        if (got < 0 && errno != EINTR) {
            return fail(fault, TM_STATUS_IO, content->size, strerror(errno));
        }
        content->size += got > 0 ? (size_t)got : 0;
    }
}

/* Room for what a regular file says that it has and the look at its end: no guessing, no copying. */
static void expect(int descriptor, struct content *content)
{
    struct stat found;
    if (fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0 &&
        (uint64_t)found.st_size < FILE_MAX) {
        content->bytes = malloc((size_t)found.st_size + 1);
        content->capacity = content->bytes != NULL ? (size_t)found.st_size + 1 : 0;
    }
}

static enum tm_status read_to(int descriptor, bool by_position, uint8_t **bytes, size_t *size, struct tm_fault *fault)
{
    struct content content = {NULL, 0, 0};
    expect(descriptor, &content);
    enum tm_status status = read_all(descriptor, by_position, &content, fault);
    if (status != TM_STATUS_OK) {
        free(content.bytes);
        return status;
    }
    *bytes = content.bytes;
    *size = content.size;
    return TM_STATUS_OK;
}

enum tm_status tm_file_read(const char *path, uint8_t **bytes, size_t *size, struct tm_fault *fault)
{
    bool standard_input = strcmp(path, "-") == 0;
    int descriptor = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) {
        return fail(fault, TM_STATUS_IO, 0, strerror(errno));
    }
    enum tm_status status = read_to(descriptor, false, bytes, size, fault);
    if (!standard_input) {
        (void)close(descriptor);
    }
    return status;
}

enum tm_status tm_file_read_open(int descriptor, uint8_t **bytes, size_t *size, struct tm_fault *fault)
{
    return read_to(descriptor, true, bytes, size, fault);
}
