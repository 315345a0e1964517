/* SPDX-License-Identifier: MIT */
#include "report/process/store_place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/store_layout.h"

#define SUFFIX  ".live"
#define LIBRARY "/libtracemalloc.so"
#define GONE    " (deleted)"

/* File systems whose mappings show another device number than stat does. */
#define OVERLAY_MAGIC 0x794c7630
#define BTRFS_MAGIC   0x9123683E

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* The file name of a line of maps; NULL for memory without one.  A newline in a name is written \012. */
static char *name_of(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    return strchr(line, '/');
}

static void undo_escapes(char *name)
{
    char *to = name;
    for (const char *from = name; *from != '\0';) {
        bool escaped = strncmp(from, "\\012", 4) == 0;
        *to++ = (char)(escaped ? '\n' : *from);
        from += escaped ? 4 : 1;
    }
    *to = '\0';
}

/* A line that maps the start of a store, its header. */
static bool is_header_line(const char *line, const char *name, struct tm_store_place *place)
{
    uint64_t offset;
    bool parsed =
        sscanf(line, "%*s %*s %" SCNx64 " %x:%x %" SCNu64, &offset, &place->major, &place->minor, &place->inode) == 4;
    return parsed && offset == 0 && (ends_in(name, SUFFIX) || ends_in(name, SUFFIX GONE));
}

static bool say_not_allowed(const struct tm_process_facts *facts, struct tm_why *why)
{
    if (facts->owner != geteuid()) {
        return tm_why_say(why, "process %ld is owned by uid %u: run as that user or with sudo", (long)facts->pid,
                          (unsigned)facts->owner);
    }
    if (geteuid() == 0) {
        return tm_why_say(why,
                          "process %ld does not let even root look into it: run it on that process's own side "
                          "(of a container or sandbox)",
                          (long)facts->pid);
    }
    return tm_why_say(why, "process %ld does not let its own user look into it: run with sudo", (long)facts->pid);
}

static bool say_no_store(const struct tm_process_facts *facts, bool library, bool is_gone, struct tm_why *why)
{
    if (is_gone) {
        return tm_why_say(why, "process %ld: the file of its store was removed: it is at its end, or somebody did it",
                          (long)facts->pid);
    }
    if (library) {
        return tm_why_say(
            why,
            "process %ld has no store in a file: TRACEMALLOC_STORE=none, tracing is off, no Python has run "
            "yet, or its folder is missing or on a file system that cannot carry one",
            (long)facts->pid);
    }
    return tm_why_say(why, "process %ld is not traced: start it with tm-run", (long)facts->pid);
}

static FILE *open_maps(const struct tm_process_facts *facts)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%ld/maps", (long)facts->pid);
    return fopen(path, "re");
}

bool tm_store_place_find(const struct tm_process_facts *facts, struct tm_store_place *place, bool *is_traced,
                         struct tm_why *why)
{
    char line[PATH_MAX + 256];
    bool is_found = false, is_gone = false;
    FILE *maps = open_maps(facts);
    *is_traced = false;
    while (maps != NULL && !is_found && fgets(line, sizeof line, maps) != NULL) {
        char *name = name_of(line);
        *is_traced = *is_traced || (name != NULL && ends_in(name, LIBRARY));
        if (name != NULL && is_header_line(line, name, place)) {
            is_gone = ends_in(name, GONE);
            is_found = !is_gone;
            undo_escapes(name);
            (void)snprintf(place->path, sizeof place->path, "%s", name);
        }
    }
    bool failed = maps == NULL || ferror(maps) != 0;
    int error = errno;
    if (maps != NULL) {
        (void)fclose(maps);
    }
    if (failed) {
        return error == ENOENT || error == ESRCH ? tm_why_say(why, "process %ld is not running", (long)facts->pid)
                                                 : say_not_allowed(facts, why);
    }
    return is_found || say_no_store(facts, *is_traced, is_gone, why);
}

static bool shows_other_devices(int descriptor)
{
    struct statfs system;
    return fstatfs(descriptor, &system) == 0 && (system.f_type == OVERLAY_MAGIC || system.f_type == BTRFS_MAGIC);
}

static bool is_the_mapped_one(int descriptor, const struct stat *found, const struct tm_store_place *place)
{
    bool device = major(found->st_dev) == place->major && minor(found->st_dev) == place->minor;
    return S_ISREG(found->st_mode) && found->st_ino == place->inode && (device || shows_other_devices(descriptor));
}

/* The process itself made it: as the user that it is, or as root before it gave that up. */
static bool has_right_owner(const struct stat *found, const struct tm_process_facts *facts)
{
    return found->st_uid == facts->effective_uid || found->st_uid == facts->owner || found->st_uid == 0;
}

static int open_checked(const char *path, const struct tm_process_facts *facts, const struct tm_store_place *place)
{
    struct stat found;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) {
        return -1;
    }
    if (fstat(descriptor, &found) != 0 || !is_the_mapped_one(descriptor, &found, place) ||
        !has_right_owner(&found, facts)) {
        (void)close(descriptor);
        errno = ESTALE;
        return -1;
    }
    return descriptor;
}

/* A child that was just forked has its parent's store mapped until it allocates. */
static bool is_own(int descriptor, const struct tm_process_facts *facts, struct tm_why *why)
{
    uint32_t pid = 0;
    if (pread(descriptor, &pid, sizeof pid, offsetof(struct tm_store_header, pid)) != (ssize_t)sizeof pid) {
        return tm_why_say(why, "process %ld: its store is cut short", (long)facts->pid);
    }
    return pid == facts->inner_pid ||
           tm_why_say(why, "process %ld has no store of its own yet: it was forked and has not allocated since",
                      (long)facts->pid);
}

bool tm_store_place_open(const struct tm_process_facts *facts, const struct tm_store_place *place, int *descriptor,
                         struct tm_why *why)
{
    char path[PATH_MAX + 64];
    (void)snprintf(path, sizeof path, "/proc/%ld/root%s", (long)facts->pid, place->path);
    *descriptor = open_checked(path, facts, place);
    if (*descriptor < 0) {
        *descriptor = open_checked(place->path, facts, place); /* after chroot the name is the one from outside */
    }
    if (*descriptor < 0) {
        return errno == EACCES || errno == EPERM
                   ? say_not_allowed(facts, why)
                   : tm_why_say(why, "%s: %s", place->path,
                                errno == ESTALE ? "is not the file that the process has mapped" : strerror(errno));
    }
    if (!is_own(*descriptor, facts, why)) {
        (void)close(*descriptor);
        return false;
    }
    return true;
}

bool tm_store_open_process(pid_t pid, struct tm_store_place *place, int *descriptor, struct tm_why *why)
{
    struct tm_process_facts facts;
    bool is_traced;
    if (!tm_process_facts_read(pid, &facts)) {
        return tm_why_say(why, "process %ld is not running", (long)pid);
    }
    if (facts.state == 'Z') {
        return tm_why_say(why, "process %ld is dead, its parent has yet to hear of it; give the path of its store",
                          (long)pid);
    }
    return tm_store_place_find(&facts, place, &is_traced, why) && tm_store_place_open(&facts, place, descriptor, why);
}

bool tm_store_open_path(const char *path, int *descriptor, struct tm_why *why)
{
    struct stat found;
    *descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (*descriptor < 0) {
        int error = errno;
        if (error == ELOOP) {
            return tm_why_say(why, "%s: is a symbolic link; give the file itself", path);
        }
        return (error == EACCES || error == EPERM) && stat(path, &found) == 0
                   ? tm_why_say(why, "%s: owned by uid %u: run as that user or with sudo", path, (unsigned)found.st_uid)
                   : tm_why_say(why, "%s: %s", path, strerror(error));
    }
    if (fstat(*descriptor, &found) != 0 || !S_ISREG(found.st_mode)) {
        (void)close(*descriptor);
        return tm_why_say(why, "%s: is not a regular file", path);
    }
    return true;
}
