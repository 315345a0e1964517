/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/loaded_symbol.h"

#include <elf.h>
#include <link.h>
#include <string.h>

static uint32_t gnu_hash_of(const char *name)
{
    uint32_t hash = 5381;
    while (*name != '\0') {
        hash = hash * 33 + (unsigned char)*name++;
    }
    return hash;
}

static uint32_t sysv_hash_of(const char *name)
{
    uint32_t hash = 0;
    while (*name != '\0') {
        uint32_t high;
        hash = (hash << 4) + (unsigned char)*name++;
        high = hash & 0xF0000000U;
        hash = (hash ^ (high >> 24)) & ~high;
    }
    return hash;
}

static const ElfW(Sym) *defined(const struct tm_loaded_library *library, uint32_t index, const char *name)
{
    const ElfW(Sym) *symbol = (const ElfW(Sym) *)library->symbols + index;
    const unsigned type = symbol->st_info & 15U;
    if (symbol->st_shndx == SHN_UNDEF || type == STT_TLS || type == STT_GNU_IFUNC ||
        strcmp(library->strings + symbol->st_name, name) != 0) {
        return NULL;
    }
    return symbol;
}

/* Table: bucket count, index of the first hashed symbol, words of the Bloom filter, its shift; the filter; buckets
 * (index of the first symbol of a chain); one hash per symbol, whose lowest bit ends a chain. */
static const ElfW(Sym) *find_by_gnu_hash(const struct tm_loaded_library *library, const char *name)
{
    const uint32_t *table = library->gnu_hash;
    const uint32_t buckets = table[0], first = table[1], words = table[2], shift = table[3];
    const ElfW(Addr) *filter = (const ElfW(Addr) *)(const void *)(table + 4);
    const uint32_t *bucket = (const uint32_t *)(const void *)(filter + words);
    const uint32_t *hashes = bucket + buckets;
    const unsigned bits = 8 * (unsigned)sizeof *filter;
    const uint32_t hash = gnu_hash_of(name);
    ElfW(Addr) word;
    uint32_t index;
    if (buckets == 0 || words == 0) {
        return NULL;
    }
    word = filter[(hash / bits) % words];
    if (((word >> (hash % bits)) & (word >> ((hash >> shift) % bits)) & 1U) == 0) {
        return NULL;
    }
    index = bucket[hash % buckets];
    if (index < first) {
        return NULL;
    }
    for (;; index++) {
        const uint32_t other = hashes[index - first];
        if ((other | 1U) == (hash | 1U)) {
            const ElfW(Sym) *symbol = defined(library, index, name);
            if (symbol != NULL) {
                return symbol;
            }
        }
        if (other & 1U) {
            return NULL;
        }
    }
}

/* Table: bucket count, symbol count, buckets, chains; 0 ends a chain. */
static const ElfW(Sym) *find_by_sysv_hash(const struct tm_loaded_library *library, const char *name)
{
    const uint32_t *table = library->sysv_hash;
    const uint32_t *chain = table + 2 + table[0];
    uint32_t index = table[0] != 0 ? table[2 + sysv_hash_of(name) % table[0]] : 0;
    for (; index != 0; index = chain[index]) {
        const ElfW(Sym) *symbol = defined(library, index, name);
        if (symbol != NULL) {
            return symbol;
        }
    }
    return NULL;
}

static const ElfW(Sym) *find(const struct tm_loaded_library *library, const char *name)
{
    if (library->symbols == NULL || library->strings == NULL) {
        return NULL;
    }
    if (library->gnu_hash != NULL) {
        return find_by_gnu_hash(library, name);
    }
    return library->sysv_hash != NULL ? find_by_sysv_hash(library, name) : NULL;
}

static void read_dynamic(struct tm_loaded_library *library, const ElfW(Dyn) *entry)
{
    for (; entry->d_tag != DT_NULL; entry++) {
        /* The loader relocates these in place, except where the section is read-only (the vDSO). */
        const uintptr_t value = entry->d_un.d_ptr;
        const uintptr_t address = value < library->base ? value + library->base : value;
        switch (entry->d_tag) {
        case DT_SYMTAB:
            library->symbols = (const void *)address;
            break;
        case DT_STRTAB:
            library->strings = (const char *)address;
            break;
        case DT_GNU_HASH:
            library->gnu_hash = (const uint32_t *)address;
            break;
        case DT_HASH:
            library->sysv_hash = (const uint32_t *)address;
            break;
        default:
            break;
        }
    }
}

struct visit {
    const char *name;
    struct tm_loaded_search *search;
    uint64_t generation_before;
    unsigned visited;
    bool found;
};

static void read_library(struct tm_loaded_library *library, const struct dl_phdr_info *info, size_t *tls_bytes)
{
    unsigned i;
    memset(library, 0, sizeof *library);
    library->base = info->dlpi_addr;
    for (i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_DYNAMIC) {
            read_dynamic(library, (const ElfW(Dyn) *)(info->dlpi_addr + header->p_vaddr));
        } else if (header->p_type == PT_TLS) {
            library->tls_module = info->dlpi_tls_modid;
            library->tls_block = (uintptr_t)info->dlpi_tls_data;
            *tls_bytes += header->p_memsz + header->p_align;
        }
    }
}

static int visit_library(struct dl_phdr_info *info, size_t size, void *data)
{
    struct visit *visit = data;
    struct tm_loaded_library library;
    (void)size;
    visit->search->generation = info->dlpi_adds + 1;
    if (visit->search->generation == visit->generation_before) {
        return 1;
    }
    read_library(&library, info, &visit->search->tls_bytes_max);
    library.is_program = visit->visited++ == 0;
    if (!visit->found && find(&library, visit->name) != NULL) {
        visit->search->library = library;
        visit->found = true;
    }
    return 0; /* to the end, for the sum of thread-local bytes */
}

bool tm_loaded_library_find(const char *name, struct tm_loaded_search *search)
{
    struct visit visit = {name, search, search->generation, 0, false};
    search->tls_bytes_max = 0;
    dl_iterate_phdr(visit_library, &visit);
    return visit.found;
}

void *tm_loaded_symbol(const struct tm_loaded_library *library, const char *name, size_t *size)
{
    const ElfW(Sym) *symbol = find(library, name);
    if (symbol == NULL) {
        return NULL;
    }
    if (size != NULL) {
        *size = symbol->st_size;
    }
    return (void *)(library->base + symbol->st_value);
}

uintptr_t *tm_loaded_symbol_value(const struct tm_loaded_library *library, const char *name)
{
    const ElfW(Sym) *symbol = find(library, name);
    return symbol != NULL ? (uintptr_t *)(uintptr_t)&symbol->st_value : NULL;
}
