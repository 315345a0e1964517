/* SPDX-License-Identifier: MIT */
#include "runtime/track/runtime.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "runtime/os/os_memory.h"
#include "runtime/os/os_message.h"
#include "runtime/os/os_process.h"
#include "runtime/os/thread_state.h"
#include "runtime/track/event_log.h"
#include "runtime/track/output_path.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/sampler.h"
#include "runtime/track/store_file.h"
#include "runtime/track/store_words.h"

/* Our tables take 16 MiB of address space, and half as much for each 64 MiB in which blocks lie: where that is a good
 * part of what the process may have, it is the program that would run out. */
#define ROOM_MIN ((size_t)192 << 20)

void (*tm_runtime_check_hooks)(void);

bool tm_runtime_is_disabled(void)
{
    return tm_runtime.is_disabled;
}

void tm_runtime_disable(void)
{
    tm_runtime.is_disabled = true;
    tm_life_set(TM_LIFE_OFF);
}

const struct tm_config *tm_runtime_config(void)
{
    return &tm_runtime.config;
}

bool tm_runtime_has_native_of_python(void)
{
    return tm_runtime.native.is_ready && tm_runtime.config.native == TM_NATIVE_ALL;
}

bool tm_runtime_is_watched(void)
{
    return tm_due_is_wanted();
}

bool tm_runtime_owns_process(void)
{
    return tm_runtime.pid == tm_process_pid();
}

bool tm_runtime_borrows_memory(void)
{
    /* A child with a copy of the memory finds its page of life wiped. */
    return tm_life_now() != TM_LIFE_UNKNOWN && !tm_runtime_owns_process();
}

struct tm_cpython *tm_runtime_python(void)
{
    return &tm_runtime.python;
}

static bool expand_output(const struct tm_config *config, char *to, size_t capacity)
{
    char host[256];
    char program[TM_PATH_CAPACITY];
    /* Only what the pattern names is asked for: most have a pid alone. */
    struct tm_output_facts facts = {.host = host, .program = program, .time_ns = tm_process_time_ns()};
    if (tm_output_has(config->output, 'h')) {
        facts.host_length = tm_process_host(host, sizeof host);
    }
    if (tm_output_has(config->output, 'e')) {
        facts.program_length = tm_process_executable(program, sizeof program);
    }
    return tm_output_expand(config->output, &facts, to, capacity);
}

/* Where nobody chose a name and the current folder takes no files, they go to a temporary folder. */
static size_t choose_folder(struct tm_runtime *runtime, char *folder, size_t capacity)
{
    const char *const others[] = {runtime->config.temporary_folder, "/tmp"};
    const struct tm_origin *origin = &runtime->origin;
    if (origin->is_inherited && origin->folder_length < capacity) {
        memcpy(folder, origin->folder, origin->folder_length);
        return origin->folder_length;
    }
    size_t length = tm_process_folder(folder, capacity);
    if (runtime->config.output_is_set || tm_folder_takes_files(".")) {
        return length;
    }
    for (unsigned i = 0; i < TM_COUNT_OF(others); i++) {
        if (others[i] != NULL && others[i][0] == '/' && strlen(others[i]) < capacity &&
            tm_folder_takes_files(others[i])) {
            length = strlen(others[i]);
            memcpy(folder, others[i], length);
            runtime->folder_notice = "the current folder cannot be written to; the files go to ";
            return length;
        }
    }
    runtime->folder_notice = "neither the current folder nor TMPDIR and /tmp can be written to; nothing will be left "
                             "(TRACEMALLOC_OUTPUT names a place)";
    return length;
}

/* The environment's memory is the application's: setproctitle and others write over it. */
static bool keep_paths(struct tm_runtime *runtime)
{
    char folder[TM_PATH_CAPACITY];
    size_t length = choose_folder(runtime, folder, sizeof folder);
    memcpy(runtime->origin.folder, folder, length);
    runtime->origin.folder_length = length;
    char name[TM_PATH_CAPACITY];
    char expanded[TM_PATH_CAPACITY];
    if (!expand_output(&runtime->config, expanded, sizeof expanded) ||
        !tm_output_pattern(expanded, folder, length, runtime->output, sizeof runtime->output) ||
        !tm_output_name(runtime->output, tm_process_pid(), false, 1, name, sizeof name)) {
        return false;
    }
    if (tm_due_is_wanted()) {
        memcpy(expanded, runtime->output, sizeof expanded);
        if (!tm_output_add_number(expanded, runtime->output, sizeof runtime->output)) {
            return false;
        }
    }
    runtime->config.output = runtime->output;
    if (runtime->config.store == NULL) {
        return tm_output_folder(name, runtime->store_folder, sizeof runtime->store_folder);
    }
    if (strcmp(runtime->config.store, "none") == 0) {
        return true;
    }
    return tm_output_absolute(runtime->config.store, folder, length, runtime->store_folder,
                              sizeof runtime->store_folder);
}

/* Old releases hand out blocks at multiples of 8.  A look of its own: the doors find the interpreter for good. */
static unsigned block_alignment_bits(void)
{
    static struct tm_cpython probe;
    return tm_cpython_find(&probe) && probe.layout != NULL ? tm_cpython_layout_alignment_bits(probe.layout) : 4;
}

static bool make_tables(struct tm_runtime *runtime)
{
    unsigned granule_bits = block_alignment_bits();
    runtime->store.is_small = runtime->config.sample_rate != 0;
    bool done = tm_runtime_set_limit(runtime->config.traceback_limit) && tm_live_store_begin(&runtime->store) &&
                tm_block_table_init_at(&runtime->blocks, granule_bits, runtime->store.room) &&
                tm_trace_cache_init(&runtime->cache) && tm_string_table_init(&runtime->strings, &runtime->store) &&
                tm_frame_table_init(&runtime->frames, &runtime->store) &&
                tm_traceback_table_init(&runtime->tracebacks, &runtime->store) &&
                tm_record_table_init(&runtime->records, &runtime->store);
    runtime->base = (uintptr_t)runtime->records.records;
    return done;
}

/* Without memory for it there are no machine frames, and the snapshot does not speak of them. */
static void begin_native(struct tm_runtime *runtime)
{
    if (runtime->config.native != TM_NATIVE_OFF && tm_native_begin(&runtime->native)) {
        tm_runtime_say("native_frames", runtime->config.native == TM_NATIVE_ALL ? "all" : "native");
        tm_runtime_decide_quick();
    }
}

static void describe_process(struct tm_runtime *runtime)
{
    struct tm_store_header *header = runtime->store.header;
    struct tm_live_store *store = &runtime->store;
    char buffer[TM_PATH_CAPACITY];
    runtime->pid = tm_process_pid();
    runtime->first_pid = runtime->origin.is_inherited ? runtime->origin.first_pid : runtime->pid;
    header->pid = runtime->pid;
    header->parent_pid = tm_process_parent_pid();
    header->uid = tm_process_uid();
    header->traceback_limit = runtime->traceback_limit;
    header->start_time_ns = tm_process_time_ns();
    size_t boot_id_length = tm_process_boot_id(header->boot_id, sizeof header->boot_id);
    memset(header->boot_id + boot_id_length, 0, sizeof header->boot_id - boot_id_length); /* a newline */
    (void)tm_live_store_add_meta(store, "boot_id", header->boot_id, boot_id_length);
    (void)tm_live_store_add_meta(store, "program", buffer, tm_process_command(buffer, sizeof buffer));
    (void)tm_live_store_add_meta(store, "executable", buffer, tm_process_executable(buffer, sizeof buffer));
    (void)tm_live_store_add_meta(store, "cwd", buffer, tm_process_folder(buffer, sizeof buffer));
    (void)tm_live_store_add_meta(store, "host", buffer, tm_process_host(buffer, sizeof buffer));
    tm_runtime_say("library", TM_VERSION);
    if (runtime->config.blocks) {
        tm_runtime_say("blocks_asked", "1");
    }
}

/* Says why where there is an interpreter: a script starts a hundred programs that nobody wants to trace. */
static void refuse(const char *why)
{
    static struct tm_cpython probe;
    if (tm_cpython_find(&probe)) {
        tm_message(why, "; not tracing", NULL);
    }
    tm_runtime_disable();
}

/* The pages that a beginning reads and writes all over, two calls instead of a fault or two for each.  Between them is
 * what is of use when there are events. */
static void expect_beginning(struct tm_runtime *runtime)
{
    char *tables = (char *)&runtime->blocks.slot_shift;
    char *rest = (char *)&runtime->python;
    tm_pages_populate(tables, (size_t)((char *)&runtime->sampled_frames - tables));
    tm_pages_populate(rest, (size_t)((char *)(runtime + 1) - rest));
}

void tm_runtime_begin(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    char message[512];
    if (tm_process_is_secure()) {
        tm_runtime_disable();
        return;
    }
    expect_beginning(runtime);
    tm_origin_begin(&runtime->origin, environ);
    if (!tm_config_read(&runtime->config, environ, message, sizeof message)) {
        refuse(message);
        return;
    }
    if (!keep_paths(runtime)) {
        refuse("TRACEMALLOC_OUTPUT or TRACEMALLOC_STORE is longer than a path may be");
        return;
    }
    if (tm_pages_room() < ROOM_MIN) {
        refuse("ulimit -v or -d leaves the process less than 192 MiB");
        return;
    }
    runtime->recycled = "none";
    runtime->start_moment = "process";
    if (!make_tables(runtime)) {
        refuse("there is no memory for the tables (ulimit -v?)");
        return;
    }
    runtime->totals = &runtime->store.header->totals;
    describe_process(runtime);
    tm_store_words_begin();
    begin_native(runtime);
    runtime->sampled_epoch = UINT32_MAX;
    if (runtime->config.sample_rate != 0) {
        tm_sampler_begin(runtime->config.sample_rate, tm_process_time_ns() ^ ((uint64_t)runtime->pid << 32), 0);
    }
    tm_budget_begin();
    tm_pages_wipe_on_fork(&tm_life_page, sizeof tm_life_page);
    runtime->start_is_pending = runtime->config.start == TM_START_PYTHON;
    tm_due_begin();
    tm_event_log_begin();
    tm_life_set(runtime->config.start == TM_START_NOW ? TM_LIFE_TRACING : TM_LIFE_STOPPED);
}

/* "3.11.7", or "3.14.0rc2" */
static void describe_version(uint32_t version, char *buffer, size_t capacity)
{
    static const char *const levels[] = {[0xA] = "a", [0xB] = "b", [0xC] = "rc"};
    uint32_t level = (version >> 4) & 0xF;
    struct tm_text text;
    tm_text_init(&text, buffer, capacity);
    tm_text_add_unsigned(&text, version >> 24);
    tm_text_add_char(&text, '.');
    tm_text_add_unsigned(&text, (version >> 16) & 0xFF);
    tm_text_add_char(&text, '.');
    tm_text_add_unsigned(&text, (version >> 8) & 0xFF);
    if (level < TM_COUNT_OF(levels) && levels[level] != NULL) {
        tm_text_add(&text, levels[level]);
        tm_text_add_unsigned(&text, version & 0xF);
    }
}

/* One line on stderr, and a word for the store. */
static void tell_watermark(const char *word, const char *why)
{
    char line[128];
    struct tm_text text;
    tm_text_init(&text, line, sizeof line);
    tm_text_add(&text, word);
    tm_text_add(&text, ": ");
    tm_text_add(&text, why);
    tm_message("TRACEMALLOC_WATERMARK=1 is ", line, "; nothing is written into frames");
    tm_runtime_say("watermark", line);
}

void tm_runtime_decline_watermark(const char *why)
{
    struct tm_watermark *watermark = &tm_runtime.watermark;
    if (tm_runtime.config.watermark && watermark->fault == NULL) {
        watermark->state = TM_WATERMARK_OFF;
        watermark->fault = why;
        tm_watermark_lift(watermark);
        if (tm_runtime.python_is_found) { /* else it is told then: a process may have the library and not run it */
            tell_watermark("declined", why);
        }
    }
}

static void begin_watermark(struct tm_runtime *runtime)
{
    if (!tm_watermark_begin(&runtime->watermark, &runtime->python.row)) {
        tm_runtime_decline_watermark("this Python is not one of 3.11 to 3.13 with a GIL");
    } else if (runtime->config.sample_rate != 0) {
        tm_runtime_decline_watermark("not with TRACEMALLOC_SAMPLE");
    } else if (runtime->config.slow) {
        tm_runtime_decline_watermark("not with TRACEMALLOC_SLOW=1");
    }
}

bool tm_runtime_marks_frames(void)
{
    struct tm_watermark *watermark = &tm_runtime.watermark;
    if (tm_runtime.config.watermark && watermark->state == TM_WATERMARK_OFF && watermark->fault == NULL) {
        begin_watermark(&tm_runtime);
    }
    return watermark->state != TM_WATERMARK_OFF && watermark->state != TM_WATERMARK_GIVEN_UP;
}

void tm_runtime_watermark_has_changed(void)
{
    const struct tm_watermark *watermark = &tm_runtime.watermark;
    if (watermark->state == TM_WATERMARK_GIVEN_UP) {
        tell_watermark("given up", watermark->fault);
    } else if (watermark->state == TM_WATERMARK_ON) {
        tm_runtime_say("watermark", "on");
    }
}

void tm_runtime_python_found(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    char version[32];
    if (runtime->is_disabled || runtime->store.header == NULL || runtime->python_is_found) {
        return;
    }
    runtime->store.header->python_hex = runtime->python.version;
    describe_version(runtime->python.version, version, sizeof version);
    tm_runtime_say("python", version);
    runtime->free_threaded = runtime->python.free_threaded;
    if (runtime->python.layout == NULL) {
        runtime->layout_is_decided = true;
        tm_runtime_say("notes", runtime->python.refusal);
    }
    if (runtime->native.is_ready) {
        runtime->native.code = tm_eval_code_find(&runtime->python);
    }
    tm_tally_give_back(tm_thread_self()); /* what comes now is mostly under the GIL */
    bool is_declined = !tm_runtime_marks_frames() && runtime->config.watermark;
    tm_process_program(&runtime->program_begin, &runtime->program_end);
    runtime->python_is_found = true;
    tm_store_words_refresh();
    tm_runtime_decide_quick();
    if (is_declined) {
        tell_watermark("declined", runtime->watermark.fault);
    }
}

static void say_folder(const struct tm_runtime *runtime)
{
    if (runtime->folder_notice != NULL && runtime->pid == runtime->first_pid) {
        size_t length = strlen(runtime->folder_notice);
        char folder[TM_PATH_CAPACITY];
        bool is_named =
            runtime->folder_notice[length - 1] == ' ' && tm_output_folder(runtime->output, folder, sizeof folder);
        tm_message(runtime->folder_notice, is_named ? folder : NULL, NULL);
    }
}

/* A folder that somebody chose and nobody made: the end of the program, days later, is too late to hear of it. */
static void say_chosen_folder(const struct tm_runtime *runtime)
{
    char name[TM_PATH_CAPACITY];
    char folder[TM_PATH_CAPACITY];
    bool is_known = runtime->config.output_is_set && runtime->pid == runtime->first_pid &&
                    tm_output_name(runtime->output, runtime->pid, false, 1, name, sizeof name) &&
                    tm_output_folder(name, folder, sizeof folder);
    if (is_known && !tm_folder_takes_files(folder)) {
        tm_message("no snapshot can be written to the folder ", folder,
                   runtime->store.in_file ? " as it is now" : " as it is now, and a kill would leave nothing");
    }
}

static void say_malloc(const struct tm_runtime *runtime)
{
    if (runtime->outer_malloc != NULL && runtime->pid == runtime->first_pid) {
        tm_message("native blocks are not traced, malloc is that of ", runtime->outer_malloc,
                   " (LD_PRELOAD must name libtracemalloc.so before it)");
    }
}

/* What an interpreter's start writes all over: a fault would read each page, another one write it. */
static void expect_events(struct tm_runtime *runtime)
{
    if (runtime->sample_rate == 0) {
        tm_trace_cache_expect(&runtime->cache);
        tm_pages_populate(&runtime->blocks.shorts, sizeof runtime->blocks.shorts);
    }
}

void tm_runtime_python_begins(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_thread *thread = tm_thread_self();
    if (TM_LIKELY(runtime->python_has_begun) || runtime->is_disabled) {
        return;
    }
    if (tm_life_now() == TM_LIFE_UNKNOWN && !tm_life_recover()) {
        return;
    }
    thread->guard++;
    tm_lock_take(&runtime->life_lock);
    if (!runtime->python_has_begun) {
        runtime->python_has_begun = true;
        if (tm_life_now() >= TM_LIFE_TRACING) {
            tm_store_file_make();
            expect_events(runtime);
        }
        say_folder(runtime);
        say_chosen_folder(runtime);
        say_malloc(runtime);
    }
    tm_lock_release(&runtime->life_lock);
    thread->guard--;
}

void tm_runtime_room_changed(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_thread *thread = tm_thread_self();
    bool is_ours = runtime->store.header != NULL && !runtime->is_disabled && runtime->pid == tm_process_pid();
    if (is_ours && tm_life_now() != TM_LIFE_UNKNOWN) {
        thread->guard++;
        tm_live_store_fit(&runtime->store);
        thread->guard--;
    }
}

void tm_runtime_note_hooks(unsigned reinstalled, unsigned lost)
{
    struct tm_store_header *header = tm_runtime.store.header;
    if (header != NULL) {
        atomic_store_explicit(&header->hook_reinstallations, reinstalled, memory_order_relaxed);
        atomic_store_explicit(&header->hook_losses, lost, memory_order_relaxed);
    }
}

void tm_runtime_note_recycled(const char *how)
{
    tm_runtime.recycled = how;
    if (tm_life_now() != TM_LIFE_UNKNOWN) {
        tm_store_words_refresh();
    }
}

void tm_runtime_note_malloc(const char *path)
{
    tm_runtime.outer_malloc = path;
    if (path != NULL && tm_runtime.store.header != NULL) {
        tm_runtime_say("malloc", path);
    }
}

void tm_runtime_note_stdlib_tracing(void)
{
    if (tm_runtime.store.header != NULL) {
        atomic_store_explicit(&tm_runtime.store.header->stdlib_tracing, 1, memory_order_relaxed);
    }
}
