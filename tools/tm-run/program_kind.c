/* SPDX-License-Identifier: MIT */
#include "tools/tm-run/program_kind.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPTS_MAX  4U /* the kernel follows no more */
#define HEADERS_MAX  64U
#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"

static bool is_program(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode) && access(path, X_OK) == 0;
}

bool tm_program_find(const char *word, char *path, size_t capacity)
{
    if (strchr(word, '/') != NULL) {
        return (size_t)snprintf(path, capacity, "%s", word) < capacity && is_program(path);
    }
    const char *folders = getenv("PATH");
    folders = folders != NULL ? folders : PATH_DEFAULT;
    for (const char *at = folders; at != NULL; at = strchr(at, ':') != NULL ? strchr(at, ':') + 1 : NULL) {
        size_t length = strcspn(at, ":");
        int written = length == 0 ? snprintf(path, capacity, "./%s", word)
                                  : snprintf(path, capacity, "%.*s/%s", (int)length, at, word);
        if (written > 0 && (size_t)written < capacity && is_program(path)) {
            return true;
        }
    }
    return false;
}

static bool has_raised_rights(const char *path, const struct stat *found)
{
    bool user = (found->st_mode & S_ISUID) != 0 && found->st_uid != geteuid();
    bool group = (found->st_mode & S_ISGID) != 0 && (found->st_mode & S_IXGRP) != 0 && found->st_gid != getegid();
    bool capable = geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
    return user || group || capable;
}

/* The name of the program's ld.so; false when it has none. */
static bool read_loader(int descriptor, const Elf64_Ehdr *head, char *name, size_t capacity)
{
    for (unsigned i = 0; i < head->e_phnum && i < HEADERS_MAX; i++) {
        Elf64_Phdr part;
        off_t at = (off_t)(head->e_phoff + (uint64_t)i * sizeof part);
        if (pread(descriptor, &part, sizeof part, at) != (ssize_t)sizeof part) {
            return false;
        }
        if (part.p_type == PT_INTERP) {
            size_t wanted = part.p_filesz < capacity ? (size_t)part.p_filesz : capacity - 1;
            ssize_t got = pread(descriptor, name, wanted, (off_t)part.p_offset);
            name[got > 0 ? got : 0] = '\0';
            return got > 0;
        }
    }
    return false;
}

static enum tm_program_kind kind_of_elf(int descriptor, const Elf64_Ehdr *head)
{
    char loader[256];
    if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_machine != EM_X86_64) {
        return TM_PROGRAM_FOREIGN;
    }
    if (!read_loader(descriptor, head, loader, sizeof loader)) {
        return TM_PROGRAM_STATIC;
    }
    return strstr(loader, "ld-musl") != NULL ? TM_PROGRAM_MUSL : TM_PROGRAM_TRACEABLE;
}

/* The first word behind #!, in place. */
static char *interpreter_of(char *line)
{
    line += 2;
    line += strspn(line, " \t");
    line[strcspn(line, " \t\r\n")] = '\0';
    return line;
}

static enum tm_program_kind kind_of(const char *path, unsigned scripts)
{
    union {
        Elf64_Ehdr elf;
        char line[256];
    } head;
    struct stat found;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) {
        return TM_PROGRAM_TRACEABLE;
    }
    memset(&head, 0, sizeof head);
    ssize_t got = read(descriptor, &head, sizeof head - 1);
    enum tm_program_kind kind = TM_PROGRAM_TRACEABLE;
    if (fstat(descriptor, &found) == 0 && has_raised_rights(path, &found)) {
        kind = TM_PROGRAM_SETUID;
    } else if (got >= (ssize_t)sizeof head.elf && memcmp(head.elf.e_ident, ELFMAG, SELFMAG) == 0) {
        kind = kind_of_elf(descriptor, &head.elf);
    } else if (got > 2 && memcmp(head.line, "#!", 2) == 0 && scripts < SCRIPTS_MAX) {
        kind = kind_of(interpreter_of(head.line), scripts + 1);
    }
    (void)close(descriptor);
    return kind;
}

enum tm_program_kind tm_program_kind(const char *path)
{
    return kind_of(path, 0);
}
