/* SPDX-License-Identifier: MIT */
#include "runtime/track/native_frames.h"

#include <string.h>

#include "runtime/os/os_memory.h"
#include "runtime/os/os_process.h"
#include "runtime/track/runtime_state.h"
#include "runtime/unwind/loaded_module.h"

bool tm_native_begin(struct tm_native_state *state)
{
    struct tm_loaded_module own;
    tm_loaded_modules_begin();
    state->buffers = tm_pages_map_sparse(TM_NATIVE_BUFFERS * sizeof *state->buffers);
    if (state->buffers == NULL || !tm_step_cache_begin(&state->steps) || !tm_seen_stacks_begin(&state->seen) ||
        !tm_loaded_module_find((uintptr_t)tm_native_begin, &own)) {
        return false;
    }
    state->own = (struct tm_native_skip){own.low, own.high};
    state->is_ready = true;
    return true;
}

void tm_native_after_fork(struct tm_native_state *state)
{
    if (!state->is_ready) {
        return;
    }
    tm_step_cache_new_generation(&state->steps); /* the GIL's holder may have been writing a stack that was seen */
    for (unsigned i = 0; i < TM_NATIVE_BUFFERS; i++) {
        struct tm_native_buffer *buffer = &state->buffers[i];
        if (atomic_load_explicit(&buffer->is_taken, memory_order_relaxed) != 0) {
            buffer->known = (struct tm_known_stack){0}; /* its thread may have been writing it */
            buffer->captured.count = 0;
            atomic_store_explicit(&buffer->is_taken, 0, memory_order_relaxed);
        }
    }
}

void tm_runtime_unloaded(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_thread *thread = tm_thread_self();
    if (!runtime->native.is_ready || runtime->pid != tm_process_pid() || tm_life_now() <= TM_LIFE_OFF) {
        return;
    }
    thread->guard++;
    tm_lock_take(&runtime->intern_lock);
    tm_step_cache_clear(&runtime->native.steps);
    tm_code_table_clear(&runtime->native.places);
    tm_trace_cache_new_generation(&runtime->cache);
    tm_lock_release(&runtime->intern_lock);
    thread->guard--;
}

/* The path of MODULE, absolute where it is one; its length in bytes. */
static size_t full_path(const struct tm_loaded_module *module, char *path, size_t capacity)
{
    struct tm_text text;
    size_t folder = 0;
    if (module->path[0] == '\0') {
        return tm_process_executable(path, capacity);
    }
    if (module->path[0] != '/' && strchr(module->path, '/') != NULL) {
        folder = tm_process_folder(path, capacity);
    }
    tm_text_init(&text, path + folder, capacity - folder);
    if (folder != 0) {
        tm_text_add_char(&text, '/');
    }
    tm_text_add(&text, module->path);
    return folder + strlen(path + folder);
}

static uint32_t intern_module(struct tm_runtime *runtime, const struct tm_loaded_module *module)
{
    static char path[TM_PATH_CAPACITY]; /* under the intern lock */
    uint8_t id[TM_BUILD_ID_MAX];
    uint32_t id_text = 0;
    struct tm_stored_frame frame = {0, TM_FRAME_MODULE, 0};
    size_t id_length = tm_loaded_module_build_id(module, id);
    if (!tm_string_intern(&runtime->strings, path, full_path(module, path, sizeof path), &frame.file) ||
        !tm_string_intern(&runtime->strings, id, id_length, &id_text)) {
        return 0;
    }
    frame.function |= id_text;
    return tm_frame_intern(&runtime->frames, &frame);
}

/* Code that a program made for itself lies in no object. */
static uint32_t intern_made_code(struct tm_runtime *runtime)
{
    static const char name[] = "<generated code>";
    struct tm_stored_frame frame = {0, 0, 0};
    return tm_string_intern(&runtime->strings, name, sizeof name - 1, &frame.file)
               ? tm_frame_intern(&runtime->frames, &frame)
               : 0;
}

uint32_t tm_native_frame_find(struct tm_runtime *runtime, uintptr_t pc, bool *may_cache)
{
    struct tm_loaded_module module;
    uint32_t id = tm_code_table_frame(&runtime->native.places, pc, 0);
    if (id != 0) {
        return id;
    }
    if (!tm_loaded_module_find(pc, &module) || pc - module.base > UINT32_MAX) {
        *may_cache = false;
        return intern_made_code(runtime);
    }
    uint32_t owner = intern_module(runtime, &module);
    const struct tm_stored_frame frame = {owner, TM_FRAME_NATIVE, (uint32_t)(pc - module.base)};
    id = owner != 0 ? tm_frame_intern(&runtime->frames, &frame) : 0;
    if (id != 0) {
        /* Without memory it is found again next time. */
        (void)!tm_code_table_add(&runtime->native.places, module.low, pc, 0, id);
    }
    return id;
}
