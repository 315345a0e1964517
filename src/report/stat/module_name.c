/* SPDX-License-Identifier: MIT */
#include "report/stat/module_name.h"

#include <string.h>

static struct tm_span text_span(const char *text)
{
    return (struct tm_span){(const uint8_t *)text, strlen(text)};
}

static bool starts_with(struct tm_span text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.bytes, prefix, length) == 0;
}

static bool ends_with(struct tm_span text, const char *suffix)
{
    size_t length = strlen(suffix);
    return text.length >= length && memcmp(text.bytes + text.length - length, suffix, length) == 0;
}

static struct tm_span skip(struct tm_span text, size_t length)
{
    return (struct tm_span){text.bytes + length, text.length - length};
}

static struct tm_span up_to(struct tm_span text, char end)
{
    const uint8_t *found = text.length > 0 ? memchr(text.bytes, end, text.length) : NULL;
    return (struct tm_span){text.bytes, found != NULL ? (size_t)(found - text.bytes) : text.length};
}

/* `python3.11`, `python2.7`, `python3`: where the stdlib lies. */
static bool is_stdlib_folder(struct tm_span part)
{
    if (!starts_with(part, "python")) {
        return false;
    }
    struct tm_span version = skip(part, strlen("python"));
    for (size_t i = 0; i < version.length; i++) {
        uint8_t c = version.bytes[i];
        if ((c < '0' || c > '9') && c != '.' && c != 't') {
            return false;
        }
    }
    return version.length > 0;
}

static bool is_package_folder(struct tm_span part)
{
    return tm_span_is(part, "site-packages") || tm_span_is(part, "dist-packages") || is_stdlib_folder(part);
}

/* The first part of what lies in the innermost folder of packages; empty when FILENAME lies in none. */
static struct tm_span in_package_folder(struct tm_span filename)
{
    struct tm_span found = {filename.bytes, 0}, left = filename;
    while (left.length > 0) {
        struct tm_span part = up_to(left, '/');
        if (part.length == left.length) {
            break;
        }
        left = skip(left, part.length + 1);
        if (is_package_folder(part)) {
            found = up_to(left, '/');
        }
    }
    return found;
}

static struct tm_span without_suffix(struct tm_span name)
{
    if (ends_with(name, ".pyc")) {
        name.length -= strlen(".pyc");
    } else if (ends_with(name, ".py")) {
        name.length -= strlen(".py");
    }
    return name;
}

static bool is_native(struct tm_span base)
{
    return ends_with(base, ".so") ||
           (base.length > 0 && memmem(base.bytes, base.length, ".so.", strlen(".so.")) != NULL);
}

static struct tm_span base_of(struct tm_span filename)
{
    const uint8_t *slash = filename.length > 0 ? memrchr(filename.bytes, '/', filename.length) : NULL;
    return slash != NULL ? skip(filename, (size_t)(slash + 1 - filename.bytes)) : filename;
}

struct tm_span tm_module_name_native(struct tm_span path)
{
    return base_of(path);
}

struct tm_span tm_module_name(struct tm_span filename)
{
    if (starts_with(filename, "<frozen ") && ends_with(filename, ">")) {
        struct tm_span inner = skip(filename, strlen("<frozen "));
        inner.length--;
        return up_to(inner, '.');
    }
    if (starts_with(filename, "<")) {
        return filename;
    }
    const uint8_t *slash = filename.length > 0 ? memrchr(filename.bytes, '/', filename.length) : NULL;
    struct tm_span base = base_of(filename);
    struct tm_span package = in_package_folder(filename);
    if (is_native(base)) {
        return base;
    }
    if (package.length > 0) {
        return without_suffix(package);
    }
    if (slash == NULL) {
        return text_span(".");
    }
    size_t folder = (size_t)(slash - filename.bytes);
    return folder > 0 ? (struct tm_span){filename.bytes, folder} : text_span("/");
}
