/* SPDX-License-Identifier: MIT */
#include "base/status.h"

struct status_words {
    const char *message;
    const char *remedy;
};

#define STATUS_WORDS(name, message, remedy) [TM_STATUS_##name] = {message, remedy},
static const struct status_words words[] = {TM_STATUS_MAP(STATUS_WORDS)};
#undef STATUS_WORDS

static const struct status_words *words_of(enum tm_status status)
{
    static const struct status_words unknown = {"unknown status", ""};
    return (unsigned)status < (unsigned)TM_STATUS_COUNT ? &words[status] : &unknown;
}

const char *tm_status_message(enum tm_status status)
{
    return words_of(status)->message;
}

const char *tm_status_remedy(enum tm_status status)
{
    return words_of(status)->remedy;
}
