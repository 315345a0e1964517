/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/os/os_file.h"
#include "support/child_process.h"
#include "support/scratch_folder.h"

static struct scratch_folder folder;

static int make_folder(void **state)
{
    (void)state;
    scratch_make(&folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    scratch_remove(&folder);
    return 0;
}

static struct tm_file_identity made(const char *name, const char *content)
{
    struct tm_file_identity identity;
    int descriptor = tm_file_create(scratch_name(&folder, name), &identity);
    assert_true(descriptor >= 0);
    assert_int_equal(tm_file_write(descriptor, content, strlen(content)), 0);
    tm_file_close(descriptor);
    return identity;
}

static void assert_content(const char *name, const char *expected)
{
    char content[64] = "";
    assert_int_equal(tm_file_read(scratch_name(&folder, name), content, sizeof content - 1), strlen(expected));
    assert_string_equal(content, expected);
}

static void create_makes_a_private_file_and_refuses_a_taken_name(void **state)
{
    (void)state;
    struct tm_file_identity identity;
    struct stat found;
    (void)made("a", "first");
    errno = 77;
    assert_int_equal(tm_file_create(scratch_name(&folder, "a"), &identity), -EEXIST);
    assert_int_equal(errno, 77);
    assert_content("a", "first");
    assert_int_equal(stat(folder.name, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
}

static void create_keeps_the_owner_in_whatever_the_umask(void **state)
{
    (void)state;
    struct stat found;
    mode_t before = umask(0777);
    struct tm_file_identity identity = made("a", "x");
    (void)umask(before);
    assert_int_equal(stat(scratch_name(&folder, "a"), &found), 0);
    assert_int_equal(found.st_ino, identity.inode);
    assert_int_equal(found.st_mode & 07777, 0600);
}

static void create_follows_no_link(void **state)
{
    (void)state;
    struct tm_file_identity identity;
    char target[512];
    (void)snprintf(target, sizeof target, "%s/absent", folder.path);
    assert_int_equal(symlink(target, scratch_name(&folder, "link")), 0);
    assert_int_equal(tm_file_create(folder.name, &identity), -EEXIST);
    assert_int_equal(access(target, F_OK), -1);
}

static void reopen_takes_only_the_same_file(void **state)
{
    (void)state;
    struct tm_file_identity identity = made("a", "x");
    int descriptor = tm_file_reopen(scratch_name(&folder, "a"), &identity);
    assert_true(descriptor >= 0);
    assert_int_equal(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    tm_file_close(descriptor);
    assert_int_equal(rename(folder.name, "/dev/null/none"), -1);
    char other[512];
    (void)snprintf(other, sizeof other, "%s/b", folder.path);
    assert_int_equal(rename(scratch_name(&folder, "a"), other), 0);
    (void)made("a", "somebody else's");
    assert_int_equal(tm_file_reopen(scratch_name(&folder, "a"), &identity), -ESTALE);
    assert_int_equal(unlink(folder.name), 0);
    assert_int_equal(symlink(other, folder.name), 0);
    assert_int_equal(tm_file_reopen(folder.name, &identity), -ELOOP);
    assert_int_equal(unlink(folder.name), 0);
    assert_int_equal(mkfifo(folder.name, 0600), 0);
    assert_int_equal(tm_file_reopen(folder.name, &identity), -ESTALE);
    assert_int_equal(unlink(folder.name), 0);
    assert_int_equal(tm_file_reopen(folder.name, &identity), -ENOENT);
}

static void rename_without_replace_leaves_what_is_there(void **state)
{
    (void)state;
    char from[512];
    (void)made("a", "new");
    (void)made("b", "old");
    (void)snprintf(from, sizeof from, "%s/a", folder.path);
    assert_int_equal(tm_file_rename(from, scratch_name(&folder, "b"), false), -EEXIST);
    assert_content("b", "old");
    assert_content("a", "new");
    assert_int_equal(tm_file_rename(from, scratch_name(&folder, "c"), false), 0);
    assert_content("c", "new");
    assert_int_equal(access(from, F_OK), -1);
}

static void rename_with_replace_replaces(void **state)
{
    (void)state;
    char from[512];
    (void)made("a", "new");
    (void)made("b", "old");
    (void)snprintf(from, sizeof from, "%s/a", folder.path);
    assert_int_equal(tm_file_rename(from, scratch_name(&folder, "b"), true), 0);
    assert_content("b", "new");
    assert_int_equal(tm_file_rename(from, folder.name, true), -ENOENT);
}

static void rename_with_replace_leaves_what_is_no_file(void **state)
{
    (void)state;
    char from[512];
    struct stat found;
    (void)made("a", "new");
    (void)snprintf(from, sizeof from, "%s/a", folder.path);
    assert_int_equal(mkfifo(scratch_name(&folder, "pipe"), 0600), 0);
    assert_int_equal(tm_file_rename(from, folder.name, true), -EISDIR);
    assert_int_equal(lstat(folder.name, &found), 0);
    assert_true(S_ISFIFO(found.st_mode));
    assert_int_equal(symlink("/dev/null", scratch_name(&folder, "link")), 0);
    assert_int_equal(tm_file_rename(from, folder.name, true), -EISDIR);
    assert_int_equal(lstat(folder.name, &found), 0);
    assert_true(S_ISLNK(found.st_mode));
    assert_int_equal(tm_file_rename(from, folder.path, true), -EISDIR);
    assert_content("a", "new");
}

/* /dev/stdout of a process whose output goes to a file: root would take it from all programs. */
static void rename_leaves_links_to_descriptors(void **state)
{
    (void)state;
    char from[512];
    char descriptor_path[64];
    struct stat found;
    (void)made("a", "new");
    (void)made("output", "old");
    int descriptor = open(scratch_name(&folder, "output"), O_RDONLY);
    assert_true(descriptor >= 0);
    (void)snprintf(from, sizeof from, "%s/a", folder.path);
    (void)snprintf(descriptor_path, sizeof descriptor_path, "/proc/self/fd/%d", descriptor);
    assert_int_equal(symlink(descriptor_path, scratch_name(&folder, "stdout")), 0);
    assert_int_equal(tm_file_rename(from, folder.name, true), -EISDIR);
    assert_int_equal(lstat(folder.name, &found), 0);
    assert_true(S_ISLNK(found.st_mode));
    assert_content("output", "old");
    assert_content("a", "new");
    assert_int_equal(close(descriptor), 0);
}

static void remove_takes_only_the_same_file(void **state)
{
    (void)state;
    struct tm_file_identity identity = made("a", "mine");
    struct tm_file_identity other = made("b", "other");
    assert_int_equal(tm_file_remove(scratch_name(&folder, "b"), &identity), -ESTALE);
    assert_content("b", "other");
    assert_int_equal(tm_file_remove(scratch_name(&folder, "b"), &other), 0);
    assert_int_equal(tm_file_remove(folder.name, &other), -ENOENT);
    assert_int_equal(tm_file_remove(scratch_name(&folder, "a"), &identity), 0);
}

static void allocated_range_is_zeros_with_disk_behind_it(void **state)
{
    (void)state;
    struct tm_file_identity identity;
    struct stat found;
    uint8_t bytes[512];
    int descriptor = tm_file_create(scratch_name(&folder, "a"), &identity);
    assert_int_equal(tm_file_allocate(descriptor, 4096, 100000), 0);
    assert_int_equal(fstat(descriptor, &found), 0);
    assert_int_equal(found.st_size, 104096);
    assert_true(found.st_blocks * 512 >= 100000);
    assert_int_equal(tm_file_write_at(descriptor, "abc", 3, 8192), 0);
    assert_int_equal(pread(descriptor, bytes, sizeof bytes, 8192 - 256), sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(bytes[i], i >= 256 && i < 259 ? "abc"[i - 256] : 0);
    }
    tm_file_close(descriptor);
}

static void zeros_replace_what_was_in_the_range_and_no_more(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 4096, 16384, 16385, 16 * 16384, 600000};
    static uint8_t bytes[700000];
    struct tm_file_identity identity;
    int descriptor = tm_file_create(scratch_name(&folder, "a"), &identity);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(bytes, 0xAA, sizeof bytes);
        assert_int_equal(tm_file_write_at(descriptor, bytes, sizeof bytes, 0), 0);
        assert_int_equal(tm_file_write_zeros(descriptor, 5000, sizes[i]), 0);
        assert_int_equal(pread(descriptor, bytes, sizeof bytes, 0), sizeof bytes);
        for (size_t at = 0; at < sizeof bytes; at++) {
            if (bytes[at] != (at >= 5000 && at < 5000 + sizes[i] ? 0 : 0xAA)) {
                fail_msg("byte %zu of %zu zeros", at, sizes[i]);
            }
        }
    }
    tm_file_close(descriptor);
    assert_int_equal(tm_file_write_zeros(-1, 0, 1), -EBADF);
}

static void allocate_beyond_the_limit(void *argument)
{
    struct tm_file_identity identity;
    const struct rlimit limit = {65536, 65536};
    (void)argument;
    child_check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    int descriptor = tm_file_create(scratch_name(&folder, "a"), &identity);
    child_check(descriptor >= 0);
    child_check(tm_file_allocate(descriptor, 0, 65536) == 0);
    child_check(tm_file_allocate(descriptor, 65536, 1) == -EFBIG);
    child_check(tm_file_write_zeros(descriptor, 0, 65536) == 0);
    child_check(tm_file_write_zeros(descriptor, 65535, 2) == -EFBIG);
    child_check(tm_file_allocate(descriptor, UINT64_MAX - 4095, 8192) == -EFBIG);
}

static void allocate_beyond_the_file_size_limit_is_refused_not_deadly(void **state)
{
    (void)state;
    assert_int_equal(child_run(allocate_beyond_the_limit, NULL), 0);
}

static void mapping_replaces_memory_and_is_the_file(void **state)
{
    (void)state;
    struct tm_file_identity identity;
    char content[8] = "";
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int descriptor = tm_file_create(scratch_name(&folder, "a"), &identity);
    assert_int_equal(tm_file_allocate(descriptor, 0, 8192), 0);
    assert_int_equal(tm_file_map_at(descriptor, 0, 8192, pages), 0);
    memcpy(pages + 5000, "seen", 4);
    assert_int_equal(pread(descriptor, content, 4, 5000), 4);
    assert_string_equal(content, "seen");
    assert_int_equal(tm_file_map_at(-1, 0, 4096, pages), -EBADF);
    tm_file_close(descriptor);
    (void)munmap(pages, 8192);
}

static void read_stops_at_capacity_and_reports_absence(void **state)
{
    (void)state;
    char content[4];
    (void)made("a", "0123456789");
    assert_int_equal(tm_file_read(scratch_name(&folder, "a"), content, sizeof content), 4);
    assert_memory_equal(content, "0123", 4);
    assert_int_equal(tm_file_read(scratch_name(&folder, "none"), content, sizeof content), -ENOENT);
}

static void file_system_of_a_missing_folder_maps_nothing(void **state)
{
    (void)state;
    assert_false(tm_file_system_maps("/nowhere/at/all"));
    assert_false(tm_file_system_maps("/proc"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(create_makes_a_private_file_and_refuses_a_taken_name),
        TEST(create_keeps_the_owner_in_whatever_the_umask),
        TEST(create_follows_no_link),
        TEST(reopen_takes_only_the_same_file),
        TEST(rename_without_replace_leaves_what_is_there),
        TEST(rename_with_replace_replaces),
        TEST(rename_with_replace_leaves_what_is_no_file),
        TEST(rename_leaves_links_to_descriptors),
        TEST(remove_takes_only_the_same_file),
        TEST(allocated_range_is_zeros_with_disk_behind_it),
        TEST(allocate_beyond_the_file_size_limit_is_refused_not_deadly),
        TEST(zeros_replace_what_was_in_the_range_and_no_more),
        TEST(mapping_replaces_memory_and_is_the_file),
        TEST(read_stops_at_capacity_and_reports_absence),
        TEST(file_system_of_a_missing_folder_maps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
