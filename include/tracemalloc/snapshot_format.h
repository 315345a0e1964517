/* SPDX-License-Identifier: MIT */
/* The bytes of a snapshot file (`tracemalloc.PID.tms`), version 1.  Everything that a reader in another language needs.
 *
 * Numbers of fixed width are little endian and need no alignment.  A *varint* is LEB128: seven bits a byte, low bits
 * first, the high bit set in all bytes but the last; at most 10 bytes for 64 bits.  A *zigzag* is a varint of a signed
 * number: 0, -1, 1, -2 become 0, 1, 2, 3.  A *text* is a varint length and that many bytes, mostly UTF-8.
 *
 *   file  +------+-----------+-----------+-----------+---
 *         | head | directory | section 0 | section 1 | ...     one directory entry for each section, in file order
 *         +------+-----------+-----------+-----------+---
 *
 * The directory follows the head, the first section follows the directory, each section follows the one before it:
 * no gap, nothing after the last one.  So every byte of a file is under a checksum.
 *
 *   head       0        8         12      16              20
 *             +--------+---------+-------+---------------+----------+
 *             | magic  | version | flags | section count | checksum |     24 bytes
 *             +--------+---------+-------+---------------+----------+
 *              8 bytes  u32       u32     u32             u32
 *
 *   directory  0      4       8        16            24         32      40         44
 *   entry     +------+-------+--------+-------------+----------+-------+----------+---------+
 *             | kind | codec | offset | stored size | raw size | items | checksum | unused  |     48 bytes
 *             +------+-------+--------+-------------+----------+-------+----------+---------+
 *              u32    u32     u64      u64           u64        u64     u32        u32, 0
 *
 * offset is from the start of the file; stored size is what lies there, raw size is what it becomes when the codec is
 * undone.  Checksums are CRC-32C (Castagnoli): an entry's is that of the stored bytes; the head's is that of its first
 * 20 bytes followed by the directory.
 *
 * Readers skip kinds that they do not know, refuse codecs and versions that they do not know, and read every older
 * version for ever.  A section that is absent has no items; a kind appears once at most. */
#ifndef TRACEMALLOC_SNAPSHOT_FORMAT_H
#define TRACEMALLOC_SNAPSHOT_FORMAT_H

#include <stdint.h>

/* Not text, not changed by transfers in text mode unnoticed: high bit, CR LF, end-of-file mark of DOS, LF. */
#define TM_SNAPSHOT_MAGIC        "\x89TMS\r\n\x1a\n"
#define TM_SNAPSHOT_MAGIC_SIZE   8U
#define TM_SNAPSHOT_VERSION      1U
#define TM_SNAPSHOT_HEAD_SIZE    24U
#define TM_SNAPSHOT_SECTION_SIZE 48U

/* Who gave out a block.  The first three are CPython's allocator domains (PEP 445). */
enum tm_domain {
    TM_DOMAIN_RAW = 0,    /* PyMem_RawMalloc */
    TM_DOMAIN_MEM = 1,    /* PyMem_Malloc */
    TM_DOMAIN_OBJ = 2,    /* PyObject_Malloc */
    TM_DOMAIN_NATIVE = 3, /* malloc and its family, not called by one of the above */
    TM_DOMAIN_MMAP = 4,   /* pages from the kernel; in no total of traced memory */
    TM_DOMAIN_COUNT = 5
};

enum tm_codec {
    TM_CODEC_STORED = 0,     /* as it is: stored size and raw size are equal */
    TM_CODEC_ZSTD = 1,       /* one zstd frame that states its content size (RFC 8878) */
    TM_CODEC_ZSTD_FRAMES = 2 /* such frames one behind the other: what they hold, joined.  For BLOCKS so far */
};

enum tm_section_kind {
    TM_SECTION_META = 1,
    TM_SECTION_STRINGS = 2,
    TM_SECTION_FRAMES = 3,
    TM_SECTION_TRACEBACKS = 4,
    TM_SECTION_COUNTERS = 5,
    TM_SECTION_SIZES = 6,
    TM_SECTION_MODULES = 7,
    TM_SECTION_BLOCKS = 8,
    TM_SECTION_NATIVE_FRAMES = 9,
    TM_SECTION_INHERITED = 10
};

/* META: facts of the process and of the recording; all are optional, unknown keys are ignored.
 *
 *   +----------+---------+---------------------------+
 *   | key text | type u8 | varint or text or zigzag  |     by type
 *   +----------+---------+---------------------------+ */
enum tm_meta_type { TM_META_U64 = 1, TM_META_BYTES = 2, TM_META_I64 = 3 };

/* STRINGS: ids 0, 1, 2, ... in order; id 0 is the empty string.
 *
 *   +------+
 *   | text |
 *   +------+
 *
 * FRAMES: ids from 1; 0 is no frame.  Deltas are to the frame before (the first: to zeros).
 *
 *   +-------------------+-----------------------+-------------+
 *   | file zigzag delta | function zigzag delta | line varint |     file, function: string ids
 *   +-------------------+-----------------------+-------------+
 *
 * TRACEBACKS: ids from 1; 0 is the traceback without frames, which reports show as one frame `<unknown>`, line 0.
 * A traceback is its most recent frame and the traceback of the older ones, which has a smaller id.
 *
 *   +--------------------------+--------------------+
 *   | varint of own id - older | frame zigzag delta |     older: 0 for none; delta to the frame id of the item before
 *   +--------------------------+--------------------+
 *
 * COUNTERS: in ascending order of (traceback, domain), each pair once.
 *
 *   +------------------------+-----------+---------+-----------------------------+
 *   | traceback varint delta | domain u8 | mask u8 | varints of what is not zero |
 *   +------------------------+-----------+---------+-----------------------------+
 *
 * A bit of the mask says that its value (for peaks: both values of the pair) follows, in the order of the bits. */
enum tm_counter_mask {
    TM_COUNTER_LIVE_BYTES = 1,
    TM_COUNTER_LIVE_BLOCKS = 2,
    TM_COUNTER_EVER_BYTES = 4,
    TM_COUNTER_EVER_BLOCKS = 8,
    TM_COUNTER_TEMPORARY_BLOCKS = 16, /* freed by the thread that got them, before its next allocation */
    TM_COUNTER_PEAK_PYTHON = 32,      /* bytes, blocks: live when raw + mem + obj were at their highest */
    TM_COUNTER_PEAK_HEAP = 64,        /* bytes, blocks: live when native too was counted */
    TM_COUNTER_MASK_ALL = 127
};

/* INHERITED: of a process that was forked (META has `forked_from`): the part of COUNTERS that is of blocks from before
 * the fork, in the same form and order, without peaks.  Each (traceback, domain) has its item in COUNTERS, of which no
 * figure is smaller; the difference is of blocks that the process got itself.
 *
 * SIZES: how blocks spread over sizes.  Each (domain, bound) once at most.
 *
 *   +-----------+--------------+--------------------+--------------------+
 *   | domain u8 | bound varint | live blocks varint | ever blocks varint |     bound: largest size of the class in
 * bytes
 *   +-----------+--------------+--------------------+--------------------+
 *
 * MODULES: the loaded objects (program and libraries) that machine frames are of; ids from 1.
 *
 *   +----------------+---------------+
 *   | path string id | build id text |     the id as bytes, mostly 20; empty where the linker wrote none
 *   +----------------+---------------+
 *
 * NATIVE_FRAMES: which items of FRAMES are machine frames, in ascending order of their ids; the others are Python's.
 *
 *   +--------------------+---------------+----------------+
 *   | frame varint delta | module varint | address varint |     first delta: from 0
 *   +--------------------+---------------+----------------+
 *
 * The address is one in the module's file (of its symbol table and DWARF), of the instruction that runs: in a caller
 * the last byte of its call.  While nothing but this is known the frame's item has the module's path for its file, no
 * function and line 0.  Once it has a function, file and line are those of the source, or the module's path and 0 where
 * they are not known; calls that the compiler inlined are frames of their own at the same address.
 * Readers that skip these two sections see such frames as frames of Python, with the names that they have.
 *
 * BLOCKS: single live blocks, where they were asked for.  In ascending order of (address, domain), each pair once.
 *
 *   +----------------------+-----------+-------------+------------------+
 *   | address varint delta | domain u8 | size varint | traceback varint |     first delta: from 0; size in bytes
 *   +----------------------+-----------+-------------+------------------+
 *
 * A block ends at 2^64 at most, all sizes together are at most 2^62, and the section is at most 1 GiB before
 * compression. The table of blocks is walked while the program's threads go on: two blocks may overlap where the first
 * was freed meanwhile, a block may be missing, and sums over blocks differ from COUNTERS by what META says
 * (blocks_skew).  Where META has a sample_rate, blocks are the sampled ones.  A program's own mappings are blocks of
 * the mmap domain, other blocks may lie in them. */

#endif
