/* SPDX-License-Identifier: MIT */
#include "runtime/table/arena_table.h"

#include "runtime/os/os_memory.h"

#define TABLE_BYTES (TM_ARENA_MAX * sizeof(struct tm_arena))

static struct tm_arena *places_of(struct tm_arena_table *table)
{
    struct tm_arena *places = atomic_load_explicit(&table->arenas, memory_order_acquire);
    struct tm_arena *made = places == NULL ? tm_pages_map_sparse(TABLE_BYTES) : NULL;
    if (made != NULL) {
        if (atomic_compare_exchange_strong(&table->arenas, &places, made)) {
            return made;
        }
        tm_pages_unmap_sparse(made, TABLE_BYTES);
    }
    return places;
}

static void raise_used(struct tm_arena_table *table, uint32_t used)
{
    uint32_t before = atomic_load(&table->used);
    while (before < used && !atomic_compare_exchange_weak(&table->used, &before, used)) {
    }
}

void tm_arena_table_add(struct tm_arena_table *table, uintptr_t address, size_t size)
{
    struct tm_arena *places = places_of(table);
    atomic_fetch_add(&table->count, 1);
    atomic_fetch_add(&table->bytes, size);
    for (uint32_t i = atomic_load(&table->lowest); places != NULL && i < TM_ARENA_MAX; i++) {
        uintptr_t none = 0;
        if (atomic_compare_exchange_strong(&places[i].address, &none, address)) {
            atomic_store(&places[i].size, size);
            atomic_store(&table->lowest, i + 1);
            raise_used(table, i + 1);
            return;
        }
    }
}

void tm_arena_table_remove(struct tm_arena_table *table, uintptr_t address, size_t size)
{
    struct tm_arena *places = atomic_load_explicit(&table->arenas, memory_order_acquire);
    uint32_t used = atomic_load(&table->used);
    atomic_fetch_sub(&table->count, 1);
    atomic_fetch_sub(&table->bytes, size);
    for (uint32_t i = 0; places != NULL && i < used; i++) {
        if (atomic_load_explicit(&places[i].address, memory_order_relaxed) == address) {
            atomic_store(&places[i].size, 0);
            atomic_store(&places[i].address, 0);
            if (i < atomic_load(&table->lowest)) {
                atomic_store(&table->lowest, i);
            }
            return;
        }
    }
}

size_t tm_arena_table_resident(const struct tm_arena_table *table)
{
    struct tm_arena *places = atomic_load_explicit(&table->arenas, memory_order_acquire);
    uint32_t used = atomic_load(&table->used);
    size_t resident = 0;
    for (uint32_t i = 0; places != NULL && i < used; i++) {
        uintptr_t address = atomic_load(&places[i].address);
        size_t size = atomic_load(&places[i].size);
        if (address != 0 && size != 0) {
            /* By address alone: an arena that goes meanwhile is not read, only asked for. */
            resident += tm_pages_resident((const void *)(address & ~(uintptr_t)(TM_PAGE_SIZE - 1)), size);
        }
    }
    return resident;
}
