/* SPDX-License-Identifier: MIT */
/* What the parts of the encoder share while a snapshot is made: selection, then sections, then the packed bytes.
 * For src/store/snapshot_*.c only. */
#ifndef TM_STORE_SNAPSHOT_ENCODING_H
#define TM_STORE_SNAPSHOT_ENCODING_H

#include "format/encode.h"
#include "store/section_compress.h"
#include "store/snapshot_encode.h"
#include "store/snapshot_select.h"

#define TM_ENCODING_SECTIONS 10U

enum tm_encoding_stage {
    TM_ENCODING_SELECTS,
    TM_ENCODING_WRITES, /* sections, one behind the other */
    TM_ENCODING_PACKS,  /* compresses them */
    TM_ENCODING_IS_OVER,
};

struct tm_encoding {
    const struct tm_store_view *view;
    const struct tm_encode_memory *memory;
    const struct tm_encode_fact *facts;
    unsigned fact_count;
    bool at_once; /* nobody looks in between */
    enum tm_encoding_stage stage;
    enum tm_encode_result result;
    struct tm_selection selection;

    /* Sections. */
    unsigned pass; /* under way, and the items it is through with */
    uint32_t done;
    size_t raw_bound; /* bytes behind the two writers */
    size_t inherited_bound;
    struct tm_writer raw;
    /* Of a forked child: a section made beside that of the counters, of the same look at them. */
    struct tm_writer inherited;
    uint64_t inherited_count;
    struct tm_section sections[TM_ENCODING_SECTIONS];
    size_t starts[TM_ENCODING_SECTIONS]; /* in raw */
    unsigned section_count;
    uint64_t items; /* of the section under way */
    struct tm_counter_record previous_counter;
    struct tm_counter_record previous_inherited;
    struct tm_frame_record previous_frame;
    struct tm_traceback_record previous_traceback;
    struct tm_native_frame_record previous_native;
    uint64_t live_bytes[TM_DOMAIN_COUNT];
    uint64_t live_blocks[TM_DOMAIN_COUNT];
    struct tm_encode_blocks *blocks; /* NULL: none are wanted.  Otherwise they are the first section */
    uint64_t blocks_left_out;
    uint64_t traffic; /* when the blocks began */
    struct tm_size_sums sizes;

    /* Packing. */
    struct tm_compressor *compressor; /* NULL: all is stored as it is */
    uint8_t *bytes;
    size_t capacity;
    size_t size;      /* of bytes so far */
    unsigned packing; /* section under way, and how much of it went in and came out */
    size_t taken;
    size_t put;
};

/* The META section's items; adds up what there is to say about the sections made before. */
void tm_snapshot_meta_encode(struct tm_encoding *encoding);

/* The most bytes it takes. */
size_t tm_snapshot_meta_bound(const struct tm_encoding *encoding);

/* Sections: begin when the selection is made, then steps of MOST items; false when there was nothing left to do.
 * What fails is the encoding's result. */
void tm_snapshot_sections_begin(struct tm_encoding *encoding);
bool tm_snapshot_sections_step(struct tm_encoding *encoding, uint32_t most);
void tm_snapshot_sections_free(struct tm_encoding *encoding);

/* Packing: likewise, in steps of some ten thousand bytes. */
void tm_snapshot_pack_begin(struct tm_encoding *encoding);
bool tm_snapshot_pack_step(struct tm_encoding *encoding);

#endif
