/* SPDX-License-Identifier: MIT */
/* Options that say which traces count. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tm-report/option_groups.h"

static bool parse_domain(uint32_t *domains, const char *name, size_t length)
{
    enum tm_domain domain;
    if (tm_domain_find(name, length, &domain)) {
        *domains |= TM_DOMAIN_BIT(domain);
    } else if (length == strlen("python") && memcmp(name, "python", length) == 0) {
        *domains |= TM_DOMAINS_PYTHON;
    } else if (length == strlen("all") && memcmp(name, "all", length) == 0) {
        *domains |= TM_DOMAINS_HEAP;
    } else {
        (void)fprintf(stderr,
                      "tm-report: --domain has '%.*s', but can have raw, mem, obj, native, mmap, python or all\n",
                      (int)length, name);
        return false;
    }
    return true;
}

static bool take_domains(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    for (;;) {
        size_t length = strcspn(text, ",");
        if (!parse_domain(&options->domains, text, length)) {
            return false;
        }
        if (text[length] == '\0') {
            return true;
        }
        text += length + 1;
    }
}

/* The letter says which: small for the most recent frame, i for inclusive, none for functions. */
static bool init_filter(struct tm_filter *filter, char letter, const char *text)
{
    if (letter == '\0') {
        return tm_filter_init_function(filter, text);
    }
    return tm_filter_init(filter, text, letter == 'i' || letter == 'I', letter == 'I' || letter == 'X');
}

static bool take_filter(struct tm_options *options, const struct tm_option *option, const char *text)
{
    struct tm_filter *filters = realloc(options->filters, (options->filter_count + 1) * sizeof *filters);
    if (filters == NULL) {
        (void)fputs("tm-report: out of memory\n", stderr);
        return false;
    }
    options->filters = filters;
    if (!init_filter(&filters[options->filter_count], option->letter, text)) {
        (void)fputs("tm-report: out of memory\n", stderr);
        return false;
    }
    options->filter_count++;
    return true;
}

static bool take_since_fork(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    (void)text;
    options->since_fork = true;
    return true;
}

static const struct tm_option filter[] = {
    {'i', "include", "PATTERN[:LINE]", NULL,
     "count only traces whose most recent frame matches; several: any of them. Patterns: * ? [seq] [!seq], matched "
     "against the whole file name",
     take_filter},
    {'x', "exclude", "PATTERN[:LINE]", NULL, "leave out traces whose most recent frame matches", take_filter},
    {'I', "include-all-frames", "PATTERN[:LINE]", NULL, "as --include, with any frame of the traceback", take_filter},
    {'X', "exclude-all-frames", "PATTERN[:LINE]", NULL, "as --exclude, with any frame of the traceback", take_filter},
    {'\0', "function", "PATTERN", NULL,
     "of these, only traces whose most recent frame is in such a function (by its qualified name, as Class.method); "
     "several: any of them",
     take_filter},
    {'d', "domain", "LIST", NULL,
     "raw, mem, obj, native, mmap; python: the first three; all: the first four. Default: all in reports for people; "
     "python in diffs, JSON and --style=tracemalloc",
     take_domains},
};
TM_OPTION_GROUP(tm_filter_options, "Traces that count", filter);

static const struct tm_option since_fork[] = {
    {'\0', "since-fork", NULL, NULL, "of a forked process, only blocks that it got itself and did not inherit",
     take_since_fork},
};
TM_OPTION_GROUP(tm_fork_options, "Traces that count", since_fork);
