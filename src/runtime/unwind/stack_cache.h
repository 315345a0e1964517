/* SPDX-License-Identifier: MIT */
/* The stack of the last event that changed it, so that the next one reads only what is new: most events come from the
 * same frame as the one before, or from a caller or callee of it.
 *
 * Looking whether the older frames are the same is cheaper than walking them: the addresses are known beforehand, so
 * the loads of all frames run side by side instead of one after the other.  A remembered address is read only after
 * the frame above it was seen to point there, so nothing is read that is no longer a frame.
 * Frames are kept oldest first, with the hash of each and all older ones: a call or a return then moves the end only.
 * The newest frame has no hash yet: its place, which moves with nearly every event, is a part of its own in a key.
 * Of a stack deeper than the limit the frames wanted are a window, that a call moves up and a return down: some of the
 * older ones stay, hidden, before frames[0].  Nobody looks whether they change; a return that brings one back does.
 * Hashes are of a kind of which the part before the window can be taken away again.
 *
 * Threads  the caller's lock (the GIL).  Nothing here says whose stack it was: frames of another thread do not match.
 * Limit    the caller's word for each event: the cache empties itself when it changes.
 * Death    whoever hears of the death of code clears the cache, for a frame of other code at the same address
 *          would be taken for the old one.
 * Memory   the caller's arrays, with room for the largest limit and what may be hidden.   errno, errors  none.
 * Signals  tm_stack_cache_try only reads, and a handler's event finds the stack as it stands: what it changes here it
 *          changes to what is here.  All else wants the events of handlers kept out. */
#ifndef TM_RUNTIME_UNWIND_STACK_CACHE_H
#define TM_RUNTIME_UNWIND_STACK_CACHE_H

#include <stddef.h>

#include "base/hash.h"
#include "base/place_version.h"
#include "runtime/unwind/python_frame.h"

/* Arrays of the caller's, each from where its first frame has its place: before it are two zeros, after it there is room
 * for the largest limit and TM_STACK_HIDDEN_MAX. */
struct tm_stack_room {
    struct tm_raw_frame *frames;
    uint64_t *hashes;
    uint32_t *notes;
};

struct tm_stack_cache {
    struct tm_stack_room room;   /* never changes */
    struct tm_raw_frame *frames; /* oldest first; frames[-1] of an empty cache is all zero, its newest one */
    uint64_t *hashes;      /* of all frames to frames[i], hidden ones too, but for the newest; 0 before the first */
    uint32_t *notes;       /* the user's word on frames[0] to frames[i]; 0 whenever one of these changes */
    const uint32_t *noted; /* the user's too: notes is it when the words are of the window as it stands */
    const _Atomic uint32_t *versions; /* of places: the user's, part of the hashes */
    uint64_t older;                   /* the hash of frames[0] and on, but for the newest; 0: there are none */
    uint64_t power; /* what a hash before the window is multiplied by in the last one of a full window */
    uint32_t count;
    uint32_t limit;   /* of the frames wanted */
    uint32_t hidden;  /* frames before frames[0]; not 0 only in a full window */
    bool is_whole;    /* older frames than frames[0] do not exist */
    bool reaches_end; /* older frames than the hidden ones do not exist */
};

#define TM_STACK_HIDDEN_MAX 48U /* room wanted before the window, beside that for the largest limit */

/* Hides that A equals what it was compared with, so that the next load needs not wait for the comparison's other side. */
#define TM_STACK_OPAQUE(a) __asm__("" : "+r"(a))

/* Odd, and so large that no two of the 4,096 versions (multiples of 2^20) differ in address bits alone when multiplied. */
#define TM_STACK_VERSION_MULTIPLIER UINT64_C(0x5851F42D)

/* Hashes are numbers below this prime, 2^61 - 1: the sum of the frames' own, each times a power of the multiplier, which
 * is small so that one subtraction is enough after it. */
#define TM_STACK_PRIME      ((UINT64_C(1) << 61) - 1)
#define TM_STACK_MULTIPLIER UINT32_C(0x9E3779B1)

__extension__ typedef unsigned __int128 tm_stack_product;

/* A below 2^62. */
TM_INLINE uint64_t tm_stack_multiply(uint64_t a, uint32_t b)
{
    tm_stack_product product = (tm_stack_product)a * b;
    uint64_t sum = ((uint64_t)product & TM_STACK_PRIME) + (uint64_t)(product >> 61);
    return sum < TM_STACK_PRIME ? sum : sum - TM_STACK_PRIME;
}

/* The hash of a frame and all older ones, whose hash is OLDER.  Neighbouring instructions are far apart.  Of code that
 * died at the same address it has another version, which is spread over all bits from 20 on: a key has the block's size
 * and domain in the highest bits, and an offset stands there too, so that two versions could stand for two sizes. */
TM_INLINE uint64_t tm_stack_hash(const _Atomic uint32_t *versions, uint64_t older, uintptr_t place, int32_t offset)
{
    uint64_t own = (place ^ ((uint64_t)(uint32_t)offset << 40)) * TM_HASH_MULTIPLIER;
    own ^= (own >> 31) ^ tm_place_version(versions, place) * TM_STACK_VERSION_MULTIPLIER;
    return tm_stack_multiply(older + (own & TM_STACK_PRIME), TM_STACK_MULTIPLIER);
}

/* Where FRAME is now; place 0: it does not count. */
TM_INLINE struct tm_raw_frame tm_stack_read(const struct tm_cpython_layout *row, uintptr_t frame)
{
    struct tm_raw_frame raw = {.frame = frame, .offset = 0, .kind = 0};
    if (row->chain == TM_CHAIN_OBJECT) {
        raw.place = tm_python_word(frame, row->frame_code);
        raw.offset = tm_python_frame_offset(row, frame);
    } else {
        raw.place = tm_python_frame_place(row, frame);
    }
    return raw;
}

TM_INLINE bool tm_stack_is_unchanged(const struct tm_cpython_layout *row, const struct tm_raw_frame *frame)
{
    if (row->chain == TM_CHAIN_OBJECT) {
        return tm_python_word(frame->frame, row->frame_code) == frame->place &&
               tm_python_frame_offset(row, frame->frame) == frame->offset;
    }
    /* An instruction's address is unique while its code object lives, and it was past the first traceable one. */
    return TM_LIKELY(row->code_tlbc == 0) ? tm_python_word(frame->frame, row->frame_instruction) == frame->place
                                          : tm_python_frame_place(row, frame->frame) == frame->place;
}

/* The first frame from FRAME on that counts; 0: none. */
TM_INLINE uintptr_t tm_stack_skip(const struct tm_cpython_layout *row, uintptr_t frame)
{
    unsigned patience = TM_PYTHON_FRAMES_SKIPPED;
    while (frame != 0 && row->chain != TM_CHAIN_OBJECT && tm_python_frame_place(row, frame) == 0) {
        frame = --patience == 0 ? 0 : tm_python_word(frame, row->frame_previous);
    }
    return frame;
}

/* ABOVE, a frame of the interpreter's chain, does not point to WANTED: true when it does but for frames that do not
 * count. */
TM_COLD bool tm_stack_leads_to(const struct tm_cpython_layout *row, uintptr_t above, uintptr_t wanted);

/* What may stand between two frames of the cache. */
enum tm_stack_gap {
    TM_GAP_NONE,  /* nothing: all else is for the long way */
    TM_GAP_ENTRY, /* one entry frame of the interpreter (3.12 and later), which never counts; told without a call */
    TM_GAP_ANY,   /* frames that do not count */
};

/* The same where the answer is short, without a call. */
TM_INLINE bool tm_stack_leads_past_entry(const struct tm_cpython_layout *row, uintptr_t above, uintptr_t wanted)
{
    TM_STACK_OPAQUE(above); /* or each frame would keep in a register for here what it compares in one instruction */
    uintptr_t entry = tm_python_word(above, row->frame_previous);
    return entry != 0 && *(const int8_t *)(entry + row->frame_owner) >= row->owner_shim &&
           tm_python_word(entry, row->frame_previous) == wanted;
}

TM_INLINE bool tm_stack_leads_further(const struct tm_cpython_layout *row, uintptr_t above, uintptr_t wanted,
                                      enum tm_stack_gap gap)
{
    return gap == TM_GAP_ANY     ? tm_stack_leads_to(row, above, wanted)
           : gap == TM_GAP_ENTRY ? tm_stack_leads_past_entry(row, above, wanted)
                                 : false;
}

/* True when OLDER is the next frame below *ABOVE and at the same instruction; *ABOVE is then that frame.  Six
 * instructions: this is what a deep stack costs per frame. */
TM_INLINE bool tm_stack_is_next(const struct tm_cpython_layout *row, uintptr_t *above, const struct tm_raw_frame *older,
                                unsigned previous, unsigned instruction, enum tm_stack_gap gap)
{
    uintptr_t wanted = older->frame;
    if (TM_UNLIKELY(tm_python_word(*above, previous) != wanted) && !tm_stack_leads_further(row, *above, wanted, gap)) {
        return false;
    }
    *above = wanted;
    return TM_LIKELY(tm_python_word(wanted, instruction) == older->place);
}

/* True when the frames of the cache below TOP, which is in the stack, are unchanged.  For rows whose frames are told by
 * their instruction alone: an instruction's address is unique while its code object lives, and it
 * was past the first traceable one.  False also where more than GAP stands between two of them. */
TM_INLINE bool tm_stack_cache_stands(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row,
                                     size_t top, enum tm_stack_gap gap)
{
    const struct tm_raw_frame *at = cache->frames + top;
    const unsigned previous = row->frame_previous;
    const unsigned instruction = row->frame_instruction;
    uintptr_t above = at->frame;
    for (; top >= 4; top -= 4, at -= 4) {
        if (!tm_stack_is_next(row, &above, &at[-1], previous, instruction, gap) ||
            !tm_stack_is_next(row, &above, &at[-2], previous, instruction, gap) ||
            !tm_stack_is_next(row, &above, &at[-3], previous, instruction, gap) ||
            !tm_stack_is_next(row, &above, &at[-4], previous, instruction, gap)) {
            return false;
        }
    }
    /* No loop for the rest: most stacks have no more. */
    if ((top >= 1 && !tm_stack_is_next(row, &above, &at[-1], previous, instruction, gap)) ||
        (top >= 2 && !tm_stack_is_next(row, &above, &at[-2], previous, instruction, gap)) ||
        (top >= 3 && !tm_stack_is_next(row, &above, &at[-3], previous, instruction, gap))) {
        return false;
    }
    return !cache->is_whole || tm_python_word(above, previous) == 0 || tm_stack_leads_further(row, above, 0, gap);
}

/* True when the COUNT oldest frames of the cache are those from FRAME on, at the same instructions. */
TM_INLINE bool tm_stack_cache_agrees(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row,
                                     uintptr_t frame, uint32_t count)
{
    for (const struct tm_raw_frame *cached = cache->frames + count; cached-- != cache->frames;) {
        uintptr_t wanted = cached->frame;
        if (TM_UNLIKELY(frame != wanted) && tm_stack_skip(row, frame) != wanted) {
            return false;
        }
        TM_STACK_OPAQUE(wanted);
        if (!tm_stack_is_unchanged(row, cached)) {
            return false;
        }
        frame = tm_python_word(wanted, row->frame_previous);
    }
    return !cache->is_whole || tm_stack_skip(row, frame) == 0;
}

/* True when the frames of the cache below TOP, which is in the stack, are unchanged. */
TM_INLINE bool tm_stack_cache_holds(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row, size_t top)
{
    if (TM_LIKELY(row->chain != TM_CHAIN_OBJECT) && TM_LIKELY(row->code_tlbc == 0)) {
        return tm_stack_cache_stands(cache, row, top, TM_GAP_ANY);
    }
    return tm_stack_cache_agrees(cache, row, tm_python_word(cache->frames[top].frame, row->frame_previous),
                                 (uint32_t)top);
}

/* The hash of all frames but the newest; 0: there are none. */
TM_INLINE uint64_t tm_stack_cache_older(const struct tm_stack_cache *cache)
{
    return cache->older;
}

/* Forgets the stack, whatever state the cache is in: a fork may have come while another thread was changing it. */
TM_INLINE void tm_stack_cache_clear(struct tm_stack_cache *cache)
{
    cache->frames = cache->room.frames;
    cache->hashes = cache->room.hashes;
    cache->notes = cache->room.notes;
    cache->hidden = 0;
    cache->count = 0;
    cache->older = 0;
}

/* Forgets it, and keeps LIMIT frames from now on. */
void tm_stack_cache_set_limit(struct tm_stack_cache *cache, uint32_t limit);

/* True when the stack whose newest frame is NEWEST, not 0, is surely as in the cache but for the instruction of that
 * frame, which is then *PLACE; *OLDER is the hash of the others.  Whether NEWEST counts at *PLACE is for the caller to
 * know, who also hears when the limit changes.  Calls no function and changes nothing. */
TM_INLINE bool tm_stack_cache_try(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row,
                                  uintptr_t newest, enum tm_stack_gap gap, uintptr_t *place, uint64_t *older)
{
    ptrdiff_t top = (ptrdiff_t)cache->count - 1;
    if (newest != cache->frames[top].frame) {
        return false;
    }
    *place = tm_python_word(newest, row->frame_instruction);
    if (!tm_stack_cache_stands(cache, row, (size_t)top, gap)) {
        return false;
    }
    TM_STACK_OPAQUE(cache); /* or its count would keep a register all the way */
    *older = tm_stack_cache_older(cache);
    return true;
}

/* The long way: follows calls and returns, or walks anew. */
void tm_stack_cache_follow(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t tstate);

/* Brings the cache to the present stack of TSTATE, which is not 0, at most LIMIT frames. */
TM_INLINE void tm_stack_cache_look(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t tstate,
                                   uint32_t limit)
{
    if (TM_UNLIKELY(cache->limit != limit)) {
        tm_stack_cache_set_limit(cache, limit);
    }
    uintptr_t newest = tm_python_frame_newest(row, tstate);
    uint32_t top = cache->count - 1;
    if (TM_LIKELY(cache->count != 0) && TM_LIKELY(newest == cache->frames[top].frame)) {
        struct tm_raw_frame now = tm_stack_read(row, newest);
        if (TM_LIKELY(now.place != 0) && TM_LIKELY(tm_stack_cache_holds(cache, row, top))) {
            cache->frames[top] = now;
            cache->notes[top] = 0;
            return;
        }
    }
    tm_stack_cache_follow(cache, row, tstate);
}

#endif
