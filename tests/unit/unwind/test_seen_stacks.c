/* SPDX-License-Identifier: MIT */
/* What is found among stacks that were seen before is what a walk finds, however the stack changed in between. */
#include "support/cmocka_include.h"

#include <string.h>

#include "base/compiler.h"
#include "runtime/unwind/loaded_module.h"
#include "runtime/unwind/seen_stacks.h"

#define FRAMES 60
#define ROUNDS 3000U

static struct tm_step_cache cache;
static struct tm_seen_stacks seen;
static const struct tm_native_skip nothing;
static struct tm_known_frame kept[2][FRAMES];
static struct tm_known_stack known = {.frames = kept[0], .fresh = kept[1], .limit = FRAMES};
static unsigned hits, misses;
static uint64_t last_hash;

/* Leaves the frames from the one at PC on, as if the newer ones were our own code; a hash of them. */
static uint64_t cut_at(uintptr_t pc)
{
    while (known.count > 0 && known.frames[known.count - 1].pc != pc) {
        known.count--;
    }
    assert_int_not_equal(known.count, 0);
    return known.frames[known.count - 1].hash;
}

static const struct tm_seen_stack *find(const uintptr_t *entry, uint32_t generation)
{
    return tm_seen_stack_find(&seen, tm_thread_self(), generation, entry[1] - 1, (uintptr_t)(entry + 2), entry[0]);
}

/* What a door does, but that it walks each time. */
static __attribute__((noinline)) void event(void)
{
    const uintptr_t *entry = __builtin_frame_address(0);
    const struct tm_seen_stack *found = find(entry, tm_step_cache_generation(&cache));
    known.count = 0;
    (void)tm_native_stack_look(tm_thread_self(), &cache, &nothing, &known);
    last_hash = cut_at(entry[1] - 1);
    assert_int_equal(known.frames[known.count - 1].sp, (uintptr_t)(entry + 2));
    if (found != NULL) {
        hits++;
        assert_int_equal(found->hash, last_hash);
        assert_int_equal(found->count, known.count);
    } else {
        misses++;
        tm_seen_stacks_keep(&seen, &known, last_hash);
        assert_non_null(find(entry, tm_step_cache_generation(&cache)));
    }
    __asm__ volatile("" ::: "memory");
}

static uint32_t next(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 8) % below;
}

static void step(uint32_t *seed, unsigned depth);

static __attribute__((noinline)) void by_another(uint32_t *seed, unsigned depth)
{
    step(seed, depth);
    __asm__ volatile("" ::: "memory");
}

/* An older frame whose end is told by the frame pointer, and moves. */
static __attribute__((noinline)) void by_alloca(uint32_t *seed, unsigned depth)
{
    volatile char *room = __builtin_alloca(16U + 16U * next(seed, 3));
    room[0] = 1;
    step(seed, depth);
    room[1] = 1;
}

/* Each call from a place of its own: frames of the same size at the same addresses, with other return addresses. */
static __attribute__((noinline)) void step(uint32_t *seed, unsigned depth)
{
    if (depth > 0) {
        switch (next(seed, 4)) {
        case 0:
            by_another(seed, depth - 1);
            break;
        case 1:
            by_another(seed, depth - 1);
            __asm__ volatile("nop");
            break;
        case 2:
            by_alloca(seed, depth - 1);
            break;
        default:
            step(seed, depth - 1);
            break;
        }
    }
    event();
    event();
}

static void a_hit_is_what_a_walk_finds(void **state)
{
    uint32_t seed = 7;
    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        step(&seed, i % 6);
    }
    assert_in_range(hits, ROUNDS, ROUNDS * 20);
    assert_in_range(misses, 100, ROUNDS * 20);
}

/* Two stacks whose newest frame is the same but for the frame pointer, by which an older one's end is told.  Where the
 * older one's return address lay in the first, it still lies in the second: in room that nobody writes. */
static __attribute__((noinline)) void leaf(void)
{
    event();
    __asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void leaf_that_saves_the_frame_pointer(void)
{
#ifdef __OPTIMIZE__
    __asm__ volatile("" ::: "rbp");
#endif
    event();
    __asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void with_the_rest(size_t size, void (*call)(void))
{
    volatile char *room = __builtin_alloca(size);
    __asm__ volatile("" : : "r"(room) : "memory");
    call();
    __asm__ volatile("" : : "r"(room) : "memory");
}

static __attribute__((noinline)) void in_two_parts(bool is_other, void (*call)(void))
{
    volatile char *room = __builtin_alloca(is_other ? 64 : 16);
    __asm__ volatile("" : : "r"(room) : "memory");
    if (is_other) {
        with_the_rest(32, call);
        __asm__ volatile("# so that the calls"); /* stay two: they differ by where they return */
    } else {
        with_the_rest(80, call);
        __asm__ volatile("# are not made one");
    }
    __asm__ volatile("" : : "r"(room) : "memory");
}

static void stale_words_are_not_followed(void **state)
{
    static void (*const leaves[])(void) = {leaf, leaf_that_saves_the_frame_pointer};
    (void)state;
    for (unsigned l = 0; l < TM_COUNT_OF(leaves); l++) {
        uintptr_t sp[2] = {0, 0};
        uint64_t hash[2] = {0, 0};
        for (volatile unsigned i = 0; i < 6; i++) {
            in_two_parts(i % 2 != 0, leaves[l]);
            sp[i % 2] = known.frames[known.count - 1].sp;
            hash[i % 2] = last_hash;
        }
        if (sp[0] != sp[1]) {
            skip(); /* this compiler gives rooms of these sizes more than what they take */
        }
        assert_int_not_equal(hash[0], hash[1]);
    }
}

static __attribute__((noinline)) bool is_found_after(void (*change)(void))
{
    event();
    change();
    unsigned before = hits;
    event();
    return hits != before;
}

static void change_nothing(void)
{
}

static void clear_steps(void)
{
    tm_step_cache_clear(&cache);
}

static void begin_anew_after_fork(void)
{
    tm_step_cache_new_generation(&cache);
}

static void forget_the_window(void)
{
    tm_thread_self()->stack_size = 0;
}

static void is_void_after(void **state)
{
    static void (*const changes[])(void) = {change_nothing, change_nothing,    clear_steps,
                                            change_nothing, change_nothing,    begin_anew_after_fork,
                                            change_nothing, forget_the_window, change_nothing};
    (void)state;
    for (volatile unsigned i = 0; i < TM_COUNT_OF(changes); i++) { /* one place in the code, for each of the calls */
        bool is_found = is_found_after(changes[i]);
        assert_true(i == 0 || is_found == (changes[i] == change_nothing));
    }
}

/* A stack whose walk needs more than can be compared in place is not kept, nor is none. */
static void what_cannot_be_compared_is_not_kept(void **state)
{
    struct tm_known_frame frame = {.pc = 0x1000, .sp = 0x2000};
    struct tm_known_stack odd = {.frames = &frame, .count = 1, .is_odd = true}, none = {.frames = &frame};
    struct tm_seen_stack *slot = tm_seen_stack_at(&seen, frame.pc, frame.sp);
    (void)state;
    memset(slot, 0, sizeof *slot);
    tm_seen_stacks_keep(&seen, &odd, 1);
    tm_seen_stacks_keep(&seen, &none, 1);
    assert_int_equal(slot->pc, 0);
    odd.is_odd = false;
    tm_seen_stacks_keep(&seen, &odd, 1);
    assert_int_equal(slot->pc, frame.pc);
}

static void more_words_than_there_is_room(void **state)
{
    static struct tm_known_frame frames[TM_SEEN_WORDS + 2];
    struct tm_known_stack long_one = {.frames = frames, .count = TM_SEEN_WORDS + 2};
    (void)state;
    for (unsigned i = 0; i < TM_SEEN_WORDS + 2; i++) {
        frames[i] = (struct tm_known_frame){.pc = 0x3000 + i, .sp = 0x9000 - 16 * i};
    }
    const struct tm_known_frame *newest = &frames[TM_SEEN_WORDS + 1];
    tm_seen_stacks_keep(&seen, &long_one, 1);
    assert_int_equal(tm_seen_stack_at(&seen, newest->pc, newest->sp)->pc, 0);
    long_one.count = TM_SEEN_WORDS + 1;
    tm_seen_stacks_keep(&seen, &long_one, 1);
    assert_int_equal(tm_seen_stack_at(&seen, newest[-1].pc, newest[-1].sp)->pc, newest[-1].pc);
}

static int begin(void **state)
{
    (void)state;
    tm_loaded_modules_begin();
    return tm_step_cache_begin(&cache) && tm_seen_stacks_begin(&seen) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(__x86_64__)
        cmocka_unit_test(a_hit_is_what_a_walk_finds),
        cmocka_unit_test(stale_words_are_not_followed),
        cmocka_unit_test(is_void_after),
#endif
        cmocka_unit_test(what_cannot_be_compared_is_not_kept),
        cmocka_unit_test(more_words_than_there_is_room),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
