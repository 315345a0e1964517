/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "base/crc32c.h"
#include "store/block_section.h"
#include "support/hand_made_store.h"
#include "support/listed_blocks.h"
#include "support/random_numbers.h"

#define MANY 300000U /* some pieces */

static struct tm_block_record any_block(struct random_numbers *random, const struct tm_block_record *before)
{
    struct tm_block_record block = *before;
    block.address += 16 + 16 * random_below(random, 40);
    block.size = random_below(random, 3) == 0 ? random_below(random, 1U << 30) : random_below(random, 600);
    block.traceback = (uint32_t)random_below(random, 100000);
    block.domain = (uint8_t)random_below(random, TM_DOMAIN_COUNT);
    return block;
}

static void add_many(struct tm_block_section *blocks, uint64_t seed, size_t count)
{
    struct random_numbers random = {seed};
    struct tm_block_record block = {0x7f0000000000, 0, 0, 0};
    for (size_t i = 0; i < count; i++) {
        block = any_block(&random, &block);
        tm_block_section_add(blocks, &block);
    }
}

static void all_pieces_together_are_the_list(void **state)
{
    (void)state;
    for (size_t count = 0; count <= MANY; count += MANY / 2) {
        struct listed_blocks listed = {.puts = 0};
        struct tm_block_section blocks;
        struct tm_section section;
        assert_true(tm_block_section_begin(&blocks, &counted_memory, listed_put, &listed));
        add_many(&blocks, count, count);
        assert_int_equal(tm_block_section_end(&blocks, &section), TM_ENCODE_DONE);
        assert_int_equal(memory_out, 0);
        assert_u64_equal(section.count, count);
        assert_true(section.kind == TM_SECTION_BLOCKS && section.codec == TM_CODEC_ZSTD_FRAMES);
        assert_true(listed.puts >= (count == MANY ? 2U : count > 0 ? 1U : 0U));
        assert_u64_equal(section.checksum, tm_crc32c(0, listed.bytes, listed.size));
        assert_true(listed_read(&listed, &section));
        struct random_numbers random = {count};
        struct tm_block_record block = {0x7f0000000000, 0, 0, 0};
        for (size_t i = 0; i < count; i++) {
            const struct tm_block_record *found = &listed.blocks[i];
            block = any_block(&random, &block);
            assert_true(found->address == block.address && found->size == block.size &&
                        found->traceback == block.traceback && found->domain == block.domain);
        }
        listed_free(&listed);
    }
}

/* What went before stays as it was put: whoever puts knows what failed. */
static void put_that_fails_ends_the_list(void **state)
{
    (void)state;
    for (unsigned fails_at = 1; fails_at <= 2; fails_at++) {
        struct listed_blocks listed = {.fails_at = fails_at};
        struct tm_block_section blocks;
        struct tm_section section;
        assert_true(tm_block_section_begin(&blocks, &counted_memory, listed_put, &listed));
        add_many(&blocks, 7, MANY);
        assert_int_equal(tm_block_section_end(&blocks, &section), TM_ENCODE_FAILED);
        assert_int_equal(listed.puts, fails_at);
        assert_int_equal(memory_out, 0);
        listed_free(&listed);
    }
}

static void no_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    for (memory_fails_at = 1;; memory_fails_at++) {
        struct listed_blocks listed = {.puts = 0};
        struct tm_block_section blocks;
        struct tm_section section;
        memory_gets = 0;
        if (tm_block_section_begin(&blocks, &counted_memory, listed_put, &listed)) {
            add_many(&blocks, 7, 10);
            enum tm_encode_result result = tm_block_section_end(&blocks, &section);
            assert_int_equal(memory_out, 0);
            listed_free(&listed);
            if (result == TM_ENCODE_DONE) {
                break; /* there was memory for all */
            }
            assert_int_equal(result, TM_ENCODE_FAILED); /* the compressor asks as it begins */
        }
        assert_int_equal(memory_out, 0);
    }
    assert_true(memory_fails_at > 3);
    memory_fails_at = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pieces_together_are_the_list),
        cmocka_unit_test(put_that_fails_ends_the_list),
        cmocka_unit_test(no_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
