/* SPDX-License-Identifier: MIT */
#include "tools/tm-snap/snap_collect.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/process/new_file.h"
#include "report/process/store_place.h"
#include "report/process/store_reading.h"
#include "report/process/store_use.h"

#define SUFFIX     ".live"
#define NUMBER_MAX 10000U
#define MOMENT     "live store"

enum outcome { COLLECTED, LEFT, FAILED };

static enum outcome leave(const char *path, const char *why, enum outcome outcome)
{
    (void)fprintf(stderr, "tm-snap: %s%s%s; it stays\n", path, path[0] != '\0' ? ": " : "", why);
    return outcome;
}

/* The store's own name: .tms for .live, with a number where that is taken. */
static bool write_snapshot(const char *path, uid_t owner, const uint8_t *bytes, size_t size, struct tm_why *why)
{
    char name[PATH_MAX];
    int stem = (int)(strlen(path) - strlen(SUFFIX));
    for (unsigned number = 1; number < NUMBER_MAX; number++) {
        int length = number == 1 ? snprintf(name, sizeof name, "%.*s.tms", stem, path)
                                 : snprintf(name, sizeof name, "%.*s-%u.tms", stem, path, number);
        if (length < 0 || (size_t)length >= sizeof name) {
            return tm_why_say(why, "%s: %s", path, strerror(ENAMETOOLONG));
        }
        enum tm_new_file result = tm_new_file_write(name, false, owner, bytes, size, why);
        if (result != TM_NEW_FILE_TAKEN) {
            (void)(result == TM_NEW_FILE_DONE && puts(name));
            return result == TM_NEW_FILE_DONE;
        }
    }
    return tm_why_say(why, "%s: all names are taken", name);
}

/* The name is removed only while it is the file that was read. */
static bool remove_store(const char *path, int descriptor, struct tm_why *why)
{
    struct stat named, read;
    if (lstat(path, &named) != 0 || fstat(descriptor, &read) != 0 || named.st_dev != read.st_dev ||
        named.st_ino != read.st_ino) {
        return tm_why_say(why, "%s: was replaced meanwhile", path);
    }
    return unlink(path) == 0 || tm_why_say(why, "%s: %s", path, strerror(errno));
}

static enum outcome convert(const char *path, int descriptor)
{
    struct tm_why why;
    struct stat found;
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool done = fstat(descriptor, &found) == 0 &&
                tm_store_read_snapshot(descriptor, path, MOMENT, &bytes, &size, &why) &&
                write_snapshot(path, found.st_uid, bytes, size, &why) && remove_store(path, descriptor, &why);
    free(bytes);
    return done ? COLLECTED : leave("", why.text, FAILED);
}

static enum outcome collect_open(const char *path, int descriptor, struct tm_store_header *header)
{
    struct tm_why why;
    if (!tm_store_read_header(descriptor, path, header, &why)) {
        return leave("", why.text, FAILED);
    }
    switch (tm_store_use(descriptor, header, &why)) {
    case TM_STORE_DEAD:
        return convert(path, descriptor);
    case TM_STORE_IN_USE:
        return leave(path, "a process uses it", LEFT);
    default:
        return leave(path, why.text, LEFT);
    }
}

static enum outcome collect_one(const char *path)
{
    struct tm_why why;
    void *header = NULL;
    int descriptor;
    if (!tm_store_open_path(path, &descriptor, &why)) {
        return leave("", why.text, FAILED);
    }
    if (posix_memalign(&header, 64, TM_STORE_HEADER_SIZE) != 0) {
        (void)close(descriptor);
        return leave(path, "out of memory", FAILED);
    }
    enum outcome outcome = collect_open(path, descriptor, header);
    free(header);
    (void)close(descriptor);
    return outcome;
}

static int is_store_name(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > strlen(SUFFIX) && strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static bool collect_folder(const char *folder)
{
    struct dirent **entries;
    bool done = true;
    int count = scandir(folder, &entries, is_store_name, alphasort);
    if (count < 0) {
        (void)fprintf(stderr, "tm-snap: %s: %s\n", folder, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        bool here = strcmp(folder, ".") == 0;
        int length = snprintf(path, sizeof path, "%s%s%s", here ? "" : folder, here ? "" : "/", entries[i]->d_name);
        done = length > 0 && (size_t)length < sizeof path && collect_one(path) != FAILED && done;
        free(entries[i]);
    }
    free(entries);
    return done;
}

enum tm_exit tm_snap_collect(char *const *folders)
{
    bool done = true;
    if (*folders == NULL) {
        done = collect_folder(".");
    }
    for (; *folders != NULL; folders++) {
        done = collect_folder(*folders) && done;
    }
    if (fflush(stdout) != 0) {
        perror("tm-snap: standard output");
        return TM_EXIT_FAILED;
    }
    return done ? TM_EXIT_DONE : TM_EXIT_FAILED;
}
