/* SPDX-License-Identifier: MIT */
/* The doors of mmap and its family: blocks of the mmap domain, unless an outer door is up.  Then it is an allocator
 * that maps its heap, whose blocks that door counts.
 *
 * They are called before anything is resolved, also by an allocator behind us that is just being made: then they are
 * the system call, because a resolution in here would come back to that allocator. */
#include "runtime/hook/map_hooks.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/hook/door.h"
#include "runtime/hook/elf_object.h"
#include "runtime/hook/real_libc.h"
#include "runtime/track/map_tracker.h"

static void *real_map(void *at, size_t size, int rights, int flags, int descriptor, off64_t offset)
{
    return tm_real.mmap64 != NULL ? tm_real.mmap64(at, size, rights, flags, descriptor, offset)
                                  : (void *)syscall(SYS_mmap, at, size, rights, flags, descriptor, offset);
}

static int real_unmap(void *at, size_t size)
{
    return tm_real.munmap != NULL ? tm_real.munmap(at, size) : (int)syscall(SYS_munmap, at, size);
}

static void *real_remap(void *at, size_t old_size, size_t new_size, int flags, void *to)
{
    return tm_real.mremap != NULL ? tm_real.mremap(at, old_size, new_size, flags, to)
                                  : (void *)syscall(SYS_mremap, at, old_size, new_size, flags, to);
}

static int real_protect(void *at, size_t size, int rights)
{
    return tm_real.mprotect != NULL ? tm_real.mprotect(at, size, rights) : (int)syscall(SYS_mprotect, at, size, rights);
}

static struct tm_elf_range sampled_allocator; /* empty: all that it maps it maps behind a door that is up */

void tm_map_hooks_begin(void)
{
    struct tm_elf_object object;
    uintptr_t address;
    memcpy(&address, &tm_real.malloc, sizeof address);
    if (tm_doors_sample && tm_elf_object_find(address, &object)) {
        sampled_allocator = object.all;
    }
}

/* An allocator at work behind a door gives away, or maps over, a range that was mapped outside of one. */
static bool may_forget(const struct tm_thread *thread)
{
    return tm_doors_are_open && (thread->guard & TM_DOOR_OWN_GUARDS) == 0 && !tm_map_tracker_is_empty();
}

static enum tm_map_kind kind_of(int rights, int flags)
{
    if ((flags & MAP_ANONYMOUS) == 0) {
        return TM_MAP_FILE;
    }
    if (rights == PROT_NONE) {
        return TM_MAP_RESERVED;
    }
    return (flags & MAP_TYPE) == MAP_PRIVATE ? TM_MAP_PRIVATE : TM_MAP_SHARED;
}

static void forget(struct tm_thread *thread, const void *at, size_t size)
{
    tm_map_tracker_lock(thread);
    tm_map_tracker_remove(thread, (uintptr_t)at, size);
    tm_map_tracker_unlock(thread);
}

TM_INLINE void *map(void *at, size_t size, int rights, int flags, int descriptor, off64_t offset, const void *caller)
{
    struct tm_thread *thread = tm_thread_self();
    if (!tm_door_hears(thread) || tm_door_small_is_made(thread) ||
        tm_elf_range_holds(&sampled_allocator, (uintptr_t)caller)) {
        void *mapped = real_map(at, size, rights, flags, descriptor, offset);
        if ((flags & MAP_FIXED) != 0 && mapped != MAP_FAILED && may_forget(thread)) {
            forget(thread, mapped, size);
        }
        return mapped;
    }
    tm_door_guard_up(thread);
    void *mapped = real_map(at, size, rights, flags, descriptor, offset);
    tm_door_guard_down(thread);
    if (mapped != MAP_FAILED) {
        tm_map_tracker_add(thread, (uintptr_t)mapped, size, kind_of(rights, flags));
    }
    return mapped;
}

TM_EXPORT void *mmap64(void *at, size_t size, int rights, int flags, int descriptor, off64_t offset)
{
    return map(at, size, rights, flags, descriptor, offset, __builtin_return_address(0));
}

/* The same where an offset has 64 bits anyway. */
TM_EXPORT void *mmap(void *at, size_t size, int rights, int flags, int descriptor, off_t offset)
{
    return map(at, size, rights, flags, descriptor, offset, __builtin_return_address(0));
}

TM_EXPORT int munmap(void *at, size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    if (!may_forget(thread)) {
        return real_unmap(at, size);
    }
    tm_map_tracker_lock(thread);
    int result = real_unmap(at, size);
    if (result == 0) {
        tm_map_tracker_remove(thread, (uintptr_t)at, size);
    }
    tm_map_tracker_unlock(thread);
    return result;
}

TM_EXPORT void *mremap(void *at, size_t old_size, size_t new_size, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    void *to = (flags & MREMAP_FIXED) != 0 ? va_arg(list, void *) : NULL;
    va_end(list);
    struct tm_thread *thread = tm_thread_self();
    if (!may_forget(thread)) {
        return real_remap(at, old_size, new_size, flags, to);
    }
    tm_map_tracker_lock(thread);
    enum tm_map_kind kind = tm_map_tracker_kind((uintptr_t)at);
    void *moved = real_remap(at, old_size, new_size, flags, to);
    if (moved != MAP_FAILED) {
        tm_map_tracker_remove(thread, (uintptr_t)at, old_size); /* of size 0 where a shared one is doubled */
        tm_map_tracker_remove(thread, (uintptr_t)moved, new_size);
    }
    tm_map_tracker_unlock(thread);
    if (moved != MAP_FAILED && kind != TM_MAP_KINDS && tm_door_hears(thread)) {
        tm_map_tracker_add(thread, (uintptr_t)moved, new_size, kind);
    }
    return moved;
}

TM_EXPORT int mprotect(void *at, size_t size, int rights)
{
    struct tm_thread *thread = tm_thread_self();
    int result = real_protect(at, size, rights);
    if (result == 0 && tm_door_hears(thread)) {
        tm_map_tracker_protect(thread, (uintptr_t)at, size, rights == PROT_NONE);
    }
    return result;
}
