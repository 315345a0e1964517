/* SPDX-License-Identifier: MIT */
/* What a snapshot lists of single blocks, and what it does not. */
#include "support/cmocka_include.h"

#include <pthread.h>

#include "runtime/track/block_list.h"
#include "runtime/track/counting.h"
#include "runtime/track/map_tracker.h"
#include "support/fake_python.h"
#include "support/listed_blocks.h"

#define HEAP UINT64_C(0x500000000000)

static void *get(size_t size)
{
    return calloc(1, size);
}

static void release(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

static const struct tm_encode_memory heap = {get, release};

/* The list as a snapshot has it, SELECTION as it was made before. */
static struct listed_blocks list_of(const struct tm_selection *selection)
{
    struct listed_blocks listed = {.puts = 0};
    struct tm_block_section blocks;
    struct tm_section section;
    uint64_t left_out = 77;
    assert_true(tm_block_section_begin(&blocks, &heap, listed_put, &listed));
    assert_true(tm_block_list_add(&blocks, selection, &left_out));
    assert_int_equal(tm_block_section_end(&blocks, &section), TM_ENCODE_DONE);
    assert_int_equal(left_out, 0);
    assert_true(listed_read(&listed, &section));
    return listed;
}

static struct tm_store_view view;

static struct tm_selection selection_now(void)
{
    struct tm_selection selection;
    tm_store_view_init(&view, tm_runtime.store.header, tm_runtime.store.sections);
    assert_true(tm_selection_make(&selection, &view, &heap));
    return selection;
}

static struct listed_blocks list_now(void)
{
    struct tm_selection selection = selection_now();
    struct listed_blocks listed = list_of(&selection);
    tm_selection_free(&selection, &heap);
    return listed;
}

static int begin(void **state)
{
    (void)state;
    fake_process_in_memory(NULL);
    fake_python_found();
    fake_lane_set(FAKE_HELD);
    return 0;
}

static void assert_block(const struct tm_block_record *block, uint64_t address, uint64_t size, enum tm_domain domain)
{
    assert_u64_equal(block->address, address);
    assert_u64_equal(block->size, size);
    assert_int_equal(block->domain, domain);
    assert_int_equal(block->traceback, 0);
}

static void every_kind_of_block_is_there_with_its_size(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_NATIVE, HEAP + 0x40003, 700); /* odd */
    fake_alloc(TM_DOMAIN_NATIVE, HEAP + 0x10001, 9);   /* odd */
    fake_alloc(TM_DOMAIN_OBJ, HEAP, 512);
    fake_alloc(TM_DOMAIN_OBJ, HEAP + 0x1000, 5); /* short */
    fake_alloc(TM_DOMAIN_MEM, HEAP + 0x2000, 513);
    fake_alloc(TM_DOMAIN_RAW, HEAP + 0x3000, 0);
    fake_alloc(TM_DOMAIN_NATIVE, HEAP + 0x20000, UINT64_C(5) << 30); /* its size is in the odd table */
    fake_alloc(TM_DOMAIN_OBJ, HEAP + 0x4000, 64);
    assert_true(fake_free(HEAP + 0x4000));
    tm_map_tracker_add(tm_thread_self(), HEAP, 0x4000, TM_MAP_PRIVATE); /* begins where a block does */
    tm_map_tracker_add(tm_thread_self(), HEAP + 0x80000, 0x2000, TM_MAP_SHARED);
    tm_map_tracker_add(tm_thread_self(), HEAP + 0x90000, 0x2000, TM_MAP_FILE); /* in no record */
    struct listed_blocks listed = list_now();
    assert_int_equal(listed.count, 9);
    assert_block(&listed.blocks[0], HEAP, 512, TM_DOMAIN_OBJ);
    assert_block(&listed.blocks[1], HEAP, 0x4000, TM_DOMAIN_MMAP);
    assert_block(&listed.blocks[2], HEAP + 0x1000, 5, TM_DOMAIN_OBJ);
    assert_block(&listed.blocks[3], HEAP + 0x2000, 513, TM_DOMAIN_MEM);
    assert_block(&listed.blocks[4], HEAP + 0x3000, 0, TM_DOMAIN_RAW);
    assert_block(&listed.blocks[5], HEAP + 0x10001, 9, TM_DOMAIN_NATIVE);
    assert_block(&listed.blocks[6], HEAP + 0x20000, UINT64_C(5) << 30, TM_DOMAIN_NATIVE);
    assert_block(&listed.blocks[7], HEAP + 0x40003, 700, TM_DOMAIN_NATIVE);
    assert_block(&listed.blocks[8], HEAP + 0x80000, 0x2000, TM_DOMAIN_MMAP);
    listed_free(&listed);
}

static void blocks_of_an_earlier_tracing_are_not(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_OBJ, HEAP, 64);
    fake_alloc(TM_DOMAIN_NATIVE, HEAP + 0x10001, 9);
    tm_runtime_clear();
    fake_alloc(TM_DOMAIN_OBJ, HEAP + 0x1000, 65);
    struct listed_blocks listed = list_now();
    assert_int_equal(listed.count, 1);
    assert_block(&listed.blocks[0], HEAP + 0x1000, 65, TM_DOMAIN_OBJ);
    listed_free(&listed);
}

/* Its record, too, is younger than what was chosen. */
static void blocks_that_came_after_the_selection_are_not(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_OBJ, HEAP, 64);
    struct tm_selection selection = selection_now();
    uint64_t traffic = tm_selection_traffic(&selection);
    fake_alloc(TM_DOMAIN_OBJ, HEAP + 0x1000, 65);
    struct listed_blocks listed = list_of(&selection);
    assert_int_equal(listed.count, 1);
    assert_u64_equal(tm_selection_traffic(&selection) - traffic, 0);
    listed_free(&listed);
    fake_alloc(TM_DOMAIN_OBJ, HEAP + 0x2000, 64);
    assert_true(fake_free(HEAP));
    listed = list_of(&selection);
    assert_int_equal(listed.count, 1);
    assert_block(&listed.blocks[0], HEAP + 0x2000, 64, TM_DOMAIN_OBJ);
    assert_u64_equal(tm_selection_traffic(&selection) - traffic, 2);
    listed_free(&listed);
    tm_selection_free(&selection, &heap);
}

static void many_odd_blocks_are_in_order(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t place = i * 7919 % COUNT; /* each once, in no order */
        fake_alloc(TM_DOMAIN_NATIVE, HEAP + place * 32 + (place % 2), place % 300);
    }
    struct listed_blocks listed = list_now();
    assert_int_equal(listed.count, COUNT);
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_block(&listed.blocks[i], HEAP + i * 32 + (i % 2), i % 300, TM_DOMAIN_NATIVE);
    }
    listed_free(&listed);
}

#define STEADY 2000U
#define CHURN  500U

static atomic_bool is_over;

static void *churn(void *number)
{
    uint64_t base = HEAP + (UINT64_C(1) << 30) * (1 + (uintptr_t)number);
    fake_own_state = 0;
    while (!atomic_load(&is_over)) {
        for (uint64_t i = 0; i < CHURN; i++) {
            fake_alloc(TM_DOMAIN_NATIVE, base + i * 4096, i % 3 == 0 ? 5000 + i : i);
        }
        for (uint64_t i = 0; i < CHURN; i++) {
            (void)fake_free(base + i * 4096);
        }
    }
    return NULL;
}

/* What stays all the while is there, once and right; what moves is there with a size that it can have. */
static void threads_may_go_on(void **state)
{
    (void)state;
    pthread_t threads[2];
    fake_lane_set(FAKE_FOREIGN);
    for (uint64_t i = 0; i < STEADY; i++) {
        fake_alloc(TM_DOMAIN_NATIVE, HEAP + i * 4096, i);
    }
    atomic_store(&is_over, false);
    for (uintptr_t i = 0; i < TM_COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, churn, (void *)i), 0);
    }
    for (unsigned turn = 0; turn < 30; turn++) {
        struct listed_blocks listed = list_now();
        assert_true(listed.count >= STEADY);
        for (uint64_t i = 0; i < STEADY; i++) {
            assert_block(&listed.blocks[i], HEAP + i * 4096, i, TM_DOMAIN_NATIVE);
        }
        for (size_t i = STEADY; i < listed.count; i++) {
            uint64_t index = (listed.blocks[i].address >> 12) % (UINT64_C(1) << 18);
            assert_true(index < CHURN);
            assert_u64_equal(listed.blocks[i].size, index % 3 == 0 ? 5000 + index : index);
        }
        listed_free(&listed);
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < TM_COUNT_OF(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_kind_of_block_is_there_with_its_size, begin),
        cmocka_unit_test_setup(blocks_of_an_earlier_tracing_are_not, begin),
        cmocka_unit_test_setup(blocks_that_came_after_the_selection_are_not, begin),
        cmocka_unit_test_setup(many_odd_blocks_are_in_order, begin),
        cmocka_unit_test_setup(threads_may_go_on, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
