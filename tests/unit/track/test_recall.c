/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "runtime/track/recall.h"

#define FRAMES 60U

static struct tm_runtime runtime;
static struct tm_raw_frame frames[FRAMES + 2];
static uint64_t hashes[FRAMES + 2];
static uint32_t notes[FRAMES + 2];

/* A stack with frames at FIRST, FIRST + 1 and so on, of which the oldest HIDDEN are before the window, and whose newest
 * is at NEWEST instead.  No notes. */
static void stand(uintptr_t first, uint32_t hidden, uint32_t count, uintptr_t newest)
{
    struct tm_stack_cache *stack = &runtime.held_stack;
    uint64_t before = 0, older = 0;
    memset(notes, 0, sizeof notes);
    memset(hashes, 0, sizeof hashes);
    for (uint32_t i = 0; i + 1 < hidden + count; i++) {
        before = tm_stack_hash(runtime.cache.versions, before, first + i, 0);
        older = i >= hidden ? tm_stack_hash(runtime.cache.versions, older, first + i, 0) : 0;
        frames[2 + i] = (struct tm_raw_frame){.place = first + i};
        hashes[2 + i] = before;
    }
    frames[2 + hidden + count - 1] = (struct tm_raw_frame){.place = newest};
    stack->frames = frames + 2 + hidden;
    stack->hashes = hashes + 2 + hidden;
    stack->notes = notes + hidden;
    stack->versions = runtime.cache.versions;
    stack->hidden = hidden;
    stack->count = count;
    stack->older = older;
}

static uint32_t note(uint32_t at)
{
    return runtime.held_stack.notes[at];
}

/* As a capture does: says what all frames are, by where the first and the last one are. */
static void capture(uintptr_t first, uint32_t count)
{
    struct tm_recall recall;
    tm_recall_begin(&runtime, &recall);
    for (uint32_t i = 0; i < count; i++) {
        runtime.held_stack.notes[i] = (uint32_t)(first * 1000 + i + 1);
    }
    tm_recall_end(&runtime, &recall);
}

static void forget(void)
{
    memset(&runtime, 0, sizeof runtime);
}

/* Nothing but one capture is behind. */
static void begin_captured(void)
{
    forget();
    stand(100, 7, 25, 1);
    capture(107, 25);
}

static void the_same_older_frames_are_known_again(void **state)
{
    (void)state;
    struct tm_recall recall;
    begin_captured();
    stand(100, 7, 25, 2);
    tm_recall_begin(&runtime, &recall);
    assert_int_equal(note(23), 107024);
    for (uint32_t i = 0; i < 25; i++) {
        assert_true(i == 23 || note(i) == 0);
    }
    /* The same frames are the same traceback, whatever is hidden before them. */
    stand(107, 0, 25, 3);
    tm_recall_begin(&runtime, &recall);
    assert_int_equal(note(23), 107024);
}

static void a_window_that_begins_elsewhere_is_another_traceback(void **state)
{
    (void)state;
    struct tm_recall recall;
    begin_captured();
    stand(100, 8, 25, 1);
    tm_recall_begin(&runtime, &recall);
    stand(100, 6, 25, 1);
    tm_recall_begin(&runtime, &recall);
    for (uint32_t i = 0; i < 25; i++) {
        assert_int_equal(note(i), 0);
    }
}

/* Where the newest of the older ones are others, fewer are known: as many as there is a stop for. */
static void what_is_the_same_at_the_old_end_is_known(void **state)
{
    (void)state;
    struct tm_recall recall;
    for (uint32_t others = 1; others <= 20; others++) {
        begin_captured();
        stand(100, 7, 25, 1);
        for (uint32_t i = 24 - others; i < 24; i++) {
            runtime.held_stack.frames[i].place = 900 + i;
            runtime.held_stack.hashes[i] =
                tm_stack_hash(runtime.cache.versions, runtime.held_stack.hashes[(ptrdiff_t)i - 1],
                              runtime.held_stack.frames[i].place, 0);
        }
        runtime.held_stack.older ^= 1;
        tm_recall_begin(&runtime, &recall);
        uint32_t less = others <= 2 ? 2 : others <= 4 ? 4 : others <= 8 ? 8 : 16;
        for (uint32_t i = 0; i < 25; i++) {
            uint32_t wanted = others <= 16 && i == 23 - less ? 107000 + i + 1 : 0;
            assert_int_equal(note(i), wanted);
        }
    }
}

static void notes_that_are_there_are_left_alone(void **state)
{
    (void)state;
    struct tm_recall recall;
    begin_captured();
    stand(100, 7, 25, 2);
    runtime.held_stack.older ^= 1; /* another frame there */
    runtime.held_stack.notes[22] = 5;
    tm_recall_begin(&runtime, &recall);
    assert_int_equal(note(22), 5);
    assert_int_equal(recall.count, 1);
    for (uint32_t i = 0; i < 22; i++) {
        assert_int_equal(note(i), 0);
    }
}

static void nothing_is_known_once_all_is_void(void **state)
{
    (void)state;
    struct tm_recall recall;
    begin_captured();
    atomic_fetch_add(&runtime.cache.voids, 1);
    stand(100, 7, 25, 1);
    tm_recall_begin(&runtime, &recall);
    for (uint32_t i = 0; i < 25; i++) {
        assert_int_equal(note(i), 0);
    }
    /* A capture that failed leaves nothing behind. */
    tm_recall_end(&runtime, &recall);
    tm_recall_begin(&runtime, &recall);
    assert_int_equal(note(23), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_older_frames_are_known_again),
        cmocka_unit_test(a_window_that_begins_elsewhere_is_another_traceback),
        cmocka_unit_test(what_is_the_same_at_the_old_end_is_known),
        cmocka_unit_test(notes_that_are_there_are_left_alone),
        cmocka_unit_test(nothing_is_known_once_all_is_void),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
