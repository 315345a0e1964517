/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "runtime/os/os_memory.h"
#include "runtime/os/own_pages.h"
#include "runtime/os/resident_memory.h"
#include "support/scratch_folder.h"

#define PAGES 700U

static struct tm_mapping mapping_of(const char *line)
{
    struct tm_mapping mapping;
    memset(&mapping, 0xFF, sizeof mapping);
    assert_true(tm_mapping_of_line(&mapping, line, strlen(line)));
    return mapping;
}

static void lines_of_maps_are_read(void **state)
{
    (void)state;
    struct tm_mapping code = mapping_of("00652000-00655000 r--p 00052000 08:02 173521      /usr/bin/[stack]");
    struct tm_mapping data = mapping_of("00655000-00656000 rw-p 00055000 08:02 173521      /usr/bin/[stack]");
    struct tm_mapping heap = mapping_of("55d0c8a00000-55d0c8a21000 rw-p 00000000 00:00 0");
    struct tm_mapping shared = mapping_of("7f3000000000-7f3000021000 rw-s 00000000 08:02 77   /tmp/a b");
    struct tm_mapping stack = mapping_of("7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0   [stack]");
    assert_true(code.begin == 0x652000 && code.end == 0x655000 && code.inode == 173521);
    assert_true(!code.is_writable && !code.is_shared && !code.is_stack);
    assert_true(data.is_writable && !data.is_shared);
    assert_true(heap.begin == 0x55d0c8a00000 && heap.inode == 0 && heap.is_writable && !heap.is_stack);
    assert_true(shared.is_writable && shared.is_shared && shared.inode == 77);
    assert_true(stack.is_stack && stack.inode == 0);
}

static void odd_lines_are_no_mappings(void **state)
{
    (void)state;
    static const char *const lines[] = {"",        "-",         "12",   "12-",       "12-12 rw-p 0 0:0 0",
                                        "12-13 r", "12-13 rw-", "x-13", "Rss: 1 kB", "13-12 rw-p 0 0:0 0"};
    struct tm_mapping mapping;
    for (size_t i = 0; i < TM_COUNT_OF(lines); i++) {
        assert_false(tm_mapping_of_line(&mapping, lines[i], strlen(lines[i])));
    }
}

static void only_what_the_loader_wrote_to_was_writable(void **state)
{
    (void)state;
    const struct tm_mapping next = {.begin = 0x3000, .end = 0x4000, .inode = 5, .is_writable = true};
    const struct tm_mapping before = {.begin = 0x2000, .end = 0x3000, .inode = 5};
    struct tm_mapping other;
    assert_true(tm_mapping_was_writable(&before, &next));
    other = before;
    other.end = 0x2800;
    assert_false(tm_mapping_was_writable(&other, &next));
    other = before;
    other.inode = 6;
    assert_false(tm_mapping_was_writable(&other, &next));
    other = before;
    other.is_writable = true; /* it was counted itself */
    assert_false(tm_mapping_was_writable(&other, &next));
}

/* Pages of a file that are to be changed: the first ten before they are made read-only, like RELRO. */
static const size_t read_only[] = {0, 3, 9};
static const size_t changed[] = {10, 11, 600, PAGES - 1};

static char *map_file(struct scratch_folder *folder, int flags)
{
    int descriptor = open(scratch_name(folder, "file"), O_RDWR | O_CREAT, 0600);
    assert_true(descriptor >= 0 && ftruncate(descriptor, PAGES * TM_PAGE_SIZE) == 0);
    char *pages = mmap(NULL, PAGES * TM_PAGE_SIZE, PROT_READ | PROT_WRITE, flags, descriptor, 0);
    assert_true(pages != MAP_FAILED);
    close(descriptor);
    return pages;
}

static void change(char *pages)
{
    for (size_t i = 0; i < TM_COUNT_OF(read_only); i++) {
        pages[read_only[i] * TM_PAGE_SIZE] = 1;
    }
    assert_int_equal(mprotect(pages, 10 * TM_PAGE_SIZE, PROT_READ), 0);
    for (size_t i = 0; i < TM_COUNT_OF(changed); i++) {
        pages[changed[i] * TM_PAGE_SIZE] = 1;
    }
    assert_int_equal(*(volatile char *)(pages + 300 * TM_PAGE_SIZE), 0); /* in memory, but as on disk */
}

static void look(bool (*read)(struct tm_own_pages *own), int flags, uint64_t expected)
{
    struct scratch_folder folder;
    struct tm_own_pages before, after;
    scratch_make(&folder);
    assert_true(read(&before)); /* what the look itself changes is changed by then */
    assert_true(read(&before));
    char *pages = map_file(&folder, flags);
    change(pages);
    errno = 77;
    bool done = read(&after);
    int error = errno;
    munmap(pages, PAGES * TM_PAGE_SIZE);
    scratch_remove(&folder);
    assert_true(done);
    assert_int_equal(error, 77);
    assert_in_range(after.file - before.file, expected, expected + 2 * TM_PAGE_SIZE); /* libc has variables, too */
    assert_true(after.stack >= TM_PAGE_SIZE && after.stack < 8U << 20);
}

static void changed_pages_of_files_are_counted(void **state)
{
    (void)state;
    const uint64_t expected = (TM_COUNT_OF(read_only) + TM_COUNT_OF(changed)) * TM_PAGE_SIZE;
    struct tm_own_pages own;
    if (!tm_own_pages_read(&own)) {
        skip(); /* this kernel does not tell */
    }
    look(tm_own_pages_read, MAP_PRIVATE, expected);
    look(tm_own_pages_read_lines, MAP_PRIVATE, expected);
    look(tm_own_pages_read, MAP_SHARED, 0);
    look(tm_own_pages_read_lines, MAP_SHARED, 0);
}

static void smaps_says_the_same(void **state)
{
    (void)state;
    struct tm_own_pages own, lines;
    struct tm_resident_memory memory;
    if (!tm_own_pages_read(&own)) {
        skip();
    }
    assert_true(tm_own_pages_read_lines(&lines));
    assert_true(tm_resident_memory_read(&memory, NULL));
    assert_true(own.file > 0 && own.file <= memory.file_own && memory.file_own - own.file <= 16 * TM_PAGE_SIZE);
    assert_true(own.stack <= memory.stack && memory.stack - own.stack <= 8 * TM_PAGE_SIZE);
    assert_true(lines.file >= own.file && lines.file - own.file <= 4 * TM_PAGE_SIZE);
    assert_true(lines.stack >= own.stack && lines.stack - own.stack <= 8 * TM_PAGE_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_maps_are_read),
        cmocka_unit_test(odd_lines_are_no_mappings),
        cmocka_unit_test(only_what_the_loader_wrote_to_was_writable),
        cmocka_unit_test(changed_pages_of_files_are_counted),
        cmocka_unit_test(smaps_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
