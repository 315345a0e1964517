/* SPDX-License-Identifier: MIT */
/* A stack that is called into, returned from and moved on at random, seen through the cache and by a whole walk. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "runtime/unwind/loose_stack.h"
#include "runtime/unwind/python_stack.h"
#include "runtime/unwind/stack_cache.h"
#include "runtime/unwind/stack_step.h"
#include "unit/unwind/fake_interpreter.h"

enum { THREAD = 0, DEPTH = 100, CODES = 3, LOOKS = 20000, UNITS = 8, FIRST_UNIT = 3 };

enum { ROOM = TM_STACK_BEFORE + TM_STACK_HIDDEN_MAX + DEPTH };

static struct tm_raw_frame cached[ROOM];
static uint64_t hashes[ROOM];
static uint32_t notes[ROOM];
static _Atomic uint32_t versions[TM_PLACE_VERSIONS];

/* As the interpreter's: a frame of a depth is at the address of the last one of that depth, but for entry frames, which
 * are on the machine's stack, and those of generators. */
struct stack {
    struct fake_interpreter *fake;
    uintptr_t codes[CODES], places[DEPTH], entries[DEPTH], generators[DEPTH], now[DEPTH];
    unsigned depth;
    uint32_t random;
};

static unsigned random_below(struct stack *stack, unsigned end)
{
    stack->random = stack->random * 1664525U + 1013904223U;
    return (stack->random >> 8) % end;
}

static void set_newest(const struct stack *stack, uintptr_t frame)
{
    const struct tm_cpython_layout *row = &stack->fake->row;
    if (row->chain == TM_CHAIN_CFRAME) {
        fake_word(stack->fake->cframe, row->cframe_current, frame);
    } else {
        fake_word(stack->fake->tstate, row->tstate_frame, frame);
    }
}

static void go_on(struct stack *stack, uintptr_t frame, uintptr_t code)
{
    const struct tm_cpython_layout *row = &stack->fake->row;
    unsigned unit = FIRST_UNIT + random_below(stack, UNITS);
    if (row->chain == TM_CHAIN_OBJECT) {
        fake_int(frame, row->frame_instruction, (int32_t)unit);
    } else {
        fake_word(frame, row->frame_instruction, code + row->code_bytes + 2 * unit);
    }
}

static void call(struct stack *stack)
{
    const struct tm_cpython_layout *row = &stack->fake->row;
    uintptr_t code = stack->codes[random_below(stack, CODES)];
    unsigned kind = random_below(stack, 12);
    if (stack->depth == DEPTH) {
        return;
    }
    bool is_entry = kind == 0 && row->chain != TM_CHAIN_OBJECT && row->owner_shim != INT8_MAX;
    bool is_generator = kind == 2 && row->chain != TM_CHAIN_OBJECT;
    uintptr_t frame = is_entry       ? stack->entries[stack->depth]
                      : is_generator ? stack->generators[stack->depth]
                                     : stack->places[stack->depth];
    fake_word(frame, row->frame_code, code | (row->frame_code_mask & 1));
    fake_word(frame, row->frame_previous, stack->depth == 0 ? 0 : stack->now[stack->depth - 1]);
    if (row->chain != TM_CHAIN_OBJECT) {
        /* Some do not count: entry frames of the interpreter, where it has them, and what has not begun yet. */
        int8_t owner = is_generator ? row->owner_generator : (int8_t)THREAD;
        *(int8_t *)(frame + row->frame_owner) = is_entry ? row->owner_shim : owner;
    }
    go_on(stack, frame, code);
    if (row->chain != TM_CHAIN_OBJECT && (kind == 1 || is_generator)) {
        fake_word(frame, row->frame_instruction, code + row->code_bytes);
    }
    set_newest(stack, frame);
    stack->now[stack->depth++] = frame;
}

static void leave(struct stack *stack)
{
    if (stack->depth > 0) {
        stack->depth--;
        set_newest(stack, stack->depth == 0 ? 0 : stack->now[stack->depth - 1]);
    }
}

static void step(struct stack *stack)
{
    const struct tm_cpython_layout *row = &stack->fake->row;
    switch (random_below(stack, 4)) {
    case 0:
        leave(stack);
        break;
    case 1:
        call(stack);
        break;
    default:
        if (stack->depth > 0) {
            uintptr_t frame = stack->now[stack->depth - 1];
            go_on(stack, frame, *(uintptr_t *)(frame + row->frame_code) & ~row->frame_code_mask);
        }
    }
}

static void expect_try_to_agree(const struct tm_stack_cache *cache, const struct stack *stack,
                                const struct tm_raw_frame *walked, unsigned count)
{
    const struct tm_cpython_layout *row = &stack->fake->row;
    const uintptr_t newest = fake_newest(stack->fake);
    uintptr_t place;
    uint64_t older;
    if (row->chain == TM_CHAIN_OBJECT || row->code_tlbc != 0 ||
        !tm_stack_cache_try(cache, row, newest, tm_stack_form_of(row, TM_GAP_ENTRY), &place, &older)) {
        return;
    }
    assert_true(newest != 0);
    if (count == 0 || walked[0].frame != newest) {
        return; /* it does not count now, which no trace is known of */
    }
    assert_int_equal(cache->count, count);
    assert_true(place == walked[0].place);
    for (unsigned i = 1; i < count; i++) {
        assert_true(walked[i].frame == cache->frames[count - 1 - i].frame);
        assert_true(walked[i].place == cache->frames[count - 1 - i].place);
    }
}

/* Of all but the newest of the COUNT frames that were WALKED. */
static uint64_t hash_older(const struct tm_cpython_layout *row, const struct tm_raw_frame *walked, unsigned count)
{
    uint64_t older = 0;
    for (unsigned i = count; i-- > 1;) {
        int32_t offset = tm_stack_counts_anywhere(row, &walked[i]) ? walked[i].offset : 1;
        older = tm_stack_hash(versions, older, walked[i].place, offset);
    }
    return older;
}

static void expect_cache_as_walked(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row,
                                   const struct tm_raw_frame *walked, unsigned count)
{
    assert_int_equal(cache->count, count);
    assert_ptr_equal(cache->newest, cache->frames + count - 1);
    for (unsigned i = 0; i < count; i++) {
        assert_memory_equal(&cache->frames[i], &walked[count - 1 - i], sizeof *walked);
    }
    assert_true(tm_stack_cache_older(cache) == hash_older(row, walked, count));
    assert_true(cache->hidden <= TM_STACK_HIDDEN_MAX && (cache->hidden == 0 || count == cache->limit));
}

/* As the tracker steps: a hash that is known says that both newest frames count.  True: it has. */
static bool step_as_walked(struct tm_stack_cache *cache, const struct stack *stack, const struct tm_raw_frame *walked,
                           unsigned count)
{
    const struct tm_cpython_layout *row = &stack->fake->row;
    const uintptr_t newest = fake_newest(stack->fake);
    struct tm_stack_step step = {.is_new = false}; /* gcc 10 takes it for unset where it is not */
    if (row->chain == TM_CHAIN_OBJECT || row->code_tlbc != 0 || newest == 0 || cache->count == 0 || cache->limit < 2 ||
        !tm_stack_step_find(cache, row, newest, tm_stack_form_of(row, TM_GAP_ENTRY), &step)) {
        return false;
    }
    uintptr_t caller = step.caller < 0 && cache->hidden == 0 ? 0 : cache->frames[step.caller].frame;
    if (count == 0 || walked[0].frame != newest || (count == 1 ? caller != 0 : walked[1].frame != caller)) {
        return false; /* one does not count */
    }
    if (count > 1 && !tm_stack_counts_anywhere(row, &walked[1])) {
        assert_true(!step.is_new || step.older != hash_older(row, walked, count));
        return false;
    }
    assert_true(step.place == walked[0].place);
    assert_true(step.older == hash_older(row, walked, count));
    tm_stack_step_make(cache, &step);
    expect_cache_as_walked(cache, row, walked, count);
    return true;
}

/* The word on a stack whose newest instruction is the same goes on being one; a frame that does not count is not taken
 * in. */
static void expect_top_to_be_renewed(struct tm_stack_cache *cache, const struct tm_cpython_layout *row)
{
    if (cache->count == 0) {
        return;
    }
    const uint32_t top = cache->count - 1;
    const struct tm_raw_frame now = cache->frames[top];
    cache->notes[top] = 7;
    assert_true(tm_stack_cache_renew_top(cache, row));
    assert_int_equal(cache->notes[top], 7);
    cache->frames[top].offset ^= 1;
    assert_true(tm_stack_cache_renew_top(cache, row));
    assert_memory_equal(&cache->frames[top], &now, sizeof now);
    assert_int_equal(cache->notes[top], 0);
    if (row->chain != TM_CHAIN_OBJECT) {
        const uintptr_t before = tm_python_word(now.frame, row->frame_instruction);
        fake_word(now.frame, row->frame_instruction, 0);
        assert_false(tm_stack_cache_renew_top(cache, row));
        assert_memory_equal(&cache->frames[top], &now, sizeof now);
        fake_word(now.frame, row->frame_instruction, before);
    }
}

static void look_and_compare(struct stack *stack, uint32_t limit)
{
    struct tm_stack_cache cache = {.versions = versions};
    struct tm_raw_frame walked[DEPTH];
    memset(cached, 0, sizeof cached);
    memset(hashes, 0, sizeof hashes);
    tm_stack_cache_init(&cache, cached, hashes, notes);
    stack->depth = 0;
    set_newest(stack, 0);
    unsigned steps_made = 0;
    for (unsigned i = 0; i < LOOKS; i++) {
        /* After many, frames that were out of sight come back, and are others. */
        for (unsigned steps = random_below(stack, random_below(stack, 8) == 0 ? 60 : 4); steps > 0; steps--) {
            step(stack);
        }
        unsigned count = tm_python_stack_walk(&stack->fake->row, stack->fake->tstate, walked, limit);
        expect_try_to_agree(&cache, stack, walked, count);
        steps_made +=
            cache.limit == limit && random_below(stack, 2) == 0 && step_as_walked(&cache, stack, walked, count);
        tm_stack_cache_look(&cache, &stack->fake->row, stack->fake->tstate, limit);
        expect_cache_as_walked(&cache, &stack->fake->row, walked, count);
    }
    expect_top_to_be_renewed(&cache, &stack->fake->row);
    bool has_steps = stack->fake->row.chain != TM_CHAIN_OBJECT && stack->fake->row.code_tlbc == 0 && limit > 1;
    assert_true(has_steps ? steps_made > LOOKS / 20 : steps_made == 0);
}

static void expect_loose_as_walked(struct tm_loose_stack *loose, const struct tm_raw_frame *walked, unsigned count)
{
    assert_int_equal(loose->count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_memory_equal(tm_loose_stack_newest(loose) - i, &walked[i], sizeof *walked);
    }
}

static bool count_anywhere(const struct tm_cpython_layout *row, const struct tm_raw_frame *walked, unsigned count)
{
    bool all = true;
    for (unsigned i = 0; i < count; i++) {
        all &= tm_stack_counts_anywhere(row, &walked[i]);
    }
    return all;
}

/* Whatever happened to the stack meanwhile: what stands is what a walk finds. */
static void remember_and_compare(struct stack *stack, uint32_t limit)
{
    const struct tm_cpython_layout *row = &stack->fake->row;
    struct tm_loose_stack loose = {.limit = 0};
    struct tm_raw_frame walked[DEPTH];
    unsigned stood = 0;
    stack->depth = 0;
    set_newest(stack, 0);
    for (unsigned i = 0; i < LOOKS; i++) {
        for (unsigned steps = random_below(stack, 3); steps > 0; steps--) {
            step(stack);
        }
        unsigned count = tm_python_stack_walk(row, stack->fake->tstate, walked, limit);
        assert_false(tm_loose_stack_stands(&loose, row, stack->fake->tstate, limit, 2)); /* code has died */
        assert_false(tm_loose_stack_stands(&loose, row, stack->fake->tstate, limit + 1, 1));
        if (tm_loose_stack_stands(&loose, row, stack->fake->tstate, limit, 1)) {
            expect_loose_as_walked(&loose, walked, count);
            stood++;
        } else if (tm_loose_stack_read(&loose, row, stack->fake->tstate, limit)) {
            expect_loose_as_walked(&loose, walked, count);
            assert_true(count_anywhere(row, walked, count));
            assert_false(tm_loose_stack_stands(&loose, row, stack->fake->tstate, limit, 1)); /* not yet */
            loose.limit = limit;
            loose.deaths = 1;
        } else {
            assert_true(count == 0 || count > TM_LOOSE_FRAMES_MAX || !count_anywhere(row, walked, count));
            stack->depth = 0; /* else there would be such a frame for long */
            set_newest(stack, 0);
        }
    }
    assert_true(stood > LOOKS / 10);
}

/* Of more frames than there is room for only as many as were asked for are remembered. */
static void remember_a_deep_one(struct stack *stack)
{
    const struct tm_cpython_layout *row = &stack->fake->row;
    struct tm_loose_stack loose = {.limit = 0};
    for (stack->depth = 0; stack->depth <= TM_LOOSE_FRAMES_MAX; stack->depth++) {
        const uintptr_t frame = stack->places[stack->depth];
        fake_word(frame, row->frame_code, stack->codes[0] | (row->frame_code_mask & 1));
        fake_word(frame, row->frame_previous, stack->depth == 0 ? 0 : stack->places[stack->depth - 1]);
        *(int8_t *)(frame + row->frame_owner) = THREAD;
        go_on(stack, frame, stack->codes[0]);
        set_newest(stack, frame);
    }
    const uintptr_t tstate = stack->fake->tstate;
    assert_false(tm_loose_stack_read(&loose, row, tstate, TM_LOOSE_FRAMES_MAX + 1));
    assert_true(tm_loose_stack_read(&loose, row, tstate, TM_LOOSE_FRAMES_MAX));
    assert_int_equal(loose.count, TM_LOOSE_FRAMES_MAX);
    assert_false(loose.is_whole);
}

/* A child begins in whatever state a thread of the parent was changing the cache. */
static void cleared_in_the_middle_of_a_change_it_begins_anew(void **state)
{
    (void)state;
    struct tm_stack_cache cache = {.limit = 25};
    tm_stack_cache_init(&cache, cached, hashes, notes);
    cache.frames += 2;
    cache.newest += 7;
    cache.hashes++;
    cache.notes++;
    cache.hidden = 1;
    cache.count = 7;
    cache.older = 5;
    tm_stack_cache_set_limit(&cache, 0);
    assert_ptr_equal(cache.frames, cached + TM_STACK_BEFORE);
    assert_ptr_equal(cache.newest, cache.frames - 1);
    assert_ptr_equal(cache.hashes, hashes + TM_STACK_BEFORE);
    assert_ptr_equal(cache.notes, notes);
    assert_int_equal(cache.count + cache.hidden + cache.limit, 0);
    assert_true(tm_stack_cache_older(&cache) == 0);
}

static void stacks_of_every_row(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 2, 3, 5, 25, DEPTH};
    unsigned count;
    const struct tm_cpython_layout *rows = tm_cpython_layout_rows(&count);
    assert_true(count > 0);
    for (unsigned i = 0; i < count; i++) {
        struct fake_interpreter fake;
        struct stack stack = {.fake = &fake, .random = i + 1};
        fake_init(&fake, &rows[i]);
        for (unsigned code = 0; code < CODES; code++) {
            stack.codes[code] = fake_code(&fake, "file.py", "f", (int)code + 1);
        }
        for (unsigned depth = 0; depth < DEPTH; depth++) {
            stack.places[depth] = fake_block(&fake, FAKE_SIZE);
            stack.entries[depth] = fake_block(&fake, FAKE_SIZE);
            stack.generators[depth] = fake_block(&fake, FAKE_SIZE);
        }
        for (unsigned limit = 0; limit < TM_COUNT_OF(limits); limit++) {
            look_and_compare(&stack, limits[limit]);
            if (rows[i].chain != TM_CHAIN_OBJECT && fake.row.code_tlbc == 0) {
                remember_and_compare(&stack, limits[limit]);
                remember_a_deep_one(&stack);
            }
        }
        fake_free(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_of_every_row),
        cmocka_unit_test(cleared_in_the_middle_of_a_change_it_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
