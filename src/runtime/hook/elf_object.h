/* SPDX-License-Identifier: MIT */
/* A loaded ELF object, read in memory: where it lies, whether the loader is done with it, and its references to
 * functions, which can be pointed elsewhere.
 *
 * Locks    the loader's recursive lock, through dl_iterate_phdr; nothing is allocated.
 * Signals  not safe.
 * Source   System V ABI, x86-64 and AArch64 supplements. */
#ifndef TM_RUNTIME_HOOK_ELF_OBJECT_H
#define TM_RUNTIME_HOOK_ELF_OBJECT_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct tm_elf_range {
    uintptr_t low;
    uintptr_t high; /* one past the last byte; 0: empty */
};

struct tm_elf_object {
    uintptr_t base;
    const ElfW(Dyn) *dynamic;
    struct tm_elf_range all;   /* everything mapped */
    struct tm_elf_range code;  /* executable segments */
    struct tm_elf_range data;  /* writable segments */
    struct tm_elf_range relro; /* part of data that the loader makes read-only when it is done */
};

TM_INLINE bool tm_elf_range_holds(const struct tm_elf_range *range, uintptr_t address)
{
    return address >= range->low && address < range->high;
}

/* The object in which ADDRESS lies.  False: none. */
TM_CHECKED bool tm_elf_object_find(uintptr_t address, struct tm_elf_object *object);

/* Calls VISIT for each loaded object until it returns false. */
void tm_elf_object_visit(bool (*visit)(const struct tm_elf_object *object, void *data), void *data);

/* False while the loader has not yet relocated it: nothing of it may be called. */
TM_CHECKED bool tm_elf_object_is_relocated(const struct tm_elf_object *object);

/* Makes OBJECT's references to the symbol NAME (calls through its PLT, pointers in its data) lead to REPLACEMENT where
 * they led to REAL or were not yet bound.  Returns how many were changed.  Only references that the loader itself
 * fills in are touched; a memory page that is read-only is made writable for the change. */
unsigned tm_elf_object_rebind(const struct tm_elf_object *object, const char *name, uintptr_t real,
                              uintptr_t replacement);

/* The same.  False: one of them could not be changed; the others were. */
TM_CHECKED bool tm_elf_object_rebind_all(const struct tm_elf_object *object, const char *name, uintptr_t real,
                                         uintptr_t replacement);

/* How many references rebind would have to do with: 0 means that the object calls NAME directly, if at all. */
unsigned tm_elf_object_count_references(const struct tm_elf_object *object, const char *name);

/* Makes lookups of NAME that come later (libraries not yet loaded, dlsym) find REPLACEMENT in the place of OBJECT's own
 * definition.  False: it defines no such function. */
TM_CHECKED bool tm_elf_object_redefine(const struct tm_elf_object *object, const char *name, uintptr_t replacement);

/* Sets a word that lies in OBJECT; a page that is read-only is made writable for it.  False: that is refused. */
TM_CHECKED bool tm_elf_object_set_word(const struct tm_elf_object *object, uintptr_t *place, uintptr_t value);

#endif
