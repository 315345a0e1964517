/* SPDX-License-Identifier: MIT */
#include "report/process/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPTS 100U /* names of parts */

static enum tm_new_file fail(struct tm_why *why, const char *path)
{
    (void)tm_why_say(why, "%s: %s", path, strerror(errno));
    return TM_NEW_FILE_FAILED;
}

static bool write_all(int descriptor, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(descriptor, bytes, size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        bytes += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* A name may be taken by what a killed process left: in containers all have the same ids.  That is neither written to
 * nor removed.  PART holds PATH_MAX bytes; on failure it is the last name tried. */
static int create_part(const char *path, char *part)
{
    int descriptor = -1;
    errno = EEXIST;
    for (unsigned attempt = 1; descriptor < 0 && errno == EEXIST && attempt <= ATTEMPTS; attempt++) {
        char again[16] = "";
        if (attempt > 1) {
            (void)snprintf(again, sizeof again, "-%u", attempt);
        }
        if (snprintf(part, PATH_MAX, "%s.%ld%s.part", path, (long)getpid(), again) >= PATH_MAX) {
            (void)snprintf(part, PATH_MAX, "%s", path);
            errno = ENAMETOOLONG;
            return -1;
        }
        descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    return descriptor;
}

static bool write_part(const char *path, char *part, uid_t owner, const void *bytes, size_t size)
{
    int descriptor = create_part(path, part);
    if (descriptor < 0) {
        return false;
    }
    (void)!fchmod(descriptor, 0600); /* a umask of 0777 would keep the owner out */
    if (owner != geteuid()) {
        (void)!fchown(descriptor, owner, (gid_t)-1); /* root alone can; else the file is this user's */
    }
    bool done =
        write_all(descriptor, bytes, size) && (fsync(descriptor) == 0 || errno == EINVAL); /* cannot be synced */
    int error = errno;
    (void)close(descriptor);
    if (!done) {
        (void)unlink(part);
    }
    errno = error;
    return done;
}

static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    (void)snprintf(folder, sizeof folder, "%.*s", length, slash == NULL ? "." : path);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        (void)fsync(descriptor);
        (void)close(descriptor);
    }
}

/* A link is made only where nothing is; a file system without links is asked beforehand. */
static bool rename_to_free(const char *part, const char *path)
{
    if (link(part, path) == 0) {
        (void)unlink(part);
        return true;
    }
    struct stat found;
    if (errno == EEXIST || lstat(path, &found) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(part, path) == 0;
}

enum tm_new_file tm_new_file_write(const char *path, bool replace, uid_t owner, const void *bytes, size_t size,
                                   struct tm_why *why)
{
    char part[PATH_MAX];
    struct stat found;
    bool is_there = lstat(path, &found) == 0;
    if (is_there && !replace) {
        return TM_NEW_FILE_TAKEN;
    }
    if (is_there && !S_ISREG(found.st_mode)) {
        (void)tm_why_say(why, "%s: is there and no regular file: it is not replaced", path);
        return TM_NEW_FILE_FAILED;
    }
    if (!write_part(path, part, owner, bytes, size)) {
        return fail(why, errno == EEXIST ? part : path);
    }
    if (replace ? rename(part, path) != 0 : !rename_to_free(part, path)) {
        int error = errno;
        (void)unlink(part);
        errno = error;
        return error == EEXIST && !replace ? TM_NEW_FILE_TAKEN : fail(why, path);
    }
    sync_folder(path);
    return TM_NEW_FILE_DONE;
}
