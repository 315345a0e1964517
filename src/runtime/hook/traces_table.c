/* SPDX-License-Identifier: MIT */
#include "runtime/hook/traces_table.h"

#include <stddef.h>
#include <string.h>

#include "runtime/hook/real_libc.h"
#include "runtime/track/runtime.h"

/* _Py_hashtable_t of 3.9 to 3.12. */
struct table {
    unsigned long entries;
    unsigned long buckets;
    void *bucket_array;
    tm_traces_lookup *get_entry;
    void *hash;
    void *compare;
    void *destroy_key;
    void *destroy_value;
    void *allocator[2];
};

/* _Py_hashtable_t of 3.8. */
struct sized_table {
    unsigned long buckets;
    unsigned long entries;
    void *bucket_array;
    unsigned long key_size;
    unsigned long data_size;
    tm_traces_lookup *hash;
    void *compare;
    void *allocator[2];
};

/* pointer_t of 3.8, packed. */
enum { BLOCK_AT = 0, DOMAIN_AT = 8, KEY_SIZE = 12, DATA_SIZE = 16 };

#define MOST_TABLES 16U

static struct {
    void *(*malloc)(size_t size);
    void *tables[MOST_TABLES];
    size_t sizes[MOST_TABLES];
    unsigned count;
} caught;

static void *catch_tables(size_t size)
{
    void *block = caught.malloc(size);
    if (block != NULL && (size == sizeof(struct table) || size == sizeof(struct sized_table)) &&
        caught.count < MOST_TABLES) {
        caught.tables[caught.count] = block;
        caught.sizes[caught.count++] = size;
    }
    return block;
}

void tm_traces_table_catch(void)
{
    caught.count = 0;
    caught.malloc = tm_real.malloc;
    tm_real.malloc = catch_tables;
}

/* The one that is keyed by addresses and owns its values. */
static bool is_traces(const struct table *table)
{
    const struct tm_cpython *python = tm_runtime_python();
    const void *hash = tm_cpython_symbol(python, "_Py_hashtable_hash_ptr");
    const void *compare = tm_cpython_symbol(python, "_Py_hashtable_compare_direct");
    return hash != NULL && table->hash == hash && table->compare == compare && table->destroy_key == NULL &&
           table->destroy_value != NULL && table->get_entry != NULL;
}

/* The only one whose keys have a domain. */
static bool is_sized_traces(const struct sized_table *table)
{
    return table->key_size == KEY_SIZE && table->data_size == DATA_SIZE && table->hash != NULL &&
           table->compare != NULL;
}

static bool describe(void *block, size_t size, struct tm_traces_table *table)
{
    if (size == sizeof(struct table) && is_traces(block)) {
        *table = (struct tm_traces_table){block, &((struct table *)block)->get_entry, false};
        return true;
    }
    if (size == sizeof(struct sized_table) && is_sized_traces(block)) {
        *table = (struct tm_traces_table){block, &((struct sized_table *)block)->hash, true};
        return true;
    }
    return false;
}

bool tm_traces_table_found(struct tm_traces_table *table)
{
    unsigned found = 0;
    tm_real.malloc = caught.malloc;
    for (unsigned i = 0; i < caught.count; i++) {
        found += describe(caught.tables[i], caught.sizes[i], table);
    }
    if (found != 1) {
        memset(table, 0, sizeof *table);
    }
    return found == 1;
}

uintptr_t tm_traces_table_block(const struct tm_traces_table *table, const void *asked, const void *key)
{
    uintptr_t block;
    unsigned domain;
    if (asked != table->address) {
        return 0;
    }
    if (!table->key_is_read) {
        return (uintptr_t)key;
    }
    memcpy(&block, (const unsigned char *)key + BLOCK_AT, sizeof block);
    memcpy(&domain, (const unsigned char *)key + DOMAIN_AT, sizeof domain);
    return domain == 0 ? block : 0;
}
