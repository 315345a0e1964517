/* SPDX-License-Identifier: MIT */
/* A store is encoded and loaded again: what comes out is what went in. */
#include "support/cmocka_include.h"

#include <stdio.h>

#include "report/snapshot/snapshot_load.h"
#include "report/snapshot/store_copy.h"
#include "store/block_section.h"
#include "store/snapshot_select.h"
#include "support/hand_made_store.h"
#include "support/random_numbers.h"

#define NAMES      300U
#define FRAMES     2000U
#define TRACEBACKS 4000U
#define RECORDS    3000U
#define FORK_EPOCH 2U

static struct hand_made store;

/* Live bytes by domain, and by the newest line. */
struct sums {
    uint64_t live_bytes[4], live_blocks[4], ever_bytes[4], ever_blocks[4];
    uint64_t inherited_bytes[4], inherited_blocks[4]; /* live, ever: of epochs before the fork */
    uint64_t by_line[FRAMES + 1];
};

static void fill(struct random_numbers *random, struct sums *sums)
{
    uint32_t names[NAMES];
    char text[64];
    memset(sums, 0, sizeof *sums);
    for (unsigned i = 0; i < NAMES; i++) {
        int length = snprintf(text, sizeof text, "/path/number/%u/%.*s", i, (int)(i % 30),
                              "\xC3\xA4 name with bytes \x01\xFF.py....");
        names[i] = hand_made_string(&store, text, (uint32_t)length);
    }
    for (uint32_t i = 1; i <= FRAMES; i++) {
        (void)hand_made_frame(&store, names[random_below(random, NAMES)], names[random_below(random, NAMES)], i);
    }
    for (uint32_t i = 1; i <= TRACEBACKS; i++) {
        (void)hand_made_traceback(&store, (uint32_t)random_below(random, i),
                                  1 + (uint32_t)random_below(random, FRAMES));
    }
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint8_t domain = (uint8_t)random_below(random, 4);
        uint16_t size = random_below(random, 5) == 0 ? TM_SIZE_VARIES : (uint16_t)random_below(random, 513);
        uint32_t traceback = (uint32_t)random_below(random, TRACEBACKS / 2);
        uint64_t ever = random_below(random, 1000);
        uint64_t freed = random_below(random, ever + 1);
        struct tm_record *record = hand_made_record_at(&store, hand_made_record(&store, traceback, domain, size));
        atomic_store(&record->ever_blocks, ever);
        atomic_store(&record->freed_blocks, freed);
        if (size == TM_SIZE_VARIES) {
            atomic_store(&record->ever_bytes, ever * 5000);
            atomic_store(&record->freed_bytes, freed * 5000);
        }
        uint64_t bytes = size == TM_SIZE_VARIES ? 5000 : size;
        record->epoch = (uint32_t)random_below(random, 4);
        if (record->epoch < FORK_EPOCH) {
            sums->inherited_bytes[domain] += (ever - freed) * bytes;
            sums->inherited_blocks[domain] += ever;
        }
        sums->live_bytes[domain] += (ever - freed) * bytes;
        sums->live_blocks[domain] += ever - freed;
        sums->ever_bytes[domain] += ever * bytes;
        sums->ever_blocks[domain] += ever;
        sums->by_line[hand_made_frame_at(&store, hand_made_traceback_at(&store, traceback)->frame)->line] +=
            (ever - freed) * bytes;
    }
    hand_made_word(&store, "program", "python\0app.py", 13);
    hand_made_word(&store, "notes", "first", 5);
    hand_made_word(&store, "notes", "second", 6);
    hand_made_word(&store, "moment", "replaced by a fact", 18);
    store.header->pid = 4711;
    store.header->fork_epoch = FORK_EPOCH;
    store.header->forked_from = 4710;
    store.header->fork_time_ns = 5000000000;
    memcpy(&store.header->recycled, "declined", 8);
    store.header->failed_calls = 3;
    store.header->failed_call_errno = 28;
    memcpy(store.header->failed_call, "a name of 16 let", 16); /* no zero byte behind either */
}

static void assert_loaded(const void *bytes, size_t size, const struct sums *sums)
{
    struct tm_snapshot *snapshot;
    struct tm_fault fault;
    struct sums found;
    enum tm_status status = tm_snapshot_load(bytes, size, &snapshot, &fault);
    if (status != TM_STATUS_OK) {
        fail_msg("%s: %s", tm_status_message(status), fault.what);
    }
    memset(&found, 0, sizeof found);
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        const struct tm_counter_record *counter = &snapshot->counters[i];
        const struct tm_traceback_record *traceback = &snapshot->tracebacks[counter->traceback];
        found.live_bytes[counter->domain] += counter->live_bytes;
        found.live_blocks[counter->domain] += counter->live_blocks;
        found.ever_bytes[counter->domain] += counter->ever_bytes;
        found.ever_blocks[counter->domain] += counter->ever_blocks;
        found.by_line[snapshot->frames[traceback->frame].line] += counter->live_bytes;
    }
    for (size_t i = 0; i < snapshot->inherited_count; i++) {
        found.inherited_bytes[snapshot->inherited[i].domain] += snapshot->inherited[i].live_bytes;
        found.inherited_blocks[snapshot->inherited[i].domain] += snapshot->inherited[i].ever_blocks;
    }
    assert_memory_equal(&found, sums, sizeof found);
    assert_u64_equal(tm_snapshot_number(snapshot, "forked_from", 0), 4710);
    assert_u64_equal(tm_snapshot_number(snapshot, "fork_time_ns", 0), 5000000000);
    assert_true(tm_span_is(tm_snapshot_bytes(snapshot, "recycled"), "declined"));
    assert_u64_equal(tm_snapshot_number(snapshot, "failed_calls", 0), 3);
    assert_u64_equal(tm_snapshot_number(snapshot, "failed_call_errno", 0), 28);
    assert_true(tm_span_is(tm_snapshot_bytes(snapshot, "failed_call"), "a name of 16 let"));
    assert_u64_equal(tm_snapshot_number(snapshot, "pid", 0), 4711);
    assert_u64_equal(tm_snapshot_number(snapshot, "live_bytes_obj", 0), sums->live_bytes[2]);
    assert_u64_equal(tm_snapshot_number(snapshot, "live_blocks_native", 0), sums->live_blocks[3]);
    assert_true(tm_span_is(tm_snapshot_bytes(snapshot, "notes"), "second"));
    assert_int_equal(tm_snapshot_bytes(snapshot, "program").length, 13);
    uint64_t live = 0;
    uint64_t ever = 0;
    for (size_t i = 0; i < snapshot->size_count; i++) {
        live += snapshot->sizes[i].live_blocks;
        ever += snapshot->sizes[i].ever_blocks;
    }
    assert_u64_equal(live, found.live_blocks[0] + found.live_blocks[1] + found.live_blocks[2] + found.live_blocks[3]);
    assert_u64_equal(ever, found.ever_blocks[0] + found.ever_blocks[1] + found.ever_blocks[2] + found.ever_blocks[3]);
    /* Every frame keeps its names: the line is the frame's number. */
    for (uint32_t id = 1; id < snapshot->frame_count; id++) {
        const struct tm_frame_record *frame = &snapshot->frames[id];
        const struct tm_stored_frame *stored = hand_made_frame_at(&store, frame->line);
        const uint8_t *name = store.sections[TM_STORE_STRINGS] + stored->file * UINT64_C(4);
        uint32_t length;
        memcpy(&length, name, sizeof length);
        assert_int_equal(snapshot->strings[frame->file].length, length);
        assert_memory_equal(snapshot->strings[frame->file].bytes, name + sizeof length, length);
    }
    tm_snapshot_free(snapshot);
}

static void encoded_store_loads_as_what_it_was(void **state)
{
    (void)state;
    static struct sums sums;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct random_numbers random = {seed};
        const struct tm_encode_fact facts[] = {{.key = "moment", .text = "test", .length = 4},
                                               {.key = "time_ns", .number = UINT64_MAX}};
        uint8_t *bytes;
        size_t size;
        size_t capacity;
        hand_made_begin(&store);
        fill(&random, &sums);
        struct tm_store_view view = hand_made_view(&store);
        assert_null(tm_store_view_check(&view));
        assert_int_equal(tm_snapshot_encode(&view, facts, 2, &counted_memory, &bytes, &size, &capacity),
                         TM_ENCODE_DONE);
        assert_loaded(bytes, size, &sums);
        assert_true(size < capacity);
        memory_release(bytes, capacity);
        assert_int_equal(memory_out, 0);
        hand_made_end(&store);
    }
}

#define BLOCKS       200000U
#define EQUAL_BLOCKS 11000000U /* in memory more than any file of a few kilobytes may ask for otherwise */

/* What the process would know. */
struct listing {
    uint8_t *file; /* as far as the blocks */
    size_t size;
    uint64_t offset;
    uint32_t live; /* the record of blocks that come meanwhile */
    bool is_less;  /* they are no longer counted instead */
    bool fails;
    bool is_equal; /* the blocks are an array's */
};

static bool put(void *context, const void *bytes, size_t size, uint64_t offset)
{
    struct listing *listing = context;
    if (listing->fails) {
        return false;
    }
    listing->size = (size_t)(listing->offset + offset) + size;
    listing->file = realloc(listing->file, listing->size);
    assert_non_null(listing->file);
    memcpy(listing->file + listing->offset + offset, bytes, size);
    return true;
}

static struct tm_block_record block_number(uint32_t i, bool is_equal)
{
    if (is_equal) {
        return (struct tm_block_record){0x10000 + UINT64_C(32) * i, 24, 1, TM_DOMAIN_OBJ};
    }
    return (struct tm_block_record){0x10000 + UINT64_C(48) * i, i % 700, i % 3, (uint8_t)(i % 4)};
}

/* Three blocks come and two go. */
static void move(const struct listing *listing, bool is_less)
{
    struct tm_record *record = hand_made_record_at(&store, listing->live);
    uint64_t come = is_less ? 0 - UINT64_C(3) : 3, gone = is_less ? 0 - UINT64_C(2) : 2;
    atomic_store(&record->ever_blocks, atomic_load(&record->ever_blocks) + come);
    atomic_store(&record->freed_blocks, atomic_load(&record->freed_blocks) + gone);
}

static enum tm_encode_result list(void *context, const struct tm_selection *selection, uint64_t offset,
                                  struct tm_section *section, uint64_t *left_out)
{
    struct listing *listing = context;
    struct tm_block_section blocks;
    assert_true(selection->traceback_count > 3);
    listing->offset = offset;
    if (!tm_block_section_begin(&blocks, &counted_memory, put, listing)) {
        return TM_ENCODE_NO_MEMORY;
    }
    for (uint32_t i = 0; i < (listing->is_equal ? EQUAL_BLOCKS : BLOCKS); i++) {
        const struct tm_block_record block = block_number(i, listing->is_equal);
        tm_block_section_add(&blocks, &block);
    }
    move(listing, listing->is_less);
    *left_out = 9;
    return tm_block_section_end(&blocks, section);
}

/* In the file the blocks come before what was encoded after them. */
static void assert_blocks(struct listing *listing, const struct tm_encode_blocks *blocks, const uint8_t *bytes,
                          size_t size)
{
    struct tm_snapshot *snapshot;
    struct tm_fault fault;
    size_t rest = size - (size_t)blocks->offset;
    assert_u64_equal(blocks->size, listing->size - blocks->offset);
    uint8_t *file = realloc(listing->file, listing->size + rest);
    assert_non_null(file);
    memcpy(file, bytes, (size_t)blocks->offset);
    memcpy(file + listing->size, bytes + blocks->offset, rest);
    listing->file = file;
    if (tm_snapshot_load(file, listing->size + rest, &snapshot, &fault) != TM_STATUS_OK) {
        fail_msg("%s", fault.what);
    }
    assert_int_equal(snapshot->block_count, listing->is_equal ? EQUAL_BLOCKS : BLOCKS);
    for (uint32_t i = 0; i < snapshot->block_count; i++) {
        const struct tm_block_record wanted = block_number(i, listing->is_equal), *found = &snapshot->blocks[i];
        assert_true(found->address == wanted.address && found->size == wanted.size &&
                    found->traceback == wanted.traceback && found->domain == wanted.domain);
    }
    assert_u64_equal(tm_snapshot_number(snapshot, "blocks_skew", 0), 5);
    assert_u64_equal(tm_snapshot_number(snapshot, "blocks_left_out", 0), 9);
    tm_snapshot_free(snapshot);
}

/* So that the file is small. */
static void fill_little(void)
{
    uint32_t file = hand_made_string(&store, "a", 1);
    for (uint32_t line = 1; line <= 4; line++) {
        uint32_t traceback = hand_made_traceback(&store, 0, hand_made_frame(&store, file, 0, line));
        struct tm_record *record = hand_made_record_at(&store, hand_made_record(&store, traceback, TM_DOMAIN_OBJ, 24));
        atomic_store(&record->ever_blocks, 1);
    }
}

static void blocks_come_before_the_rest(void **state)
{
    (void)state;
    static struct sums sums;
    struct random_numbers random = {4};
    enum { MORE, LESS, FAILS, EQUAL, CASES };
    for (unsigned one = 0; one < CASES; one++) {
        struct listing listing = {.live = 1, .is_less = one == LESS, .fails = one == FAILS, .is_equal = one == EQUAL};
        struct tm_encode_blocks blocks = {.write = list, .context = &listing};
        uint8_t *bytes;
        size_t size, capacity;
        hand_made_begin(&store);
        if (one == EQUAL) {
            fill_little();
        } else {
            fill(&random, &sums);
        }
        move(&listing, false);
        struct tm_store_view view = hand_made_view(&store);
        enum tm_encode_result result =
            tm_snapshot_encode_with(&view, &blocks, NULL, 0, &counted_memory, &bytes, &size, &capacity);
        assert_int_equal(result, one == FAILS ? TM_ENCODE_FAILED : TM_ENCODE_DONE);
        if (one != FAILS) {
            assert_blocks(&listing, &blocks, bytes, size);
            memory_release(bytes, capacity);
        }
        assert_int_equal(memory_out, 0);
        free(listing.file);
        hand_made_end(&store);
    }
}

/* The store as a file: header, then each section in two extents, out of order. */
static size_t write_file(uint8_t *file)
{
    size_t at = TM_STORE_HEADER_SIZE;
    uint32_t count = 0;
    for (unsigned part = 0; part < 2; part++) {
        for (unsigned section = TM_STORE_SECTIONS; section-- > 0;) {
            size_t half = HAND_MADE_CAPACITY / 2;
            store.header->extents[count++] = (struct tm_store_extent){
                .section = section, .section_offset = part * half, .file_offset = at, .size = half};
            memcpy(file + at, store.sections[section] + part * half, half);
            at += half;
        }
    }
    atomic_store(&store.header->extent_count, count);
    memcpy(file, store.header, TM_STORE_HEADER_SIZE);
    return at;
}

static void store_left_as_a_file_becomes_the_same_snapshot(void **state)
{
    (void)state;
    static struct sums sums;
    static uint8_t file[TM_STORE_HEADER_SIZE + TM_STORE_SECTIONS * HAND_MADE_CAPACITY];
    struct random_numbers random = {99};
    struct tm_fault fault;
    uint8_t *snapshot;
    size_t snapshot_size;
    hand_made_begin(&store);
    fill(&random, &sums);
    size_t size = write_file(file);
    assert_true(tm_store_copy_is_one(file, size));
    assert_int_equal(tm_store_copy_encode(file, size, &snapshot, &snapshot_size, &fault), TM_STATUS_OK);
    assert_loaded(snapshot, snapshot_size, &sums);
    free(snapshot);
    assert_int_not_equal(tm_store_copy_encode(file, TM_STORE_HEADER_SIZE + 100, &snapshot, &snapshot_size, &fault),
                         TM_STATUS_OK);
    assert_null(snapshot);
    hand_made_end(&store);
}

static void traffic_counts_what_came_and_went(void **state)
{
    (void)state;
    static struct sums sums;
    static uint8_t file[TM_STORE_HEADER_SIZE + TM_STORE_SECTIONS * HAND_MADE_CAPACITY];
    struct random_numbers random = {7};
    struct tm_fault fault;
    struct tm_store_copy *copy;
    uint64_t expected = 0;
    hand_made_begin(&store);
    fill(&random, &sums);
    for (unsigned domain = 0; domain < 4; domain++) {
        expected += 2 * sums.ever_bytes[domain] - sums.live_bytes[domain];
    }
    for (unsigned moved = 0; moved < 2; moved++) {
        size_t size = write_file(file);
        assert_int_equal(tm_store_copy_open(file, size, &copy, &fault), TM_STATUS_OK);
        assert_int_equal(tm_store_copy_traffic(copy), expected);
        tm_store_copy_close(copy);
        struct tm_record *record = hand_made_record_at(&store, hand_made_record(&store, 1, 0, 48));
        atomic_store(&record->ever_blocks, 5);
        atomic_store(&record->freed_blocks, 3);
        expected += 8 * 48;
    }
    hand_made_end(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoded_store_loads_as_what_it_was),
        cmocka_unit_test(blocks_come_before_the_rest),
        cmocka_unit_test(store_left_as_a_file_becomes_the_same_snapshot),
        cmocka_unit_test(traffic_counts_what_came_and_went),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
