/* SPDX-License-Identifier: MIT */
#include "runtime/hook/python_words.h"

#include "runtime/hook/code_operands.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/track/runtime.h"

#define WORDS_NEAR 128U

const uintptr_t tm_python_no_word;

struct search {
    const struct tm_python_hook *const *tops;
    const struct tm_python_hook *hooks;
    const struct tm_elf_range *data;
};

static unsigned count_missing(const struct search *search)
{
    unsigned missing = TM_PYTHON_DOMAINS;
    for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
        const uintptr_t *word = tm_python_doors[domain].word;
        missing -= word != TM_PYTHON_NO_WORD && *word == (uintptr_t)search->tops[domain];
    }
    return missing;
}

/* It points to no hook of ours, nor into the MiB after the first. */
TM_INLINE bool is_far(const struct search *search, uintptr_t word)
{
    return (word - (uintptr_t)search->hooks) >> 20 != 0;
}

static void learn(const struct search *search, const uintptr_t *word)
{
    if (is_far(search, *word)) {
        return;
    }
    for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
        if (*word == (uintptr_t)search->tops[domain] &&
            tm_python_is_ours((const struct tm_cpython_allocator *)(const void *)word)) {
            tm_python_doors[domain].word = word;
        }
    }
}

static const uintptr_t *aligned(uintptr_t place)
{
    return (const uintptr_t *)((place + sizeof place - 1) & ~(uintptr_t)(sizeof place - 1));
}

/* Behind the last word from which on a whole allocator has room. */
static const uintptr_t *end_of(const struct search *search)
{
    return (const uintptr_t *)(search->data->high - sizeof(struct tm_cpython_allocator)) + 1;
}

/* PLACE is a domain's record, or the start of the structure that holds the three. */
static bool learn_near(uintptr_t place, void *context)
{
    const struct search *search = context;
    const uintptr_t *end = end_of(search);
    const uintptr_t *word = aligned(place);
    for (unsigned i = 0; i < WORDS_NEAR && word + i < end; i++) {
        learn(search, word + i);
    }
    return count_missing(search) > 0;
}

/* That may be a megabyte and more, and each page of it is touched. */
static void learn_from_all(const struct search *search)
{
    const uintptr_t *end = end_of(search);
    const uintptr_t *word = aligned(search->data->low);
    for (; word + 4 <= end; word += 4) {
        if (!is_far(search, word[0]) || !is_far(search, word[1]) || !is_far(search, word[2]) ||
            !is_far(search, word[3])) { /* hardly ever */
            for (unsigned i = 0; i < 4; i++) {
                learn(search, word + i);
            }
        }
    }
    for (; word < end; word++) {
        learn(search, word);
    }
}

void tm_python_words_find(const struct tm_python_hook *const tops[TM_PYTHON_DOMAINS],
                          const struct tm_python_hook *hooks, const struct tm_elf_range *code,
                          const struct tm_elf_range *data)
{
    struct search search = {tops, hooks, data};
    if (count_missing(&search) == 0) {
        return;
    }
    for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
        tm_python_doors[domain].word = TM_PYTHON_NO_WORD;
    }
    tm_code_operands_visit((uintptr_t)tm_runtime_python()->get_allocator, code, data, learn_near, &search);
    if (count_missing(&search) > 0) {
        learn_from_all(&search);
    }
}
