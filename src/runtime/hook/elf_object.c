/* SPDX-License-Identifier: MIT */
#include "runtime/hook/elf_object.h"

#include <elf.h>
#include <string.h>

#include "runtime/os/os_memory.h"
#include "runtime/os/os_protection.h"

static void widen(struct tm_elf_range *range, uintptr_t low, uintptr_t high)
{
    if (range->high == 0) {
        range->low = low;
        range->high = high;
        return;
    }
    range->low = low < range->low ? low : range->low;
    range->high = high > range->high ? high : range->high;
}

static void read_headers(struct tm_elf_object *object, const struct dl_phdr_info *info)
{
    memset(object, 0, sizeof *object);
    object->base = info->dlpi_addr;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        const uintptr_t low = info->dlpi_addr + header->p_vaddr;
        const uintptr_t high = low + header->p_memsz;
        if (header->p_type == PT_LOAD) {
            widen(&object->all, low, high);
            if (header->p_flags & PF_X) {
                widen(&object->code, low, high);
            }
            if (header->p_flags & PF_W) {
                widen(&object->data, low, high);
            }
        } else if (header->p_type == PT_DYNAMIC) {
            object->dynamic = (const ElfW(Dyn) *)low;
        } else if (header->p_type == PT_GNU_RELRO) {
            object->relro =
                (struct tm_elf_range){low & ~(uintptr_t)(TM_PAGE_SIZE - 1), high & ~(uintptr_t)(TM_PAGE_SIZE - 1)};
        }
    }
}

struct visitor {
    bool (*visit)(const struct tm_elf_object *object, void *data);
    void *data;
};

static int visit_one(struct dl_phdr_info *info, size_t size, void *data)
{
    const struct visitor *visitor = data;
    struct tm_elf_object object;
    (void)size;
    read_headers(&object, info);
    return visitor->visit(&object, visitor->data) ? 0 : 1;
}

void tm_elf_object_visit(bool (*visit)(const struct tm_elf_object *object, void *data), void *data)
{
    struct visitor visitor = {visit, data};
    dl_iterate_phdr(visit_one, &visitor);
}

struct finder {
    uintptr_t address;
    struct tm_elf_object *object;
    bool found;
};

static bool is_the_one(const struct tm_elf_object *object, void *data)
{
    struct finder *finder = data;
    if (tm_elf_range_holds(&object->all, finder->address)) {
        *finder->object = *object;
        finder->found = true;
    }
    return !finder->found;
}

bool tm_elf_object_find(uintptr_t address, struct tm_elf_object *object)
{
    struct finder finder = {address, object, false};
    tm_elf_object_visit(is_the_one, &finder);
    return finder.found;
}

/* What the dynamic section says. */
struct tables {
    const ElfW(Rela) *relocations[2]; /* data, PLT */
    size_t counts[2];
    const ElfW(Sym) *symbols;
    const char *strings;
};

static void read_tables(struct tables *tables, const struct tm_elf_object *object)
{
    memset(tables, 0, sizeof *tables);
    for (const ElfW(Dyn) *entry = object->dynamic; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        const uintptr_t value = entry->d_un.d_ptr;
        const uintptr_t address = value < object->base ? value + object->base : value;
        switch (entry->d_tag) {
        case DT_RELA:
            tables->relocations[0] = (const ElfW(Rela) *)address;
            break;
        case DT_RELASZ:
            tables->counts[0] = entry->d_un.d_val / sizeof(ElfW(Rela));
            break;
        case DT_JMPREL:
            tables->relocations[1] = (const ElfW(Rela) *)address;
            break;
        case DT_PLTRELSZ:
            tables->counts[1] = entry->d_un.d_val / sizeof(ElfW(Rela));
            break;
        case DT_SYMTAB:
            tables->symbols = (const ElfW(Sym) *)address;
            break;
        case DT_STRTAB:
            tables->strings = (const char *)address;
            break;
        default:
            break;
        }
    }
    for (unsigned part = 0; part < 2; part++) {
        if (tables->relocations[part] == NULL) {
            tables->counts[part] = 0;
        }
    }
}

#if defined(__x86_64__)
enum { RELOC_PLT = R_X86_64_JUMP_SLOT, RELOC_GOT = R_X86_64_GLOB_DAT, RELOC_WORD = R_X86_64_64 };
#elif defined(__aarch64__)
enum { RELOC_PLT = R_AARCH64_JUMP_SLOT, RELOC_GOT = R_AARCH64_GLOB_DAT, RELOC_WORD = R_AARCH64_ABS64 };
#else
#error "not ported to this processor"
#endif

static uintptr_t *place_of(const struct tm_elf_object *object, const ElfW(Rela) *entry)
{
    return (uintptr_t *)(object->base + entry->r_offset);
}

bool tm_elf_object_is_relocated(const struct tm_elf_object *object)
{
    enum { LOOKED_AT = 4 };
    struct tables tables;
    if (object->base == 0) {
        return true; /* the program itself, at its fixed address: running code was called by it */
    }
    read_tables(&tables, object);
    /* The PLT's references are filled in last; until then each is a small number, an offset into the object.  One
     * of the last few that is none will do. */
    for (unsigned part = 2; part-- > 0;) {
        const size_t count = tables.counts[part];
        for (size_t i = 0; i < count && i < LOOKED_AT; i++) {
            if (*place_of(object, &tables.relocations[part][count - 1 - i]) > object->all.high - object->base) {
                return true;
            }
        }
        if (count != 0) {
            return false;
        }
    }
    return true;
}

bool tm_elf_object_set_word(const struct tm_elf_object *object, uintptr_t *place, uintptr_t value)
{
    const uintptr_t address = (uintptr_t)place;
    if (tm_elf_range_holds(&object->data, address) && !tm_elf_range_holds(&object->relro, address)) {
        __atomic_store_n(place, value, __ATOMIC_RELEASE);
        return true;
    }
    return tm_protected_word_set(place, value, tm_elf_range_holds(&object->code, address));
}

/* A reference to NAME that the loader fills in with the plain address of a function. */
static bool refers_to(const struct tables *tables, const ElfW(Rela) *entry, const char *name)
{
    const unsigned long type = ELF64_R_TYPE(entry->r_info);
    const unsigned long symbol = ELF64_R_SYM(entry->r_info);
    return symbol != 0 && entry->r_addend == 0 && (type == RELOC_PLT || type == RELOC_GOT || type == RELOC_WORD) &&
           strcmp(tables->strings + tables->symbols[symbol].st_name, name) == 0;
}

static bool is_unbound(const struct tm_elf_object *object, const ElfW(Rela) *entry)
{
    return ELF64_R_TYPE(entry->r_info) == RELOC_PLT && tm_elf_range_holds(&object->all, *place_of(object, entry));
}

/* With REPLACEMENT 0 it only counts.  FAILED is added to for each that cannot be changed. */
static unsigned each_reference(const struct tm_elf_object *object, const char *name, uintptr_t real,
                               uintptr_t replacement, unsigned *failed)
{
    struct tables tables;
    unsigned found = 0;
    read_tables(&tables, object);
    if (tables.symbols == NULL || tables.strings == NULL) {
        return 0;
    }
    for (unsigned part = 0; part < 2; part++) {
        for (size_t i = 0; i < tables.counts[part]; i++) {
            const ElfW(Rela) *entry = &tables.relocations[part][i];
            if (!refers_to(&tables, entry, name)) {
                continue;
            }
            if (replacement == 0) {
                found++;
            } else if (*place_of(object, entry) == real || is_unbound(object, entry)) {
                bool is_set = tm_elf_object_set_word(object, place_of(object, entry), replacement);
                found += is_set;
                *failed += !is_set;
            }
        }
    }
    return found;
}

unsigned tm_elf_object_rebind(const struct tm_elf_object *object, const char *name, uintptr_t real,
                              uintptr_t replacement)
{
    unsigned failed = 0;
    return each_reference(object, name, real, replacement, &failed);
}

bool tm_elf_object_rebind_all(const struct tm_elf_object *object, const char *name, uintptr_t real,
                              uintptr_t replacement)
{
    unsigned failed = 0;
    (void)each_reference(object, name, real, replacement, &failed);
    return failed == 0;
}

unsigned tm_elf_object_count_references(const struct tm_elf_object *object, const char *name)
{
    unsigned failed = 0;
    return each_reference(object, name, 0, 0, &failed);
}

bool tm_elf_object_redefine(const struct tm_elf_object *object, const char *name, uintptr_t replacement)
{
    struct tables tables;
    read_tables(&tables, object);
    if (tables.symbols == NULL || tables.strings == NULL) {
        return false;
    }
    /* A definition that the object itself refers to by name has its index in a relocation: no hash table is needed. */
    for (unsigned part = 0; part < 2; part++) {
        for (size_t i = 0; i < tables.counts[part]; i++) {
            const ElfW(Rela) *entry = &tables.relocations[part][i];
            const ElfW(Sym) *symbol = &tables.symbols[ELF64_R_SYM(entry->r_info)];
            if (refers_to(&tables, entry, name) && symbol->st_shndx != SHN_UNDEF) {
                uintptr_t *value = (uintptr_t *)(uintptr_t)&symbol->st_value;
                return tm_elf_object_set_word(object, value, replacement - object->base);
            }
        }
    }
    return false;
}
