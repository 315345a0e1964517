/* SPDX-License-Identifier: MIT */
#include "runtime/os/lent_pages.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/os_memory.h"
#include "runtime/os/os_process.h"

#define SLOTS 64U

/* Whoever moves `user` from 0 has the slot, and may change what is in it. */
static struct slot {
    _Atomic uint32_t user; /* pid; the kernel writes 0 when that process has left this memory */
    void *_Atomic at;      /* NULL: nothing was left */
    size_t size;
} slots[SLOTS];

static bool is_taken(struct slot *slot, uint32_t user)
{
    uint32_t nobody = 0;
    return atomic_compare_exchange_strong_explicit(&slot->user, &nobody, user, memory_order_acquire,
                                                   memory_order_relaxed);
}

static void empty(struct slot *slot)
{
    if (slot->at != NULL) {
        tm_pages_unmap(slot->at, slot->size);
        slot->at = NULL;
    }
}

static void leave(struct slot *slot)
{
    atomic_store_explicit(&slot->user, 0, memory_order_release);
}

static unsigned take_slot(uint32_t user)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (is_taken(&slots[i], user)) {
            return i + 1;
        }
    }
    return 0;
}

static bool take_shared(struct tm_lent_pages *pages)
{
    pages->slot = take_slot(tm_process_pid());
    if (pages->slot == 0) {
        return false;
    }
    struct slot *slot = &slots[pages->slot - 1];
    (void)syscall(SYS_set_tid_address, &slot->user);
    empty(slot);
    slot->size = pages->size;
    slot->at = tm_pages_map(slot->size);
    pages->at = slot->at;
    return true;
}

bool tm_lent_pages_take(struct tm_lent_pages *pages, size_t size, bool is_shared)
{
    *pages = (struct tm_lent_pages){NULL, size, 0};
    if (is_shared) {
        if (!take_shared(pages)) {
            return false;
        }
    } else {
        pages->at = tm_pages_map(size);
    }
    if (pages->at == NULL) {
        tm_lent_pages_return(pages);
    }
    return pages->at != NULL;
}

void tm_lent_pages_return(const struct tm_lent_pages *pages)
{
    if (pages->slot != 0) {
        (void)syscall(SYS_set_tid_address, NULL);
        empty(&slots[pages->slot - 1]);
        leave(&slots[pages->slot - 1]);
    } else if (pages->at != NULL) {
        tm_pages_unmap(pages->at, pages->size);
    }
}

void tm_lent_pages_sweep(void)
{
    uint32_t pid = tm_process_pid();
    for (unsigned i = 0; i < SLOTS; i++) {
        if (slots[i].at != NULL &&
            is_taken(&slots[i], pid)) { /* a look at what others may change: the second one counts */
            empty(&slots[i]);
            leave(&slots[i]);
        }
    }
}
