/* SPDX-License-Identifier: MIT */
#include "runtime/track/tracer_words.h"

/* The block table is the one that is there in parts only: how much of it, a reader outside can see. */
static void publish_sparse(struct tm_store_header *header, const struct tm_block_table *blocks)
{
    uint64_t listed = atomic_load_explicit(&blocks->leaf_count, memory_order_relaxed);
    uint32_t count = atomic_load_explicit(&header->sparse_count, memory_order_relaxed);
    listed = listed < TM_STORE_SPARSE_MAX ? listed : TM_STORE_SPARSE_MAX;
    while (count < listed) {
        const tm_slot_half *leaf = atomic_load_explicit(&blocks->leaf_list[count], memory_order_relaxed);
        if (leaf == NULL) {
            break; /* counted, but not entered yet: the next time */
        }
        atomic_store_explicit(&header->sparse[count], (uintptr_t)leaf, memory_order_relaxed);
        atomic_store_explicit(&header->sparse_count, ++count, memory_order_release);
    }
}

size_t tm_tracer_whole_bytes(const struct tm_runtime *runtime)
{
    return tm_trace_cache_bytes(&runtime->cache) + tm_tallies_bytes() + tm_code_table_bytes(&runtime->codes) +
           tm_code_table_bytes(&runtime->native.places) + tm_id_map_bytes(&runtime->strings.map) +
           tm_id_map_bytes(&runtime->frames.map) + tm_id_lists_bytes(&runtime->tracebacks.lists) +
           tm_id_lists_bytes(&runtime->records.lists) + tm_aging_bytes() + tm_map_table_bytes(&runtime->maps);
}

void tm_tracer_words_update(struct tm_runtime *runtime)
{
    struct tm_store_header *header = runtime->store.header;
    size_t whole = tm_tracer_whole_bytes(runtime) + tm_odd_block_table_bytes(&runtime->blocks.odd);
    atomic_store_explicit(&header->whole_bytes, whole, memory_order_relaxed);
    atomic_store_explicit(&header->sparse_size, tm_block_table_leaf_bytes(&runtime->blocks), memory_order_relaxed);
    publish_sparse(header, &runtime->blocks);
}
