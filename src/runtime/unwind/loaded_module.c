/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/loaded_module.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

#define NOTE_NAME_SIZE 4U /* "GNU" and its zero byte */

/* struct dl_find_object of glibc 2.35, which older headers do not have. */
struct found_object {
    unsigned long long flags;
    void *map_start;
    void *map_end;
    struct link_map *map;
    void *frame_header;
    unsigned long long reserved[7];
};

static int (*find_object)(void *address, struct found_object *found);

void tm_loaded_modules_begin(void)
{
    void *function = dlsym(RTLD_DEFAULT, "_dl_find_object");
    if (function == NULL) {
        (void)dlerror(); /* the application must not find our message */
        return;
    }
    memcpy(&find_object, &function, sizeof function); /* POSIX; ISO C has no such cast */
}

struct visit {
    uintptr_t address;
    struct tm_loaded_module *module;
    bool found;
};

static int visit_object(struct dl_phdr_info *info, size_t size, void *data)
{
    struct visit *visit = data;
    struct tm_loaded_module module = {UINTPTR_MAX, 0, info->dlpi_addr, NULL, info->dlpi_name};
    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t low = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD) {
            module.low = low < module.low ? low : module.low;
            module.high = low + header->p_memsz > module.high ? low + header->p_memsz : module.high;
        } else if (header->p_type == PT_GNU_EH_FRAME) {
            module.frame_header = (const uint8_t *)low;
        }
    }
    if (visit->address < module.low || visit->address >= module.high) {
        return 0;
    }
    *visit->module = module;
    visit->found = true;
    return 1;
}

bool tm_loaded_module_find(uintptr_t address, struct tm_loaded_module *module)
{
    struct found_object found;
    struct visit visit = {address, module, false};
    if (find_object == NULL) {
        dl_iterate_phdr(visit_object, &visit);
        return visit.found;
    }
    if (find_object((void *)address, &found) != 0) {
        return false;
    }
    *module = (struct tm_loaded_module){(uintptr_t)found.map_start, (uintptr_t)found.map_end, found.map->l_addr,
                                        found.frame_header, found.map->l_name};
    return true;
}

/* The id among the notes from AT to END; 0: none. */
static size_t find_note(const uint8_t *at, const uint8_t *end, uint8_t id[TM_BUILD_ID_MAX])
{
    ElfW(Nhdr) note;
    while ((size_t)(end - at) >= sizeof note) {
        memcpy(&note, at, sizeof note);
        at += sizeof note;
        size_t name_size = ((size_t)note.n_namesz + 3) & ~(size_t)3;
        size_t size = ((size_t)note.n_descsz + 3) & ~(size_t)3;
        if (name_size > (size_t)(end - at) || note.n_descsz > (size_t)(end - at) - name_size) {
            return 0;
        }
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == NOTE_NAME_SIZE && memcmp(at, "GNU", 4) == 0) {
            size = note.n_descsz < TM_BUILD_ID_MAX ? note.n_descsz : TM_BUILD_ID_MAX;
            memcpy(id, at + name_size, size);
            return size;
        }
        if (size > (size_t)(end - at) - name_size) {
            return 0;
        }
        at += name_size + size;
    }
    return 0;
}

size_t tm_loaded_module_build_id(const struct tm_loaded_module *module, uint8_t id[TM_BUILD_ID_MAX])
{
    const uint8_t *start = (const uint8_t *)module->low;
    const ElfW(Ehdr) *head = (const void *)start;
    size_t size = module->high - module->low;
    /* The first mapping of an object begins with its file's head: everything that links does it so. */
    if ((module->low & (sizeof(uintptr_t) - 1)) != 0 || size < sizeof *head ||
        memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_phentsize != sizeof(ElfW(Phdr)) ||
        head->e_phoff > size - head->e_phnum * sizeof(ElfW(Phdr))) {
        return 0;
    }
    const ElfW(Phdr) *headers = (const void *)(start + head->e_phoff);
    for (unsigned i = 0; i < head->e_phnum; i++) {
        uintptr_t low = module->base + headers[i].p_vaddr;
        size_t length = 0;
        if (headers[i].p_type == PT_NOTE && low >= module->low && low <= module->high &&
            headers[i].p_memsz <= module->high - low) {
            length = find_note((const uint8_t *)low, (const uint8_t *)low + headers[i].p_memsz, id);
        }
        if (length != 0) {
            return length;
        }
    }
    return 0;
}
