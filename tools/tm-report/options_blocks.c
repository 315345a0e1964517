/* SPDX-License-Identifier: MIT */
/* Options that say which single blocks are shown. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tm-report/option_groups.h"

/* Digits alone are decimal: an address is copied from a debugger, or it is Python's id(). */
static bool take_block(struct tm_options *options, const struct tm_option *option, const char *text)
{
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = is_hex ? text + 2 : text;
    size_t length = strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789");
    errno = 0;
    options->block = strtoull(digits, NULL, is_hex ? 16 : 10);
    options->block_given = true;
    if (length > 0 && digits[length] == '\0' && errno == 0) {
        return true;
    }
    (void)fprintf(stderr, "tm-report: --%s is '%s', but is an address like 0x7f3a10000040, or a number\n", option->name,
                  text);
    return false;
}

static bool take_largest(struct tm_options *options, const struct tm_option *option, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != '\0') {
        (void)fprintf(stderr, "tm-report: --%s is '%s', but is a number of blocks (0: all)\n", option->name, text);
        return false;
    }
    size_t limit = (size_t)strtoull(text, NULL, 10);
    options->largest = true;
    options->from_end = false;
    options->limit = limit > 0 ? limit : SIZE_MAX;
    options->limit_given = true;
    return true;
}

static const struct tm_option block[] = {
    {'\0', "block", "ADDRESS", NULL,
     "only the block in which ADDRESS (0x..., or decimal as id() says it) lies, with its whole traceback", take_block},
    {'\0', "largest", "N", NULL, "the N largest blocks, largest first; 0: all", take_largest},
};
TM_OPTION_GROUP(tm_block_options, "Rows", block);
