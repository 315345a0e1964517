/* SPDX-License-Identifier: MIT */
#include "runtime/table/odd_block_table.h"

#include "base/hash.h"
#include "runtime/os/os_memory.h"

#define FIRST_CAPACITY 128U

static size_t home(const struct tm_odd_block_table *table, uintptr_t address)
{
    return (size_t)tm_hash_word(address) & (table->capacity - 1);
}

/* The place of ADDRESS, or the free place where it would go.  The table has a free place. */
static struct tm_odd_block *probe(const struct tm_odd_block_table *table, uintptr_t address)
{
    size_t at = home(table, address);
    while (table->places[at].address != 0 && table->places[at].address != address) {
        at = (at + 1) & (table->capacity - 1);
    }
    return &table->places[at];
}

static bool grow(struct tm_odd_block_table *table)
{
    struct tm_odd_block_table larger = {.capacity = table->capacity == 0 ? FIRST_CAPACITY : table->capacity * 2};
    larger.places = tm_pages_map(larger.capacity * sizeof *larger.places);
    if (larger.places == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->places[i].address != 0) {
            *probe(&larger, table->places[i].address) = table->places[i];
        }
    }
    if (table->places != NULL) {
        tm_pages_unmap(table->places, table->capacity * sizeof *table->places);
    }
    table->places = larger.places;
    table->capacity = larger.capacity;
    return true;
}

bool tm_odd_block_table_put(struct tm_odd_block_table *table, uintptr_t address, uint32_t word, uint64_t size)
{
    bool done = false;
    tm_lock_take(&table->lock);
    if (table->count * 4 < table->capacity * 3 || grow(table)) {
        struct tm_odd_block *place = probe(table, address);
        table->count += place->address == 0;
        *place = (struct tm_odd_block){address, size, word, 0};
        done = true;
    }
    tm_lock_release(&table->lock);
    return done;
}

/* Closes the gap at AT: later entries of the same run move up where their home allows. */
static void remove_at(struct tm_odd_block_table *table, size_t at)
{
    size_t mask = table->capacity - 1;
    size_t next = at;
    for (;;) {
        next = (next + 1) & mask;
        if (table->places[next].address == 0) {
            break;
        }
        size_t wanted = home(table, table->places[next].address);
        if (((next - wanted) & mask) >= ((next - at) & mask)) {
            table->places[at] = table->places[next];
            at = next;
        }
    }
    table->places[at].address = 0;
    table->count--;
}

static bool look(const struct tm_odd_block_table *table, uintptr_t address, uint32_t *word, uint64_t *size)
{
    if (table->count == 0) {
        return false;
    }
    const struct tm_odd_block *place = probe(table, address);
    if (place->address == 0) {
        return false;
    }
    *word = place->word;
    *size = place->size;
    return true;
}

bool tm_odd_block_table_take(struct tm_odd_block_table *table, uintptr_t address, uint32_t *word, uint64_t *size)
{
    tm_lock_take(&table->lock);
    bool known = look(table, address, word, size);
    if (known) {
        remove_at(table, (size_t)(probe(table, address) - table->places));
    }
    tm_lock_release(&table->lock);
    return known;
}

bool tm_odd_block_table_find(const struct tm_odd_block_table *table, uintptr_t address, uint32_t *word, uint64_t *size)
{
    struct tm_lock *lock = (struct tm_lock *)&table->lock;
    tm_lock_take(lock);
    bool known = look(table, address, word, size);
    tm_lock_release(lock);
    return known;
}

uintptr_t tm_odd_block_table_start_below(const struct tm_odd_block_table *table, uintptr_t address, uint64_t reach)
{
    struct tm_lock *lock = (struct tm_lock *)&table->lock;
    uintptr_t best = 0;
    tm_lock_take(lock);
    for (size_t i = 0; i < table->capacity; i++) {
        uintptr_t start = table->places[i].address;
        if (start != 0 && start <= address && address - start <= reach && start > best) {
            best = start;
        }
    }
    tm_lock_release(lock);
    return best;
}

size_t tm_odd_block_table_copy(const struct tm_odd_block_table *table, struct tm_odd_block *to, size_t capacity)
{
    struct tm_lock *lock = (struct tm_lock *)&table->lock;
    size_t copied = 0;
    tm_lock_take(lock);
    for (size_t i = 0; i < table->capacity && copied < capacity; i++) {
        if (table->places[i].address != 0) {
            to[copied++] = table->places[i];
        }
    }
    size_t count = table->count;
    tm_lock_release(lock);
    return count;
}

size_t tm_odd_block_table_bytes(const struct tm_odd_block_table *table)
{
    struct tm_lock *lock = (struct tm_lock *)&table->lock;
    tm_lock_take(lock);
    size_t bytes = table->capacity * sizeof *table->places;
    tm_lock_release(lock);
    return bytes;
}
