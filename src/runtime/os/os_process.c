/* SPDX-License-Identifier: MIT */
#include "runtime/os/os_process.h"

#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "runtime/os/os_call.h"
#include "runtime/os/os_file.h"

uint32_t tm_process_pid(void)
{
    return (uint32_t)syscall(SYS_getpid);
}

uint32_t tm_process_parent_pid(void)
{
    return (uint32_t)syscall(SYS_getppid);
}

uint32_t tm_process_thread_id(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

uint32_t tm_process_uid(void)
{
    return (uint32_t)syscall(SYS_getuid);
}

bool tm_process_has_thread(uint32_t pid, uint32_t thread_id)
{
    int saved = errno;
    bool is_gone = syscall(SYS_tgkill, (pid_t)pid, (pid_t)thread_id, 0) != 0 && errno == ESRCH;
    errno = saved;
    return !is_gone;
}

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) {
        return 0;
    }
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

uint64_t tm_process_time_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

uint64_t tm_process_clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

uint64_t tm_process_precise_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void tm_process_nap(uint32_t nanoseconds)
{
    const struct timespec time = {0, (long)nanoseconds};
    int saved = errno;
    (void)syscall(SYS_nanosleep, &time, NULL);
    errno = saved;
}

unsigned tm_process_threads(void)
{
    struct stat found;
    int saved = errno;
    int status = (int)TM_OS_CALL(STAT, stat("/proc/self/task", &found));
    errno = saved;
    /* A folder has one link for each folder in it, one for its name and one for its dot. */
    return status == 0 && found.st_nlink > 2 ? (unsigned)(found.st_nlink - 2) : 0;
}

bool tm_process_is_secure(void)
{
    int saved = errno;
    bool secure = getauxval(AT_SECURE) != 0;
    errno = saved;
    return secure;
}

/* Its program headers are in its memory, where the kernel says; that of the table itself tells how far all was
 * moved. */
void tm_process_program(uintptr_t *begin, uintptr_t *end)
{
    const ElfW(Phdr) *const headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    const unsigned long count = getauxval(AT_PHNUM);
    const ElfW(Phdr) *table = NULL;
    uintptr_t lowest = UINTPTR_MAX, highest = 0;
    *begin = *end = 0;
    for (unsigned long i = 0; headers != NULL && i < count; i++) {
        const ElfW(Phdr) *header = &headers[i];
        if (header->p_type == PT_PHDR) {
            table = header;
        } else if (header->p_type == PT_LOAD) {
            lowest = header->p_vaddr < lowest ? header->p_vaddr : lowest;
            highest = header->p_vaddr + header->p_memsz > highest ? header->p_vaddr + header->p_memsz : highest;
        }
    }
    if (table != NULL && lowest < highest) {
        const uintptr_t moved = (uintptr_t)headers - table->p_vaddr;
        *begin = moved + lowest;
        *end = moved + highest;
    }
}

static size_t read_small(const char *path, char *buffer, size_t capacity)
{
    int64_t length = tm_file_read(path, buffer, capacity);
    return length > 0 ? (size_t)length : 0;
}

size_t tm_process_command(char *buffer, size_t capacity)
{
    size_t length = read_small("/proc/self/cmdline", buffer, capacity);
    return length > 0 && buffer[length - 1] == '\0' ? length - 1 : length;
}

static size_t read_link(const char *path, char *buffer, size_t capacity)
{
    int saved = errno;
    ssize_t length = readlink(path, buffer, capacity);
    errno = saved;
    return length > 0 ? (size_t)length : 0;
}

size_t tm_process_executable(char *buffer, size_t capacity)
{
    return read_link("/proc/self/exe", buffer, capacity);
}

size_t tm_process_folder(char *buffer, size_t capacity)
{
    int saved = errno;
    long length = syscall(SYS_getcwd, buffer, capacity);
    errno = saved;
    return length > 0 && buffer[0] == '/' ? (size_t)length - 1 : 0;
}

size_t tm_process_host(char *buffer, size_t capacity)
{
    struct utsname names;
    if (uname(&names) != 0) {
        return 0;
    }
    size_t length = strnlen(names.nodename, sizeof names.nodename);
    length = length < capacity ? length : capacity;
    memcpy(buffer, names.nodename, length);
    return length;
}

size_t tm_process_boot_id(char *buffer, size_t capacity)
{
    size_t length = read_small("/proc/sys/kernel/random/boot_id", buffer, capacity);
    return length > 0 && buffer[length - 1] == '\n' ? length - 1 : length;
}
