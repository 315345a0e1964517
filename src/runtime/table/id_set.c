/* SPDX-License-Identifier: MIT */
#include "runtime/table/id_set.h"

#include "runtime/os/os_memory.h"

#define FIRST_WORDS 512U /* a page */

/* For COUNT words at least. */
static bool make_room(struct tm_id_set *set, size_t count)
{
    size_t wanted = set->word_count == 0 ? FIRST_WORDS : set->word_count;
    while (wanted < count) {
        wanted *= 2;
    }
    if (wanted == set->word_count) {
        return true;
    }
    uint64_t *words = set->words == NULL
                          ? tm_pages_map(wanted * sizeof *words)
                          : tm_pages_grow(set->words, set->word_count * sizeof *words, wanted * sizeof *words);
    if (words == NULL) {
        return false;
    }
    set->words = words;
    set->word_count = wanted;
    return true;
}

bool tm_id_set_add_beyond(struct tm_id_set *set, uint32_t id)
{
    return make_room(set, id / 64 + 1) && tm_id_set_add(set, id);
}

void tm_id_set_remove(struct tm_id_set *set, uint32_t id)
{
    if (tm_id_set_has(set, id)) {
        set->words[id / 64] &= ~(UINT64_C(1) << (id % 64));
        set->count--;
    }
}

uint32_t tm_id_set_next(const struct tm_id_set *set, uint32_t from)
{
    size_t at = from / 64;
    if (set->count == 0 || at >= set->word_count) {
        return 0;
    }
    uint64_t word = set->words[at] & (UINT64_MAX << (from % 64));
    while (word == 0) {
        if (++at == set->word_count) {
            return 0;
        }
        word = set->words[at];
    }
    return (uint32_t)(at * 64 + (unsigned)__builtin_ctzll(word));
}

bool tm_id_set_move(struct tm_id_set *set, struct tm_id_set *from)
{
    bool done = from->count == 0 || make_room(set, from->word_count);
    size_t count = done ? from->word_count : set->word_count;
    for (size_t i = 0; i < count && i < from->word_count && from->count != 0; i++) {
        set->count += (uint32_t)__builtin_popcountll(from->words[i] & ~set->words[i]);
        from->count -= (uint32_t)__builtin_popcountll(from->words[i]);
        set->words[i] |= from->words[i];
        from->words[i] = 0;
    }
    return done;
}

void tm_id_set_free(struct tm_id_set *set)
{
    if (set->words != NULL) {
        tm_pages_unmap(set->words, tm_id_set_bytes(set));
    }
    *set = (struct tm_id_set){NULL, 0, 0};
}

void tm_free_ids_begin_round(struct tm_free_ids *ids)
{
    (void)!tm_id_set_move(&ids->ready, &ids->resting); /* what does not fit rests on */
    ids->at = 0;
    ids->barren = 0;
}

void tm_free_ids_put(struct tm_free_ids *ids, uint32_t id)
{
    (void)!tm_id_set_add(&ids->resting, id);
}

uint32_t tm_free_ids_take_one(struct tm_free_ids *ids, uint32_t above)
{
    if (ids->barren != 0 && above + 1 >= ids->barren) {
        return 0; /* or each chain that has none would look through all of the set again */
    }
    uint32_t from = (ids->at > above ? ids->at : above) + 1;
    uint32_t id = tm_id_set_next(&ids->ready, from);
    if (id == 0 && from != above + 1) {
        id = tm_id_set_next(&ids->ready, above + 1);
    }
    if (id != 0) {
        tm_id_set_remove(&ids->ready, id);
        ids->at = id;
    } else {
        ids->barren = above + 1;
    }
    return id;
}
