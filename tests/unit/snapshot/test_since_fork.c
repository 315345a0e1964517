/* SPDX-License-Identifier: MIT */
/* What a forked process got itself, from what it counted and what it inherited. */
#include "support/cmocka_include.h"

#include "report/snapshot/since_fork.h"
#include "report/snapshot/snapshot_load.h"
#include "report/snapshot/snapshot_totals.h"
#include "report/snapshot/symbolize.h"
#include "support/built_snapshot.h"
#include "support/snapshot_copy.h"

static const char text[] = "meta pid u64 12\n"
                           "meta forked_from u64 11\n"
                           "meta python_current u64 1000\n"
                           "meta python_peak u64 5000\n"
                           "meta live_bytes_obj u64 1000\n"
                           "meta peak_bound u64 64\n"
                           "meta program bytes worker.py\n"
                           "size obj 64 2 6\n"
                           "trace raw live=70/7 ever=90/9 | a.py:1\n"
                           "trace obj live=100/5 ever=300/15 temporary=3 python-peak=200/4 heap-peak=150/3 | a.py:1\n"
                           "trace obj live=40/4 ever=50/5 | a.py:2\n"
                           "trace obj live=0/0 ever=60/6 | a.py:3\n"
                           "trace mem live=8/1 ever=8/1 | b.py:1\n"
                           "inherited obj live=60/3 ever=100/5 temporary=1 | a.py:1\n"
                           "inherited obj live=40/4 ever=50/5 | a.py:2\n"
                           "inherited obj live=0/0 ever=10/1 | a.py:3\n";

static const struct tm_counter_record *counter_at(const struct tm_snapshot *s, uint32_t line, uint8_t domain)
{
    for (size_t i = 0; i < s->counter_count; i++) {
        const struct tm_counter_record *c = &s->counters[i];
        if (s->frames[s->tracebacks[c->traceback].frame].line == line && c->domain == domain) {
            return c;
        }
    }
    return NULL;
}

static void inherited_blocks_are_taken_out(void **state)
{
    (void)state;
    struct tm_snapshot *s = tm_built_snapshot(text);
    assert_true(tm_snapshot_was_forked(s));
    assert_false(s->is_since_fork);
    assert_true(tm_snapshot_make_since_fork(s));
    assert_true(s->is_since_fork);
    assert_u64_equal(s->counter_count, 4); /* of a.py:2 nothing is its own */
    const struct tm_counter_record *c = counter_at(s, 1, TM_DOMAIN_OBJ);
    assert_u64_equal(c->live_bytes, 40);
    assert_u64_equal(c->live_blocks, 2);
    assert_u64_equal(c->ever_bytes, 200);
    assert_u64_equal(c->ever_blocks, 10);
    assert_u64_equal(c->temporary_blocks, 2);
    assert_u64_equal(c->peak_python_bytes + c->peak_python_blocks + c->peak_heap_bytes + c->peak_heap_blocks, 0);
    assert_u64_equal(counter_at(s, 1, TM_DOMAIN_RAW)->live_bytes, 70);
    assert_u64_equal(counter_at(s, 3, TM_DOMAIN_OBJ)->ever_blocks, 5);
    assert_null(counter_at(s, 2, TM_DOMAIN_OBJ));
    tm_snapshot_free(s);
}

static void facts_of_all_blocks_are_not_those_of_some(void **state)
{
    (void)state;
    struct tm_snapshot *s = tm_built_snapshot(text);
    assert_true(tm_snapshot_make_since_fork(s));
    assert_u64_equal(tm_snapshot_traced_python(s).current, 70 + 40 + 8);
    assert_u64_equal(tm_snapshot_domain_total(s, TM_DOMAIN_OBJ).live_bytes, 40);
    assert_u64_equal(tm_snapshot_number(s, "peak_bound", 0), 0);
    assert_u64_equal(tm_snapshot_number(s, "pid", 0), 12);
    assert_u64_equal(tm_snapshot_bytes(s, "program").length, 9);
    assert_u64_equal(s->size_count, 0);
    tm_snapshot_free(s);
}

static void only_a_forked_process_inherits(void **state)
{
    (void)state;
    struct tm_snapshot *s = tm_built_snapshot("meta pid u64 12\ntrace obj live=1/1 ever=1/1 | a.py:1\n");
    assert_false(tm_snapshot_was_forked(s));
    tm_snapshot_free(s);
    s = tm_built_snapshot("meta forked_from u64 1\ntrace obj live=1/1 ever=1/1 | a.py:1\n"); /* with empty hands */
    assert_true(tm_snapshot_was_forked(s));
    assert_true(tm_snapshot_make_since_fork(s));
    assert_u64_equal(s->counter_count, 1);
    tm_snapshot_free(s);
}

/* One that is copied as a file has it all again. */
static void what_was_inherited_is_written_again(void **state)
{
    (void)state;
    size_t size;
    struct tm_fault fault;
    struct tm_snapshot *copy, *s = tm_built_snapshot(text);
    uint8_t *bytes = tm_snapshot_copy(s, &size);
    assert_int_equal(tm_snapshot_load(bytes, size, &copy, &fault), TM_STATUS_OK);
    assert_u64_equal(copy->inherited_count, 3);
    assert_memory_equal(copy->inherited, s->inherited, 3 * sizeof *copy->inherited);
    tm_snapshot_free(copy);
    tm_snapshot_free(s);
    free(bytes);
}

/* A file that has all there can be, and all is done with it that can be: machine frames are looked up none the less. */
static void names_are_looked_up_in_what_remains(void **state)
{
    (void)state;
    struct tm_snapshot *s = tm_built_snapshot("meta forked_from u64 11\n"
                                              "module /nowhere/libfast.so.2 00ff\n"
                                              "size native 64 2 6\n"
                                              "trace native live=100/5 ever=300/15 | /nowhere/libfast.so.2+0x1234\n"
                                              "inherited native live=60/3 ever=100/5 | /nowhere/libfast.so.2+0x1234\n"
                                              "blocks\n");
    assert_u64_equal(s->native_count, 1);
    assert_true(s->has_blocks);
    assert_true(tm_snapshot_make_since_fork(s));
    assert_true(tm_snapshot_symbolize(s, NULL));
    assert_true(s->symbol_notes.length > 0); /* there is no such file */
    assert_in_range(s->buffer_count, 1, TM_SNAPSHOT_BUFFERS);
    tm_snapshot_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inherited_blocks_are_taken_out),
        cmocka_unit_test(facts_of_all_blocks_are_not_those_of_some),
        cmocka_unit_test(only_a_forked_process_inherits),
        cmocka_unit_test(what_was_inherited_is_written_again),
        cmocka_unit_test(names_are_looked_up_in_what_remains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
