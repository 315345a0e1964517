/* SPDX-License-Identifier: MIT */
#include "base/config.h"

#include <signal.h>
#include <string.h>

#include "base/config_options.h"
#include "base/edit_distance.h"
#include "base/size_value.h"
#include "base/text.h"
#include "base/time_value.h"

#define TEMPORARY     "TMPDIR="
#define PREFIX        "TRACEMALLOC_"
#define ORIGIN        "TRACEMALLOC_ORIGIN="
#define PREFIX_LENGTH (sizeof PREFIX - 1)

static bool parse_nframe(struct tm_config *config, const char *value)
{
    uint64_t number;
    if (!tm_text_to_unsigned(value, TM_TRACEBACK_LIMIT_MAX, &number) || number == 0) {
        return false;
    }
    config->traceback_limit = (uint32_t)number;
    return true;
}

/* Letters that may follow a percent sign: see output_path.h. */
static bool parse_output(struct tm_config *config, const char *value)
{
    config->output_is_fixed = true;
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '%') {
            at++;
            if (*at == '\0' || strchr("pnthe%", *at) == NULL) {
                return false;
            }
            config->output_is_fixed &= *at == '%';
        }
    }
    config->output = value;
    config->output_is_set = true;
    return *value != '\0';
}

static bool parse_store(struct tm_config *config, const char *value)
{
    config->store = value;
    return *value != '\0';
}

static bool parse_start(struct tm_config *config, const char *value)
{
    static const struct {
        const char *word;
        enum tm_start start;
    } words[] = {{"now", TM_START_NOW}, {"python", TM_START_PYTHON}, {"off", TM_START_OFF}};
    for (size_t i = 0; i < TM_COUNT_OF(words); i++) {
        if (strcmp(value, words[i].word) == 0) {
            config->start = words[i].start;
            return true;
        }
    }
    return false;
}

static bool parse_interval(struct tm_config *config, const char *value)
{
    return tm_time_value(value, &config->interval_s);
}

static bool parse_keep(struct tm_config *config, const char *value)
{
    uint64_t number = 0;
    bool is_all = strcmp(value, "all") == 0;
    if (!is_all && (!tm_text_to_unsigned(value, TM_KEEP_MAX, &number) || number == 0)) {
        return false;
    }
    config->keep = (uint32_t)number;
    return true;
}

static bool parse_threshold(struct tm_config *config, const char *value)
{
    return tm_size_value(value, &config->threshold) && config->threshold >= TM_THRESHOLD_MIN;
}

/* By name those that are not needed for ending, stopping or faults. */
static bool parse_signal(struct tm_config *config, const char *value)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {{"none", 0},     {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
                 {"HUP", SIGHUP}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH}};
    const char *name = strncmp(value, "SIG", 3) == 0 ? value + 3 : value;
    uint64_t number;
    for (size_t i = 0; i < TM_COUNT_OF(names); i++) {
        if (strcmp(name, names[i].name) == 0) {
            config->signal = names[i].number;
            return true;
        }
    }
    if (!tm_text_to_unsigned(value, TM_SIGNAL_LAST, &number) || number < TM_SIGNAL_FIRST) {
        return false;
    }
    config->signal = (int)number;
    return true;
}

static bool parse_follow(struct tm_config *config, const char *value)
{
    bool both = strcmp(value, "fork,exec") == 0 || strcmp(value, "exec,fork") == 0;
    config->follow_fork = both || strcmp(value, "fork") == 0;
    config->follow_exec = both || strcmp(value, "exec") == 0;
    return config->follow_fork || config->follow_exec || strcmp(value, "none") == 0;
}

static bool parse_switch(const char *value, bool *to)
{
    *to = value[0] == '1';
    return (value[0] == '0' || value[0] == '1') && value[1] == '\0';
}

static bool parse_exact(struct tm_config *config, const char *value)
{
    return parse_switch(value, &config->exact);
}

static bool parse_native(struct tm_config *config, const char *value)
{
    bool is_on = false;
    if (strcmp(value, "native") == 0) {
        config->native = TM_NATIVE_LIBC;
        return true;
    }
    bool is_switch = parse_switch(value, &is_on);
    config->native = is_on ? TM_NATIVE_ALL : TM_NATIVE_OFF;
    return is_switch;
}

/* Where the ends are: below, most blocks are sampled and it costs more than recording all; above, nothing is seen. */
#define SAMPLE_MIN (UINT64_C(1) << 10)
#define SAMPLE_MAX (UINT64_C(1) << 30)

static bool parse_sample(struct tm_config *config, const char *value)
{
    return tm_size_value(value, &config->sample_rate) &&
           (config->sample_rate == 0 || (config->sample_rate >= SAMPLE_MIN && config->sample_rate <= SAMPLE_MAX));
}

#define MEMORY_LIMIT_MIN (UINT64_C(8) << 20) /* what the tables take of a program that does little */

static bool parse_memory_limit(struct tm_config *config, const char *value)
{
    if (strcmp(value, "none") == 0) {
        config->memory_limit = 0;
        return true;
    }
    return tm_size_value(value, &config->memory_limit) && config->memory_limit >= MEMORY_LIMIT_MIN;
}

static bool parse_blocks(struct tm_config *config, const char *value)
{
    return parse_switch(value, &config->blocks);
}

static bool parse_watermark(struct tm_config *config, const char *value)
{
    return parse_switch(value, &config->watermark);
}

static bool parse_slow(struct tm_config *config, const char *value)
{
    return parse_switch(value, &config->slow);
}

static bool parse_verbose(struct tm_config *config, const char *value)
{
    return parse_switch(value, &config->verbose);
}

static const struct option {
    const char *name;
    bool (*parse)(struct tm_config *config, const char *value);
    const char *values;
} options[] = {
#define ROW(name, parse, initial, values, help) {#name, parse, values},
    TM_OPTION_MAP(ROW)
#undef ROW
};

static unsigned distance(const char *name, size_t length, const struct option *option)
{
    return tm_edit_distance(name, length, option->name, strlen(option->name));
}

static const struct option *nearest(const char *name, size_t length)
{
    const struct option *best = &options[0];
    for (size_t i = 1; i < TM_COUNT_OF(options); i++) {
        if (distance(name, length, &options[i]) < distance(name, length, best)) {
            best = &options[i];
        }
    }
    return best;
}

static void say_unknown(struct tm_text *text, const char *variable, size_t length)
{
    tm_text_add_bytes(text, variable, length);
    tm_text_add(text, " is not an option, the nearest is " PREFIX);
    tm_text_add(text, nearest(variable + PREFIX_LENGTH, length - PREFIX_LENGTH)->name);
}

static void say_wrong(struct tm_text *text, const struct option *option, const char *value)
{
    tm_text_add(text, PREFIX);
    tm_text_add(text, option->name);
    tm_text_add(text, "=");
    size_t shown = strnlen(value, 64);
    tm_text_add_bytes(text, value, shown);
    tm_text_add(text, value[shown] == '\0' ? " is not allowed, it takes " : "... is not allowed, it takes ");
    tm_text_add(text, option->values);
}

static bool read_one(struct tm_config *config, const char *variable, struct tm_text *message)
{
    const char *equals = strchr(variable, '=');
    if (equals == NULL) {
        return true;
    }
    if (strncmp(variable, ORIGIN, sizeof ORIGIN - 1) == 0) {
        return true; /* the library's own, left by a program that could not take it out: see runtime/track/origin.h */
    }
    size_t length = (size_t)(equals - variable);
    for (size_t i = 0; i < TM_COUNT_OF(options); i++) {
        const char *name = options[i].name;
        if (strlen(name) == length - PREFIX_LENGTH && memcmp(name, variable + PREFIX_LENGTH, strlen(name)) == 0) {
            if (options[i].parse(config, equals + 1)) {
                return true;
            }
            say_wrong(message, &options[i], equals + 1);
            return false;
        }
    }
    say_unknown(message, variable, length);
    return false;
}

bool tm_config_read(struct tm_config *config, char *const *environment, char *message, size_t capacity)
{
    struct tm_text text;
    tm_text_init(&text, message, capacity);
    *config = (struct tm_config){
        .traceback_limit = 1,
        .start = TM_START_NOW,
        .output = TM_OUTPUT_DEFAULT,
        .follow_fork = true,
        .follow_exec = true,
    };
    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, TEMPORARY, sizeof TEMPORARY - 1) == 0) {
            config->temporary_folder = *environment + sizeof TEMPORARY - 1;
        }
        if (strncmp(*environment, PREFIX, PREFIX_LENGTH) == 0 && !read_one(config, *environment, &text)) {
            return false;
        }
    }
    return true;
}
