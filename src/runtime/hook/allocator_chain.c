/* SPDX-License-Identifier: MIT */
#include "runtime/hook/allocator_chain.h"

#define LONGEST_CHAIN 8U

/* The state of the debug hooks of one domain: debug_alloc_api_t of Objects/obmalloc.c. */
struct debug_context {
    uintptr_t letter; /* a char and its padding in static, zeroed memory */
    struct tm_cpython_allocator behind;
};

const struct tm_cpython_allocator *tm_allocator_behind_debug(const void *context)
{
    return &((const struct debug_context *)context)->behind;
}

enum tm_layer tm_allocator_layer(const struct tm_allocator_chain *chain, const struct tm_cpython_allocator *allocator,
                                 const struct tm_cpython_allocator **behind)
{
    const uintptr_t context = (uintptr_t)allocator->ctx;
    if (chain->is_ours(allocator)) {
        return TM_LAYER_OURS;
    }
    if (!tm_elf_range_holds(&chain->data, context) ||
        !tm_elf_range_holds(&chain->data, context + sizeof(struct debug_context) - 1)) {
        return TM_LAYER_PLAIN;
    }
    const unsigned char letter = *(const unsigned char *)context;
    if (*(const uintptr_t *)context == letter && (letter == 'r' || letter == 'm' || letter == 'o')) {
        *behind = tm_allocator_behind_debug(allocator->ctx);
        return TM_LAYER_DEBUG;
    }
    *behind = (const struct tm_cpython_allocator *)context;
    return (*behind)->malloc != NULL && (*behind)->free != NULL ? TM_LAYER_TRACEMALLOC : TM_LAYER_PLAIN;
}

const struct tm_cpython_allocator *tm_allocator_chain_ours(const struct tm_allocator_chain *chain,
                                                           const struct tm_cpython_allocator *top)
{
    for (unsigned i = 0; i < LONGEST_CHAIN; i++) {
        const struct tm_cpython_allocator *behind = NULL;
        enum tm_layer layer = tm_allocator_layer(chain, top, &behind);
        if (layer == TM_LAYER_OURS) {
            return top;
        }
        if (layer == TM_LAYER_PLAIN) {
            break;
        }
        top = behind;
    }
    return NULL;
}
