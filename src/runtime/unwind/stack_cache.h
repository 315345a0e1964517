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
 * A call or a return is a step: the frame that called the newest one is looked for among the newest in the cache.  From
 * there on all is compared as for an unchanged stack: whatever was called or left in between, generators and greenlets
 * too, a chain of the same frames at the same instructions is the same stack.
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

/* What no frame's address is, not even that of none. */
#define TM_STACK_NOWHERE ((uintptr_t)1)

#define TM_STACK_BEFORE 2U

/* Arrays of the caller's, each from where its first frame has its place: before it are TM_STACK_BEFORE frames that are
 * TM_STACK_NOWHERE, and as many hashes of 0; after it there is room for the largest limit and TM_STACK_HIDDEN_MAX. */
struct tm_stack_room {
    struct tm_raw_frame *frames;
    uint64_t *hashes;
    uint32_t *notes;
};

struct tm_stack_cache {
    /* First: what every event reads. */
    struct tm_raw_frame *newest; /* the last of the frames; of an empty cache the one before the first */
    uintptr_t top_frame;         /* its frame */
    uint64_t older;              /* the hash of frames[0] and on, but for the newest; 0: there are none */
    uint32_t count;
    uint32_t limit;              /* of the frames wanted */
    uint32_t hidden;             /* frames before frames[0]; not 0 only in a full window */
    bool is_whole;               /* older frames than frames[0] do not exist */
    bool reaches_end;            /* older frames than the hidden ones do not exist */
    struct tm_raw_frame *frames; /* oldest first */
    uint64_t *hashes;      /* of all frames to frames[i], hidden ones too, but for the newest; 0 before the first */
    uint32_t *notes;       /* the user's word on frames[0] to frames[i]; 0 whenever one of these changes */
    const uint32_t *noted; /* the user's too: notes is it when the words are of the window as it stands */
    const _Atomic uint32_t *versions; /* of places: the user's, part of the hashes */
    uint64_t power;            /* what a hash before the window is multiplied by in the last one of a full window */
    struct tm_stack_room room; /* never changes */
};

#define TM_STACK_HIDDEN_MAX 48U /* room wanted before the window, beside that for the largest limit */

/* Odd, and so large that no two of the 4,096 versions (multiples of 2^20) differ in address bits alone when
 * multiplied. */
#define TM_STACK_VERSION_MULTIPLIER UINT64_C(0x5851F42D)

/* Hashes are numbers below this prime, 2^61 - 1: the sum of the frames' own, each times a power of the multiplier,
 * which is small so that one subtraction is enough after it. */
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

/* A and B below the prime. */
TM_INLINE uint64_t tm_stack_multiply_all(uint64_t a, uint64_t b)
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

/* True when a frame that counts would count at its place whoever owns it, false when it is a generator's that has not
 * come to its first traceable instruction. */
TM_INLINE bool tm_stack_counts_anywhere(const struct tm_cpython_layout *row, const struct tm_raw_frame *frame)
{
    if (row->chain == TM_CHAIN_OBJECT || *(const int8_t *)(frame->frame + row->frame_owner) != row->owner_generator) {
        return true;
    }
    uintptr_t code = tm_python_word(frame->frame, row->frame_code) & ~row->frame_code_mask;
    return frame->place >=
           code + row->code_bytes + 2 * (uintptr_t)(uint32_t)tm_python_int(code, row->code_firsttraceable);
}

/* What may stand between two frames of the cache. */
enum tm_stack_gap {
    TM_GAP_NONE,  /* nothing: all else is for the long way */
    TM_GAP_ENTRY, /* one entry frame of the interpreter (3.12 and later), which never counts; told without a call */
    TM_GAP_ANY,   /* frames that do not count */
};

/* How the frames of a chain are read that are told by their instruction alone.  Constants where the release is known
 * when the library is built. */
struct tm_stack_form {
    unsigned previous; /* offsets in a frame */
    unsigned instruction;
    unsigned mark; /* see watermark.h */
    enum tm_stack_gap gap;
};

TM_INLINE struct tm_stack_form tm_stack_form_of(const struct tm_cpython_layout *row, enum tm_stack_gap gap)
{
    return (struct tm_stack_form){row->frame_previous, row->frame_instruction, row->frame_stacktop, gap};
}

/* The same where the answer is short, without a call. */
TM_INLINE bool tm_stack_leads_past_entry(const struct tm_cpython_layout *row, uintptr_t above, uintptr_t wanted,
                                         unsigned previous)
{
    TM_OPAQUE(above); /* or each frame would keep in a register for here what it compares in one instruction */
    uintptr_t entry = tm_python_word(above, previous);
    return entry != 0 && *(const int8_t *)(entry + row->frame_owner) >= row->owner_shim &&
           tm_python_word(entry, previous) == wanted;
}

TM_INLINE bool tm_stack_leads_further(const struct tm_cpython_layout *row, uintptr_t above, uintptr_t wanted,
                                      struct tm_stack_form form)
{
    return form.gap == TM_GAP_ANY     ? tm_stack_leads_to(row, above, wanted)
           : form.gap == TM_GAP_ENTRY ? tm_stack_leads_past_entry(row, above, wanted, form.previous)
                                      : false;
}

/* True when OLDER is the next frame below *ABOVE and at the same instruction; *ABOVE is then that frame.  Six
 * instructions: this is what a deep stack costs per frame. */
TM_INLINE bool tm_stack_is_next(const struct tm_cpython_layout *row, uintptr_t *above, const struct tm_raw_frame *older,
                                struct tm_stack_form form)
{
    uintptr_t wanted = older->frame;
    if (TM_UNLIKELY(tm_python_word(*above, form.previous) != wanted) &&
        !tm_stack_leads_further(row, *above, wanted, form)) {
        return false;
    }
    *above = wanted;
    return TM_LIKELY(tm_python_word(wanted, form.instruction) == older->place);
}

TM_INLINE bool tm_stack_are_next_4(const struct tm_cpython_layout *row, uintptr_t *above, const struct tm_raw_frame *at,
                                   struct tm_stack_form form)
{
    return tm_stack_is_next(row, above, &at[-1], form) && tm_stack_is_next(row, above, &at[-2], form) &&
           tm_stack_is_next(row, above, &at[-3], form) && tm_stack_is_next(row, above, &at[-4], form);
}

/* True when the COUNT frames of a cache before AT, which is in the stack, are unchanged, and nothing is older when they
 * are WHOLE.  For rows whose frames are told by their instruction alone: an instruction's address is unique while its
 * code object lives, and it was past the first traceable one.  False also where more than FORM says stands between
 * two. */
TM_INLINE bool tm_stack_frames_stand(const struct tm_raw_frame *at, size_t count, const bool *whole,
                                     const struct tm_cpython_layout *row, struct tm_stack_form form)
{
    uintptr_t above = at->frame;
    for (; count >= 8; count -= 8, at -= 8) {
        if (!tm_stack_are_next_4(row, &above, at, form) || !tm_stack_are_next_4(row, &above, at - 4, form)) {
            return false;
        }
    }
    if ((count & 4) != 0) {
        if (!tm_stack_are_next_4(row, &above, at, form)) {
            return false;
        }
        at -= 4;
    }
    if ((count & 2) != 0) {
        if (!tm_stack_is_next(row, &above, &at[-1], form) || !tm_stack_is_next(row, &above, &at[-2], form)) {
            return false;
        }
        at -= 2;
    }
    if ((count & 1) != 0 && !tm_stack_is_next(row, &above, &at[-1], form)) {
        return false;
    }
    return !*whole || tm_python_word(above, form.previous) == 0 || tm_stack_leads_further(row, above, 0, form);
}

/* Whether FRAME is another than the REMEMBERED one.  The compiler cannot tell that afterwards either will do: what was
 * remembered is there at once, FRAME at the end of a chain of loads, and what is read of the frame need not wait for
 * it. */
TM_INLINE bool tm_stack_is_another(uintptr_t frame, uintptr_t remembered)
{
#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__)
    bool is_another;
    __asm__("cmpq %1, %2" : "=@ccne"(is_another) : "r"(remembered), "r"(frame));
    return is_another;
#else
    return frame != remembered;
#endif
}

/* True when the frames of the cache below TOP, the newest one, which is in the stack, are unchanged. */
TM_INLINE bool tm_stack_cache_stands(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row,
                                     const struct tm_raw_frame *top, struct tm_stack_form form)
{
    return tm_stack_frames_stand(top, (size_t)cache->count - 1, &cache->is_whole, row, form);
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
        TM_OPAQUE(wanted); /* the next load need not wait for the comparison's other side */
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
        return tm_stack_frames_stand(cache->frames + top, top, &cache->is_whole, row,
                                     tm_stack_form_of(row, TM_GAP_ANY));
    }
    return tm_stack_cache_agrees(cache, row, tm_python_word(cache->frames[top].frame, row->frame_previous),
                                 (uint32_t)top);
}

/* The hash of all frames but the newest; 0: there are none. */
TM_INLINE uint64_t tm_stack_cache_older(const struct tm_stack_cache *cache)
{
    return cache->older;
}

/* Makes AT, which is written, the newest frame. */
TM_INLINE void tm_stack_cache_turn_to(struct tm_stack_cache *cache, struct tm_raw_frame *at)
{
    cache->newest = at;
    cache->top_frame = at->frame;
}

/* Forgets the stack, whatever state the cache is in: a fork may have come while another thread was changing it. */
TM_INLINE void tm_stack_cache_clear(struct tm_stack_cache *cache)
{
    cache->frames = cache->room.frames;
    tm_stack_cache_turn_to(cache, cache->room.frames - 1);
    cache->hashes = cache->room.hashes;
    cache->notes = cache->room.notes;
    cache->hidden = 0;
    cache->count = 0;
    cache->older = 0;
}

/* CACHE is all zero, and so are FRAMES and HASHES, which have room for TM_STACK_BEFORE more than NOTES has. */
void tm_stack_cache_init(struct tm_stack_cache *cache, struct tm_raw_frame *frames, uint64_t *hashes, uint32_t *notes);

/* Forgets it, and keeps LIMIT frames from now on. */
void tm_stack_cache_set_limit(struct tm_stack_cache *cache, uint32_t limit);

/* True when NEWEST, the newest frame of the stack, is that of the cache; *PLACE is its instruction. */
TM_INLINE bool tm_stack_cache_try_top(const struct tm_stack_cache *cache, uintptr_t newest, struct tm_stack_form form,
                                      uintptr_t *place)
{
    const uintptr_t top = cache->top_frame;
    if (tm_stack_is_another(newest, top)) {
        return false;
    }
    *place = tm_python_word(top, form.instruction);
    return true;
}

/* True when the stack whose newest frame is NEWEST (0: there is none) is surely as in the cache but for the
 * instruction of that frame, which is then *PLACE; *OLDER is the hash of the others.  Whether NEWEST counts at *PLACE
 * is for the caller to know, who also hears when the limit changes.  Calls no function and changes nothing. */
TM_INLINE bool tm_stack_cache_try(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row,
                                  uintptr_t newest, struct tm_stack_form form, uintptr_t *place, uint64_t *older)
{
    if (!tm_stack_cache_try_top(cache, newest, form, place) ||
        !tm_stack_cache_stands(cache, row, cache->newest, form)) {
        return false;
    }
    *older = tm_stack_cache_older(cache);
    return true;
}

/* HASH without that of the frames that come first in it, which is BEFORE and was multiplied by POWER since. */
TM_INLINE uint64_t tm_stack_hash_without(uint64_t hash, uint64_t before, uint64_t power)
{
    before = tm_stack_multiply_all(before, power);
    return hash >= before ? hash - before : hash + TM_STACK_PRIME - before;
}

/* What a hash is multiplied by when COUNT frames more come to it. */
uint64_t tm_stack_power(uint32_t count);

/* The stack stands as in the cache, which is not empty, but for its newest instruction: takes that in.  False: the
 * newest frame does not count there, nothing is changed. */
TM_INLINE bool tm_stack_cache_renew_top(struct tm_stack_cache *cache, const struct tm_cpython_layout *row)
{
    const uint32_t top = cache->count - 1;
    const struct tm_raw_frame now = tm_stack_read(row, cache->frames[top].frame);
    if (TM_UNLIKELY(now.place == 0)) {
        return false;
    }
    if (now.place != cache->frames[top].place || now.offset != cache->frames[top].offset) {
        cache->frames[top] = now;
        cache->notes[top] = 0;
    }
    return true;
}

/* Hides COUNT frames more; below 0: less.  The newest one that is there is the one it was. */
TM_INLINE void tm_stack_cache_slide(struct tm_stack_cache *cache, ptrdiff_t count)
{
    cache->frames += count;
    cache->hashes += count;
    cache->notes += count;
    cache->hidden = (uint32_t)((ptrdiff_t)cache->hidden + count);
    cache->count = (uint32_t)((ptrdiff_t)cache->count - count);
    cache->is_whole = cache->reaches_end && cache->hidden == 0;
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
