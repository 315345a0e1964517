/* SPDX-License-Identifier: MIT */
#include "report/snapshot/module_symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/snapshot/demangle.h"

void tm_build_id_text(const uint8_t *bytes, size_t size, char text[TM_BUILD_ID_TEXT])
{
    text[0] = '\0';
    for (size_t i = 0; i < size && i < (TM_BUILD_ID_TEXT - 1) / 2; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
}

#ifdef TM_HAVE_LIBDW

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct tm_module_symbols {
    Dwfl *dwfl;
    Dwfl_Module *module;
    char *search; /* folders of separate files, in libdwfl's words */
    Dwfl_Callbacks callbacks;
};

static struct tm_module_symbols *begin(const char *debug_dir)
{
    struct tm_module_symbols *symbols = calloc(1, sizeof *symbols);
    if (symbols == NULL) {
        return NULL;
    }
    /* "-": whatever is found must fit, not only what is found by name. */
    if (asprintf(&symbols->search, "+:.debug:%s", debug_dir != NULL ? debug_dir : "/usr/lib/debug") < 0) {
        free(symbols);
        return NULL;
    }
    symbols->callbacks = (Dwfl_Callbacks){.find_elf = dwfl_build_id_find_elf,
                                          .find_debuginfo = dwfl_standard_find_debuginfo,
                                          .section_address = dwfl_offline_section_address,
                                          .debuginfo_path = &symbols->search};
    symbols->dwfl = dwfl_begin(&symbols->callbacks);
    if (symbols->dwfl == NULL) {
        free(symbols->search);
        free(symbols);
        return NULL;
    }
    return symbols;
}

void tm_module_symbols_close(struct tm_module_symbols *symbols)
{
    if (symbols != NULL) {
        dwfl_end(symbols->dwfl);
        free(symbols->search);
        free(symbols);
    }
}

/* Reports the file at PATH; its addresses stay as they are in it. */
static bool report(struct tm_module_symbols *symbols, const char *path)
{
    struct stat found;
    GElf_Addr bias;
    if (stat(path, &found) != 0 || !S_ISREG(found.st_mode)) {
        return false;
    }
    dwfl_report_begin(symbols->dwfl);
    symbols->module = dwfl_report_elf(symbols->dwfl, path, path, -1, 0, true);
    (void)dwfl_report_end(symbols->dwfl, NULL, NULL);
    return symbols->module != NULL && dwfl_module_getelf(symbols->module, &bias) != NULL;
}

/* Reports what libdwfl finds by its build id alone: in /usr/lib/debug/.build-id or from a server. */
static bool report_by_id(struct tm_module_symbols *symbols, const struct tm_wanted_module *wanted)
{
    GElf_Addr bias;
    dwfl_report_begin(symbols->dwfl);
    symbols->module = dwfl_report_module(symbols->dwfl, wanted->path, 0, UINT32_MAX);
    bool known = symbols->module != NULL &&
                 dwfl_module_report_build_id(symbols->module, wanted->build_id, wanted->build_id_size, 0) == 0;
    (void)dwfl_report_end(symbols->dwfl, NULL, NULL);
    return known && dwfl_module_getelf(symbols->module, &bias) != NULL;
}

/* The separate file of the build id, which has the symbols without the code. */
static bool report_separate(struct tm_module_symbols *symbols, const struct tm_wanted_module *wanted)
{
    char id[TM_BUILD_ID_TEXT], *path = NULL;
    const char *folder = wanted->debug_dir != NULL ? wanted->debug_dir : "/usr/lib/debug";
    tm_build_id_text(wanted->build_id, wanted->build_id_size, id);
    if (strlen(id) < 4 || asprintf(&path, "%s/.build-id/%.2s/%s.debug", folder, id, id + 2) < 0) {
        return false;
    }
    bool good = report(symbols, path);
    free(path);
    return good;
}

static size_t build_id_of(struct tm_module_symbols *symbols, const uint8_t **bytes)
{
    const unsigned char *id = NULL;
    GElf_Addr place;
    int size = dwfl_module_build_id(symbols->module, &id, &place);
    *bytes = id;
    return size > 0 ? (size_t)size : 0;
}

static bool is_wanted(struct tm_module_symbols *symbols, const struct tm_wanted_module *wanted)
{
    const uint8_t *id;
    size_t size = build_id_of(symbols, &id);
    return size == wanted->build_id_size && (size == 0 || memcmp(id, wanted->build_id, size) == 0);
}

static bool find_by_id(struct tm_module_symbols *symbols, const struct tm_wanted_module *wanted)
{
    if (wanted->build_id_size == 0) {
        return false;
    }
    if (report_separate(symbols, wanted) && is_wanted(symbols, wanted)) {
        return true;
    }
    const char *servers = getenv("DEBUGINFOD_URLS");
    return servers != NULL && servers[0] != '\0' && report_by_id(symbols, wanted) && is_wanted(symbols, wanted);
}

enum tm_symbols_found tm_module_symbols_open(const struct tm_wanted_module *wanted, struct tm_module_symbols **symbols,
                                             char found_id[TM_BUILD_ID_TEXT])
{
    struct tm_module_symbols *opened = begin(wanted->debug_dir);
    *symbols = NULL;
    found_id[0] = '\0';
    if (opened == NULL) {
        return TM_SYMBOLS_NO_FILE;
    }
    bool is_there = report(opened, wanted->path);
    if (is_there) {
        const uint8_t *id;
        size_t size = build_id_of(opened, &id);
        tm_build_id_text(id, size, found_id);
    }
    if ((is_there && is_wanted(opened, wanted)) || find_by_id(opened, wanted)) {
        *symbols = opened;
        return TM_SYMBOLS_OPEN;
    }
    tm_module_symbols_close(opened);
    return is_there ? TM_SYMBOLS_OTHER_BUILD : TM_SYMBOLS_NO_FILE;
}

static const char *linkage_name(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Attribute *found = dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute);
    found = found != NULL ? found : dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute);
    return found != NULL ? dwarf_formstring(found) : NULL;
}

static char *name_of(Dwarf_Die *die)
{
    const char *name = linkage_name(die);
    name = name != NULL ? name : dwarf_diename(die);
    return name != NULL ? tm_demangle(name) : NULL;
}

static bool is_function(Dwarf_Die *die)
{
    int tag = dwarf_tag(die);
    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_entry_point;
}

static uint64_t number_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    return dwarf_formudata(dwarf_attr(die, name, &attribute), &value) == 0 ? value : 0;
}

/* Where the inlined call DIE stands in the source. */
static void find_call(Dwarf_Die *die, Dwarf_Die *unit, struct tm_symbol_frame *frame)
{
    Dwarf_Files *files;
    size_t count;
    uint64_t file = number_of(die, DW_AT_call_file);
    frame->line = (uint32_t)number_of(die, DW_AT_call_line);
    if (dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count) {
        frame->file = dwarf_filesrc(files, (size_t)file, NULL, NULL);
    }
}

#define FUNCTIONS_MAX TM_SYMBOL_FRAMES_MAX

/* The functions round an address, outermost first: one that has code of its own, then the calls inlined there. */
struct functions {
    Dwarf_Die dies[FUNCTIONS_MAX];
    unsigned count;
};

static bool has_address(Dwarf_Die *die, uint64_t address)
{
    switch (dwarf_tag(die)) {
    case DW_TAG_subprogram:
    case DW_TAG_inlined_subroutine:
    case DW_TAG_entry_point:
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
        return dwarf_haspc(die, address) > 0;
    default:
        return false;
    }
}

/* Looks at what surrounds the address, and at its siblings on the way: libdw's dwarf_getscopes_die walks over the whole
 * unit for each address.  Rust has its functions in namespaces. */
static bool find_functions(Dwarf_Die *parent, uint64_t address, struct functions *functions)
{
    Dwarf_Die die;
    for (int end = dwarf_child(parent, &die); end == 0; end = dwarf_siblingof(&die, &die)) {
        if (dwarf_tag(&die) == DW_TAG_namespace && find_functions(&die, address, functions)) {
            return true;
        }
        if (has_address(&die, address)) {
            if (is_function(&die) && functions->count < FUNCTIONS_MAX) {
                functions->dies[functions->count++] = die;
            }
            (void)find_functions(&die, address, functions);
            return true;
        }
    }
    return false;
}

/* FRAMES[0] has its line already. */
static unsigned add_functions(struct functions *functions, Dwarf_Die *unit,
                              struct tm_symbol_frame frames[TM_SYMBOL_FRAMES_MAX])
{
    unsigned count = 0;
    for (unsigned i = functions->count; i > 0 && count < TM_SYMBOL_FRAMES_MAX; i--) {
        Dwarf_Die *die = &functions->dies[i - 1];
        char *name = name_of(die);
        if (name == NULL) {
            break;
        }
        frames[count++].function = name;
        if (dwarf_tag(die) != DW_TAG_inlined_subroutine) {
            break;
        }
        if (count < TM_SYMBOL_FRAMES_MAX) {
            frames[count] = (struct tm_symbol_frame){.line = 0};
            find_call(die, unit, &frames[count]);
        }
    }
    return count;
}

static unsigned add_scopes(Dwarf_Die *unit, uint64_t address, struct tm_symbol_frame frames[TM_SYMBOL_FRAMES_MAX])
{
    struct functions functions = {.count = 0};
    (void)find_functions(unit, address, &functions);
    return add_functions(&functions, unit, frames);
}

static unsigned find_in_dwarf(struct tm_module_symbols *symbols, uint64_t address,
                              struct tm_symbol_frame frames[TM_SYMBOL_FRAMES_MAX])
{
    Dwarf_Addr bias;
    Dwarf_Die *unit = dwfl_module_addrdie(symbols->module, address, &bias);
    Dwfl_Line *line = dwfl_module_getsrc(symbols->module, address);
    frames[0] = (struct tm_symbol_frame){.line = 0};
    if (line != NULL) {
        int number = 0;
        frames[0].file = dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL);
        frames[0].line = number > 0 ? (uint32_t)number : 0;
    }
    return unit != NULL ? add_scopes(unit, address - bias, frames) : 0;
}

/* A symbol that has the address, not merely one before it: where names were stripped that would be another function. */
static unsigned find_in_table(struct tm_module_symbols *symbols, uint64_t address, struct tm_symbol_frame *frame)
{
    GElf_Sym symbol;
    GElf_Off offset;
    const char *name = dwfl_module_addrinfo(symbols->module, address, &offset, &symbol, NULL, NULL, NULL);
    if (name == NULL || offset >= symbol.st_size) {
        return 0;
    }
    frame->function = tm_demangle(name); /* file and line are those found already, if any */
    return frame->function != NULL;
}

unsigned tm_module_symbols_at(struct tm_module_symbols *symbols, uint64_t address,
                              struct tm_symbol_frame frames[TM_SYMBOL_FRAMES_MAX])
{
    unsigned count = find_in_dwarf(symbols, address, frames);
    return count > 0 ? count : find_in_table(symbols, address, &frames[0]);
}

#else

enum tm_symbols_found tm_module_symbols_open(const struct tm_wanted_module *wanted, struct tm_module_symbols **symbols,
                                             char found_id[TM_BUILD_ID_TEXT])
{
    (void)wanted;
    *symbols = NULL;
    found_id[0] = '\0';
    return TM_SYMBOLS_NONE;
}

void tm_module_symbols_close(struct tm_module_symbols *symbols)
{
    (void)symbols;
}

unsigned tm_module_symbols_at(struct tm_module_symbols *symbols, uint64_t address,
                              struct tm_symbol_frame frames[TM_SYMBOL_FRAMES_MAX])
{
    (void)symbols;
    (void)address;
    (void)frames;
    return 0;
}

#endif
