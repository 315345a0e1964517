/* SPDX-License-Identifier: MIT */
#include "runtime/track/snapshot_writer.h"

#include <errno.h>
#include <string.h>

#include "runtime/os/os_file.h"
#include "runtime/os/os_message.h"
#include "runtime/os/os_process.h"
#include "runtime/track/block_list.h"
#include "runtime/track/output_path.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/snapshot_task.h"
#include "store/snapshot_encode.h"

#define ATTEMPTS 1000U   /* names of parts */
#define NAMES    100000U /* of snapshots: in a container each run has the same pid, and series grow long */

/* A snapshot under its temporary name. */
struct part {
    char *name; /* TM_PATH_CAPACITY bytes */
    struct tm_file_identity *identity;
    int status; /* of the last write */
};

/* Full disks and file size limits show before the write, not as a signal. */
static int write_to(int descriptor, const void *bytes, size_t size, uint64_t offset)
{
    int status = tm_file_allocate(descriptor, offset, size);
    return status == 0 ? tm_file_write_at(descriptor, bytes, size, offset) : status;
}

/* The descriptor is the program's number: not kept from one write to the next. */
static int write_at(const struct part *part, const void *bytes, size_t size, uint64_t offset)
{
    int descriptor = tm_file_reopen(part->name, part->identity);
    if (descriptor < 0) {
        return descriptor;
    }
    int status = write_to(descriptor, bytes, size, offset);
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
    if (!tm_block_section_begin(&blocks, &tm_snapshot_pages, put_blocks, &place)) {
        return TM_ENCODE_NO_MEMORY;
    }
    bool had_memory = tm_block_list_add(&blocks, selection, left_out);
    *left_out += blocks.left_out;
    enum tm_encode_result result = tm_block_section_end(&blocks, section);
    return had_memory ? result : TM_ENCODE_NO_MEMORY;
}

static int status_of(enum tm_encode_result result)
{
    return result == TM_ENCODE_DONE ? 0 : result == TM_ENCODE_NO_MEMORY ? -ENOMEM : -EIO;
}

static void begin_facts(struct tm_snapshot_facts *facts, const char *moment, struct tm_store_view *view)
{
    tm_store_view_init(view, tm_runtime.store.header, tm_runtime.store.sections);
    tm_snapshot_facts_begin(facts, moment);
}

static int encode_view(struct tm_snapshot_facts *facts, const struct tm_store_view *view,
                       struct tm_encode_blocks *blocks, struct tm_encoded *encoded)
{
    tm_snapshot_facts_add_resident(facts, false);
    tm_snapshot_facts_add_rest(facts);
    return status_of(tm_snapshot_encode_with(view, blocks, facts->list, facts->count, &tm_snapshot_pages,
                                             &encoded->bytes, &encoded->size, &encoded->capacity));
}

/* Under the life lock, of the store as it is.  BLOCKS may be NULL. */
static int encode(const char *moment, struct tm_encode_blocks *blocks, struct tm_encoded *encoded)
{
    struct tm_snapshot_facts facts = {.leaves_libc = false};
    struct tm_store_view view;
    begin_facts(&facts, moment, &view);
    return encode_view(&facts, &view, blocks, encoded);
}

/* Without the life lock, so that whoever forks or clears meanwhile need not wait.  What was made while an epoch began,
 * or the peak was forgotten, is of neither time: it is made again, with the lock. */
static int encode_freely(const char *moment, struct tm_encoded *encoded)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_snapshot_facts facts = {.leaves_libc = false};
    struct tm_store_view view;
    tm_lock_take(&runtime->life_lock);
    uint32_t before = runtime->breaks;
    begin_facts(&facts, moment, &view);
    atomic_fetch_add_explicit(&runtime->name_readers, 1, memory_order_relaxed);
    tm_lock_release(&runtime->life_lock);
    int status = encode_view(&facts, &view, NULL, encoded);
    tm_lock_take(&runtime->life_lock);
    atomic_fetch_sub_explicit(&runtime->name_readers, 1, memory_order_release);
    if (runtime->breaks != before) {
        if (status == 0) {
            tm_snapshot_pages.release(encoded->bytes, encoded->capacity);
        }
        status = encode(moment, NULL, encoded);
    }
    tm_lock_release(&runtime->life_lock);
    return status;
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

/* What lies around the blocks. */
static int write_encoded(const struct part *part, const struct tm_encoded *encoded,
                         const struct tm_encode_blocks *blocks)
{
    size_t before = (size_t)blocks->offset;
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
    struct tm_encoded encoded;
    int status = encode(moment, &blocks, &encoded);
    if (status != 0) {
        return part->status != 0 ? part->status : status;
    }
    status = write_encoded(part, &encoded, &blocks);
    tm_snapshot_pages.release(encoded.bytes, encoded.capacity);
    return status;
}

/* Makes a fresh temporary file beside PATH; ENCODED is NULL where it is to be made with blocks. */
static int fill_part(const char *path, struct part *part, const struct tm_encoded *encoded, const char *moment,
                     bool sync)
{
    int descriptor = create_part(path, part->name, part->identity);
    if (descriptor < 0) {
        return descriptor;
    }
    int status = encoded == NULL ? 0 : write_to(descriptor, encoded->bytes, encoded->size, 0);
    tm_file_close(descriptor);
    if (encoded == NULL) {
        status = fill_with_blocks(part, moment);
    }
    if (status == 0 && sync) {
        status = sync_part(part);
    }
    if (status != 0) {
        tm_file_remove(part->name, part->identity);
    }
    return status;
}

/* The present state in a temporary file beside PATH. */
static int write_part(const char *path, const char *moment, struct part *part)
{
    struct tm_encoded encoded;
    if (tm_runtime.config.blocks) {
        return fill_part(path, part, NULL, moment, false);
    }
    int status = encode(moment, NULL, &encoded);
    if (status == 0) {
        status = fill_part(path, part, &encoded, moment, false);
        tm_snapshot_pages.release(encoded.bytes, encoded.capacity);
    }
    return status;
}

static int rename_part(const struct part *part, const char *path)
{
    int status = tm_file_rename(part->name, path, true);
    if (status != 0) {
        tm_file_remove(part->name, part->identity);
    }
    return status;
}

int tm_snapshot_write(const char *path, const char *moment, bool blocks)
{
    char temporary[TM_PATH_CAPACITY];
    struct tm_file_identity identity;
    struct part part = {temporary, &identity, 0};
    struct tm_encoded encoded;
    int status;
    if (blocks || tm_runtime.config.blocks) {
        tm_lock_take(&tm_runtime.life_lock);
        status = fill_part(path, &part, NULL, moment, true);
        tm_lock_release(&tm_runtime.life_lock);
    } else {
        status = encode_freely(moment, &encoded);
        if (status == 0) {
            status = fill_part(path, &part, &encoded, moment, true);
            tm_snapshot_pages.release(encoded.bytes, encoded.capacity);
        }
    }
    return status == 0 ? rename_part(&part, path) : status;
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
    bool has_number = tm_output_has_number(runtime->output); /* also where OUTPUT has none: see keep_paths */
    if (runtime->exit_path[0] != '\0' && !has_number) {
        memcpy(path, runtime->exit_path, sizeof runtime->exit_path);
        return tm_file_rename(temporary, path, true); /* this process's own, of an earlier life of its interpreter */
    }
    /* With a pid in its name the snapshot is its store's counterpart: what exec left may have that pid as well. */
    unsigned of_store = runtime->store_attempt > 1 && tm_output_has_pid(runtime->output) ? runtime->store_attempt : 1;
    unsigned first = has_number ? runtime->last_number + 1 : of_store;
    bool may_replace = !has_number && runtime->config.output_is_fixed && runtime->pid == runtime->first_pid;
    int status = rename_to_free(temporary, first, may_replace, path);
    if (status == 0) {
        memcpy(runtime->exit_path, path, strlen(path) + 1);
    }
    return status;
}

/* RENAME gives the file its final name, which goes to its PATH.  ENCODED is NULL where the present state is meant:
 * under the life lock then. */
static int write_named(const char *moment, const struct tm_encoded *encoded,
                       int (*rename)(const char *temporary, char *path), struct tm_file_identity *identity)
{
    static char path[TM_PATH_CAPACITY]; /* under the snapshot lock */
    static char temporary[TM_PATH_CAPACITY];
    struct part part = {temporary, identity, 0};
    if (!tm_runtime_output_name(1, path, sizeof path)) {
        return -ENAMETOOLONG;
    }
    int status = encoded != NULL ? fill_part(path, &part, encoded, moment, false) : write_part(path, moment, &part);
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

int tm_snapshot_write_numbered(const char *moment, const struct tm_encoded *encoded, struct tm_file_identity *identity)
{
    if (encoded != NULL) {
        return write_named(moment, encoded, rename_numbered, identity);
    }
    tm_lock_take(&tm_runtime.life_lock);
    int status = write_named(moment, NULL, rename_numbered, identity);
    tm_lock_release(&tm_runtime.life_lock);
    return status;
}

int tm_snapshot_write_exit(const char *exit_moment)
{
    struct tm_file_identity identity;
    tm_runtime.exit_moment = exit_moment;
    int status = write_named("exit", NULL, rename_exit, &identity);
    if (status == 0) {
        tm_live_store_remove_file(&tm_runtime.store);
    }
    return status;
}
