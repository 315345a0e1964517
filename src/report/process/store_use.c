/* SPDX-License-Identifier: MIT */
#include "report/process/store_use.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "report/process/process_facts.h"
#include "report/process/store_place.h"

/* File systems of this kernel alone, whose leases know of every opening (fcntl(2), F_SETLEASE). */
static const unsigned long local_systems[] = {
    0xEF53 /* ext2, 3, 4 */,
    0x58465342 /* xfs */,
    0x01021994 /* tmpfs */,
    0x9123683E /* btrfs */,
};

/* The inode of the first pid namespace, in which all processes are seen: PROC_PID_INIT_INO of the kernel. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCU

static bool is_local(int descriptor)
{
    struct statfs system;
    bool known = fstatfs(descriptor, &system) == 0;
    for (size_t i = 0; known && i < TM_COUNT_OF(local_systems); i++) {
        if ((unsigned long)system.f_type == local_systems[i]) {
            return true;
        }
    }
    return false;
}

static enum tm_store_use ask_for_lease(int descriptor)
{
    (void)signal(SIGIO, SIG_IGN); /* sent when somebody opens the file while we have the lease */
    if (fcntl(descriptor, F_SETLEASE, F_RDLCK) == 0) {
        (void)fcntl(descriptor, F_SETLEASE, F_UNLCK);
        return is_local(descriptor) ? TM_STORE_DEAD : TM_STORE_NOT_KNOWN;
    }
    return errno == EAGAIN ? TM_STORE_IN_USE : TM_STORE_NOT_KNOWN;
}

static bool read_boot_id(char *id, size_t capacity)
{
    int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = descriptor < 0 ? 0 : read(descriptor, id, capacity);
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
    return got > 0;
}

/* The machine was started anew since, or this is another one. */
static bool is_of_another_boot(const struct tm_store_header *header)
{
    char id[sizeof header->boot_id] = "";
    size_t length = strnlen(header->boot_id, sizeof header->boot_id);
    return length > 0 && read_boot_id(id, sizeof id) && strncmp(id, header->boot_id, length) != 0;
}

static bool sees_all_processes(void)
{
    struct stat found;
    return geteuid() == 0 && stat("/proc/self/ns/pid", &found) == 0 && found.st_ino == FIRST_PID_NAMESPACE;
}

static bool is_mapped_by(const struct tm_process_facts *facts, int descriptor)
{
    struct tm_store_place place;
    struct tm_why why;
    struct stat found;
    bool is_traced;
    return tm_store_place_find(facts, &place, &is_traced, &why) && fstat(descriptor, &found) == 0 &&
           place.inode == found.st_ino;
}

static bool is_mapped(int descriptor)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    bool found = false;
    while (processes != NULL && !found && (entry = readdir(processes)) != NULL) {
        struct tm_process_facts facts;
        pid_t pid;
        found = tm_process_parse_pid(entry->d_name, &pid) && tm_process_facts_read(pid, &facts) &&
                is_mapped_by(&facts, descriptor);
    }
    if (processes != NULL) {
        (void)closedir(processes);
    }
    return found;
}

static enum tm_store_use say_unknown(struct tm_why *why, const char *words)
{
    (void)tm_why_say(why, "%s", words);
    return TM_STORE_NOT_KNOWN;
}

enum tm_store_use tm_store_use(int descriptor, const struct tm_store_header *header, struct tm_why *why)
{
    enum tm_store_use use = ask_for_lease(descriptor);
    if (use == TM_STORE_IN_USE || is_mapped(descriptor)) {
        return TM_STORE_IN_USE;
    }
    if (use == TM_STORE_DEAD) {
        return use; /* nobody of this machine, and on these file systems there is nobody else */
    }
    if (is_of_another_boot(header)) {
        return say_unknown(why, "made before this machine started, or on another one that shares the folder");
    }
    return sees_all_processes() ? TM_STORE_DEAD
                                : say_unknown(why, "its file system does not tell whether it is in use, and not all "
                                                   "processes are seen from here");
}
