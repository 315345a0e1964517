/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/place_version.h"
#include "runtime/unwind/watermark.h"
#include "unit/unwind/fake_interpreter.h"

enum { THREAD = 0, DEPTH = 6, LIMIT = 25, DEPTH_OF_CALLER = 3, EVENTS = 2000, COMPARED_WITHIN = 64 };

static _Atomic uint32_t versions[TM_PLACE_VERSIONS];

struct marked {
    struct fake_interpreter fake;
    struct tm_stack_cache cache;
    struct tm_raw_frame frames[TM_STACK_BEFORE + TM_STACK_HIDDEN_MAX + LIMIT];
    uint64_t hashes[TM_STACK_BEFORE + TM_STACK_HIDDEN_MAX + LIMIT];
    uint32_t notes[TM_STACK_HIDDEN_MAX + LIMIT];
    struct tm_watermark watermark;
    uintptr_t code, bottom, newest;
};

static int32_t *field(const struct marked *marked, uintptr_t frame)
{
    return (int32_t *)(frame + marked->fake.row.frame_stacktop);
}

/* As the interpreter does: the caller keeps its depth, the callee runs. */
static void enter(struct marked *marked)
{
    if (marked->newest != 0) {
        *field(marked, marked->newest) = DEPTH_OF_CALLER;
    }
    marked->newest = fake_enter(&marked->fake, marked->code, 5, THREAD);
    *field(marked, marked->newest) = TM_WATERMARK_RUNS;
}

static void set_newest(struct marked *marked, uintptr_t frame)
{
    const struct tm_cpython_layout *row = &marked->fake.row;
    bool has_cframe = row->chain == TM_CHAIN_CFRAME;
    fake_word(has_cframe ? marked->fake.cframe : marked->fake.tstate,
              has_cframe ? row->cframe_current : row->tstate_frame, frame);
    marked->newest = frame;
}

static void leave(struct marked *marked)
{
    set_newest(marked, *(uintptr_t *)(marked->newest + marked->fake.row.frame_previous));
    *field(marked, marked->newest) = TM_WATERMARK_RUNS;
}

static void look(struct marked *marked)
{
    tm_watermark_look(&marked->watermark, &marked->cache, &marked->fake.row, marked->fake.tstate, LIMIT);
}

static bool try(struct marked *marked)
{
    uintptr_t place;
    uint64_t older;
    return tm_watermark_try(&marked->watermark, &marked->cache, &marked->fake.row, marked->fake.tstate, marked->newest,
                            tm_stack_form_of(&marked->fake.row, TM_GAP_ENTRY), &place, &older);
}

static void begin(struct marked *marked, const struct tm_cpython_layout *row)
{
    memset(marked, 0, sizeof *marked);
    fake_init(&marked->fake, row);
    tm_stack_cache_init(&marked->cache, marked->frames, marked->hashes, marked->notes);
    marked->cache.versions = versions;
    fake_int(marked->fake.tstate, row->tstate_event, row->event_none);
    marked->code = fake_code(&marked->fake, "file.py", "function", 1);
    assert_true(tm_watermark_begin(&marked->watermark, &marked->fake.row));
    for (unsigned i = 0; i < DEPTH; i++) {
        enter(marked);
        marked->bottom = i == 0 ? marked->newest : marked->bottom;
    }
}

/* Two events of each of two frames in turn, until the marks are believed. */
static void come_to_believe(struct marked *marked)
{
    for (unsigned i = 0; i < EVENTS && marked->watermark.state != TM_WATERMARK_ON; i++) {
        enter(marked);
        look(marked);
        look(marked);
        leave(marked);
        look(marked);
    }
    assert_int_equal(marked->watermark.state, TM_WATERMARK_ON);
    look(marked);
    assert_true(marked->watermark.mark < TM_WATERMARK_RUNS);
    assert_int_equal(*field(marked, marked->newest), marked->watermark.mark);
}

/* Another line of the oldest frame; no interpreter does this while the marked frame runs. */
static void change_bottom(struct marked *marked)
{
    fake_word(marked->bottom, marked->fake.row.frame_instruction, marked->code + marked->fake.row.code_bytes + 2 * 7);
}

static void for_each_row(void (*test)(struct marked *))
{
    unsigned count, with = 0;
    const struct tm_cpython_layout *rows = tm_cpython_layout_rows(&count);
    for (unsigned i = 0; i < count; i++) {
        if (rows[i].frame_stacktop != 0) {
            struct marked marked;
            begin(&marked, &rows[i]);
            test(&marked);
            fake_free(&marked.fake);
            with++;
        }
    }
    assert_int_equal(with, 3);
}

static void other_rows_have_none(void **state)
{
    unsigned count;
    const struct tm_cpython_layout *rows = tm_cpython_layout_rows(&count);
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        struct tm_watermark watermark;
        bool has = rows[i].release >= 0x030B && rows[i].release <= 0x030D && !rows[i].free_threaded;
        assert_int_equal(tm_watermark_begin(&watermark, &rows[i]), has);
        assert_int_equal(watermark.state, has ? TM_WATERMARK_WATCHES : TM_WATERMARK_OFF);
    }
}

static void a_wrong_try(struct marked *marked)
{
    for (unsigned i = 0; i < EVENTS && marked->watermark.state == TM_WATERMARK_WATCHES; i++) {
        enter(marked);
        look(marked);
        leave(marked);
        look(marked);
    }
    look(marked);
    look(marked);
    assert_int_equal(marked->watermark.state, TM_WATERMARK_TRIES);
    change_bottom(marked);
    look(marked); /* the first one */
    assert_int_equal(marked->watermark.state, TM_WATERMARK_GIVEN_UP);
}

static void gives_up_at_the_first_while_it_tries(void **state)
{
    (void)state;
    for_each_row(a_wrong_try);
}

static bool may_step(const struct marked *marked)
{
    return tm_watermark_may_step(&marked->watermark, &marked->cache, &marked->fake.row, marked->newest);
}

static void a_step_where_nothing_is_tested(struct marked *marked)
{
    look(marked);
    assert_false(may_step(marked)); /* it watches */
    come_to_believe(marked);
    assert_false(may_step(marked)); /* as it was marked */
    enter(marked);
    *field(marked, marked->newest) = TM_WATERMARK_RUNS;
    assert_true(may_step(marked));
    *field(marked, marked->newest) = marked->watermark.last - 1;
    assert_false(may_step(marked)); /* nobody wrote that */
    look(marked);
    assert_int_equal(marked->watermark.state, TM_WATERMARK_GIVEN_UP);
    assert_true(may_step(marked));
}

static void steps_where_nothing_is_tested(void **state)
{
    (void)state;
    for_each_row(a_step_where_nothing_is_tested);
}

static bool stands(struct marked *marked)
{
    return tm_watermark_stands(&marked->watermark, &marked->cache, &marked->fake.row,
                               tm_stack_form_of(&marked->fake.row, TM_GAP_ENTRY));
}

static void stands_as_marked(struct marked *marked)
{
    look(marked);
    assert_false(stands(marked)); /* it watches */
    come_to_believe(marked);
    marked->watermark.agreed = 1;
    change_bottom(marked);
    for (unsigned i = 1; i < COMPARED_WITHIN; i++) {
        assert_true(stands(marked)); /* the older frames are not read */
    }
    assert_false(stands(marked)); /* the one that is compared */
    assert_false(stands(marked)); /* until it was */
    look(marked);
    assert_int_equal(marked->watermark.state, TM_WATERMARK_GIVEN_UP);
    assert_true(stands(marked));
    fake_word(marked->bottom, marked->fake.row.frame_instruction, marked->code + marked->fake.row.code_bytes + 2 * 8);
    assert_false(stands(marked));
}

static void stands_where_nothing_is_tested(void **state)
{
    (void)state;
    for_each_row(stands_as_marked);
}

static void stands_without_its_mark(struct marked *marked)
{
    come_to_believe(marked);
    marked->watermark.agreed = 1;
    *field(marked, marked->newest) = TM_WATERMARK_RUNS;
    assert_false(stands(marked));
    *field(marked, marked->newest) = marked->watermark.last - 1; /* nobody wrote that */
    assert_false(stands(marked));
    assert_int_equal(marked->watermark.agreed, 1);
}

static void a_lost_mark_is_for_the_long_way(void **state)
{
    (void)state;
    for_each_row(stands_without_its_mark);
}

/* The cache follows the newest frame's instruction without a look at the others. */
static void the_long_way_is_short(struct marked *marked)
{
    come_to_believe(marked);
    uintptr_t at = marked->code + marked->fake.row.code_bytes + 2 * 6;
    int32_t mark = marked->watermark.mark;
    fake_word(marked->newest, marked->fake.row.frame_instruction, at);
    marked->watermark.agreed = 1;
    look(marked);
    assert_true(marked->cache.frames[marked->cache.count - 1].place == at);
    assert_int_equal(marked->watermark.mark, mark);
    marked->watermark.agreed = COMPARED_WITHIN;
    look(marked);
    assert_int_not_equal(marked->watermark.mark, mark);
}

static void a_mark_saves_the_long_way(void **state)
{
    (void)state;
    for_each_row(the_long_way_is_short);
}

static void writes_nothing_at_first(struct marked *marked)
{
    for (unsigned i = 0; i < 20; i++) {
        look(marked);
        assert_int_equal(*field(marked, marked->newest), TM_WATERMARK_RUNS);
        assert_int_equal(marked->watermark.state, TM_WATERMARK_WATCHES);
    }
}

static void watches_first(void **state)
{
    (void)state;
    for_each_row(writes_nothing_at_first);
}

static void believes_nothing_yet(struct marked *marked)
{
    unsigned tried = 0;
    for (unsigned i = 0; i < EVENTS && marked->watermark.state != TM_WATERMARK_ON; i++) {
        enter(marked);
        look(marked);
        leave(marked);
        look(marked);
        look(marked);
        if (marked->watermark.state == TM_WATERMARK_TRIES) {
            tried++;
            assert_int_equal(marked->watermark.mark, TM_WATERMARK_NONE);
            assert_true(*field(marked, marked->newest) < TM_WATERMARK_RUNS);
        }
    }
    assert_int_equal(marked->watermark.state, TM_WATERMARK_ON);
    assert_true(tried > 100);
}

static void tries_before_it_believes(void **state)
{
    (void)state;
    for_each_row(believes_nothing_yet);
}

static void older_frames_are_not_read(struct marked *marked)
{
    come_to_believe(marked);
    assert_true(try(marked));
    change_bottom(marked);
    assert_true(try(marked));                           /* proves that they were not read */
    *field(marked, marked->newest) = TM_WATERMARK_RUNS; /* it was suspended and runs on */
    assert_false(try(marked));
    look(marked);
    assert_true(try(marked));
    assert_int_equal(marked->watermark.state, TM_WATERMARK_ON);
}

static void a_mark_saves_the_comparison(void **state)
{
    (void)state;
    for_each_row(older_frames_are_not_read);
}

static void goes_on_without_look(struct marked *marked)
{
    come_to_believe(marked);
    int32_t first = marked->watermark.mark;
    *field(marked, marked->newest) = TM_WATERMARK_RUNS; /* it called what allocated nothing */
    assert_true(try(marked));
    assert_int_not_equal(marked->watermark.mark, first);
    assert_int_equal(*field(marked, marked->newest), marked->watermark.mark);
}

static void a_lost_mark_is_renewed(void **state)
{
    (void)state;
    for_each_row(goes_on_without_look);
}

static void depths_stay(struct marked *marked)
{
    come_to_believe(marked);
    *field(marked, marked->newest) = 0; /* the interpreter is about to read it */
    assert_true(try(marked));
    assert_int_equal(*field(marked, marked->newest), 0);
    look(marked);
    assert_int_equal(*field(marked, marked->newest), 0);
    assert_int_equal(marked->watermark.mark, TM_WATERMARK_NONE);
    change_bottom(marked);
    assert_false(try(marked));
}

static void never_writes_over_a_depth(void **state)
{
    (void)state;
    for_each_row(depths_stay);
}

static void told_of_an_event(struct marked *marked)
{
    come_to_believe(marked);
    enter(marked);
    fake_int(marked->fake.tstate, marked->fake.row.tstate_event, marked->fake.row.event_none + 2);
    look(marked);
    assert_int_equal(*field(marked, marked->newest), TM_WATERMARK_RUNS);
    assert_true(try(marked));
    assert_int_equal(*field(marked, marked->newest), TM_WATERMARK_RUNS);
    change_bottom(marked); /* as the setter of f_lineno does then */
    assert_false(try(marked));
}

static void no_mark_while_lines_can_be_set(void **state)
{
    (void)state;
    for_each_row(told_of_an_event);
}

static void a_wrong_mark(struct marked *marked)
{
    come_to_believe(marked);
    change_bottom(marked);
    for (unsigned i = 0; i < COMPARED_WITHIN; i++) {
        look(marked);
    }
    assert_int_equal(marked->watermark.state, TM_WATERMARK_GIVEN_UP);
    assert_non_null(marked->watermark.fault);
    assert_int_equal(*field(marked, marked->newest), TM_WATERMARK_RUNS);
    for (unsigned i = 0; i < EVENTS; i++) {
        look(marked);
        assert_true(try(marked));
        assert_int_equal(*field(marked, marked->newest), TM_WATERMARK_RUNS);
    }
    assert_int_equal(marked->watermark.state, TM_WATERMARK_GIVEN_UP);
}

static void gives_up_when_a_mark_was_wrong(void **state)
{
    (void)state;
    for_each_row(a_wrong_mark);
}

static void a_foreign_mark(struct marked *marked)
{
    come_to_believe(marked);
    enter(marked);
    *field(marked, marked->newest) = marked->watermark.last - 1;
    look(marked);
    assert_int_equal(marked->watermark.state, TM_WATERMARK_GIVEN_UP);
    assert_int_equal(*field(marked, marked->newest), marked->watermark.last - 1);
}

static void gives_up_when_others_mark(void **state)
{
    (void)state;
    for_each_row(a_foreign_mark);
}

static void another_meaning(struct marked *marked)
{
    *field(marked, marked->newest) = 1 << 30; /* the half of a pointer */
    look(marked);
    assert_int_equal(marked->watermark.state, TM_WATERMARK_GIVEN_UP);
    assert_int_equal(*field(marked, marked->newest), 1 << 30);
}

static void declines_another_field(void **state)
{
    (void)state;
    for_each_row(another_meaning);
}

static void never_seen_running(struct marked *marked)
{
    *field(marked, marked->newest) = 2;
    for (unsigned i = 0; i < 100 * EVENTS && marked->watermark.state == TM_WATERMARK_WATCHES; i++) {
        look(marked);
    }
    assert_int_equal(marked->watermark.state, TM_WATERMARK_GIVEN_UP);
    assert_int_equal(*field(marked, marked->newest), 2);
}

static void declines_what_it_never_saw(void **state)
{
    (void)state;
    for_each_row(never_seen_running);
}

static void all_marks_were_used(struct marked *marked)
{
    come_to_believe(marked);
    marked->watermark.last = TM_WATERMARK_NONE + 2;
    *field(marked, marked->newest) = TM_WATERMARK_RUNS;
    look(marked);
    assert_int_equal(marked->watermark.mark, TM_WATERMARK_NONE + 1);
    *field(marked, marked->newest) = TM_WATERMARK_RUNS;
    look(marked);
    assert_int_equal(marked->watermark.mark, TM_WATERMARK_RUNS - 1);
    enter(marked);
    *field(marked, marked->newest) = -1000; /* may be an old one now */
    look(marked);
    assert_int_equal(marked->watermark.state, TM_WATERMARK_ON);
    assert_int_equal(*field(marked, marked->newest), marked->watermark.mark);
}

static void begins_anew_after_the_last_mark(void **state)
{
    (void)state;
    for_each_row(all_marks_were_used);
}

static void lifted(struct marked *marked)
{
    come_to_believe(marked);
    tm_watermark_lift(&marked->watermark);
    change_bottom(marked);
    assert_false(try(marked));
    look(marked); /* compares nothing with a mark that was lifted */
    assert_int_equal(marked->watermark.state, TM_WATERMARK_ON);
    assert_true(try(marked));
}

static void means_nothing_once_lifted(void **state)
{
    (void)state;
    for_each_row(lifted);
}

/* A frame that was marked waits below others and runs again with its old mark, which is not the cache's any more. */
static void old_marks(struct marked *marked)
{
    come_to_believe(marked);
    uintptr_t waits = marked->newest;
    int32_t old = *field(marked, waits);
    enter(marked);
    *field(marked, waits) = old; /* called through C */
    look(marked);
    set_newest(marked, waits);
    assert_false(try(marked));
    look(marked);
    assert_true(marked->watermark.mark < old);
    assert_int_equal(*field(marked, waits), marked->watermark.mark);
}

static void old_marks_mean_nothing(void **state)
{
    (void)state;
    for_each_row(old_marks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_where_nothing_is_tested),
        cmocka_unit_test(stands_where_nothing_is_tested),
        cmocka_unit_test(a_lost_mark_is_for_the_long_way),
        cmocka_unit_test(other_rows_have_none),
        cmocka_unit_test(watches_first),
        cmocka_unit_test(tries_before_it_believes),
        cmocka_unit_test(a_mark_saves_the_comparison),
        cmocka_unit_test(a_mark_saves_the_long_way),
        cmocka_unit_test(gives_up_at_the_first_while_it_tries),
        cmocka_unit_test(a_lost_mark_is_renewed),
        cmocka_unit_test(never_writes_over_a_depth),
        cmocka_unit_test(no_mark_while_lines_can_be_set),
        cmocka_unit_test(gives_up_when_a_mark_was_wrong),
        cmocka_unit_test(gives_up_when_others_mark),
        cmocka_unit_test(declines_another_field),
        cmocka_unit_test(declines_what_it_never_saw),
        cmocka_unit_test(begins_anew_after_the_last_mark),
        cmocka_unit_test(means_nothing_once_lifted),
        cmocka_unit_test(old_marks_mean_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
