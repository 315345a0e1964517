/* SPDX-License-Identifier: MIT */
/* What the parts of the loader share while a model is being made: the file, the budget, the fault.
 *
 * One thread; lives on the stack of tm_snapshot_load. */
#ifndef TM_REPORT_SNAPSHOT_LOAD_STATE_H
#define TM_REPORT_SNAPSHOT_LOAD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/status.h"
#include "report/snapshot/snapshot.h"

/* No section of a real snapshot comes near; a damaged or hostile one may claim anything. */
#define TM_LOAD_RAW_MAX (UINT64_C(1) << 30)
/* Memory that a file may ask for: so much for any file, and so much for each of its bytes. */
#define TM_LOAD_BUDGET_BASE     (UINT64_C(256) << 20)
#define TM_LOAD_BUDGET_PER_BYTE UINT64_C(1024)
/* Bytes of BLOCKS may ask for more: equal blocks at equal distances, as a list's items, compress to nearly nothing. */
#define TM_LOAD_BUDGET_PER_BLOCKS_BYTE (UINT64_C(128) << 10)

struct tm_load {
    const uint8_t *bytes;
    size_t size;
    uint64_t budget;                            /* bytes that may still be allocated */
    uint64_t offsets[TM_SECTION_INHERITED + 1]; /* of the sections in the file, by kind; 0: absent */
    struct tm_snapshot *snapshot;
    struct tm_fault *fault;
};

/* Sets the fault and returns STATUS. */
TM_COLD TM_PRINTF(4, 5) enum tm_status
    tm_load_fail(struct tm_load *load, enum tm_status status, uint64_t offset, const char *format, ...);

/* COUNT zeroed items of SIZE bytes, owned by the model.  OFFSET is named in the fault. */
TM_CHECKED enum tm_status tm_load_allocate(struct tm_load *load, uint64_t count, size_t size, uint64_t offset,
                                           void **memory);

/* Undoes the codec of SECTION; *RAW has section->raw_size bytes, in the file or owned by the
 * model. */
TM_CHECKED enum tm_status tm_load_section_bytes(struct tm_load *load, const struct tm_section *section,
                                                const uint8_t **raw);

/* Decodes the items of SECTION, whose kind is known, from RAW into the model.  References to other sections are not
 * looked at. */
TM_CHECKED enum tm_status tm_load_items(struct tm_load *load, const struct tm_section *section, const uint8_t *raw);

bool tm_load_knows_section(uint32_t kind);

/* Joins the machine frames to the frames that they are, and names those that have no name yet by object and address.
 * All references have been checked. */
TM_CHECKED enum tm_status tm_load_native_frames(struct tm_load *load);

/* "STRINGS" and so on; words that fit after "section" for a kind that is not read. */
const char *tm_load_section_name(uint32_t kind);

#endif
