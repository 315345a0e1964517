/* SPDX-License-Identifier: MIT */
/* Snapshots made from words, for tests.  One line is one item:
 *
 *   meta KEY u64|i64 NUMBER
 *   meta KEY bytes TEXT
 *   trace DOMAIN live=BYTES/BLOCKS ever=B/N temporary=N python-peak=B/N heap-peak=B/N | FRAME FRAME ...
 *   inherited DOMAIN live=B/N ever=B/N temporary=N | FRAME FRAME ...     the part of a trace from before a fork
 *   size DOMAIN BOUND LIVE EVER
 *   module PATH BUILD-ID-IN-HEX
 *   block DOMAIN ADDRESS-IN-HEX SIZE | FRAME FRAME ...
 *   blocks
 *
 * A FRAME is FILE:LINE or FILE:LINE:FUNCTION, for machine frames PATH+0xADDRESS or PATH+0xADDRESS=FILE:LINE:FUNCTION;
 * frames are oldest first; none is the empty traceback.  Figures may be left
 * out.  Traces of one traceback and domain add up.  `blocks` says that blocks are listed
 * though there be none; they are stored in address order, compressed as frames of a few each.  In TEXT and FRAME any
 * byte may be %XX; the space, `:`, `|`, `%` and the end of line must be.  Lines that are empty or begin with # say
 * nothing.
 *
 * Memory   malloc'ed; running out of it, or a line that is none of these, ends the program: a test's mistake. */
#ifndef TM_TESTS_SNAPSHOT_BUILDER_H
#define TM_TESTS_SNAPSHOT_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "format/records.h"

struct tm_builder;

struct tm_builder *tm_builder_new(void);
void tm_builder_free(struct tm_builder *builder);

/* Adds all lines of TEXT. */
void tm_builder_add(struct tm_builder *builder, const char *text);

/* The snapshot's file; malloc'ed. */
uint8_t *tm_builder_bytes(const struct tm_builder *builder, enum tm_codec codec, size_t *size);

/* Text to file in one call. */
uint8_t *tm_build(const char *text, enum tm_codec codec, size_t *size);

#endif
