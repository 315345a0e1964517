/* SPDX-License-Identifier: MIT */
/* From an address in a loaded object's file to functions and lines: the only file that knows elfutils.
 *
 * Files    the object at its path when its build id is the wanted one; else, and for what it does not hold itself, the
 *          separate files of that build id, or that its .gnu_debuglink names (libdwfl's standard search), and
 *          debuginfod servers when DEBUGINFOD_URLS is set.  Never a file with another build id.
 * Memory   malloc'ed.     Threads  one at a time.     Errors  as said; a damaged file has no symbols. */
#ifndef TM_REPORT_SNAPSHOT_MODULE_SYMBOLS_H
#define TM_REPORT_SNAPSHOT_MODULE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define TM_BUILD_ID_TEXT (2U * 64U + 1U)

struct tm_module_symbols;

enum tm_symbols_found {
    TM_SYMBOLS_OPEN,
    TM_SYMBOLS_NO_FILE,     /* nothing at the path, and nothing of that build id elsewhere */
    TM_SYMBOLS_OTHER_BUILD, /* the file at the path is of another build, and nothing of the wanted one is elsewhere */
    TM_SYMBOLS_NONE         /* this program was built without elfutils */
};

struct tm_wanted_module {
    const char *path;
    const uint8_t *build_id;
    size_t build_id_size;  /* 0: it has none; then the file at the path must have none either */
    const char *debug_dir; /* instead of /usr/lib/debug, or NULL */
};

/* *SYMBOLS is NULL unless it answers TM_SYMBOLS_OPEN.  FOUND_ID becomes the build id of the file at the path in words,
 * "" when there is none. */
enum tm_symbols_found tm_module_symbols_open(const struct tm_wanted_module *wanted, struct tm_module_symbols **symbols,
                                             char found_id[TM_BUILD_ID_TEXT]);

/* SYMBOLS may be NULL. */
void tm_module_symbols_close(struct tm_module_symbols *symbols);

struct tm_symbol_frame {
    char *function;   /* malloc'ed, demangled */
    const char *file; /* of the symbols; NULL: not known */
    uint32_t line;
};

#define TM_SYMBOL_FRAMES_MAX 64U /* calls inlined into one another at one instruction */

/* What runs at ADDRESS: the function itself and those that it was inlined into, the innermost first.  Their number, 0
 * when nothing is known. */
unsigned tm_module_symbols_at(struct tm_module_symbols *symbols, uint64_t address,
                              struct tm_symbol_frame frames[TM_SYMBOL_FRAMES_MAX]);

/* BYTES of a build id in hexadecimal digits. */
void tm_build_id_text(const uint8_t *bytes, size_t size, char text[TM_BUILD_ID_TEXT]);

#endif
