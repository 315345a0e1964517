/* SPDX-License-Identifier: MIT */
#include "runtime/os/os_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "runtime/os/os_call.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* Runs the call NAME (see os_call.h) until it is not interrupted; the value is its result or a negative errno value,
 * which a failure has also where nobody set errno. */
#define RETRY(type, name, expression)                                                                                  \
    __extension__({                                                                                                    \
        int saved_errno = errno;                                                                                       \
        type retry_result;                                                                                             \
        do {                                                                                                           \
            retry_result = (type)TM_OS_CALL(name, expression);                                                         \
        } while (retry_result == -1 && errno == EINTR);                                                                \
        if (retry_result == -1) {                                                                                      \
            retry_result = (type)-errno;                                                                               \
            retry_result = retry_result < 0 ? retry_result : (type)-EIO;                                               \
        }                                                                                                              \
        errno = saved_errno;                                                                                           \
        retry_result;                                                                                                  \
    })

/* *MODE: its permissions. */
static int identify(int descriptor, struct tm_file_identity *identity, mode_t *mode)
{
    struct stat found;
    int status = RETRY(int, STAT, fstat(descriptor, &found));
    if (status == 0) {
        *mode = found.st_mode & 07777;
        identity->device = found.st_dev;
        identity->inode = found.st_ino;
        if (!S_ISREG(found.st_mode)) {
            return -ESTALE;
        }
    }
    return status;
}

int tm_file_create(const char *path, struct tm_file_identity *identity)
{
    int descriptor =
        RETRY(int, OPEN, syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    mode_t mode = 0600;
    int status = descriptor < 0 ? descriptor : identify(descriptor, identity, &mode);
    if (mode != 0600) {
        /* A umask of 0777 would keep the owner out.  Some file systems have no modes: then there is nothing to do. */
        (void)RETRY(int, MODE, fchmod(descriptor, 0600));
    }
    if (descriptor >= 0 && status < 0) {
        tm_file_close(descriptor);
        (void)RETRY(int, REMOVE, unlink(path)); /* it was made above, and nobody else would remove it */
    }
    return status < 0 ? status : descriptor;
}

int tm_file_reopen(const char *path, const struct tm_file_identity *identity)
{
    int descriptor =
        RETRY(int, OPEN, syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0));
    if (descriptor >= 0) {
        struct tm_file_identity found;
        mode_t mode;
        int status = identify(descriptor, &found, &mode);
        if (status == 0 && (found.device != identity->device || found.inode != identity->inode)) {
            status = -ESTALE;
        }
        if (status < 0) {
            tm_file_close(descriptor);
            return status;
        }
    }
    return descriptor;
}

void tm_file_close(int descriptor)
{
    int saved = errno;
    (void)syscall(SYS_close, descriptor);
    errno = saved;
}

int tm_file_write(int descriptor, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = RETRY(ssize_t, WRITE, syscall(SYS_write, descriptor, at, size));
        if (written <= 0) {
            return written < 0 ? (int)written : -EIO;
        }
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

int tm_file_write_at(int descriptor, const void *bytes, size_t size, uint64_t offset)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = RETRY(ssize_t, WRITE, syscall(SYS_pwrite64, descriptor, at, size, offset));
        if (written <= 0) {
            return written < 0 ? (int)written : -EIO;
        }
        at += written;
        size -= (size_t)written;
        offset += (uint64_t)written;
    }
    return 0;
}

/* A write past RLIMIT_FSIZE kills the process. */
static int check_limit(uint64_t offset, uint64_t size)
{
    struct rlimit limit;
    bool is_known = RETRY(int, LIMIT, getrlimit(RLIMIT_FSIZE, &limit)) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return is_known && (offset > limit.rlim_cur || size > limit.rlim_cur - offset) ? -EFBIG : 0;
}

#define ZEROS  16384U /* bytes that lie ready */
#define PIECES 4U
/* Bytes at once, up to the next multiple: to map pages takes the kernel longer where it has made them in smaller units,
 * or in larger ones. */
#define UNIT (PIECES * ZEROS)

int tm_file_write_zeros(int descriptor, uint64_t offset, uint64_t size)
{
    static const char zeros[ZEROS];
    int status = check_limit(offset, size);
    while (status == 0 && size > 0) {
        struct iovec pieces[PIECES];
        unsigned count = 0;
        uint64_t whole = UNIT - offset % UNIT;
        for (uint64_t left = whole < size ? whole : size; left > 0; left -= pieces[count++].iov_len) {
            pieces[count] = (struct iovec){(void *)(uintptr_t)zeros, left < ZEROS ? (size_t)left : ZEROS};
        }
        ssize_t written = RETRY(ssize_t, WRITE, syscall(SYS_pwritev, descriptor, pieces, count, offset, 0L));
        status = written > 0 ? 0 : written < 0 ? (int)written : -EIO;
        offset += written > 0 ? (uint64_t)written : 0;
        size -= written > 0 ? (uint64_t)written : 0;
    }
    return status;
}

int tm_file_allocate(int descriptor, uint64_t offset, uint64_t size)
{
    int status = check_limit(offset, size);
    if (status == 0) {
        status = RETRY(int, ALLOCATE, syscall(SYS_fallocate, descriptor, 0, offset, size));
    }
    return status == -EOPNOTSUPP || status == -ENOSYS ? tm_file_write_zeros(descriptor, offset, size) : status;
}

int tm_file_map_at(int descriptor, uint64_t offset, size_t size, void *at)
{
    long result =
        RETRY(long, MMAP,
              syscall(SYS_mmap, at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor, (long)offset));
    return result < 0 && result > -4096 ? (int)result : 0;
}

int tm_file_sync(int descriptor)
{
    return RETRY(int, SYNC, syscall(SYS_fsync, descriptor)); /* libc's is a cancellation point */
}

/* /dev/stdout and its like, whatever file the descriptor is of just now. */
static bool leads_into_proc(const char *path)
{
    static const char proc[] = "/proc/";
    char text[sizeof proc - 1];
    return RETRY(int, STAT, readlink(path, text, sizeof text)) == (int)sizeof text &&
           memcmp(text, proc, sizeof text) == 0;
}

/* A device, a pipe, a folder, or a link to one: root may rename over /dev/null, and all programs would suffer. */
static bool is_special(const char *path)
{
    struct stat found;
    return RETRY(int, STAT, stat(path, &found)) == 0 && (!S_ISREG(found.st_mode) || leads_into_proc(path));
}

int tm_file_rename(const char *from, const char *to, bool replace)
{
    if (replace) {
        return is_special(to) ? -EISDIR : RETRY(int, RENAME, rename(from, to));
    }
    int status = RETRY(int, RENAME, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
    if (status != -EINVAL && status != -ENOSYS && status != -EPERM) {
        return status;
    }
    /* File systems without the flag, and sandboxes without the call: a link refuses to replace as well. */
    status = RETRY(int, LINK, link(from, to));
    if (status == 0) {
        (void)RETRY(int, REMOVE, unlink(from));
    }
    return status;
}

int tm_file_remove(const char *path, const struct tm_file_identity *identity)
{
    struct stat found;
    int status = RETRY(int, STAT, lstat(path, &found));
    if (status < 0) {
        return status;
    }
    if (found.st_dev != identity->device || found.st_ino != identity->inode) {
        return -ESTALE;
    }
    return RETRY(int, REMOVE, unlink(path));
}

#ifndef SYS_faccessat2
#define SYS_faccessat2 439 /* the same on every architecture; the headers of Linux 5.8 have it */
#endif

bool tm_folder_takes_files(const char *folder)
{
    int saved = errno;
    long status = syscall(SYS_faccessat2, AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS);
    if (status != 0 && errno == ENOSYS) {
        status = syscall(SYS_faccessat, AT_FDCWD, folder, W_OK | X_OK);
    }
    errno = saved;
    return status == 0;
}

bool tm_file_system_maps(const char *folder)
{
    struct statfs found;
    if (RETRY(int, STAT, statfs(folder, &found)) < 0) {
        return false;
    }
    switch ((unsigned long)found.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}

bool tm_file_is_in_memory(int descriptor)
{
    struct statfs found;
    return RETRY(int, STAT, fstatfs(descriptor, &found)) == 0 && (unsigned long)found.f_type == TMPFS_MAGIC;
}

int64_t tm_file_read(const char *path, void *buffer, size_t capacity)
{
    int descriptor = RETRY(int, OPEN, syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0));
    if (descriptor < 0) {
        return descriptor;
    }
    char *at = buffer;
    size_t length = 0;
    while (length < capacity) {
        ssize_t got = RETRY(ssize_t, READ, syscall(SYS_read, descriptor, at + length, capacity - length));
        if (got < 0) {
            tm_file_close(descriptor);
            return got;
        }
        if (got == 0) {
            break;
        }
        length += (size_t)got;
    }
    tm_file_close(descriptor);
    return (int64_t)length;
}
