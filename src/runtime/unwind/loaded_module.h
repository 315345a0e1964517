/* SPDX-License-Identifier: MIT */
/* The loaded object (program or library) in which an instruction lies.
 *
 * Locks    none where libc has _dl_find_object (glibc 2.35 and later); before, the loader's own, through
 *          dl_iterate_phdr.   Nothing is allocated.
 * Signals  safe with _dl_find_object.   errno  kept.   Errors  false: the address lies in none. */
#ifndef TM_RUNTIME_UNWIND_LOADED_MODULE_H
#define TM_RUNTIME_UNWIND_LOADED_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Longer ones are cut; the usual is 20. */
#define TM_BUILD_ID_MAX 32U

struct tm_loaded_module {
    uintptr_t low; /* its mappings, with the holes between them */
    uintptr_t high;
    uintptr_t base;              /* what is added to the addresses in its file */
    const uint8_t *frame_header; /* PT_GNU_EH_FRAME, or NULL */
    const char *path;            /* as the loader knows it; "" is the program.  The loader's memory. */
};

/* Finds out which way libc gives.  Once, before the first event; calls dlsym. */
void tm_loaded_modules_begin(void);

TM_CHECKED bool tm_loaded_module_find(uintptr_t address, struct tm_loaded_module *module);

/* Copies the build id (the note that the linker wrote, if it did) to ID; its length in bytes, 0: none. */
size_t tm_loaded_module_build_id(const struct tm_loaded_module *module, uint8_t id[TM_BUILD_ID_MAX]);

#endif
