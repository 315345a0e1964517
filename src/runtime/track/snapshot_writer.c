/* SPDX-License-Identifier: MIT */
#include "runtime/track/snapshot_writer.h"

#include <errno.h>
#include <string.h>

#include "runtime/os/lent_pages.h"
#include "runtime/os/os_call.h"
#include "runtime/os/os_file.h"
#include "runtime/os/os_memory.h"
#include "runtime/os/os_message.h"
#include "runtime/os/os_process.h"
#include "runtime/track/block_list.h"
#include "runtime/track/memory_facts.h"
#include "runtime/track/output_path.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/store_words.h"
#include "store/snapshot_encode.h"

#define ATTEMPTS 1000U   /* names of parts */
#define NAMES    100000U /* of snapshots: in a container each run has the same pid, and series grow long */
#define FACTS    (8U + TM_MEMORY_FACTS)

static void *get_pages(size_t size)
{
    return tm_pages_map(size);
}

static const struct tm_encode_memory pages = {get_pages, tm_pages_unmap};

static struct tm_encode_fact text_fact(const char *key, const char *text)
{
    return (struct tm_encode_fact){.key = key, .text = text, .length = strlen(text)};
}

static struct tm_encode_fact number_fact(const char *key, uint64_t number)
{
    return (struct tm_encode_fact){.key = key, .number = number};
}

static const char *frames_word(const struct tm_runtime *runtime)
{
    if (!runtime->python_is_found) {
        return "none";
    }
    return runtime->layout != NULL ? "read" : runtime->layout_is_decided ? "unsupported" : "none";
}

/* _exit may be called by a signal handler, also by one that interrupted malloc while it held a lock. */
static bool may_ask_libc(const struct tm_runtime *runtime)
{
    return runtime->exit_moment == NULL || strcmp(runtime->exit_moment, "_exit") != 0;
}

/* A snapshot under its temporary name. */
struct part {
    char *name; /* TM_PATH_CAPACITY bytes */
    struct tm_file_identity *identity;
    int status; /* of the last write */
};

/* Full disks and file size limits show before the write, not as a signal.  The descriptor is the program's number: not
 * kept from one write to the next. */
static int write_at(const struct part *part, const void *bytes, size_t size, uint64_t offset)
{
    int descriptor = tm_file_reopen(part->name, part->identity);
    if (descriptor < 0) {
        return descriptor;
    }
    int status = tm_file_allocate(descriptor, offset, size);
    if (status == 0) {
        status = tm_file_write_at(descriptor, bytes, size, offset);
    }
    tm_file_close(descriptor);
    return status;
}

static int sync_part(const struct part *part)
{
    int descriptor = tm_file_reopen(part->name, part->identity);
    if (descriptor < 0) {
        return descriptor;
    }
    int status = tm_file_sync(descriptor);
    tm_file_close(descriptor);
    return status;
}

/* Where the section of blocks goes. */
struct block_place {
    struct part *part;
    uint64_t offset;
};

static bool put_blocks(void *context, const void *bytes, size_t size, uint64_t offset)
{
    struct block_place *place = context;
    place->part->status = write_at(place->part, bytes, size, place->offset + offset);
    return place->part->status == 0;
}

static enum tm_encode_result write_blocks(void *context, const struct tm_selection *selection, uint64_t offset,
                                          struct tm_section *section, uint64_t *left_out)
{
    struct block_place place = {context, offset};
    struct tm_block_section blocks;
    if (!tm_block_section_begin(&blocks, &pages, put_blocks, &place)) {
        return TM_ENCODE_NO_MEMORY;
    }
    bool had_memory = tm_block_list_add(&blocks, selection, left_out);
    *left_out += blocks.left_out;
    enum tm_encode_result result = tm_block_section_end(&blocks, section);
    return had_memory ? result : TM_ENCODE_NO_MEMORY;
}

struct encoded {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
};

/* BLOCKS may be NULL. */
static int encode(const char *moment, struct tm_encode_blocks *blocks, struct encoded *encoded)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_store_view view;
    struct tm_encode_fact facts[FACTS];
    unsigned count = 0;
    facts[count++] = number_fact("time_ns", tm_process_time_ns());
    facts[count++] = text_fact("moment", moment);
    facts[count++] = text_fact("start_moment", runtime->start_moment);
    facts[count++] = text_fact("python_frames", frames_word(runtime));
    tm_lent_pages_sweep();
    count = tm_memory_facts_add(facts, count, may_ask_libc(runtime));
    facts[count++] = text_fact("store", runtime->store.in_file ? "file" : "memory");
    tm_store_words_refresh();
    runtime->told_failures = tm_os_failures().count;
    if (runtime->exit_moment != NULL) {
        facts[count++] = text_fact("exit_moment", runtime->exit_moment);
    }
    tm_store_view_init(&view, runtime->store.header, runtime->store.sections);
    enum tm_encode_result result = tm_snapshot_encode_with(&view, blocks, facts, count, &pages, &encoded->bytes,
                                                           &encoded->size, &encoded->capacity);
    return result == TM_ENCODE_DONE ? 0 : result == TM_ENCODE_NO_MEMORY ? -ENOMEM : -EIO;
}

/* A name beside PATH that no living writer uses. */
static bool temporary_name(const char *path, unsigned attempt, char *to, size_t capacity)
{
    struct tm_text text;
    tm_text_init(&text, to, capacity);
    tm_text_add(&text, path);
    tm_text_add(&text, ".");
    tm_text_add_unsigned(&text, tm_process_thread_id());
    if (attempt > 1) {
        tm_text_add_char(&text, '-');
        tm_text_add_unsigned(&text, attempt);
    }
    tm_text_add(&text, ".part");
    return !text.truncated;
}

/* A file of that name may be left from a process that was killed while writing: in containers all have the same ids. */
static int create_part(const char *path, char *temporary, struct tm_file_identity *identity)
{
    int descriptor = -EEXIST;
    for (unsigned attempt = 1; descriptor == -EEXIST && attempt <= ATTEMPTS; attempt++) {
        if (!temporary_name(path, attempt, temporary, TM_PATH_CAPACITY)) {
            return -ENAMETOOLONG;
        }
        descriptor = tm_file_create(temporary, identity);
    }
    return descriptor;
}

static int write_encoded(const struct part *part, const struct encoded *encoded, const struct tm_encode_blocks *blocks)
{
    size_t before = blocks == NULL ? encoded->size : (size_t)blocks->offset;
    int status = write_at(part, encoded->bytes, before, 0);
    if (status == 0 && before < encoded->size) {
        status = write_at(part, encoded->bytes + before, encoded->size - before, before + blocks->size);
    }
    return status;
}

/* The blocks go to the file while they are listed. */
static int fill_with_blocks(struct part *part, const char *moment)
{
    struct tm_encode_blocks blocks = {.write = write_blocks, .context = part};
    struct encoded encoded;
    int status = encode(moment, &blocks, &encoded);
    if (status != 0) {
        return part->status != 0 ? part->status : status;
    }
    status = write_encoded(part, &encoded, &blocks);
    pages.release(encoded.bytes, encoded.capacity);
    return status;
}

/* Makes a fresh temporary file beside PATH; ENCODED is NULL where it is to be made with blocks. */
static int fill_part(const char *path, struct part *part, const struct encoded *encoded, const char *moment, bool sync)
{
    int status = create_part(path, part->name, part->identity);
    if (status < 0) {
        return status;
    }
    tm_file_close(status);
    status = encoded == NULL ? fill_with_blocks(part, moment) : write_encoded(part, encoded, NULL);
    if (status == 0 && sync) {
        status = sync_part(part);
    }
    if (status != 0) {
        tm_file_remove(part->name, part->identity);
    }
    return status;
}

/* The present state in a temporary file beside PATH. */
static int write_part(const char *path, const char *moment, bool sync, bool blocks, struct part *part)
{
    struct encoded encoded;
    if (blocks) {
        return fill_part(path, part, NULL, moment, sync);
    }
    int status = encode(moment, NULL, &encoded);
    if (status == 0) {
        status = fill_part(path, part, &encoded, moment, sync);
        pages.release(encoded.bytes, encoded.capacity);
    }
    return status;
}

int tm_snapshot_write(const char *path, const char *moment, bool sync, bool blocks)
{
    char temporary[TM_PATH_CAPACITY];
    struct tm_file_identity identity;
    struct part part = {temporary, &identity, 0};
    int status = write_part(path, moment, sync, blocks || tm_runtime.config.blocks, &part);
    if (status == 0) {
        status = tm_file_rename(temporary, path, true);
        if (status != 0) {
            tm_file_remove(temporary, &identity);
        }
    }
    return status;
}

/* The first free name of the output pattern from number FIRST on, or the very one that the user named. */
static int rename_to_free(const char *temporary, unsigned first, bool may_replace, char *path)
{
    int status = -EEXIST;
    for (unsigned attempt = first; status == -EEXIST && attempt < first + NAMES; attempt++) {
        if (!tm_runtime_output_name(attempt, path, TM_PATH_CAPACITY)) {
            return -ENAMETOOLONG;
        }
        status = tm_file_rename(temporary, path, may_replace);
        if (status == 0 && tm_output_has_number(tm_runtime.output)) {
            tm_runtime.last_number = attempt;
        }
    }
    return status;
}

static int rename_numbered(const char *temporary, char *path)
{
    return rename_to_free(temporary, tm_runtime.last_number + 1, false, path);
}

static int rename_exit(const char *temporary, char *path)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (runtime->exit_path[0] != '\0') {
        memcpy(path, runtime->exit_path, sizeof runtime->exit_path);
        return tm_file_rename(temporary, path, true); /* this process's own, of an earlier life of its interpreter */
    }
    /* With a pid in its name the snapshot is its store's counterpart: what exec left may have that pid as well. */
    unsigned of_store = runtime->store_attempt > 1 && tm_output_has_pid(runtime->output) ? runtime->store_attempt : 1;
    bool has_number = tm_output_has_number(runtime->output); /* also where OUTPUT has none: see keep_paths */
    unsigned first = has_number ? runtime->last_number + 1 : of_store;
    bool may_replace = !has_number && runtime->config.output_is_fixed && runtime->pid == runtime->first_pid;
    int status = rename_to_free(temporary, first, may_replace, path);
    if (status == 0) {
        memcpy(runtime->exit_path, path, strlen(path) + 1);
    }
    return status;
}

/* RENAME gives the file its final name, which goes to its PATH. */
static int write_named(const char *moment, bool sync, int (*rename)(const char *temporary, char *path),
                       struct tm_file_identity *identity)
{
    static char path[TM_PATH_CAPACITY]; /* under the life lock */
    static char temporary[TM_PATH_CAPACITY];
    struct part part = {temporary, identity, 0};
    int status = tm_runtime_output_name(1, path, sizeof path)
                     ? write_part(path, moment, sync, tm_runtime.config.blocks, &part)
                     : -ENAMETOOLONG;
    if (status != 0) {
        return status;
    }
    status = rename(temporary, path);
    if (status != 0) {
        tm_file_remove(temporary, identity);
    } else if (tm_runtime.config.verbose) {
        tm_message("wrote ", path, NULL);
    }
    return status;
}

int tm_snapshot_write_numbered(const char *moment, struct tm_file_identity *identity)
{
    return write_named(moment, true, rename_numbered, identity);
}

int tm_snapshot_write_exit(const char *exit_moment)
{
    struct tm_file_identity identity;
    tm_runtime.exit_moment = exit_moment;
    int status = write_named("exit", false, rename_exit, &identity);
    if (status == 0) {
        tm_live_store_remove_file(&tm_runtime.store);
    }
    return status;
}
