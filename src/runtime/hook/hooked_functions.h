/* SPDX-License-Identifier: MIT */
/* Every function of libc that the library stands in front of: TM_HOOKED(result, name, parameters).
 *
 * The list makes struct tm_real_libc, its resolution, and is compared with the library's exports by a test.
 * malloc_usable_size is not here: no block is changed, so the real one stays right.
 * free_sized and free_aligned_sized are C23; cfree left glibc with 2.26: the real ones may be absent. */
#ifndef TM_RUNTIME_HOOK_HOOKED_FUNCTIONS_H
#define TM_RUNTIME_HOOK_HOOKED_FUNCTIONS_H

/* Needed by the resolution itself: calls that come before it ends go to the boot pool. */
#define TM_HOOKED_ALLOCATION(TM_HOOKED)                                                                                \
    TM_HOOKED(void *, malloc, (size_t size))                                                                           \
    TM_HOOKED(void, free, (void *block))                                                                               \
    TM_HOOKED(void *, calloc, (size_t count, size_t size))                                                             \
    TM_HOOKED(void *, realloc, (void *block, size_t size))                                                             \
    TM_HOOKED(void *, reallocarray, (void *block, size_t count, size_t size))                                          \
    TM_HOOKED(int, posix_memalign, (void **block, size_t alignment, size_t size))                                      \
    TM_HOOKED(void *, aligned_alloc, (size_t alignment, size_t size))                                                  \
    TM_HOOKED(void *, memalign, (size_t alignment, size_t size))                                                       \
    TM_HOOKED(void *, valloc, (size_t size))                                                                           \
    TM_HOOKED(void *, pvalloc, (size_t size))                                                                          \
    TM_HOOKED(void, free_sized, (void *block, size_t size))                                                            \
    TM_HOOKED(void, free_aligned_sized, (void *block, size_t alignment, size_t size))                                  \
    TM_HOOKED(void, cfree, (void *block))

/* Moments in the life of the process and of the interpreter. */
#define TM_HOOKED_MOMENT(TM_HOOKED)                                                                                    \
    TM_HOOKED(int, sigaction, (int signal, const struct sigaction *action, struct sigaction *old_action))              \
    TM_HOOKED(sighandler_t, signal, (int number, sighandler_t handler))                                                \
    TM_HOOKED(char *, setlocale, (int category, const char *locale))                                                   \
    TM_HOOKED(int, dlclose, (void *handle))                                                                            \
    TM_HOOKED(void, _exit, (int status))                                                                               \
    TM_HOOKED(void, _Exit, (int status))                                                                               \
    TM_HOOKED(int, setrlimit, (__rlimit_resource_t resource, const struct rlimit *limits))                             \
    TM_HOOKED(int, setrlimit64, (__rlimit_resource_t resource, const struct rlimit64 *limits))                         \
    TM_HOOKED(int, prlimit, (pid_t pid, __rlimit_resource_t which, const struct rlimit *now, struct rlimit *old))      \
    TM_HOOKED(int, prlimit64, (pid_t pid, __rlimit_resource_t which, const struct rlimit64 *now, struct rlimit64 *old))

/* Pages from the kernel.  libc's own malloc, thread stacks and loader map by private names: those are not heard. */
#define TM_HOOKED_MAPPING(TM_HOOKED)                                                                                   \
    TM_HOOKED(void *, mmap, (void *at, size_t size, int rights, int flags, int descriptor, off_t offset))              \
    TM_HOOKED(void *, mmap64, (void *at, size_t size, int rights, int flags, int descriptor, off64_t offset))          \
    TM_HOOKED(int, munmap, (void *at, size_t size))                                                                    \
    TM_HOOKED(void *, mremap, (void *at, size_t old_size, size_t new_size, int flags, ...))                            \
    TM_HOOKED(int, mprotect, (void *at, size_t size, int rights))

/* What the programs that they run find in their environment. */
#define TM_HOOKED_EXEC(TM_HOOKED)                                                                                      \
    TM_HOOKED(int, execve, (const char *path, char *const arguments[], char *const given[]))                           \
    TM_HOOKED(int, execv, (const char *path, char *const arguments[]))                                                 \
    TM_HOOKED(int, execvpe, (const char *file, char *const arguments[], char *const given[]))                          \
    TM_HOOKED(int, execvp, (const char *file, char *const arguments[]))                                                \
    TM_HOOKED(int, fexecve, (int descriptor, char *const arguments[], char *const given[]))                            \
    TM_HOOKED(int, execl, (const char *path, const char *first, ...))                                                  \
    TM_HOOKED(int, execlp, (const char *file, const char *first, ...))                                                 \
    TM_HOOKED(int, execle, (const char *path, const char *first, ...))                                                 \
    TM_HOOKED(int, posix_spawn,                                                                                        \
              (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,                               \
               const posix_spawnattr_t *attributes, char *const arguments[], char *const given[]))                     \
    TM_HOOKED(int, posix_spawnp,                                                                                       \
              (pid_t * pid, const char *file, const posix_spawn_file_actions_t *actions,                               \
               const posix_spawnattr_t *attributes, char *const arguments[], char *const given[]))

#define TM_HOOKED_FUNCTIONS(TM_HOOKED)                                                                                 \
    TM_HOOKED_MAPPING(TM_HOOKED)                                                                                       \
    TM_HOOKED_ALLOCATION(TM_HOOKED)                                                                                    \
    TM_HOOKED_MOMENT(TM_HOOKED)                                                                                        \
    TM_HOOKED_EXEC(TM_HOOKED)

#endif
