/* SPDX-License-Identifier: MIT */
/* A set of ids: one bit each, private memory, grown as ids are added.  All zero is the empty set.
 *
 * Threads  the caller's lock.   errno  kept.   Errors  add: false without memory, the set unchanged. */
#ifndef TM_RUNTIME_TABLE_ID_SET_H
#define TM_RUNTIME_TABLE_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct tm_id_set {
    uint64_t *words;
    size_t word_count;
    uint32_t count;
};

TM_INLINE bool tm_id_set_has(const struct tm_id_set *set, uint32_t id)
{
    return id / 64 < set->word_count && (set->words[id / 64] >> (id % 64) & 1) != 0;
}

/* tm_id_set_add where the set has to grow. */
TM_CHECKED bool tm_id_set_add_beyond(struct tm_id_set *set, uint32_t id);

TM_CHECKED TM_INLINE bool tm_id_set_add(struct tm_id_set *set, uint32_t id)
{
    if (TM_UNLIKELY(id / 64 >= set->word_count)) {
        return tm_id_set_add_beyond(set, id);
    }
    uint64_t *word = &set->words[id / 64];
    set->count += (*word >> (id % 64) & 1) == 0;
    *word |= UINT64_C(1) << (id % 64);
    return true;
}

void tm_id_set_remove(struct tm_id_set *set, uint32_t id);

/* The smallest id of the set that is FROM or more; 0 (never looked for) when there is none. */
uint32_t tm_id_set_next(const struct tm_id_set *set, uint32_t from);

/* Calls VISIT with DATA for each id of the set from 1 on, the smallest first, while that answers true; false when it
 * did not. VISIT does not change the set. */
TM_CHECKED TM_INLINE bool tm_id_set_visit(const struct tm_id_set *set, bool (*visit)(void *data, uint32_t id),
                                          void *data)
{
    for (size_t at = 0; at < set->word_count; at++) {
        for (uint64_t word = set->words[at]; word != 0; word &= word - 1) {
            if (!visit(data, (uint32_t)(at * 64 + (unsigned)__builtin_ctzll(word)))) {
                return false;
            }
        }
    }
    return true;
}

/* Moves all of FROM into SET.  False without memory: what fits is moved. */
TM_CHECKED bool tm_id_set_move(struct tm_id_set *set, struct tm_id_set *from);

void tm_id_set_free(struct tm_id_set *set);

TM_INLINE size_t tm_id_set_bytes(const struct tm_id_set *set)
{
    return set->word_count * sizeof *set->words;
}

/* Ids that were given back, to be given out again.  Readers outside may still be looking at what they were: they are
 * given out in the second round after the one in which they came back. */
struct tm_free_ids {
    struct tm_id_set ready;
    struct tm_id_set resting;
    uint32_t at;     /* where the last one was found */
    uint32_t barren; /* no ready id is this or more; 0: not known */
};

/* Another round begins. */
void tm_free_ids_begin_round(struct tm_free_ids *ids);

/* ID comes back.  Without memory it is lost. */
void tm_free_ids_put(struct tm_free_ids *ids, uint32_t id);

/* tm_free_ids_take where there are some. */
uint32_t tm_free_ids_take_one(struct tm_free_ids *ids, uint32_t above);

/* An id above ABOVE, taken out; 0: none. */
TM_INLINE uint32_t tm_free_ids_take(struct tm_free_ids *ids, uint32_t above)
{
    return TM_LIKELY(ids->ready.count == 0) ? 0 : tm_free_ids_take_one(ids, above);
}

TM_INLINE bool tm_free_ids_have(const struct tm_free_ids *ids, uint32_t id)
{
    return tm_id_set_has(&ids->ready, id) || tm_id_set_has(&ids->resting, id);
}

TM_INLINE uint32_t tm_free_ids_count(const struct tm_free_ids *ids)
{
    return ids->ready.count + ids->resting.count;
}

TM_INLINE size_t tm_free_ids_bytes(const struct tm_free_ids *ids)
{
    return tm_id_set_bytes(&ids->ready) + tm_id_set_bytes(&ids->resting);
}

#endif
