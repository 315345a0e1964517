/* SPDX-License-Identifier: MIT */
#include "runtime/hook/traces_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/hook/real_libc.h"

struct tm_real_libc tm_real; /* the doors' own is not linked here */

/* _Py_hashtable_t of 3.8 and what its key is. */
struct sized_table {
    unsigned long counts[2];
    void *buckets;
    unsigned long key_size;
    unsigned long data_size;
    tm_traces_lookup *hash;
    void *compare;
    void *allocator[2];
};

static uintptr_t lookup(void *table, const void *key)
{
    return (uintptr_t)table ^ (uintptr_t)key;
}

static struct sized_table *make_table(unsigned long key_size, unsigned long data_size)
{
    struct sized_table *table = tm_real.malloc(sizeof *table);
    assert_non_null(table);
    memset(table, 0, sizeof *table);
    table->key_size = key_size;
    table->data_size = data_size;
    table->hash = lookup;
    table->compare = table;
    return table;
}

static int use_libc(void **state)
{
    (void)state;
    tm_real.malloc = malloc;
    return 0;
}

static void the_table_with_domains_is_found(void **state)
{
    struct tm_traces_table found;
    (void)state;
    tm_traces_table_catch();
    struct sized_table *names = make_table(8, 0), *traces = make_table(12, 16);
    void *other = tm_real.malloc(sizeof *traces - 8);
    assert_true(tm_traces_table_found(&found));
    assert_ptr_equal(found.address, traces);
    assert_ptr_equal(found.lookup, &traces->hash);
    assert_true(found.key_is_read);
    assert_true(tm_real.malloc == malloc);
    free(names);
    free(traces);
    free(other);
}

static void none_or_two_are_not_taken(void **state)
{
    struct tm_traces_table found;
    (void)state;
    tm_traces_table_catch();
    struct sized_table *names = make_table(8, 16);
    assert_false(tm_traces_table_found(&found));
    assert_null(found.address);
    tm_traces_table_catch();
    struct sized_table *first = make_table(12, 16), *second = make_table(12, 16);
    assert_false(tm_traces_table_found(&found));
    assert_null(found.address);
    assert_true(tm_real.malloc == malloc);
    free(names);
    free(first);
    free(second);
}

static void only_blocks_of_the_interpreter_count(void **state)
{
    unsigned char key[12];
    char itself = 0, copy = 0;
    const uintptr_t block = 0x7f0012345670;
    unsigned domain = 0;
    struct tm_traces_table table = {&itself, NULL, true};
    (void)state;
    memcpy(key, &block, sizeof block);
    memcpy(key + sizeof block, &domain, sizeof domain);
    assert_int_equal(tm_traces_table_block(&table, &itself, key), block);
    assert_int_equal(tm_traces_table_block(&table, &copy, key), 0);
    domain = 389047;
    memcpy(key + sizeof block, &domain, sizeof domain);
    assert_int_equal(tm_traces_table_block(&table, &itself, key), 0);
    table.key_is_read = false;
    assert_int_equal(tm_traces_table_block(&table, &itself, &itself), (uintptr_t)&itself);
    assert_int_equal(tm_traces_table_block(&table, &copy, &itself), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_table_with_domains_is_found, use_libc),
        cmocka_unit_test_setup(none_or_two_are_not_taken, use_libc),
        cmocka_unit_test(only_blocks_of_the_interpreter_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
