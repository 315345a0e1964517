/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/os/os_memory.h"
#include "runtime/os/touched_pages.h"
#include "runtime/table/live_store.h"
#include "runtime/table/store_fork.h"
#include "support/child_process.h"
#include "support/random_numbers.h"
#include "support/sanitizers.h"
#include "support/scratch_folder.h"

static struct scratch_folder folder;
static struct tm_live_store store;

static int begin(void **state)
{
    (void)state;
    scratch_make(&folder);
    memset(&store, 0, sizeof store);
    return tm_live_store_begin(&store) ? 0 : -1;
}

static int discard(void **state)
{
    (void)state;
    scratch_remove(&folder);
    return 0;
}

/* Makes BYTES of SECTION usable and fills what is new; publishes them where a length is published. */
static bool fill(enum tm_section_name section, uint64_t bytes, uint8_t with)
{
    uint64_t old = atomic_load(&store.mapped[section]);
    if (!tm_live_store_need(&store, section, bytes)) {
        return false;
    }
    if (bytes > old) {
        memset(store.sections[section] + old, with, (size_t)(bytes - old));
    }
    if (section <= TM_STORE_RECORDS) {
        atomic_store(&store.header->lengths[section], bytes);
    }
    return true;
}

/* The file, joined by its own extents, says what memory says. */
static void check_file_equals_memory(void)
{
    static _Alignas(struct tm_store_header) uint8_t content[24 << 20];
    int64_t size = tm_file_read(store.path, content, sizeof content);
    child_check(size >= (int64_t)TM_STORE_HEADER_SIZE);
    const struct tm_store_header *header = (const void *)content;
    child_check(memcmp(header, store.header, TM_STORE_HEADER_SIZE) == 0);
    child_check(memcmp(header->magic, TM_STORE_MAGIC, sizeof header->magic) == 0);
    uint64_t covered[TM_STORE_SECTIONS] = {0};
    uint64_t next = TM_STORE_HEADER_SIZE;
    for (uint32_t i = 0; i < atomic_load(&header->extent_count); i++) {
        const struct tm_store_extent *extent = &header->extents[i];
        child_check(extent->file_offset == next && extent->section_offset == covered[extent->section]);
        child_check((int64_t)(extent->file_offset + extent->size) <= size);
        child_check(memcmp(content + extent->file_offset, store.sections[extent->section] + extent->section_offset,
                           (size_t)extent->size) == 0);
        covered[extent->section] += extent->size;
        next += extent->size;
    }
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        child_check(covered[i] == atomic_load(&store.mapped[i]));
    }
}

static void grown_sections_stay_where_they_are_and_keep_their_bytes(void **state)
{
    (void)state;
    struct random_numbers random = {9};
    uint8_t *places[TM_STORE_SECTIONS];
    uint64_t sizes[TM_STORE_SECTIONS] = {0};
    memcpy(places, store.sections, sizeof places);
    for (unsigned i = 0; i < 300; i++) {
        unsigned section = (unsigned)random_below(&random, TM_STORE_SECTIONS);
        sizes[section] += random_below(&random, 100000);
        assert_true(fill(section, sizes[section], (uint8_t)(section + 1)));
    }
    for (unsigned section = 0; section < TM_STORE_SECTIONS; section++) {
        assert_ptr_equal(store.sections[section], places[section]);
        for (uint64_t i = 0; i < sizes[section]; i += 997) {
            assert_in_range(store.sections[section][i], 0, section + 1);
        }
        assert_int_equal(store.sections[section][0], section + 1);
        assert_true(atomic_load(&store.mapped[section]) >= sizes[section]);
    }
    assert_int_equal(atomic_load(&store.header->extent_count), 0);
}

static void section_ends_at_its_reservation(void **state)
{
    (void)state;
    store.reserved[TM_STORE_FRAMES] = 5 * 65536;
    assert_true(tm_live_store_need(&store, TM_STORE_FRAMES, 3 * 65536));
    assert_false(tm_live_store_need(&store, TM_STORE_FRAMES, 6 * 65536));
    assert_u64_equal(atomic_load(&store.mapped[TM_STORE_FRAMES]), 3 * 65536);
    assert_true(tm_live_store_need(&store, TM_STORE_FRAMES, 5 * 65536));
    assert_false(tm_live_store_need(&store, TM_STORE_FRAMES, 5 * 65536 + 1));
    assert_false(tm_live_store_need(&store, TM_STORE_FRAMES, UINT64_MAX));
    assert_u64_equal(atomic_load(&store.mapped[TM_STORE_FRAMES]), 5 * 65536);
    store.sections[TM_STORE_FRAMES][5 * 65536 - 1] = 1;
}

static void file_holds_what_memory_held_and_follows_it(void **state)
{
    (void)state;
    assert_true(fill(TM_STORE_STRINGS, 70001, 1));
    assert_true(fill(TM_STORE_RECORDS, 64 * 3000, 2));
    assert_true(fill(TM_STORE_LOOSE, 32 * 3000, 3));
    assert_true(tm_live_store_add_meta(&store, "key", "value", 5));
    errno = 77;
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    assert_int_equal(errno, 77);
    assert_true(store.in_file);
    check_file_equals_memory();
    assert_int_equal(store.sections[TM_STORE_STRINGS][70000], 1);
    memset(store.sections[TM_STORE_RECORDS], 9, 1000);
    atomic_store(&store.header->dropped_events, 12345);
    check_file_equals_memory();
}

static void growth_in_the_file_is_in_the_file(void **state)
{
    (void)state;
    assert_true(fill(TM_STORE_STRINGS, 100, 1));
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    for (uint64_t size = 50000; size < 6000000; size += size / 2) {
        assert_true(fill(TM_STORE_STRINGS, size, 4));
        assert_true(fill(TM_STORE_PEAKS, size / 2, 5));
    }
    assert_int_equal(atomic_load(&store.header->anonymous_extents), 0);
    check_file_equals_memory();
}

static void a_small_store_begins_small_and_grows_all_the_same(void **state)
{
    (void)state;
    store.is_small = true;
    for (unsigned section = 0; section < TM_STORE_SECTIONS; section++) {
        assert_true(fill((enum tm_section_name)section, 10, (uint8_t)(section + 1)));
    }
    assert_true(tm_live_store_bytes(&store) <= TM_STORE_HEADER_SIZE + 14 * TM_PAGE_SIZE);
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    check_file_equals_memory();
    for (uint64_t size = 5000; size < 6000000; size += size / 2) {
        assert_true(fill(TM_STORE_STRINGS, size, 4));
        assert_true(fill(TM_STORE_RECORDS, size / 2, 5));
    }
    assert_int_equal(atomic_load(&store.header->anonymous_extents), 0);
    check_file_equals_memory();
}

/* A kernel before 5.14 does not give pages ahead. */
static bool kernel_gives_pages(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool gives = madvise(page, 4096, 23) == 0; /* MADV_POPULATE_WRITE */
    munmap(page, 4096);
    return gives;
}

static unsigned touched_pages(enum tm_section_name section, bool touched[16])
{
    unsigned sum = 0;
    tm_pages_touched(store.sections[section], 16, touched);
    for (unsigned i = 0; i < 16; i++) {
        sum += touched[i];
    }
    return sum;
}

/* FILLS: the pages are written before, and the kernel may then map larger pieces than were asked for; of a tmpfs, too,
 * and what is there already besides. */
static void expect_pages_a_few_at_a_time(bool fills)
{
    bool touched[16];
    unsigned most;
    assert_true(fill(TM_STORE_STRINGS, 100, 1));
    assert_true(fill(TM_STORE_LOOSE, 100, 1));
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    store.fills = fills;
    most = store.in_memory ? 16 : fills ? 15 : 4;
    assert_int_equal(touched_pages(TM_STORE_STRINGS, touched), 0);
    assert_true(tm_live_store_need(&store, TM_STORE_STRINGS, 4096));
    assert_int_equal(touched_pages(TM_STORE_STRINGS, touched), 0);
    assert_true(tm_live_store_need(&store, TM_STORE_STRINGS, 4097));
    const unsigned first = touched_pages(TM_STORE_STRINGS, touched);
    assert_in_range(first, 4, most);
    assert_true(touched[1] && touched[4]);
    assert_true(tm_live_store_need(&store, TM_STORE_STRINGS, 5 * 4096));
    assert_int_equal(touched_pages(TM_STORE_STRINGS, touched), first);
    assert_true(tm_live_store_need(&store, TM_STORE_STRINGS, 5 * 4096 + 1));
    assert_in_range(touched_pages(TM_STORE_STRINGS, touched), 8, most > 4 ? most : 8);
    assert_true(touched[8]);
    assert_true(tm_live_store_need(&store, TM_STORE_LOOSE, 5 * 4096));
    assert_int_equal(touched_pages(TM_STORE_LOOSE, touched), 0);
}

static void pages_of_the_file_come_a_few_at_a_time_but_loose_ones_as_needed(void **state)
{
    (void)state;
    if (!kernel_gives_pages()) {
        skip();
    }
    expect_pages_a_few_at_a_time(false);
}

static void pages_that_are_written_before_come_likewise(void **state)
{
    (void)state;
    if (!kernel_gives_pages()) {
        skip();
    }
    expect_pages_a_few_at_a_time(true);
}

/* An interpreter that does nothing comes to use them. */
static void pages_of_the_first_records_and_peaks_come_at_once(void **state)
{
    (void)state;
    static bool touched[64];
    if (!kernel_gives_pages()) {
        skip();
    }
    assert_true(fill(TM_STORE_RECORDS, 100, 1));
    assert_true(tm_live_store_need(&store, TM_STORE_PEAKS, 100));
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    assert_true(tm_live_store_need(&store, TM_STORE_RECORDS, 4097));
    assert_true(tm_live_store_need(&store, TM_STORE_PEAKS, 4097));
    tm_pages_touched(store.sections[TM_STORE_RECORDS] + 4096, 63, touched);
    for (unsigned i = 0; i < 63; i++) {
        assert_true(touched[i]);
    }
    tm_pages_touched(store.sections[TM_STORE_PEAKS] + 4096, 31, touched);
    for (unsigned i = 0; i < 31; i++) {
        assert_true(touched[i]);
    }
    assert_true(fill(TM_STORE_RECORDS, 5 * 65536, 2)); /* the second extent as ever */
    assert_true(fill(TM_STORE_PEAKS, 5 * 65536 / 2, 3));
    tm_pages_touched(store.sections[TM_STORE_RECORDS] + 80 * 4096, 32, touched);
    assert_false(touched[31]);
    check_file_equals_memory();
}

/* Whether the kernel was told not to read ahead where ADDRESS is mapped. */
static bool comes_alone(const uint8_t *address)
{
    char line[512];
    FILE *file = fopen("/proc/self/smaps", "r");
    uintptr_t from, to;
    bool is_there = false, comes = false;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2) {
            is_there = from <= (uintptr_t)address && (uintptr_t)address < to;
        }
        comes |= is_there && strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " rr") != NULL;
    }
    fclose(file);
    return comes;
}

/* Or one that is touched would be made with those beside it, which is dear on a disk's file system. */
static void loose_pages_come_alone(void **state)
{
    (void)state;
    assert_true(fill(TM_STORE_LOOSE, 100, 1));
    assert_true(fill(TM_STORE_PEAKS, 100, 1));
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    const uint64_t first = atomic_load(&store.mapped[TM_STORE_LOOSE]);
    assert_true(tm_live_store_need(&store, TM_STORE_LOOSE, first + 1));
    assert_true(comes_alone(store.sections[TM_STORE_LOOSE]));
    assert_true(comes_alone(store.sections[TM_STORE_LOOSE] + first));
    assert_false(comes_alone(store.sections[TM_STORE_PEAKS]));
}

/* Bytes that this process handed to write calls.  False: this kernel does not count. */
static bool written_bytes(uint64_t *bytes)
{
    char line[64];
    FILE *file = fopen("/proc/self/io", "r");
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        found = sscanf(line, "wchar: %" SCNu64, bytes) == 1;
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

static uint64_t written_for(enum tm_section_name section, uint64_t bytes)
{
    uint64_t before, after;
    assert_true(written_bytes(&before));
    assert_true(tm_live_store_need(&store, section, bytes));
    assert_true(written_bytes(&after));
    return after - before;
}

static void pages_are_written_before_they_are_touched_and_never_after(void **state)
{
    (void)state;
    uint64_t sum;
    if (!written_bytes(&sum)) {
        skip();
    }
    assert_true(fill(TM_STORE_STRINGS, 100, 1));
    assert_true(fill(TM_STORE_LOOSE, 100, 1));
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    assert_int_equal(written_for(TM_STORE_STRINGS, 4096), 0);
    assert_int_equal(written_for(TM_STORE_STRINGS, 4097), 65536 - 4096); /* as far as the first extent goes */
    assert_int_equal(written_for(TM_STORE_STRINGS, 60000), 0);
    assert_int_equal(written_for(TM_STORE_LOOSE, 60000), 0);
    for (uint64_t size = 1; size < 5000000; size += 4096) {
        sum += written_for(TM_STORE_STRINGS, size);
        uint8_t *page = store.sections[TM_STORE_STRINGS] + (size - 1);
        memcpy(page, &size, sizeof size);
    }
    for (uint64_t size = 1; size < 5000000; size += 4096) {
        assert_memory_equal(store.sections[TM_STORE_STRINGS] + (size - 1), &size, sizeof size);
    }
    atomic_store(&store.header->lengths[TM_STORE_STRINGS], 5000000);
    check_file_equals_memory();
    assert_int_equal(atomic_load(&store.header->anonymous_extents), 0);
}

static void the_first_pages_of_all_sections_are_written_together(void **state)
{
    (void)state;
    uint64_t sum;
    if (!written_bytes(&sum)) {
        skip();
    }
    assert_true(fill(TM_STORE_STRINGS, 100, 1));
    assert_true(fill(TM_STORE_FRAMES, 5000, 2));
    assert_true(fill(TM_STORE_RECORDS, 100, 3));
    assert_true(fill(TM_STORE_LOOSE, 32, 4));
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    assert_int_equal(written_for(TM_STORE_FRAMES, 8193), (16 - 2 + 15 + 63) * 4096);
    assert_int_equal(written_for(TM_STORE_STRINGS, 65536), 0);
    assert_int_equal(written_for(TM_STORE_RECORDS, 4 * 65536), 0);
    assert_int_equal(written_for(TM_STORE_STRINGS, 65537), 65536);
    check_file_equals_memory();
}

/* A program may set the limit when the store is larger already. */
static void lower_the_file_size_limit(void *argument)
{
    const struct rlimit limit = {4096, 4096};
    (void)argument;
    child_check(fill(TM_STORE_STRINGS, 100, 1));
    child_check(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")) == 0);
    child_check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    child_check(tm_live_store_need(&store, TM_STORE_STRINGS, 60000));
    memset(store.sections[TM_STORE_STRINGS], 1, 60000);
    child_check(atomic_load(&store.header->anonymous_extents) == 0);
}

static void file_size_limit_below_the_store_kills_nobody(void **state)
{
    (void)state;
    assert_int_equal(child_run(lower_the_file_size_limit, NULL), 0);
}

static void figures_without_a_length_of_their_own_go_with_their_records(void **state)
{
    (void)state;
    assert_true(fill(TM_STORE_RECORDS, 64 * 129, 2));
    assert_true(tm_live_store_need(&store, TM_STORE_PEAKS, 32 * 129));
    memset(store.sections[TM_STORE_PEAKS], 3, 32 * 129);
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    check_file_equals_memory();
    assert_int_equal(store.sections[TM_STORE_PEAKS][32 * 129 - 1], 3);
    assert_int_equal(store.sections[TM_STORE_PEAKS][32 * 129], 0);
}

static void existing_name_is_refused_and_the_store_goes_on_in_memory(void **state)
{
    (void)state;
    struct tm_file_identity identity;
    tm_file_close(tm_file_create(scratch_name(&folder, "a.live"), &identity));
    assert_true(fill(TM_STORE_STRINGS, 100, 1));
    assert_int_equal(tm_live_store_to_file(&store, folder.name), -EEXIST);
    assert_false(store.in_file);
    assert_true(fill(TM_STORE_STRINGS, 200000, 1));
    assert_int_equal(tm_live_store_to_file(&store, "/nowhere/at/all.live"), -ENOENT);
    char longest[TM_PATH_CAPACITY + 1];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(tm_live_store_to_file(&store, longest), -ENAMETOOLONG);
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "b.live")), 0);
    check_file_equals_memory();
}

/* The extents in the header cover the start of the section only; what is lost is counted. */
static void assert_grows_in_memory(void)
{
    uint64_t mapped = atomic_load(&store.mapped[TM_STORE_STRINGS]);
    uint32_t extents = atomic_load(&store.header->extent_count);
    uint32_t before = atomic_load(&store.header->anonymous_extents);
    assert_true(fill(TM_STORE_STRINGS, mapped + 1, 8));
    assert_int_equal(store.sections[TM_STORE_STRINGS][mapped], 8);
    assert_int_equal(atomic_load(&store.header->anonymous_extents), before + 1);
    assert_int_equal(atomic_load(&store.header->extent_count), extents);
}

static void unlinked_file_leaves_growth_to_memory_and_is_counted(void **state)
{
    (void)state;
    assert_true(fill(TM_STORE_STRINGS, 100, 1));
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    assert_int_equal(unlink(folder.name), 0);
    assert_grows_in_memory();
}

static long faults_so_far(void)
{
    struct rusage use;
    assert_int_equal(getrusage(RUSAGE_SELF, &use), 0);
    return use.ru_minflt;
}

/* Of a full tmpfs, too: to read them would only map the page of zeros. */
static void pages_of_growth_in_memory_are_there_to_be_written(void **state)
{
    (void)state;
    if (!kernel_gives_pages() || TM_UNDER_SANITIZER) {
        skip();
    }
    assert_true(fill(TM_STORE_RECORDS, 4 * 65536, 1));
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    store.in_memory = true;
    assert_int_equal(unlink(folder.name), 0);
    assert_true(tm_live_store_need(&store, TM_STORE_RECORDS, 4 * 65536 + 1));
    assert_int_equal(atomic_load(&store.header->anonymous_extents), 1);
    long before = faults_so_far();
    for (unsigned i = 0; i < 4; i++) {
        store.sections[TM_STORE_RECORDS][4 * 65536 + i * 4096] = 1;
    }
    assert_int_equal(faults_so_far() - before, 0);
}

static void file_of_another_at_the_path_is_not_touched(void **state)
{
    (void)state;
    struct tm_file_identity identity;
    struct stat found;
    assert_true(fill(TM_STORE_STRINGS, 100, 1));
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    char kept[300];
    (void)snprintf(kept, sizeof kept, "%s/kept", folder.path);
    assert_int_equal(rename(folder.name, kept), 0);
    tm_file_close(tm_file_create(folder.name, &identity));
    assert_grows_in_memory();
    tm_live_store_remove_file(&store);
    assert_int_equal(stat(folder.name, &found), 0);
    assert_int_equal(found.st_size, 0);
}

static void full_list_of_extents_leaves_growth_to_memory(void **state)
{
    (void)state;
    assert_true(fill(TM_STORE_STRINGS, 100, 1));
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    atomic_store(&store.header->extent_count, TM_STORE_EXTENT_MAX);
    assert_grows_in_memory();
}

static void grow_under_a_file_size_limit(void *argument)
{
    const struct rlimit limit = {400000, 400000};
    (void)argument;
    child_check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    child_check(fill(TM_STORE_STRINGS, 100, 1));
    child_check(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")) == 0);
    child_check(fill(TM_STORE_STRINGS, 100000, 1));
    check_file_equals_memory();
    child_check(tm_live_store_is_whole(&store));
    child_check(fill(TM_STORE_STRINGS, 3000000, 1));
    child_check(atomic_load(&store.header->anonymous_extents) > 0);
    child_check(!tm_live_store_is_whole(&store));
}

static void make_a_file_under_a_file_size_limit(void *argument)
{
    const struct rlimit limit = {100000, 100000};
    (void)argument;
    child_check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    child_check(fill(TM_STORE_STRINGS, 100000, 1));
    child_check(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")) == -EFBIG);
    child_check(!store.in_file && access(folder.name, F_OK) != 0);
    child_check(fill(TM_STORE_STRINGS, 3000000, 1));
}

static void file_size_limit_kills_nobody(void **state)
{
    (void)state;
    assert_int_equal(child_run(grow_under_a_file_size_limit, NULL), 0);
    assert_int_equal(unlink(scratch_name(&folder, "a.live")), 0);
    assert_int_equal(child_run(make_a_file_under_a_file_size_limit, NULL), 0);
}

static void limit_the_address_space(void *argument)
{
    const struct rlimit limit = {(size_t)300 << 20, (size_t)300 << 20};
    (void)argument;
    child_check(fill(TM_STORE_STRINGS, 100000, 1));
    child_check(setrlimit(RLIMIT_AS, &limit) == 0);
    uint64_t before = store.reserved[TM_STORE_STRINGS];
    tm_live_store_fit(&store);
    uint64_t after = store.reserved[TM_STORE_STRINGS];
    unsigned char page;
    child_check(after >= 100000 && after < (uint64_t)10 << 20 && after < before);
    child_check(store.sections[TM_STORE_STRINGS][99999] == 1);
    child_check(mincore(store.sections[TM_STORE_STRINGS] + after - 4096, 4096, &page) == 0);
    child_check(mincore(store.sections[TM_STORE_STRINGS] + after, 4096, &page) == -1 && errno == ENOMEM);
    child_check(!tm_live_store_need(&store, TM_STORE_STRINGS, after + 1));
}

static void limited_process_gets_its_address_space_back(void **state)
{
    (void)state;
    if (TM_UNDER_SANITIZER) {
        skip();
    }
    assert_int_equal(child_run(limit_the_address_space, NULL), 0);
}

static struct tm_record *record_at(unsigned id)
{
    return (struct tm_record *)(void *)store.sections[TM_STORE_RECORDS] + id;
}

static void publish_records(uint64_t ever)
{
    assert_true(fill(TM_STORE_RECORDS, 64 * 2000, 0));
    assert_true(fill(TM_STORE_PEAKS, 32 * 2000, 0));
    assert_true(fill(TM_STORE_LOOSE, 32 * 2000, 0));
    assert_true(fill(TM_STORE_STRINGS, 1000, 's'));
    for (unsigned id = 1; id < 2000; id++) {
        atomic_store(&record_at(id)->ever_blocks, ever);
    }
    atomic_store(&store.header->totals.python_held, ever);
}

static void detach_and_count(void *argument)
{
    const struct tm_store_image *image = argument;
    uint64_t expected = image != NULL ? 5 : 6; /* as at the image, or as the parent has it now */
    child_check(tm_live_store_detach(&store, image));
    child_check(!store.in_file && atomic_load(&store.header->extent_count) == 0);
    for (unsigned id = 1; id < 2000; id++) {
        child_check(atomic_load(&record_at(id)->ever_blocks) == expected);
        atomic_store(&record_at(id)->ever_blocks, 1000);
    }
    child_check(atomic_load(&store.header->totals.python_held) == expected);
    atomic_store(&store.header->totals.python_held, 1000);
    child_check(store.sections[TM_STORE_STRINGS][999] == 's');
    child_check(fill(TM_STORE_STRINGS, 1000000, 't'));
    child_check(tm_live_store_to_file(&store, scratch_name(&folder, "child.live")) == 0);
    check_file_equals_memory();
    child_check(atomic_load(&record_at(1999)->ever_blocks) == 1000);
}

static void detached_child_and_parent_count_apart(void **state)
{
    (void)state;
    struct tm_store_fork fork = {.names = NULL};
    publish_records(5);
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    assert_true(tm_store_fork_take(&fork, &store, false));
    for (unsigned id = 1; id < 2000; id++) {
        atomic_store(&record_at(id)->ever_blocks, 6); /* what the parent counts after the fork */
    }
    atomic_store(&store.header->totals.python_held, 6);
    assert_int_equal(child_run(detach_and_count, &fork.image), 0);
    tm_store_fork_end(&fork);
    assert_int_equal(unlink(scratch_name(&folder, "child.live")), 0);
    assert_int_equal(child_run(detach_and_count, NULL), 0);
    for (unsigned id = 1; id < 2000; id++) {
        assert_u64_equal(atomic_load(&record_at(id)->ever_blocks), 6);
    }
    assert_u64_equal(atomic_load(&store.header->totals.python_held), 6);
    check_file_equals_memory();
}

static void removed_file_is_gone(void **state)
{
    (void)state;
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    assert_true(tm_live_store_is_whole(&store));
    tm_live_store_remove_file(&store);
    assert_int_equal(access(folder.name, F_OK), -1);
    assert_false(tm_live_store_is_whole(&store));
    tm_live_store_remove_file(&store);
}

static void what_lay_in_a_removed_file_goes_to_a_new_one(void **state)
{
    (void)state;
    assert_true(fill(TM_STORE_STRINGS, 5000, 1));
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "a.live")), 0);
    tm_live_store_remove_file(&store);
    assert_grows_in_memory();
    assert_int_equal(tm_live_store_to_file(&store, scratch_name(&folder, "b.live")), 0);
    assert_true(tm_live_store_is_whole(&store));
    assert_int_equal(store.sections[TM_STORE_STRINGS][4999], 1);
    assert_true(fill(TM_STORE_FRAMES, atomic_load(&store.mapped[TM_STORE_FRAMES]) + 1, 3));
    assert_true(tm_live_store_is_whole(&store));
    check_file_equals_memory();
    tm_live_store_remove_file(&store);
    assert_int_equal(access(folder.name, F_OK), -1);
}

static void words_without_room_are_refused_whole(void **state)
{
    (void)state;
    static char value[70000];
    assert_false(tm_live_store_add_meta(&store, "large", value, sizeof value));
    unsigned words = 0;
    while (tm_live_store_add_meta(&store, "key", value, 1000)) {
        words++;
    }
    assert_int_equal(words, TM_STORE_META_CAPACITY / 1006);
    uint32_t length = atomic_load(&store.header->meta_length);
    assert_int_equal(length, words * 1006);
    uint32_t left = TM_STORE_META_CAPACITY - length;
    assert_false(tm_live_store_add_meta(&store, "key", value, left - 5));
    assert_true(tm_live_store_add_meta(&store, "key", value, left - 6));
    assert_false(tm_live_store_add_meta(&store, "", value, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, discard)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(grown_sections_stay_where_they_are_and_keep_their_bytes),
        TEST(section_ends_at_its_reservation),
        TEST(file_holds_what_memory_held_and_follows_it),
        TEST(growth_in_the_file_is_in_the_file),
        TEST(a_small_store_begins_small_and_grows_all_the_same),
        TEST(pages_of_the_file_come_a_few_at_a_time_but_loose_ones_as_needed),
        TEST(pages_that_are_written_before_come_likewise),
        TEST(pages_of_the_first_records_and_peaks_come_at_once),
        TEST(loose_pages_come_alone),
        TEST(the_first_pages_of_all_sections_are_written_together),
        TEST(pages_are_written_before_they_are_touched_and_never_after),
        TEST(file_size_limit_below_the_store_kills_nobody),
        TEST(figures_without_a_length_of_their_own_go_with_their_records),
        TEST(existing_name_is_refused_and_the_store_goes_on_in_memory),
        TEST(unlinked_file_leaves_growth_to_memory_and_is_counted),
        TEST(pages_of_growth_in_memory_are_there_to_be_written),
        TEST(file_of_another_at_the_path_is_not_touched),
        TEST(full_list_of_extents_leaves_growth_to_memory),
        TEST(file_size_limit_kills_nobody),
        TEST(limited_process_gets_its_address_space_back),
        TEST(detached_child_and_parent_count_apart),
        TEST(removed_file_is_gone),
        TEST(what_lay_in_a_removed_file_goes_to_a_new_one),
        TEST(words_without_room_are_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
