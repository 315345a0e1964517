/* SPDX-License-Identifier: MIT */
/* Symbols of loaded libraries, read from their dynamic sections.
 *
 * Not dlsym: that finds nothing in libraries loaded with RTLD_LOCAL, may answer with a definition of our own, and when
 * it fails it allocates and replaces the message that the application's next dlerror() was to return.
 *
 * Locks    the loader's (recursive) lock, through dl_iterate_phdr; nothing is allocated.
 * Signals  not safe.
 * Errors   false or NULL: not found.
 * Source   System V ABI (dynamic section, symbol table), and the layout of DT_GNU_HASH as GNU ld writes it. */
#ifndef TM_RUNTIME_UNWIND_LOADED_SYMBOL_H
#define TM_RUNTIME_UNWIND_LOADED_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The dynamic symbols of one loaded library.  Valid while it stays loaded. */
struct tm_loaded_library {
    uintptr_t base;
    const void *symbols; /* ElfW(Sym) */
    const char *strings;
    const uint32_t *gnu_hash;  /* or NULL */
    const uint32_t *sysv_hash; /* or NULL */
    size_t tls_module;         /* its number among modules with thread-local storage; 0: it has none */
    uintptr_t tls_block;       /* that storage of the calling thread; 0: none yet */
    bool is_program;           /* the executable itself */
};

/* What a thread's static storage lies in: from the thread pointer downwards, bytes at most. */
struct tm_loaded_search {
    struct tm_loaded_library library; /* the first in load order that defines the symbol */
    size_t tls_bytes_max;
    uint64_t generation; /* changes whenever a library is loaded */
};

/* Finds the first library that defines NAME.  With an unchanged SEARCH->generation (0 at first) it returns false at
 * once: no library has come since. */
bool tm_loaded_library_find(const char *name, struct tm_loaded_search *search);

/* Address of NAME as LIBRARY defines it, or NULL; *SIZE, if not NULL, is the size of the object or function. */
void *tm_loaded_symbol(const struct tm_loaded_library *library, const char *name, size_t *size);

/* The word of LIBRARY's symbol table that says where NAME lies, from LIBRARY->base, or NULL.  The loader reads it anew
 * at each look-up; the page is read-only. */
uintptr_t *tm_loaded_symbol_value(const struct tm_loaded_library *library, const char *name);

#endif
