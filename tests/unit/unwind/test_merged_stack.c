/* SPDX-License-Identifier: MIT */
/* Python frames in the place of machine frames, for every row of the layout table, with stacks built in memory. */
#include "support/cmocka_include.h"

#include "runtime/unwind/merged_stack.h"
#include "runtime/unwind/python_stack.h"
#include "unit/unwind/fake_interpreter.h"

enum { THREAD = 0, FRAMES = 64, UNIT = 5, OWN_SPACE = 1024, NATIVE = 9 };

/* A C stack: nine machine frames, from the newest at the lowest address.  The evaluation loop's are those that EVAL
 * names. */
struct scene {
    struct fake_interpreter *fake;
    uint8_t *stack; /* NATIVE times OWN_SPACE */
    struct tm_native_frame native[NATIVE];
    struct tm_raw_frame python[FRAMES], merged[FRAMES];
    struct tm_two_stacks stacks;
    uintptr_t code;
};

static const uintptr_t eval_code = 0x500000, cold_code = 0x400000; /* the second part is seldom run */

static bool has_shims(const struct tm_cpython_layout *row)
{
    return row->owner_shim != INT8_MAX;
}

static bool runs_one_frame(const struct tm_cpython_layout *row)
{
    return row->chain == TM_CHAIN_OBJECT;
}

static uintptr_t place_in(const struct scene *scene, unsigned native)
{
    return (uintptr_t)scene->stack + native * OWN_SPACE + 256;
}

/* A record of the evaluation loop in the machine frame NATIVE, where the row has one. */
static void put_cframe(struct scene *scene, unsigned native)
{
    struct fake_interpreter *fake = scene->fake;
    const struct tm_cpython_layout *row = &fake->row;
    if (row->tstate_cframe == 0 || has_shims(row)) {
        return;
    }
    uintptr_t cframe = place_in(scene, native);
    uintptr_t newest = fake_newest(fake);
    fake_word(cframe, row->cframe_previous, *(uintptr_t *)(fake->tstate + row->tstate_cframe));
    fake_word(fake->tstate, row->tstate_cframe, cframe);
    if (row->chain == TM_CHAIN_CFRAME) {
        fake_word(cframe, row->cframe_current, newest);
        fake->cframe = cframe;
    }
}

/* The machine frame NATIVE, of the evaluation loop, runs COUNT Python frames (1 where it can run no more). */
static unsigned enter_loop(struct scene *scene, unsigned native, unsigned count)
{
    struct fake_interpreter *fake = scene->fake;
    const struct tm_cpython_layout *row = &fake->row;
    scene->native[native].pc = native % 2 == 0 ? eval_code + 16 : cold_code + 16;
    put_cframe(scene, native);
    if (has_shims(row)) {
        uintptr_t shim = place_in(scene, native);
        fake_word(shim, row->frame_previous, fake_newest(fake));
        *(int8_t *)(shim + row->frame_owner) = row->owner_shim;
        if (row->chain == TM_CHAIN_CFRAME) {
            fake_word(fake->cframe, row->cframe_current, shim);
        } else {
            fake_word(fake->tstate, row->tstate_frame, shim);
        }
    }
    count = runs_one_frame(row) ? 1 : count;
    for (unsigned i = 0; i < count; i++) {
        uintptr_t frame = fake_enter(fake, scene->code, UNIT, THREAD);
        if (row->frame_is_entry != 0) {
            *(bool *)(frame + row->frame_is_entry) = i == 0;
        }
    }
    return count;
}

static void begin(struct scene *scene, struct fake_interpreter *fake)
{
    memset(scene, 0, sizeof *scene);
    scene->fake = fake;
    scene->stack = (uint8_t *)fake_block(fake, NATIVE * OWN_SPACE);
    for (unsigned i = 0; i < NATIVE; i++) {
        scene->native[i] = (struct tm_native_frame){0x1000 + i, (uintptr_t)scene->stack + i * OWN_SPACE};
    }
    if (fake->row.tstate_cframe != 0 && fake->row.chain == TM_CHAIN_OBJECT) {
        fake_word(fake->tstate, fake->row.tstate_cframe,
                  fake_block(fake, FAKE_SIZE)); /* the oldest, in the thread state */
    }
    scene->code = fake_code(fake, "file.py", "function", 1);
}

static unsigned merge(struct scene *scene, unsigned native_count, unsigned limit, bool *is_merged)
{
    const struct tm_cpython_layout *row = &scene->fake->row;
    bool is_whole = native_count == NATIVE;
    scene->stacks = (struct tm_two_stacks){
        .row = row,
        .tstate = scene->fake->tstate,
        .native = scene->native,
        .native_count = native_count,
        .native_end = is_whole ? UINTPTR_MAX : scene->native[native_count].sp,
        .python = scene->python,
        .python_count = tm_python_stack_walk(row, scene->fake->tstate, scene->python, FRAMES),
    };
    if (row->chain == TM_CHAIN_OBJECT && row->tstate_cframe == 0) {
        scene->stacks.code = (struct tm_eval_code){{{eval_code, eval_code + 4096}, {cold_code, cold_code + 64}}};
    }
    return tm_stacks_merge(&scene->stacks, scene->merged, limit, is_merged);
}

/* WORDS: n a machine frame, p a Python frame, most recent first.  All of each kind must be there in their order. */
static void expect(const struct scene *scene, unsigned count, const char *words)
{
    unsigned python = 0;
    uintptr_t last = 0;
    assert_int_equal(count, strlen(words));
    for (unsigned i = 0; i < count; i++) {
        const struct tm_raw_frame *frame = &scene->merged[i];
        if (words[i] == 'p') {
            assert_int_equal(frame->kind, 0);
            assert_true(frame->frame == scene->python[python].frame);
            python++;
        } else {
            assert_int_equal(frame->kind, TM_RAW_NATIVE);
            assert_true(frame->place > last);
            last = frame->place;
        }
    }
}

static void calls_take_their_frames(struct fake_interpreter *fake)
{
    struct scene scene;
    bool is_merged;
    begin(&scene, fake);
    (void)enter_loop(&scene, 7, 1);
    unsigned many = enter_loop(&scene, 5, 3);
    (void)enter_loop(&scene, 2, 1);
    unsigned count = merge(&scene, NATIVE, FRAMES, &is_merged);
    assert_true(is_merged);
    expect(&scene, count, many == 3 ? "nnpnnpppnpn" : "nnpnnpnpn");
    for (unsigned limit = 0; limit < count; limit++) {
        assert_int_equal(merge(&scene, NATIVE, limit, &is_merged), limit);
    }
}

static void cut_machine_stack_leaves_the_rest_behind(struct fake_interpreter *fake)
{
    struct scene scene;
    bool is_merged;
    begin(&scene, fake);
    (void)enter_loop(&scene, 7, 1);
    (void)enter_loop(&scene, 2, 1);
    expect(&scene, merge(&scene, 4, FRAMES, &is_merged), "nnpnp");
    assert_true(is_merged); /* what is cut off would say where */
}

static void frames_without_a_place_stand_behind_and_it_is_said(struct fake_interpreter *fake)
{
    struct scene scene;
    bool is_merged;
    begin(&scene, fake);
    (void)enter_loop(&scene, 7, 1);
    (void)enter_loop(&scene, 2, 1);
    scene.native[7].pc = 0x1007; /* where there is no record of a call */
    for (unsigned i = 3; i < NATIVE; i++) {
        scene.native[i].sp = UINTPTR_MAX; /* where there is one */
    }
    unsigned count = merge(&scene, NATIVE, FRAMES, &is_merged);
    assert_false(is_merged);
    assert_int_equal(count, NATIVE + 1);
    assert_int_equal(scene.merged[2].kind, 0);
    assert_int_equal(scene.merged[NATIVE].kind, 0);
}

static void thread_without_python_has_machine_frames_only(struct fake_interpreter *fake)
{
    struct scene scene;
    bool is_merged;
    begin(&scene, fake);
    expect(&scene, merge(&scene, NATIVE, FRAMES, &is_merged), "nnnnnnnnn");
    assert_true(is_merged);
}

static void for_every_row(void **state)
{
    static void (*const tests[])(struct fake_interpreter *) = {
        calls_take_their_frames,
        cut_machine_stack_leaves_the_rest_behind,
        frames_without_a_place_stand_behind_and_it_is_said,
        thread_without_python_has_machine_frames_only,
    };
    unsigned count;
    const struct tm_cpython_layout *rows = tm_cpython_layout_rows(&count);
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned test = 0; test < TM_COUNT_OF(tests); test++) {
            struct fake_interpreter fake;
            fake_init(&fake, &rows[i]);
            tests[test](&fake);
            fake_free(&fake);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(for_every_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
