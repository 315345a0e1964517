/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <pthread.h>

#include "runtime/os/os_memory.h"
#include "runtime/table/trace_cache.h"
#include "support/random_numbers.h"

#define GENERATIONS 4096U
#define ADDRESSES   ((uint64_t)1 << 47)

static struct tm_trace_cache cache;

static int begin(void **state)
{
    (void)state;
    memset(&cache, 0, sizeof cache);
    return tm_trace_cache_init(&cache) ? 0 : -1;
}

static size_t slots_of(const struct tm_trace_cache *of)
{
    return of->mask / sizeof *of->slots + 1;
}

static uint32_t held(uint64_t key, uint32_t low)
{
    return tm_trace_cache_held(&cache, key, tm_trace_check(&cache, low));
}

/* As tm_trace_keep does, but for the lock; and once more where the lists were full. */
static void put_held(uint64_t key, uint32_t check, uintptr_t place, uint32_t record)
{
    for (unsigned try = 0; try < 2; try++) {
        if (tm_trace_cache_wants_tending(&cache)) {
            tm_trace_cache_tend(&cache);
        }
        tm_trace_cache_put_held(&cache, key, check, place, record, true);
        if (cache.patience != 0) {
            return;
        }
    }
}

/* Without a check, as a door looks that knows that there are no offsets. */
static bool has_key(uint64_t key)
{
    struct tm_trace_found found;
    return tm_trace_cache_has_key(&cache, key, &found);
}

static uint32_t loose(uint64_t key, uint32_t low)
{
    return tm_trace_cache_loose(&cache, key, tm_trace_check(&cache, low));
}

static void put_both(uint64_t key, uint32_t low, uint32_t record)
{
    put_held(key, tm_trace_check(&cache, low), 0, record);
    tm_trace_cache_put_loose(&cache, key, tm_trace_check(&cache, low), record);
}

static void what_was_put_is_found_by_key_and_check_only(void **state)
{
    (void)state;
    assert_int_equal(held(0, 0), 0);
    assert_int_equal(loose(0, 0), 0);
    put_both(123, 5, 7);
    assert_int_equal(held(123, 5), 7);
    assert_int_equal(held(123, 6), 0);
    assert_int_equal(held(124, 5), 0);
    assert_int_equal(loose(123, 5), 7);
    assert_int_equal(loose(123, 6), 0);
    assert_int_equal(loose(124, 5), 0);
    put_both(123, 5, 8);
    assert_int_equal(held(123, 5), 8);
}

static void new_generation_voids_everything(void **state)
{
    (void)state;
    for (uint64_t key = 1; key <= 100; key++) {
        put_both(key, TM_CHECK_MAX, 1);
    }
    tm_trace_cache_new_generation(&cache);
    for (uint64_t key = 1; key <= 100; key++) {
        assert_int_equal(held(key, TM_CHECK_MAX), 0);
        assert_int_equal(loose(key, TM_CHECK_MAX), 0);
    }
}

static void no_generation_comes_back_after_a_whole_round(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * GENERATIONS + 10; i++) {
        assert_int_equal(held(9, 0), 0);
        assert_int_equal(loose(9, 0), 0);
        assert_int_equal(held(i % GENERATIONS, 3), 0);
        put_both(9, 0, 1);
        put_both(i % GENERATIONS, 3, 1);
        assert_int_equal(held(i % GENERATIONS, 3), 1);
        tm_trace_cache_new_generation(&cache);
    }
}

static uint32_t of_place(uintptr_t place)
{
    return tm_trace_cache_held(&cache, place, tm_trace_check_of_place(&cache, place, 0));
}

static void put_place(uintptr_t place, uint32_t record)
{
    put_held(place, tm_trace_check_of_place(&cache, place, 0), place, record);
    tm_trace_cache_put_loose(&cache, place, tm_trace_check_of_place(&cache, place, 0), record);
}

static void death_of_code_voids_its_places_and_few_others(void **state)
{
    (void)state;
    const uintptr_t dies = 0x7f0000001230, beside = 0x7f0000001234, elsewhere = 0x7f0000009230;
    put_place(dies, 1);
    put_place(beside, 2);
    put_place(elsewhere, 3);
    put_both(77, 4, 5); /* a fingerprint: its versions are in the key */
    tm_trace_cache_forget_place(&cache, dies);
    assert_int_equal(of_place(dies), 0);
    assert_int_equal(tm_trace_cache_loose(&cache, dies, tm_trace_check_of_place(&cache, dies, 0)), 0);
    assert_int_equal(of_place(beside), 0); /* it might be of the same code */
    assert_int_equal(of_place(elsewhere), 3);
    assert_int_equal(held(77, 4), 5);
    tm_trace_cache_new_generation(&cache);
    assert_int_equal(of_place(elsewhere), 0);
}

/* Doors that know that there are no offsets ask for the key alone: nothing that is void may be there. */
static void a_key_alone_finds_nothing_that_is_void(void **state)
{
    (void)state;
    const uintptr_t dies = 0x7f0000001230, elsewhere = 0x7f0000009230;
    for (uint64_t stack = 1; stack <= 1000; stack++) { /* many stacks end there; some write over others' */
        put_held(dies ^ stack << 20, tm_trace_check_of_place(&cache, dies, 0), dies, 1);
        put_held(elsewhere ^ stack << 20, tm_trace_check_of_place(&cache, elsewhere, 0), elsewhere, 2);
    }
    unsigned before = 0, after = 0;
    for (uint64_t stack = 1; stack <= 1000; stack++) {
        before += has_key(dies ^ stack << 20);
    }
    assert_in_range(before, 500, 1000);
    tm_trace_cache_forget_place(&cache, dies);
    for (uint64_t stack = 1; stack <= 1000; stack++) {
        assert_false(has_key(dies ^ stack << 20));
        after += has_key(elsewhere ^ stack << 20);
    }
    assert_in_range(after, 300, 1000);
    tm_trace_cache_new_generation(&cache);
    for (uint64_t stack = 1; stack <= 1000; stack++) {
        assert_false(has_key(elsewhere ^ stack << 20));
    }
}

/* What the holder puts without having tended it since a generation began, by a thread without the GIL, is gone too. */
static void what_is_put_between_a_generation_and_the_tending_is_emptied(void **state)
{
    (void)state;
    put_held(123, tm_trace_check(&cache, 0), 5000, 1);
    tm_trace_cache_new_generation(&cache);
    tm_trace_cache_put_held(&cache, 124, tm_trace_check(&cache, 0), 5000, 2, true);
    assert_false(has_key(123));
    assert_false(has_key(124));
    assert_true(tm_trace_cache_wants_tending(&cache));
    tm_trace_cache_tend(&cache);
    assert_false(tm_trace_cache_wants_tending(&cache));
    assert_false(has_key(123));
    assert_false(has_key(124));
    put_held(124, tm_trace_check(&cache, 0), 5000, 3);
    assert_true(has_key(124));
    tm_trace_cache_forget_place(&cache, 5000);
    assert_false(has_key(124));
}

/* Two stacks that are put for ever: the lists have an end. */
static void lists_of_zones_that_are_full_begin_anew(void **state)
{
    (void)state;
    const uint64_t other = 9U + (UINT64_C(1) << 47); /* in a slot of its own */
    for (unsigned i = 0; i < 300000; i++) {
        put_held(i % 2 == 0 ? 9 : other, tm_trace_check(&cache, 1), i % 2 == 0 ? 9 : 5009, 1 + i % 2);
        assert_true(has_key(i % 2 == 0 ? 9 : other));
    }
    assert_true(cache.zones.count <= cache.zones.capacity);
    assert_true(tm_zone_lists_bytes(&cache.zones) <= 4 * sizeof(struct tm_zone_node) * slots_of(&cache));
    tm_trace_cache_forget_place(&cache, 9);
    assert_false(has_key(9));
    tm_trace_cache_forget_place(&cache, 5009);
    assert_false(has_key(other));
}

/* A forked child begins anew: it need not copy what it is to empty. */
static void a_large_cache_gives_its_pages_back_when_it_begins_anew(void **state)
{
    (void)state;
    struct random_numbers random = {11};
    uint64_t last = 0;
    while (slots_of(&cache) < 1 << 14) {
        last = random_next(&random);
        put_held(last, tm_trace_check(&cache, 1), 5000, 1);
    }
    put_held(last, tm_trace_check(&cache, 1), 5000, 1);
    assert_true(has_key(last));
    const size_t bytes = slots_of(&cache) * sizeof *cache.slots;
    assert_true(tm_pages_resident(cache.slots, bytes) != 0);
    tm_trace_cache_new_generation(&cache);
    tm_trace_cache_tend(&cache);
    assert_int_equal(tm_pages_resident(cache.slots, bytes), 0);
    assert_false(has_key(last));
    put_held(last, tm_trace_check(&cache, 1), 5000, 2);
    assert_true(has_key(last));
}

static void no_version_comes_back_after_a_whole_round(void **state)
{
    (void)state;
    const uintptr_t place = 0x7f0000001230;
    uint32_t voids = atomic_load(&cache.voids);
    for (unsigned i = 0; i < 2 * GENERATIONS + 10; i++) {
        uintptr_t other = place + i % 400; /* puts itself where the last round's are */
        assert_int_equal(of_place(other), 0);
        assert_int_equal(tm_trace_cache_loose(&cache, other, tm_trace_check_of_place(&cache, other, 0)), 0);
        put_place(other, 1);
        assert_int_equal(of_place(other), 1);
        tm_trace_cache_forget_place(&cache, place);
    }
    assert_int_equal(atomic_load(&cache.voids) - voids, 2); /* others' caches hear of each round */
}

static void held_cache_grows_for_a_large_working_set_up_to_its_bound(void **state)
{
    (void)state;
    size_t bytes = tm_trace_cache_bytes(&cache);
    struct random_numbers random = {5};
    for (unsigned round = 0; round < 40; round++) {
        random.state = 5;
        for (unsigned i = 0; i < 20000; i++) {
            uint64_t key = random_next(&random);
            uint32_t found = held(key, 1);
            assert_true(found == 0 || found == i + 1);
            if (found == 0) {
                put_held(key, tm_trace_check(&cache, 1), key % ADDRESSES, i + 1);
            }
        }
    }
    assert_true(tm_trace_cache_bytes(&cache) > 4 * bytes);
    unsigned missing = 0;
    random.state = 5;
    for (unsigned i = 0; i < 20000; i++) {
        missing += held(random_next(&random), 1) == 0;
    }
    assert_in_range(missing, 0, 7000);
    for (unsigned i = 0; i < 2000000; i++) {
        uint64_t key = random_next(&random);
        put_held(key, tm_trace_check(&cache, 1), key % ADDRESSES, 1);
    }
    /* Slots of 16 bytes, and for each four nodes of 8. */
    assert_true(tm_trace_cache_bytes(&cache) <= ((size_t)48 << 20) + bytes);
}

/* By the look that a signal handler's event interrupted. */
static void outgrown_slots_are_read_as_free_ones(void **state)
{
    (void)state;
    const struct tm_trace_slot *outgrown = cache.slots;
    size_t bytes = tm_trace_cache_bytes(&cache);
    struct random_numbers random = {7};
    while (tm_trace_cache_bytes(&cache) == bytes) {
        put_held(random_next(&random), tm_trace_check(&cache, 1), 0, 1);
    }
    for (unsigned i = 0; i < 2048; i++) {
        assert_int_equal(((const volatile struct tm_trace_slot *)outgrown)[i].record, 0);
    }
}

/* The lists of zones say where a slot is whatever size the cache had when it was made. */
static void death_of_code_empties_slots_that_have_moved_since(void **state)
{
    (void)state;
    const uintptr_t place = 0x7f0000001230;
    const size_t slots = slots_of(&cache);
    struct random_numbers random = {17};
    unsigned kept = 0;
    for (uint64_t size = 1; size <= 200; size++) {
        put_held(place | size << 47, tm_trace_check_of_place(&cache, place, 0), place, 1);
    }
    while (slots_of(&cache) == slots) {
        put_held(random_next(&random) | 1, tm_trace_check(&cache, 1), 0, 2);
    }
    for (uint64_t size = 1; size <= 200; size++) {
        kept += has_key(place | size << 47);
    }
    assert_in_range(kept, 50, 200);
    tm_trace_cache_forget_place(&cache, place);
    for (uint64_t size = 1; size <= 200; size++) {
        assert_false(has_key(place | size << 47));
    }
}

/* Distinct keys of one frame: instructions 2 bytes apart or more, in code objects that lie close together. */
static uint64_t key_of_one_frame(struct random_numbers *random, uint32_t code_objects)
{
    const uint64_t code = 0x7f1234000000 + random_below(random, code_objects) * 528;
    const uint64_t place = code + 192 + 2 * random_below(random, 120);
    const uint64_t size = 24 + 8 * random_below(random, 61), domain = 1 + random_below(random, 2);
    return place | (size + (domain << 10)) << 47;
}

/* In half as many slots as there are, or nearly, keys meet as they do by chance: 0.394 of the slots are used then. */
static void keys_that_are_much_alike_are_spread_over_the_slots(void **state)
{
    (void)state;
    for (unsigned bits = 11; bits <= 17; bits++) {
        static uint8_t used[1 << 17];
        const uint32_t slots = UINT32_C(1) << bits;
        struct random_numbers random = {19 + bits};
        uint32_t count = 0;
        memset(used, 0, sizeof used);
        for (uint32_t i = 0; i < slots / 2; i++) {
            const uint64_t key = key_of_one_frame(&random, slots / 1024);
            const uint64_t place = tm_trace_place(key, (uint64_t)(slots - 1) * sizeof(struct tm_trace_slot));
            const uint64_t slot = place / sizeof(struct tm_trace_slot);
            assert_u64_equal(place % sizeof(struct tm_trace_slot), 0);
            count += used[slot] == 0;
            used[slot] = 1;
        }
        assert_in_range(count, slots * 38 / 100, slots / 2);
    }
}

/* A program that does everything once, such as one that imports modules, gains nothing by more slots. */
static void what_was_never_there_before_does_not_make_the_cache_grow(void **state)
{
    (void)state;
    const size_t slots = slots_of(&cache);
    struct random_numbers random = {13};
    for (uint32_t i = 1; i < 50000; i++) {
        uint64_t key = random_next(&random);
        if (tm_trace_cache_wants_tending(&cache)) { /* the lists of zones */
            tm_trace_cache_tend(&cache);
        }
        tm_trace_cache_put_held(&cache, key, tm_trace_check(&cache, 1), 0, i, false);
        assert_int_equal(held(key, 1), i);
    }
    assert_u64_equal(slots_of(&cache), slots);
}

static void voided_slots_do_not_make_the_cache_grow(void **state)
{
    (void)state;
    size_t bytes = tm_trace_cache_bytes(&cache);
    for (unsigned i = 0; i < 20000; i++) {
        put_held(i % 50, tm_trace_check(&cache, 1), i, 1);
        tm_trace_cache_new_generation(&cache);
    }
    assert_u64_equal(tm_trace_cache_bytes(&cache), bytes);
}

static void set_locked_at_a_fork_is_free_and_empty_in_the_child(void **state)
{
    (void)state;
    put_both(77, 1, 5);
    size_t used = (size_t)((77 * TM_HASH_MULTIPLIER) >> (64 - 10));
    atomic_store(&cache.loose[used].lock, 1);
    tm_trace_cache_after_fork(&cache);
    assert_int_equal(loose(77, 1), 0);
    put_both(77, 1, 6);
    assert_int_equal(loose(77, 1), 6);
}

struct worker {
    unsigned number;
    unsigned wrong;
};

/* All threads share keys; the record says its key. */
static void *look_and_put(void *argument)
{
    struct worker *worker = argument;
    struct random_numbers random = {worker->number + 1};
    for (unsigned i = 0; i < 30000; i++) {
        uint64_t key = 1 + random_below(&random, 4000);
        uint32_t check = tm_trace_check(&cache, (uint32_t)key & 7);
        uint32_t found = tm_trace_cache_loose(&cache, key, check);
        worker->wrong += found != 0 && found != key * 3;
        if (found == 0) {
            tm_trace_cache_put_loose(&cache, key, check, (uint32_t)key * 3);
        }
        if (worker->number == 0 && i % 10 == 0) {
            tm_trace_cache_new_generation(&cache);
        }
    }
    return NULL;
}

static void threads_never_find_what_belongs_to_another_key(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct worker workers[4];
    for (unsigned i = 0; i < 4; i++) {
        workers[i] = (struct worker){i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, look_and_put, &workers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
    }
}

/* What was there with a check would be taken for another record. */
static void where_keys_say_all_a_record_is_there_twice(void **state)
{
    (void)state;
    struct tm_trace_found found;
    put_held(1, tm_trace_check(&cache, 5), 0, 6);
    tm_trace_cache_have_keys_say_all(&cache);
    assert_false(has_key(1));
    assert_int_equal(held(1, 5), 0);
    put_held(3, tm_trace_check(&cache, 5), 0, 0x12345);
    assert_true(tm_trace_cache_has_key(&cache, 3, &found));
    assert_int_equal(found.scaled, 0x12345 * 8);
    assert_int_equal(found.word, tm_slot_word(0x12345));
    assert_int_equal(held(3, 5), 0x12345);
    assert_int_equal(held(3, 6), 0x12345);
    assert_int_equal(held(1, 5), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_found_by_key_and_check_only),
        TEST(new_generation_voids_everything),
        TEST(no_generation_comes_back_after_a_whole_round),
        TEST(death_of_code_voids_its_places_and_few_others),
        TEST(no_version_comes_back_after_a_whole_round),
        TEST(a_key_alone_finds_nothing_that_is_void),
        TEST(what_is_put_between_a_generation_and_the_tending_is_emptied),
        TEST(where_keys_say_all_a_record_is_there_twice),
        TEST(lists_of_zones_that_are_full_begin_anew),
        TEST(a_large_cache_gives_its_pages_back_when_it_begins_anew),
        TEST(held_cache_grows_for_a_large_working_set_up_to_its_bound),
        TEST(outgrown_slots_are_read_as_free_ones),
        TEST(death_of_code_empties_slots_that_have_moved_since),
        TEST(keys_that_are_much_alike_are_spread_over_the_slots),
        TEST(what_was_never_there_before_does_not_make_the_cache_grow),
        TEST(voided_slots_do_not_make_the_cache_grow),
        TEST(set_locked_at_a_fork_is_free_and_empty_in_the_child),
        TEST(threads_never_find_what_belongs_to_another_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
