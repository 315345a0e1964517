/* SPDX-License-Identifier: MIT */
/* A store that somebody scribbles over, cuts and extends while it is read: an answer or one line, and under the
 * sanitizers no byte read that is not there. */
#include "support/cmocka_include.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "report/process/store_reading.h"
#include "report/snapshot/snapshot_load.h"
#include "support/child_process.h"
#include "support/hand_made_store.h"
#include "support/random_numbers.h"
#include "support/scratch_folder.h"

#define READINGS     1000U
#define READINGS_MAX 20000U /* a loaded machine may let one of the two sleep */
#define ITEMS        300U
#define SECTION_SIZE ((size_t)32 << 10) /* bytes of each in the file: more than ITEMS take */

static struct scratch_folder folder;
static uint8_t *good;
static size_t good_size;

static void fill(struct hand_made *store)
{
    struct random_numbers random = {3};
    char text[32];
    hand_made_begin(store);
    for (uint32_t i = 1; i <= ITEMS; i++) {
        int length = snprintf(text, sizeof text, "/a/file/%u.py", i);
        uint32_t name = hand_made_string(store, text, (uint32_t)length);
        uint32_t frame = hand_made_frame(store, name, name, i);
        uint32_t traceback = hand_made_traceback(store, (uint32_t)random_below(&random, i), frame);
        uint32_t record = hand_made_record(store, traceback, (uint8_t)(i % 4), (uint16_t)(i % 500));
        atomic_store(&hand_made_record_at(store, record)->ever_blocks, i);
    }
    hand_made_word(store, "program", "python\0app.py", 13);
}

/* As a process would have it on its disk: each section in one extent behind the header. */
static void make_good(void)
{
    struct hand_made store;
    fill(&store);
    uint64_t records = atomic_load(&store.header->lengths[TM_STORE_RECORDS]) / sizeof(struct tm_record);
    atomic_store(&store.header->lengths[TM_STORE_PEAKS], records * sizeof(struct tm_record_peak));
    atomic_store(&store.header->lengths[TM_STORE_LOOSE], records * sizeof(struct tm_record_loose));
    good_size = TM_STORE_HEADER_SIZE + TM_STORE_SECTIONS * SECTION_SIZE;
    good = hand_made_pages(good_size);
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        uint64_t at = TM_STORE_HEADER_SIZE + i * SECTION_SIZE;
        store.header->extents[i] = (struct tm_store_extent){i, 0, 0, at, SECTION_SIZE};
        memcpy(good + at, store.sections[i], SECTION_SIZE);
    }
    atomic_store(&store.header->extent_count, TM_STORE_SECTIONS);
    memcpy(good, store.header, TM_STORE_HEADER_SIZE);
    hand_made_end(&store);
}

static void scribble(int descriptor, struct random_numbers *random)
{
    uint64_t bytes[4] = {random_next(random), 0, UINT64_MAX, random_below(random, 5000)};
    static const uint64_t ends[] = {64, 400, TM_STORE_HEADER_SIZE, UINT64_MAX};
    uint64_t end = ends[random_below(random, 4)];
    uint64_t at = 8 + random_below(random, (end < good_size ? end : good_size) - 8 - sizeof bytes);
    child_check(pwrite(descriptor, &bytes[random_below(random, 4)], 1 + random_below(random, 8), (off_t)at) > 0);
}

/* Until it is killed: a while whole, a while scribbled over, now and then cut and long again. */
static void change(void *argument)
{
    struct random_numbers random = {7};
    int descriptor = open(argument, O_RDWR | O_CLOEXEC);
    child_check(descriptor >= 0);
    for (;;) {
        child_check(pwrite(descriptor, good, good_size, 0) == (ssize_t)good_size);
        (void)usleep((useconds_t)random_below(&random, 3000));
        for (uint64_t i = random_below(&random, 300); i > 0; i--) {
            scribble(descriptor, &random);
        }
        if (random_below(&random, 2) == 0) {
            child_check(ftruncate(descriptor, (off_t)random_below(&random, good_size)) == 0);
            (void)usleep((useconds_t)random_below(&random, 500));
            child_check(ftruncate(descriptor, (off_t)good_size) == 0);
        }
    }
}

/* What is read of it may be refused, but is never what harms the next reader. */
static void assert_loadable(const uint8_t *bytes, size_t size)
{
    struct tm_snapshot *snapshot;
    struct tm_fault fault;
    if (tm_snapshot_load(bytes, size, &snapshot, &fault) == TM_STATUS_OK) {
        tm_snapshot_free(snapshot);
    } else {
        assert_true(fault.what[0] != '\0');
    }
}

static bool read_once(int descriptor)
{
    struct tm_why why;
    uint8_t *bytes = NULL;
    size_t size;
    why.text[0] = '\0';
    if (!tm_store_read_snapshot(descriptor, "a.live", "tm-snap", &bytes, &size, &why)) {
        assert_true(why.text[0] != '\0');
        assert_null(strchr(why.text, '\n'));
        return false;
    }
    assert_loadable(bytes, size);
    free(bytes);
    return true;
}

static void is_read_or_refused_whatever_happens_to_it(void **state)
{
    (void)state;
    char path[300];
    make_good();
    (void)snprintf(path, sizeof path, "%s/a.live", folder.path);
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, good, good_size), good_size);
    assert_true(read_once(descriptor));
    pid_t child = fork();
    if (child == 0) {
        change(path);
    }
    unsigned read = 0, refused = 0;
    while (read + refused < READINGS || ((read == 0 || refused == 0) && read + refused < READINGS_MAX)) {
        *(read_once(descriptor) ? &read : &refused) += 1;
    }
    int status;
    assert_int_equal(waitpid(child, &status, WNOHANG), 0); /* it is at it to the end */
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)printf("%u readings, %u refused\n", read, refused);
    assert_true(read > 0 && refused > 0);
    (void)close(descriptor);
    free(good);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_read_or_refused_whatever_happens_to_it, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
