/* SPDX-License-Identifier: MIT */
#include "report/render/source_line.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"

/* No source file that a person reads comes near. */
#define SOURCE_MAX ((off_t)64 << 20)

static const struct tm_span nothing = {(const uint8_t *)"", 0};

static void forget(struct tm_source_cache *cache)
{
    free(cache->name);
    free(cache->bytes);
    cache->name = NULL;
    cache->bytes = NULL;
    cache->size = 0;
    cache->changed = false;
}

void tm_source_cache_free(struct tm_source_cache *cache)
{
    forget(cache);
}

static void read_file(struct tm_source_cache *cache, const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    if (descriptor < 0) {
        return;
    }
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= SOURCE_MAX) {
        size_t size = (size_t)status.st_size;
        uint64_t written_ns = (uint64_t)status.st_mtim.tv_sec * 1000000000U + (uint64_t)status.st_mtim.tv_nsec;
        cache->changed = cache->taken_ns != 0 && written_ns > cache->taken_ns;
        cache->bytes = malloc(size + 1);
        ssize_t got;
        while (cache->bytes != NULL && cache->size < size &&
               (got = read(descriptor, cache->bytes + cache->size, size - cache->size)) > 0) {
            cache->size += (size_t)got;
        }
    }
    (void)close(descriptor);
}

/* FOLDER/NAME, or NAME alone with an empty FOLDER. */
static char *join(struct tm_span folder, const char *name)
{
    size_t length = strlen(name);
    char *path = malloc(folder.length + 1 + length + 1);
    if (path == NULL) {
        return NULL;
    }
    memcpy(path, folder.bytes, folder.length);
    path[folder.length] = '/';
    memcpy(path + folder.length + 1, name, length + 1);
    return path;
}

static size_t line_length(const uint8_t *at, const uint8_t *end)
{
    size_t length = 0;
    while (at + length < end && at[length] != '\n' && at[length] != '\r') {
        length++;
    }
    return length;
}

static const uint8_t *next_line(const uint8_t *at, const uint8_t *end)
{
    at += line_length(at, end);
    if (at < end && *at == '\r' && at + 1 < end && at[1] == '\n') {
        return at + 2;
    }
    return at < end ? at + 1 : end;
}

static bool is_in_encoding_name(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '_' || c == '.';
}

/* PEP 263: a comment with `coding:` or `coding=` and a name, in one of the first two lines. */
static bool find_cookie(const uint8_t *line, size_t length, char *name, size_t capacity)
{
    size_t at = strspn((const char *)line, " \t\f");
    if (at >= length || line[at] != '#') {
        return false;
    }
    for (; at + 7 < length; at++) {
        if (memcmp(line + at, "coding", 6) == 0 && (line[at + 6] == ':' || line[at + 6] == '=')) {
            at += 7;
            while (at < length && (line[at] == ' ' || line[at] == '\t')) {
                at++;
            }
            size_t used = 0;
            while (at < length && used + 1 < capacity && is_in_encoding_name(line[at])) {
                name[used++] = (char)line[at++];
            }
            name[used] = '\0';
            return used > 0;
        }
    }
    return false;
}

static void latin1_to_utf8(struct tm_source_cache *cache)
{
    uint8_t *wide = malloc(cache->size * 2 + 1);
    size_t used = 0;
    for (size_t i = 0; wide != NULL && i < cache->size; i++) {
        uint8_t byte = cache->bytes[i];
        if (byte < 0x80) {
            wide[used++] = byte;
        } else {
            wide[used++] = (uint8_t)(0xC0 | byte >> 6);
            wide[used++] = (uint8_t)(0x80 | (byte & 0x3F));
        }
    }
    free(cache->bytes);
    cache->bytes = wide;
    cache->size = used;
}

static bool is_utf8(const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        uint32_t point = tm_utf8_next(&at, end);
        if (point >= TM_UTF8_ESCAPE && point <= TM_UTF8_ESCAPE + 0xFF) {
            return false;
        }
    }
    return true;
}

static bool is_name_of_latin1(const char *name)
{
    return strcasecmp(name, "latin-1") == 0 || strcasecmp(name, "latin1") == 0 || strcasecmp(name, "iso-8859-1") == 0;
}

/* A file whose bytes are not what its encoding allows has no lines, as in linecache. */
static void decode(struct tm_source_cache *cache)
{
    if (cache->size >= 3 && memcmp(cache->bytes, "\xEF\xBB\xBF", 3) == 0) {
        cache->size -= 3;
        memmove(cache->bytes, cache->bytes + 3, cache->size);
    }
    cache->bytes[cache->size] = '\0';
    const uint8_t *at = cache->bytes, *end = cache->bytes + cache->size;
    char name[32] = "";
    for (int i = 0; i < 2 && name[0] == '\0' && at < end; i++) {
        (void)find_cookie(at, line_length(at, end), name, sizeof name);
        at = next_line(at, end);
    }
    if (is_name_of_latin1(name)) {
        latin1_to_utf8(cache);
    } else if (!is_utf8(cache->bytes, end)) {
        free(cache->bytes);
        cache->bytes = NULL;
        cache->size = 0;
    }
}

/* Where a source root says, in the folder of the program, or by the name as it is. */
static void find_file(struct tm_source_cache *cache)
{
    const char *name = cache->name;
    char *path = NULL;
    for (size_t i = 0; i < cache->root_count && path == NULL; i++) {
        const struct tm_source_root *root = &cache->roots[i];
        if (strncmp(name, root->from, root->from_length) == 0) {
            path = join((struct tm_span){(const uint8_t *)root->to, strlen(root->to)}, name + root->from_length);
        }
    }
    if (path == NULL && name[0] != '/' && cache->folder.length > 0 && cache->folder.length < PATH_MAX) {
        path = join(cache->folder, name);
    }
    if (path != NULL) {
        read_file(cache, path);
    }
    free(path);
    if (cache->bytes == NULL) {
        read_file(cache, name);
    }
}

static bool load(struct tm_source_cache *cache, struct tm_span filename)
{
    forget(cache);
    cache->name = malloc(filename.length + 1);
    if (cache->name == NULL) {
        return false;
    }
    memcpy(cache->name, filename.bytes, filename.length);
    cache->name[filename.length] = '\0';
    if (filename.length == 0 || filename.length >= PATH_MAX || memchr(filename.bytes, '\0', filename.length) != NULL ||
        (filename.bytes[0] == '<' && filename.bytes[filename.length - 1] == '>')) {
        return false;
    }
    find_file(cache);
    if (cache->bytes != NULL) {
        decode(cache);
    }
    return cache->bytes != NULL;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F);
}

static struct tm_span strip(struct tm_span span)
{
    while (span.length > 0 && is_space(span.bytes[span.length - 1])) {
        span.length--;
    }
    while (span.length > 0 && is_space(span.bytes[0])) {
        span.bytes++;
        span.length--;
    }
    return span;
}

struct tm_span tm_source_line(struct tm_source_cache *cache, struct tm_span filename, uint32_t line)
{
    bool same = cache->name != NULL && strlen(cache->name) == filename.length &&
                memcmp(cache->name, filename.bytes, filename.length) == 0;
    if (same ? cache->bytes == NULL : !load(cache, filename)) {
        return nothing;
    }
    const uint8_t *at = cache->bytes, *end = cache->bytes + cache->size;
    for (uint32_t i = 1; i < line && at < end; i++) {
        at = next_line(at, end);
    }
    return line > 0 ? strip((struct tm_span){at, line_length(at, end)}) : nothing;
}
