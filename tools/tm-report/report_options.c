/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/report_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/size_value.h"
#include "report/snapshot/snapshot.h"
#include "tools/tm-report/usage_text.h"

#define LIMIT_DEFAULT 10U

enum long_only {
    OPTION_STDLIB_CUMULATIVE = 256,
    OPTION_INCLUDE_ALL,
    OPTION_EXCLUDE_ALL,
    OPTION_STYLE,
    OPTION_FORMAT,
    OPTION_COLOR,
    OPTION_TO,
    OPTION_NO_SOURCE,
    OPTION_ALL,
    OPTION_FAIL_IF_GROWTH,
    OPTION_FAIL_IF_PEAK,
    OPTION_FAIL_IF_LIVE,
    OPTION_PER_LINE
};

static const char short_options[] = ":g:cn:f:i:x:I:X:d:o:hV";
static const struct option long_options[] = {
    {"group-by", required_argument, NULL, 'g'},
    {"cumulative", no_argument, NULL, 'c'},
    {"stdlib-cumulative", no_argument, NULL, OPTION_STDLIB_CUMULATIVE},
    {"limit", required_argument, NULL, 'n'},
    {"figure", required_argument, NULL, 'f'},
    {"include", required_argument, NULL, 'i'},
    {"exclude", required_argument, NULL, 'x'},
    {"include-all-frames", required_argument, NULL, 'I'},
    {"exclude-all-frames", required_argument, NULL, 'X'},
    {"domain", required_argument, NULL, 'd'},
    {"style", required_argument, NULL, OPTION_STYLE},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"color", required_argument, NULL, OPTION_COLOR},
    {"to", required_argument, NULL, OPTION_TO},
    {"all", no_argument, NULL, OPTION_ALL},
    {"fail-if-growth", required_argument, NULL, OPTION_FAIL_IF_GROWTH},
    {"fail-if-peak", required_argument, NULL, OPTION_FAIL_IF_PEAK},
    {"fail-if-live", required_argument, NULL, OPTION_FAIL_IF_LIVE},
    {"per-line", no_argument, NULL, OPTION_PER_LINE},
    {"no-source", no_argument, NULL, OPTION_NO_SOURCE},
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* A word and what it stands for. */
struct word {
    const char *word;
    int value;
};

static const struct word group_words[] = {
    {"filename", TM_KEY_FILENAME}, {"lineno", TM_KEY_LINENO}, {"traceback", TM_KEY_TRACEBACK}, {NULL, 0}};
static const struct word figure_words[] = {
    {"live", TM_ASKED_LIVE}, {"peak", TM_ASKED_PEAK}, {"ever", TM_ASKED_EVER}, {NULL, 0}};
static const struct word style_words[] = {
    {"people", TM_STYLE_PEOPLE}, {"tracemalloc", TM_STYLE_TRACEMALLOC}, {NULL, 0}};
static const struct word format_words[] = {{"text", false}, {"json", true}, {NULL, 0}};
static const struct word color_words[] = {
    {"auto", TM_COLOR_AUTO}, {"always", TM_COLOR_ALWAYS}, {"never", TM_COLOR_NEVER}, {NULL, 0}};
static const struct word export_words[] = {{"json", TM_EXPORT_JSON},
                                           {"csv", TM_EXPORT_CSV},
                                           {"folded", TM_EXPORT_FOLDED},
                                           {"speedscope", TM_EXPORT_SPEEDSCOPE},
                                           {"pprof", TM_EXPORT_PPROF},
                                           {"pickle", TM_EXPORT_PICKLE},
                                           {NULL, 0}};
static const struct word command_words[] = {{"top", TM_COMMAND_TOP},
                                            {"diff", TM_COMMAND_DIFF},
                                            {"traceback", TM_COMMAND_TRACEBACK},
                                            {"stats", TM_COMMAND_STATS},
                                            {"export", TM_COMMAND_EXPORT},
                                            {"html", TM_COMMAND_HTML},
                                            {NULL, 0}};

static bool find_word(const struct word *words, const char *text, int *value)
{
    for (; words->word != NULL; words++) {
        if (strcmp(words->word, text) == 0) {
            *value = words->value;
            return true;
        }
    }
    return false;
}

static void print_choices(const struct word *words)
{
    for (size_t i = 0; words[i].word != NULL; i++) {
        const char *separator = i == 0 ? "" : words[i + 1].word == NULL ? " or " : ", ";
        (void)fprintf(stderr, "%s%s", separator, words[i].word);
    }
    (void)fputc('\n', stderr);
}

/* The value of one of WORDS, or a line on stderr and false. */
static bool parse_word(const char *option, const struct word *words, const char *text, int *value)
{
    if (find_word(words, text, value)) {
        return true;
    }
    (void)fprintf(stderr, "tm-report: --%s is '%s', but can be ", option, text);
    print_choices(words);
    return false;
}

static bool parse_limit(struct tm_options *options, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != '\0') {
        (void)fprintf(stderr, "tm-report: --limit is '%s', but is a number of rows (0: all)\n", text);
        return false;
    }
    size_t limit = (size_t)strtoull(text, NULL, 10);
    options->limit = limit > 0 ? limit : SIZE_MAX;
    options->limit_given = true;
    return true;
}

static bool parse_size_limit(struct tm_options *options, int option, const char *text)
{
    uint64_t *limit = option == OPTION_FAIL_IF_GROWTH ? &options->limits.growth
                      : option == OPTION_FAIL_IF_PEAK ? &options->limits.peak
                                                      : &options->limits.live;
    const char *name = option == OPTION_FAIL_IF_GROWTH ? "growth" : option == OPTION_FAIL_IF_PEAK ? "peak" : "live";
    options->limits_given = true;
    if (tm_size_value(text, limit)) {
        return true;
    }
    (void)fprintf(stderr, "tm-report: --fail-if-%s is '%s', but is a size like 512KiB, 10MiB or 1GiB\n", name, text);
    return false;
}

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

static bool parse_domains(uint32_t *domains, const char *text)
{
    for (;;) {
        size_t length = strcspn(text, ",");
        if (!parse_domain(domains, text, length)) {
            return false;
        }
        if (text[length] == '\0') {
            return true;
        }
        text += length + 1;
    }
}

static bool add_filter(struct tm_options *options, const char *text, bool inclusive, bool all_frames)
{
    struct tm_filter *filters = realloc(options->filters, (options->filter_count + 1) * sizeof *filters);
    if (filters == NULL) {
        (void)fputs("tm-report: out of memory\n", stderr);
        return false;
    }
    options->filters = filters;
    if (!tm_filter_init(&filters[options->filter_count], text, inclusive, all_frames)) {
        (void)fputs("tm-report: out of memory\n", stderr);
        return false;
    }
    options->filter_count++;
    return true;
}

/* Options whose value is one of a few words. */
static bool parse_choice(struct tm_options *options, int option, const char *text)
{
    int value = 0;
    bool good = false;
    switch (option) {
    case 'g':
        good = parse_word("group-by", group_words, text, &value);
        options->group_by = (enum tm_key_type)value;
        options->group_by_given = true;
        return good;
    case 'f':
        good = parse_word("figure", figure_words, text, &value);
        options->figure = (enum tm_asked_figure)value;
        return good;
    case OPTION_STYLE:
        good = parse_word("style", style_words, text, &value);
        options->style = (enum tm_style)value;
        return good;
    case OPTION_FORMAT:
        good = parse_word("format", format_words, text, &value);
        options->json = value != 0;
        return good;
    case OPTION_TO:
        good = parse_word("to", export_words, text, &value);
        options->to = (enum tm_export)value;
        return good;
    default:
        good = parse_word("color", color_words, text, &value);
        options->color = (enum tm_color)value;
        return good;
    }
}

static bool parse_option(struct tm_options *options, int option, const char *text)
{
    switch (option) {
    case 'c':
        options->cumulative = TM_CUMULATIVE_ONCE;
        return true;
    case OPTION_STDLIB_CUMULATIVE:
        options->cumulative = TM_CUMULATIVE_STDLIB;
        return true;
    case 'n':
        return parse_limit(options, text);
    case 'i':
    case 'I':
        return add_filter(options, text, true, option == 'I');
    case 'x':
    case 'X':
        return add_filter(options, text, false, option == 'X');
    case 'd':
        return parse_domains(&options->domains, text);
    case 'o':
        options->output = text;
        return true;
    case OPTION_NO_SOURCE:
        options->no_source = true;
        return true;
    case OPTION_FAIL_IF_GROWTH:
    case OPTION_FAIL_IF_PEAK:
    case OPTION_FAIL_IF_LIVE:
        return parse_size_limit(options, option, text);
    case OPTION_PER_LINE:
        options->limits.per_line = true;
        return true;
    case OPTION_ALL:
        options->all = true;
        return true;
    default:
        return parse_choice(options, option, text);
    }
}

static bool misused(const char *words)
{
    (void)fprintf(stderr, "tm-report: %s; see --help\n", words);
    return false;
}

static bool take_paths(struct tm_options *options, int count, char **arguments)
{
    int value = TM_COMMAND_NONE;
    if (count > 0 && find_word(command_words, arguments[0], &value)) {
        options->command = (enum tm_command)value;
        count--;
        arguments++;
    }
    if (options->command == TM_COMMAND_NONE) {
        options->command = count < 2 ? TM_COMMAND_TOP : TM_COMMAND_DIFF;
    }
    options->files = (const char *const *)arguments;
    options->file_count = (unsigned)count;
    if (options->command == TM_COMMAND_HTML) {
        return count > 0 || misused("html needs one snapshot or more");
    }
    int wanted = options->command == TM_COMMAND_DIFF ? 2 : 1;
    bool may_be_diff = options->to == TM_EXPORT_JSON || options->to == TM_EXPORT_CSV;
    if (options->command == TM_COMMAND_EXPORT && count == 2 && may_be_diff) {
        wanted = 2;
    }
    if (count != wanted) {
        return misused(wanted == 2 ? "a diff needs two snapshots, OLD and NEW" : "one snapshot is needed");
    }
    for (int i = 0; i < count; i++) {
        options->paths[options->path_count++] = arguments[i];
    }
    return true;
}

/* Formats whose content is tracebacks have no other grouping. */
static bool check_export(struct tm_options *options)
{
    bool has_rows = options->to == TM_EXPORT_JSON || options->to == TM_EXPORT_CSV;
    if ((options->command == TM_COMMAND_EXPORT) != (options->to != TM_EXPORT_NONE)) {
        return misused(options->to == TM_EXPORT_NONE
                           ? "export needs --to json, csv, folded, speedscope, pprof or pickle"
                           : "--to goes with the command export");
    }
    if (options->command == TM_COMMAND_EXPORT && !has_rows) {
        if (options->group_by_given || options->cumulative != TM_CUMULATIVE_OFF || options->limit_given) {
            return misused("--group-by, --cumulative and --limit go with --to json and csv");
        }
        options->group_by = TM_KEY_TRACEBACK;
    }
    if (options->to == TM_EXPORT_PPROF && options->figure != TM_ASKED_DEFAULT) {
        return misused("--to pprof has every figure, so no --figure");
    }
    if (options->command == TM_COMMAND_EXPORT && (options->json || options->style == TM_STYLE_TRACEMALLOC)) {
        return misused("export has --to, so no --format and no --style");
    }
    return true;
}

/* The page has every figure, grouping and filter in itself. */
static bool check_html(const struct tm_options *options)
{
    if (options->command != TM_COMMAND_HTML) {
        return !options->no_source || misused("--no-source goes with the command html");
    }
    if (options->group_by_given || options->cumulative != TM_CUMULATIVE_OFF || options->limit_given ||
        options->figure != TM_ASKED_DEFAULT || options->domains != 0 || options->filter_count > 0 || options->json ||
        options->style != TM_STYLE_PEOPLE) {
        return misused("html takes --output and --no-source only: the rest is chosen in the page");
    }
    if (options->output == NULL && isatty(STDOUT_FILENO)) {
        return misused("html needs -o FILE");
    }
    return true;
}

static bool check_limits(const struct tm_options *options)
{
    const struct tm_limits *limits = &options->limits;
    if (limits->per_line && limits->growth == UINT64_MAX) {
        return misused("--per-line goes with --fail-if-growth");
    }
    if (limits->per_line && options->cumulative != TM_CUMULATIVE_OFF) {
        return misused("--per-line counts each trace for one row, so no --cumulative");
    }
    if (options->limits_given && (options->command == TM_COMMAND_HTML || options->command == TM_COMMAND_STATS)) {
        return misused("--fail-if-growth, --fail-if-peak and --fail-if-live go with top, diff, traceback and export");
    }
    if (limits->growth != UINT64_MAX && options->path_count != 2) {
        return misused("--fail-if-growth needs two snapshots, OLD and NEW");
    }
    return true;
}

/* Options that do not go together. */
static bool check(struct tm_options *options)
{
    if (!check_export(options) || !check_html(options) || !check_limits(options)) {
        return false;
    }
    if (options->command == TM_COMMAND_TRACEBACK) {
        if (options->group_by_given && options->group_by != TM_KEY_TRACEBACK) {
            return misused("the command traceback groups by traceback");
        }
        options->group_by = TM_KEY_TRACEBACK;
    }
    if (options->cumulative != TM_CUMULATIVE_OFF && options->group_by == TM_KEY_TRACEBACK) {
        return misused("cumulative goes with --group-by filename or lineno");
    }
    if (options->json && options->style == TM_STYLE_TRACEMALLOC) {
        return misused("--format json has no --style");
    }
    if (options->path_count == 2 && strcmp(options->paths[0], "-") == 0 && strcmp(options->paths[1], "-") == 0) {
        return misused("standard input has one snapshot only");
    }
    if (!options->limit_given) {
        options->limit = options->json || options->command == TM_COMMAND_EXPORT ? SIZE_MAX : LIMIT_DEFAULT;
    }
    return true;
}

/* optopt is the letter of a short option, 0 for a long one that is not known. */
static enum tm_parsed unknown_option(int option, const char *argument)
{
    const char *words = option == ':'  ? "needs a value"
                        : optopt == 0  ? "is not known, or short for several"
                        : optopt < 256 ? "is not known"
                                       : "takes no value";
    if (argument[0] == '-' && argument[1] != '-' && optopt > ' ' && optopt < 0x7F) {
        (void)fprintf(stderr, "tm-report: option -%c %s; see --help\n", optopt, words);
    } else {
        (void)fprintf(stderr, "tm-report: option %s %s; see --help\n", argument, words);
    }
    return TM_PARSED_EXIT_MISUSED;
}

enum tm_parsed tm_options_parse(struct tm_options *options, int count, char **arguments)
{
    memset(options, 0, sizeof *options);
    options->group_by = TM_KEY_LINENO;
    options->limits = TM_NO_LIMITS;
    opterr = 0;
    int option;
    enum tm_parsed parsed = TM_PARSED_RUN;
    while (parsed == TM_PARSED_RUN &&
           (option = getopt_long(count, arguments, short_options, long_options, NULL)) != -1) {
        if (option == 'h' || option == 'V') {
            (void)fputs(option == 'h' ? TM_USAGE_TEXT : "tm-report (libtracemalloc) " TM_VERSION "\n", stdout);
            parsed = TM_PARSED_EXIT_DONE;
        } else if (option == '?' || option == ':') {
            parsed = unknown_option(option, arguments[optind - 1]);
        } else if (!parse_option(options, option, optarg)) {
            parsed = TM_PARSED_EXIT_MISUSED;
        }
    }
    if (parsed == TM_PARSED_RUN && (!take_paths(options, count - optind, arguments + optind) || !check(options))) {
        parsed = TM_PARSED_EXIT_MISUSED;
    }
    return parsed;
}

void tm_options_free(struct tm_options *options)
{
    for (size_t i = 0; i < options->filter_count; i++) {
        tm_filter_free(&options->filters[i]);
    }
    free(options->filters);
}
