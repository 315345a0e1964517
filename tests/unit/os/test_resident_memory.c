/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "runtime/os/resident_memory.h"
#include "support/sanitizers.h"

static struct tm_resident_memory sum_of(const char *text, const char *store)
{
    struct tm_resident_memory memory;
    enum tm_mapping_kind kind = TM_MAPPING_NONE;
    memset(&memory, 0, sizeof memory);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        tm_resident_add_line(&memory, &kind, text, length, store);
        text += length + (text[length] == '\n');
    }
    return memory;
}

static void each_kind_of_mapping_has_its_place(void **state)
{
    (void)state;
    struct tm_resident_memory memory = sum_of(
        "00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/dbus-daemon\n"
        "Size:                328 kB\nRss:                 100 kB\nPss:                  50 kB\nAnonymous:           0 "
        "kB\n"
        "00652000-00655000 rw-p 00052000 08:02 173521      /usr/bin/dbus-daemon\n"
        "Rss:                  12 kB\nPss:                  12 kB\nAnonymous:             8 kB\nSwap:            4 kB\n"
        "01650000-01671000 rw-p 00000000 00:00 0                                  [heap]\n"
        "Rss:                  64 kB\nPss:                  64 kB\nAnonymous:            64 kB\n"
        "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n"
        "Rss:                 132 kB\nPss:                 132 kB\nAnonymous:           132 kB\n"
        "7f1000000000-7f1000021000 rw-p 00000000 00:00 0                          [anon:name]\n"
        "Rss:                   4 kB\n"
        "7f2000000000-7f2000021000 rw-s 00000000 00:01 2051                       /memfd:x (deleted)\n"
        "Rss:                  16 kB\n"
        "7f3000000000-7f3000021000 rw-s 00000000 08:02 77                         /tmp/a b/tracemalloc.7.live\n"
        "Rss:                  20 kB\n"
        "7f3000030000-7f3000031000 rw-s 00000000 08:02 78                         /tmp/a b/tracemalloc.7.live2\n"
        "Rss:                  24 kB\n"
        "7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0                          [stack]\n"
        "Rss:                  28 kB\nVmFlags: rd wr mr mw me gd ac\n",
        "/tmp/a b/tracemalloc.7.live");
    assert_int_equal(memory.file, (100 + 4 + 24) * 1024);
    assert_int_equal(memory.file_own, 8 * 1024);
    assert_int_equal(memory.heap, 64 * 1024);
    assert_int_equal(memory.anonymous, 136 * 1024);
    assert_int_equal(memory.shared, 16 * 1024);
    assert_int_equal(memory.store, 20 * 1024);
    assert_int_equal(memory.stack, 28 * 1024);
    assert_int_equal(memory.swap, 4 * 1024);
    assert_int_equal(memory.pss, (50 + 12 + 64 + 132) * 1024);
    assert_int_equal(memory.rss, memory.file + memory.file_own + memory.heap + memory.anonymous + memory.shared +
                                     memory.store + memory.stack);
}

static void odd_lines_do_no_harm(void **state)
{
    (void)state;
    struct tm_resident_memory memory = sum_of("\n7f\n7f 1 2\nRss:\nAnonymous: 9 kB\nPss: x kB\n", NULL);
    assert_int_equal(memory.rss, 0);
    assert_int_equal(memory.file_own, 0);
}

static void this_process_is_seen(void **state)
{
    (void)state;
    struct tm_resident_memory before;
    struct tm_resident_memory after;
    const size_t size = 32U << 20;
    errno = 5;
    assert_true(tm_resident_memory_read(&before, NULL));
    char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    memset(pages, 1, size);
    assert_true(tm_resident_memory_read(&after, NULL));
    assert_int_equal(errno, 5);
    assert_true(after.anonymous - before.anonymous >= size);
#if !defined(TM_UNDER_THREAD_SANITIZER) && !defined(TM_UNDER_ADDRESS_SANITIZER) /* these shadow what is touched */
    assert_true(after.anonymous - before.anonymous < size + (4U << 20));
#endif
    assert_true(after.rss >= after.anonymous + after.file && after.file > 0 && after.stack > 0);
    munmap(pages, size);
}

static void sums_of_the_kernel_are_read(void **state)
{
    (void)state;
    static const char *const lines[] = {"Name:\tVmRSS: 9",       "VmPeak:\t  7 kB",       "VmRSS:\t    100 kB",
                                        "RssAnon:\t      60 kB", "RssFile:\t      30 kB", "RssShmem:\t      10 kB",
                                        "VmSwap:\t       5 kB"};
    struct tm_resident_memory memory = {.rss = 0}, whole;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        tm_resident_add_status_line(&memory, lines[i], strlen(lines[i]));
    }
    assert_int_equal(memory.rss, 100 * 1024);
    assert_int_equal(memory.anonymous, 60 * 1024);
    assert_int_equal(memory.file, 30 * 1024);
    assert_int_equal(memory.shared, 10 * 1024);
    assert_int_equal(memory.swap, 5 * 1024);
    errno = 5;
    assert_true(tm_resident_memory_read_sums(&memory));
    assert_int_equal(errno, 5);
    assert_true(memory.rss > 0 && memory.rss == memory.anonymous + memory.file + memory.shared);
    assert_true(tm_resident_memory_read(&whole, NULL));
    uint64_t difference = whole.rss > memory.rss ? whole.rss - memory.rss : memory.rss - whole.rss;
    assert_true(difference < (8U << 20)); /* the kernel counts in batches for each processor */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_mapping_has_its_place),
        cmocka_unit_test(odd_lines_do_no_harm),
        cmocka_unit_test(this_process_is_seen),
        cmocka_unit_test(sums_of_the_kernel_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
