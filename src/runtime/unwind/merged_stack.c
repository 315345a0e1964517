/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/merged_stack.h"

#include "runtime/unwind/python_frame.h"

/* So many frames of one call of the evaluation loop are no Python stack. */
#define FRAMES_OF_CALL_MAX (1U << 20)

/* The Python frames of one call of the evaluation loop. */
struct call {
    uintptr_t marker; /* an address in its machine frame; 0: none is known */
    unsigned frames;  /* those that count */
};

struct calls {
    const struct tm_cpython_layout *row;
    uintptr_t frame;  /* the newest of the next call */
    uintptr_t cframe; /* its record, until 3.12 */
};

static struct calls begin_calls(const struct tm_cpython_layout *row, uintptr_t tstate)
{
    struct calls calls = {row, 0, 0};
    if (row != NULL && tstate != 0) {
        calls.frame = tm_python_frame_newest(row, tstate);
        calls.cframe = row->tstate_cframe != 0 ? tm_python_word(tstate, row->tstate_cframe) : 0;
    }
    return calls;
}

static void leave_cframe(struct calls *calls)
{
    if (calls->cframe != 0) {
        calls->cframe = tm_python_word(calls->cframe, calls->row->cframe_previous);
    }
}

/* Until 3.10: a call runs one frame. */
static void next_object(struct calls *calls, struct call *call)
{
    *call = (struct call){calls->cframe, 1};
    calls->frame = tm_python_word(calls->frame, calls->row->frame_previous);
    leave_cframe(calls);
}

/* 3.11: back to the frame that the call was entered by. */
static void next_until_entry(struct calls *calls, struct call *call)
{
    const struct tm_cpython_layout *row = calls->row;
    bool is_entry = false;
    *call = (struct call){calls->cframe, 0};
    for (unsigned i = 0; !is_entry && calls->frame != 0 && i < FRAMES_OF_CALL_MAX; i++) {
        is_entry = *(const bool *)(calls->frame + row->frame_is_entry);
        call->frames += tm_python_frame_place(row, calls->frame) != 0;
        calls->frame = tm_python_word(calls->frame, row->frame_previous);
    }
    leave_cframe(calls);
}

/* 3.12 and later: back to the shim, which lies on the C stack itself. */
static void next_until_shim(struct calls *calls, struct call *call)
{
    const struct tm_cpython_layout *row = calls->row;
    *call = (struct call){0, 0};
    for (unsigned i = 0; call->marker == 0 && calls->frame != 0 && i < FRAMES_OF_CALL_MAX; i++) {
        if (*(const int8_t *)(calls->frame + row->frame_owner) >= row->owner_shim) {
            call->marker = calls->frame;
        } else {
            call->frames += tm_python_frame_place(row, calls->frame) != 0;
        }
        calls->frame = tm_python_word(calls->frame, row->frame_previous);
    }
}

static bool next_call(struct calls *calls, struct call *call)
{
    if (calls->frame == 0) {
        return false;
    }
    if (calls->row->chain == TM_CHAIN_OBJECT) {
        next_object(calls, call);
    } else if (calls->row->frame_is_entry != 0) {
        next_until_entry(calls, call);
    } else {
        next_until_shim(calls, call);
    }
    return true;
}

struct merge {
    const struct tm_two_stacks *stacks;
    struct tm_raw_frame *merged;
    unsigned limit;
    unsigned count;
    unsigned python; /* taken so far */
};

static void add_native(struct merge *merge, uintptr_t pc)
{
    if (merge->count < merge->limit) {
        merge->merged[merge->count++] = (struct tm_raw_frame){0, pc, 0, TM_RAW_NATIVE};
    }
}

static void add_python(struct merge *merge, unsigned frames)
{
    const struct tm_two_stacks *stacks = merge->stacks;
    for (; frames > 0 && merge->python < stacks->python_count && merge->count < merge->limit; frames--) {
        merge->merged[merge->count++] = stacks->python[merge->python++];
    }
}

static bool owns(const struct tm_two_stacks *stacks, unsigned i, const struct call *call)
{
    const struct tm_native_frame *frame = &stacks->native[i];
    uintptr_t end = i + 1 < stacks->native_count ? stacks->native[i + 1].sp : stacks->native_end;
    if (call->marker != 0) {
        return call->marker >= frame->sp && call->marker < end;
    }
    return tm_eval_code_has(&stacks->code, frame->pc);
}

/* All the Python frames that are wanted are there. */
static bool is_full(const struct merge *merge)
{
    return merge->stacks->python_is_cut && merge->python == merge->stacks->python_count;
}

unsigned tm_stacks_merge(const struct tm_two_stacks *stacks, struct tm_raw_frame *merged, unsigned limit,
                         bool *is_merged)
{
    struct merge merge = {stacks, merged, limit, 0, 0};
    struct calls calls = begin_calls(stacks->row, stacks->tstate);
    struct call call;
    bool has_call = next_call(&calls, &call);
    for (unsigned i = 0; i < stacks->native_count && merge.count < limit && !is_full(&merge); i++) {
        if (has_call && owns(stacks, i, &call)) {
            add_python(&merge, call.frames);
            has_call = next_call(&calls, &call);
        } else {
            add_native(&merge, stacks->native[i].pc);
        }
    }
    unsigned placed = merge.python;
    add_python(&merge, stacks->python_count);
    *is_merged = merge.python == placed || stacks->native_end != UINTPTR_MAX;
    return merge.count;
}
